using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Interop;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Sources;

namespace WeakLink.Cli;

/// <summary><c>weaklink import</c>: a network that another program trained, for the other commands.</summary>
internal static class ImportCommand
{
    /// <summary>Name of the recipe that an imported network has.</summary>
    public const string RecipeName = "imported";

    private const string ImageNetSuffix = "-imagenet";
    private const int MostLeft = 4;

    // How the SHA-256 of torchvision's IMAGENET1K_V2 weights begin, which are measured on the middle of 232 pixels, not of 256: ResNet-50, -101 and -152, wide ResNet-50-2 and -101-2 (as in their file names).
    private static readonly string[] SecondOfTorchvision = ["11ad3fa6", "cd907fc2", "f82ba261", "9ba9bcbe", "d733dc28"];

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "A .safetensors file, a .pt or .pth checkpoint of PyTorch, or an .onnx model." };
        var output = new Option<string>("--out") { Description = "The checkpoint to write; evaluate, predict, attack and export take it.", HelpName = "FILE", Required = true };
        var model = new Option<string?>("--model") { Description = "Which network it is, such as resnet50-imagenet, preact-resnet18, wide-resnet-34-10 (default: what the file says, or else the network whose tensors it has).", HelpName = "NAME" };
        var key = new Option<string?>("--key") { Description = "Which weights of a PyTorch checkpoint that holds several, such as state_dict_ema (default: state_dict, model_state_dict, net or model, or the only ones).", HelpName = "NAME" };
        var mean = new Option<string?>("--mean") { Description = "What the model's input was normalised by, for images in [0, 1]: mean of red, green, blue (default: what the file says; ImageNet's for ImageNet networks).", HelpName = "R,G,B" };
        var deviation = new Option<string?>("--std") { Description = "And the standard deviations. Models that take images in [0, 1] and normalise nothing: --mean 0,0,0 --std 1,1,1.", HelpName = "R,G,B" };
        var classes = new Option<string?>("--classes") { Description = "Class names: cifar10, cifar100, imagenet (which folders with WordNet ids such as n01440764 are known by, too), or a text file with one a line (default: those of --data; imagenet for ImageNet networks of 1,000 classes; or numbers).", HelpName = "NAMES" };
        var data = CommonOptions.Data("The data that the network is for: gives class names and image size, and is what evaluate measures on.");
        var set = CommonOptions.Set("Change a key of the recipe that the checkpoint gets, such as data.size=64; may be repeated (docs/recipes.md).");
        var command = new CommandWithExamples("import", "Take a network that PyTorch or another program trained. Nothing in the file is executed.", """
            weaklink import resnet50.pth --model resnet50-imagenet --data imagenet/ --out resnet50.safetensors
            weaklink import Rice2020.pt --model preact-resnet18 --classes cifar10 --out rice.safetensors
            weaklink import timm/model_best.pth.tar --key state_dict_ema --data photos/ --out best.safetensors
            weaklink import ews/checkpoint.pth.tar --model resnet50 --data cifar10 --mean 0.4914,0.4822,0.4465 --std 0.2023,0.1994,0.2010 --out ews.safetensors
            weaklink evaluate ews.safetensors --corruptions benchmark
            """)
        { file, output, model, key, mean, deviation, classes, data, set };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(json: false);
            NativeLibraries.Load();
            var path = parsed.GetValue(file)!;
            var target = CommonOptions.NewFile(parsed.GetValue(output)!, [path, .. parsed.GetValue(classes) is { } list ? (string[])[list] : []]);
            using var weights = ImportedWeights.Read(path, parsed.GetValue(key));
            var name = parsed.GetValue(model) ?? weights.Model ?? Recognised(path, weights, screen);
            foreach (var note in weights.Notes)
            {
                screen.Note(note);
            }

            var recipe = new Recipe().With(
                [
                    $"name={RecipeName}",
                    $"model.name={name}",
                    .. Normalisation(path, name, weights, parsed.GetValue(mean), parsed.GetValue(deviation), screen),
                    .. Size(path, name, weights, parsed.GetValue(data) is not null),
                    // As the run of a network that trains without asking this machine.
                    "training.precision=fp32",
                    "training.layout=contiguous",
                    .. parsed.GetValue(data) is { } source ? (string[])[$"data.source={(Path.Exists(source) ? Path.GetFullPath(source) : source)}"] : [],
                    .. parsed.GetValue(set)!,
                ]);
            RefuseAnotherNormalisation(path, weights, recipe.Model);
            // A size that is not square is no recipe's to set.
            var size = recipe.Data.Size == 0 && weights.Preparation is { } prepared ? new ImageSize(prepared.Height, prepared.Width) : new ImageSize(recipe.Data.Size, recipe.Data.Size);
            var names = ClassNames(parsed.GetValue(classes), weights);
            if (parsed.GetValue(data) is not null)
            {
                var train = DataSources.Open(recipe.Data, names, recipe.Seed, screen, interruption.Token).Train;
                size = new ImageSize(train.Height, train.Width);
                // As of a run that was trained on them: other images are scaled to it.
                recipe = recipe with { Data = recipe.Data with { Size = size.Height == size.Width ? size.Width : 0 } };
                if (train.Classes.Count != weights.Classes)
                {
                    throw new InputException($"The network of '{path}' tells {weights.Classes} classes apart, but {train.Name} has {train.Classes.Count}: give its own data.");
                }

                names ??= train.Classes;
            }
            else if (size.Height == 0)
            {
                throw new InputException($"'{path}' does not say which size its images have: set data.size to it, or give --data.");
            }

            // Refuses a crop that is larger than the images now, not when they are there.
            _ = Loaders.Preparation(recipe, size);
            if (names is null && name.EndsWith(ImageNetSuffix, StringComparison.Ordinal) && weights.Classes == ImageNetClasses.Names.Count)
            {
                screen.Line("The classes are taken to be ImageNet's; --classes or --data name others.");
                names = ImageNetClasses.Names;
            }

            // Before there are as many names as the file claims classes.
            using var network = recipe.CreateNetworkFor(weights.Classes, weights.Numbers, path, explains: true);
            if (names is null)
            {
                screen.Line("The classes are called by their numbers: name them with --classes or --data.");
                names = [.. Enumerable.Range(0, weights.Classes).Select(number => number.ToString(CultureInfo.InvariantCulture))];
            }

            if (names.Count != weights.Classes)
            {
                throw new InputException($"The network of '{path}' tells {weights.Classes} classes apart, but there are {names.Count} names: give those of its own data.");
            }

            var left = weights.CopyTo(network);
            Checkpoint.Save(target, network, null, null, recipe, names, size, new RunPosition());
            screen.Line($"{target}: {name}, {network.ParameterCount:n0} parameters, {names.Count} classes, images of {size.Width}x{size.Height} pixels.");
            if (left.Count > 0)
            {
                screen.Line($"Not taken, because they change nothing in it: {string.Join(", ", left.Take(MostLeft))}{(left.Count > MostLeft ? $" and {left.Count - MostLeft} more" : "")}.");
            }

            screen.Line($"Next: weaklink predict {CommandLine.Quoted(target)} IMAGE...   weaklink evaluate {CommandLine.Quoted(target)}{(parsed.GetValue(data) is null ? " --data D" : "")}");
            return ExitCode.Success;
        });
        return command;
    }

    private static string[] Normalisation(string path, string name, ImportedWeights weights, string? mean, string? deviation, Screen screen)
    {
        if ((mean is null) != (deviation is null))
        {
            throw new InputException("--mean and --std belong together: give both.");
        }

        if (mean is null && weights is { Mean: { } ownMean, StandardDeviation: { } ownDeviation })
        {
            (mean, deviation) = (Text(ownMean), Text(ownDeviation));
        }

        if (mean is null && name.EndsWith(ImageNetSuffix, StringComparison.Ordinal))
        {
            // Those that all networks of torchvision were trained with.
            (mean, deviation) = ("0.485,0.456,0.406", "0.229,0.224,0.225");
            screen.Line($"Normalised by ImageNet's mean ({mean}) and standard deviation ({deviation}), as torchvision's networks are; --mean and --std change that.");
        }

        return mean is null
            ? throw new InputException($"'{path}' does not say how its input was normalised: give --mean and --std as in its training (0,0,0 and 1,1,1 where it takes images in [0, 1] as they are).")
            : [$"model.mean={mean}", $"model.standard-deviation={deviation}"];
    }

    private static void RefuseAnotherNormalisation(string path, ImportedWeights weights, ModelRecipe model)
    {
        if (weights is { NormalisesItself: true, Mean: { } mean, StandardDeviation: { } deviation } && !(Same(model.Mean, mean) && Same(model.StandardDeviation, deviation)))
        {
            throw new InputException($"'{path}' normalises its input itself, by the mean {Text(mean)} and the standard deviation {Text(deviation)}: leave --mean and --std out, which would replace them.");
        }

        // As float32 has them, in which the file's may be.
        static bool Same(IReadOnlyList<double> given, IReadOnlyList<double> its) => given.Select(value => (float)value).SequenceEqual(its.Select(value => (float)value));
    }

    private static string Recognised(string path, ImportedWeights weights, Screen screen)
    {
        if (weights.Recognise() is not { IsExact: true, Name: var name })
        {
            throw new InputException($"'{path}' does not say which network it is, and its tensors are those of none that WeakLink knows: name it with --model, such as resnet50-imagenet, preact-resnet18 or wide-resnet-34-10, to hear what differs.");
        }

        screen.Note($"The tensors are those of {name}; --model names another.");
        return name;
    }

    private static string Text(IReadOnlyList<double> values) => string.Join(',', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    // ImageNet's networks see the centre of a larger picture; the others the whole of theirs, or of CIFAR's where they are not there.
    private static string[] Size(string path, string name, ImportedWeights weights, bool hasData) =>
        weights.Preparation is { } preparation
            ? [$"data.size={(preparation.Scales ? preparation.Height : 0)}", $"augmentation.crop={Crop(preparation)}", $"data.filter={preparation.Filter}"]
        : name.EndsWith(ImageNetSuffix, StringComparison.Ordinal) ? [$"data.size={(IsSecondOfTorchvision(path) ? 232 : 256)}", "augmentation.crop=224"]
        : [$"data.size={(hasData ? 0 : 32)}"];

    private static bool IsSecondOfTorchvision(string path)
    {
        using var file = InputFile.Open(path);
        var checksum = Convert.ToHexStringLower(SHA256.HashData(file));
        return SecondOfTorchvision.Any(start => checksum.StartsWith(start, StringComparison.Ordinal));
    }

    private static int Crop(ImagePreparation preparation) =>
        (preparation.CropHeight, preparation.CropWidth) == (preparation.Height, preparation.Width) ? 0
        : preparation.CropHeight == preparation.CropWidth ? preparation.CropHeight
        : throw new InputException($"The network sees {preparation.CropWidth}x{preparation.CropHeight} pixels of the middle of an image, but WeakLink cuts only squares: it can't be imported.");

    private static IReadOnlyList<string>? ClassNames(string? option, ImportedWeights weights) => option switch
    {
        null => weights.ClassNames,
        "cifar10" => CifarClasses.Ten,
        "cifar100" => CifarClasses.Hundred,
        "imagenet" => ImageNetClasses.Names,
        _ when !File.Exists(option) => throw new InputException($"--classes {option} is neither cifar10, cifar100, imagenet nor a file with one class name a line."),
        _ => WeakLink.ClassNames.Read(option),
    };
}
