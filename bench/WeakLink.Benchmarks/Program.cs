using WeakLink.Benchmarks;

const string Usage = "usage: dotnet run -c Release --project bench/WeakLink.Benchmarks -- [spoiled | mended] arithmetic | device [STEPS] | steps [NETWORK...] [ROUNDS] | lessons [NETWORK] [ROUNDS] | ranks [NETWORK...] [ROUNDS] (by mpirun) | scaling IMAGES_PER_SECOND... | limit [NETWORK...] [ROUNDS] | weights | measuring [NETWORK...] [ROUNDS] | memory [STEPS] | channels | loading [FOLDER] | corruptions REFERENCE | attacks [IMAGES] | attacks RUN [IMAGES] | peer RUN AUTOATTACK [IMAGES] | strength RUN [IMAGES] | serve ADDRESS MODEL PICTURES | augmentations | comparison TABLE DATA OUT [SEEDS] [KEY=VALUE...] | picture OUT RUN...";
Machine.Prepare();
if (args is ["spoiled" or "mended", ..])
{
    ArithmeticBenchmark.Pretend(mended: args[0] == "mended");
    args = args[1..];
}

switch (args)
{
    case ["arithmetic"]:
        Console.WriteLine($"{Machine.Describe()}\n");
        ArithmeticBenchmark.Run();
        return 0;
    case ["device", .. var stepCount]:
        Console.WriteLine($"{Machine.Describe()}\n");
        return DeviceBenchmark.Run(stepCount.Length > 0 ? int.Parse(stepCount[0], System.Globalization.CultureInfo.InvariantCulture) : 50);
    case ["steps", .. var networks]:
        Console.WriteLine($"{Machine.Describe()}\n");
        var (stepped, rounds) = NetworksAndRounds(networks, "resnet20", "resnet18");
        StepBenchmark.Run(stepped, rounds);
        return 0;
    case ["limit", .. var measured]:
        Console.WriteLine($"{Machine.Describe()}\n");
        var (limited, repeats) = NetworksAndRounds(measured, "resnet20", "resnet18", "resnet50");
        LimitBenchmark.Run(limited, repeats ?? 5);
        return 0;
    case ["ranks", .. var trained]:
        var (shared, times) = NetworksAndRounds(trained, "resnet20", "resnet18");
        return RankBenchmark.Run(shared, times ?? 5);
    case ["scaling", .. var rates]:
        ScalingModel.Print([.. rates.Select(rate => double.Parse(rate, System.Globalization.CultureInfo.InvariantCulture))]);
        return 0;
    case ["weights"]:
        Console.WriteLine($"{Machine.Describe()}\n");
        WeightGradientBenchmark.Run();
        return 0;
    case ["lessons", .. var of]:
        Console.WriteLine($"{Machine.Describe()}\n");
        LessonBenchmark.Run(of.Length > 0 ? of[0] : "resnet20", of.Length > 1 ? int.Parse(of[1], System.Globalization.CultureInfo.InvariantCulture) : 9);
        return 0;
    case ["measuring", .. var measured]:
        Console.WriteLine($"{Machine.Describe()}\n");
        var (timed, turns) = NetworksAndRounds(measured, "resnet20", "resnet18");
        MeasuringBenchmark.Run(timed, turns ?? 9);
        return 0;
    case ["memory", .. var steps]:
        Console.WriteLine($"{Machine.Describe()}\n");
        MemoryBenchmark.Run(steps.Length > 0 ? int.Parse(steps[0], System.Globalization.CultureInfo.InvariantCulture) : 1000);
        return 0;
    case ["memory-of", var network, var search, var steps]:
        MemoryBenchmark.Measure(network, Enum.Parse<WeakLink.Subnets.SearchKind>(search), int.Parse(steps, System.Globalization.CultureInfo.InvariantCulture));
        return 0;
    case ["channels"]:
        Console.WriteLine($"{Machine.Describe()}\n");
        ChannelBenchmark.Run();
        return 0;
    case ["loading", .. var folder]:
        Console.WriteLine($"{Machine.Describe()}\n");
        LoadingBenchmark.Run(folder.Length > 0 ? folder[0] : null);
        return 0;
    case ["corruptions", var reference]:
        Console.WriteLine($"{Machine.Describe()}\n");
        CorruptionBenchmark.Run(reference);
        return 0;
    case ["attacks", var run, .. var images] when Path.Exists(run):
        Console.WriteLine($"{Machine.Describe()}\n");
        AttackBenchmark.AutoAttackOn(run, images.Length > 0 ? int.Parse(images[0], System.Globalization.CultureInfo.InvariantCulture) : 128);
        return 0;
    case ["peer", var run, var autoattack, .. var images]:
        Console.WriteLine($"{Machine.Describe()}\n");
        PeerAttackBenchmark.Run(run, autoattack, images.Length > 0 ? int.Parse(images[0], System.Globalization.CultureInfo.InvariantCulture) : 200);
        return 0;
    case ["serve", var address, var model, var pictures]:
        Console.WriteLine($"{Machine.Describe()}\n");
        await ServeBenchmark.Run(address, model, pictures);
        return 0;
    case ["strength", var run, .. var images]:
        Console.WriteLine($"{Machine.Describe()}\n");
        StrengthBenchmark.Run(run, images.Length > 0 ? int.Parse(images[0], System.Globalization.CultureInfo.InvariantCulture) : 400);
        return 0;
    case ["attacks", .. var images]:
        Console.WriteLine($"{Machine.Describe()}\n");
        AttackBenchmark.Run(images.Length > 0 ? int.Parse(images[0], System.Globalization.CultureInfo.InvariantCulture) : 128);
        return 0;
    case ["augmentations"]:
        Console.WriteLine($"{Machine.Describe()}\n");
        AugmentationBenchmark.Run();
        return 0;
    case ["comparison", var table, var data, var output, .. var rest]:
        var settings = rest.Where(argument => argument.Contains('=')).ToArray();
        var seeds = rest.Length > settings.Length ? int.Parse(rest[0], System.Globalization.CultureInfo.InvariantCulture) : 3;
        Console.WriteLine($"{Machine.Describe()}\n");
        ResultTables.Named(table).Run(data, output, seeds, settings);
        return 0;
    case ["picture", var picture, .. var runs]:
        SubnetPicture.Draw(picture, runs);
        return 0;
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}

// Such as "resnet20 resnet18 5"; both may be left out.
static (string[] Networks, int? Rounds) NetworksAndRounds(string[] arguments, params string[] usual)
{
    int? rounds = arguments is [.., var last] && int.TryParse(last, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;
    var named = rounds is null ? arguments : arguments[..^1];
    return (named.Length > 0 ? named : usual, rounds);
}
