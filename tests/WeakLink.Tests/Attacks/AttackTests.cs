using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Recipes;
using WeakLink.Runtime;

namespace WeakLink.Tests.Attacks;

public sealed class AttackTests : IDisposable
{
    private const int Side = 6, Pixels = 3 * Side * Side, Images = 80, Classes = 4;
    private readonly LinearModel _model = new(Classes, Pixels, 7);

    public AttackTests() => NativeLibraries.Load();

    public void Dispose() => _model.Dispose();

    private static Evaluator Evaluator(torch.nn.Module<torch.Tensor, torch.Tensor> network, Dataset images, int batch, IRunObserver? observer = null, CancellationToken stop = default) =>
        new(network, new Recipe { Evaluation = new EvaluationRecipe { Batch = batch } }, images, torch.CPU, observer ?? new SilentObserver(), stop);

    public static TheoryData<Norm, double> Threats => new() { { Norm.Linf, 0.03 }, { Norm.L2, 0.35 }, { Norm.L1, 1.5 } };

    [Theory]
    [MemberData(nameof(Threats))]
    public void AutoAttack_OnALinearModel_ReachesTheExactRobustAccuracy_AndNoAttackMore(Norm norm, double epsilon)
    {
        var threat = new ThreatModel(norm, epsilon);
        var data = Data(3);
        var worst = Worst(threat, data);
        // Neither trivial: some images can be broken, some can't. And none is so near to the limit that rounding decides.
        var (breakable, safe) = (worst.Count(value => value is > 0), worst.Count(value => value <= 0));
        Assert.InRange(breakable, 20, Images);
        Assert.InRange(safe, 10, Images);
        foreach (var name in new[] { "autoattack", "apgd-dlr", "fab", "fab-t", "pgd", "fgsm" }.Where(name => norm != Norm.L1 || name is not ("pgd" or "fgsm")))
        {
            var broken = new HashSet<int>();
            var attacks = KnownAttacks.Named(name, threat).Select(attack => attack is SquareAttack ? new SquareAttack(threat, 300) : attack).ToList();
            var metrics = Evaluator(_model, data, Images).Attacked(name, attacks, found: example => broken.Add(example.Index));
            Assert.All(broken, index => Assert.True(worst[index] > -1e-4, $"{name} broke image {index}, which is safe by {worst[index]}"));
            if (name is "autoattack" or "fab-t")
            {
                // Alone, it must come near; together they must not miss any.
                var clear = name == "autoattack" ? 1e-3 : 0.05;
                Assert.All(Enumerable.Range(0, Images).Where(i => worst[i] > clear && !WrongWithoutAttack(data, i)), i => Assert.True(broken.Contains(i), $"{name} missed image {i}: {worst[i]}"));
            }

            Assert.Equal(metrics.Clean, metrics.Accuracy + ((double)broken.Count / Images), 12);
            Assert.Equal(broken.Count, metrics.Broken);
        }
    }

    [Fact]
    public void Perturbations_StayInTheBallAndTheBox_WhateverTheShapeNormAndSize()
    {
        var random = new SeededRandom(4, RandomUse.Split);
        for (var trial = 0; trial < 24; trial++)
        {
            using var scope = torch.NewDisposeScope();
            var norm = Enum.GetValues<Norm>()[trial % 3];
            var (count, height, width) = (1 + random.Next(4), 1 + random.Next(9), 1 + random.Next(9));
            var pixels = 3 * height * width;
            // From hardly anything to more than the whole box.
            var largest = norm switch { Norm.Linf => 1, Norm.L2 => Math.Sqrt(pixels), _ => pixels };
            var threat = new ThreatModel(norm, largest * Math.Pow(10, -4 * random.NextDouble()));
            using var model = new LinearModel(Classes, pixels, trial);
            // Many values at the very ends of the box.
            var values = Enumerable.Range(0, count * pixels).Select(_ => (float)Math.Clamp(0.5 + (0.7 * random.NextNormal()), 0, 1)).ToArray();
            var x = torch.tensor(values, [count, 3, height, width]);
            // Images that are wrong already are not attacked.
            var y = new AttackedModel(model).Logits(x).argmax(1);
            foreach (var attack in Short(threat))
            {
                var found = attack.Perturb(new AttackedModel(model), x, y, 1, [.. Enumerable.Range(0, count).Select(i => (long)i)]);
                var told = $"{attack.Name}, {threat}, {count}x3x{height}x{width}";
                Assert.True(threat.Size(found - x).max().ToSingle() <= (threat.Epsilon * (1 + 1e-6)) + 2e-7, $"{told}: {threat.Size(found - x).max().ToSingle():g9}");
                Assert.True(found.min().ToSingle() >= 0 && found.max().ToSingle() <= 1, told);
            }
        }
    }

    // Rounding adds up over 150,000 float32 numbers: a projection must stay below ε by as much.
    [Theory]
    [InlineData(Norm.Linf, 4.0 / 255)]
    [InlineData(Norm.L2, 3)]
    [InlineData(Norm.L2, 150)]
    [InlineData(Norm.L1, 0.5)]
    [InlineData(Norm.L1, 75)]
    [InlineData(Norm.L1, 20_000)]
    public void Perturbations_OfLargeImages_PassTheCheckToo(Norm norm, double epsilon)
    {
        const int Large = 224;
        using var scope = torch.NewDisposeScope();
        var threat = new ThreatModel(norm, epsilon);
        using var model = new LinearModel(Classes, 3 * Large * Large, 0);
        var x = torch.rand(2, 3, Large, Large, generator: new torch.Generator(5));
        var y = new AttackedModel(model).Logits(x).argmax(1);
        Attack[] attacks = [new Dense(threat), new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 5), new FastAdaptiveBoundary(threat, steps: 3, targets: 1), new SquareAttack(threat, 10)];
        foreach (var attack in attacks)
        {
            var found = attack.Perturb(new AttackedModel(model), x, y, 1, [0, 1]);
            Assert.True(threat.Size(found - x).max().ToSingle() <= threat.Epsilon * 1.00001, $"{attack.Name}: {threat.Size(found - x).max().ToSingle():g9}");
        }
    }

    [Theory]
    [MemberData(nameof(Threats))]
    public void Batches_MayBeCutInAnyWay(Norm norm, double epsilon)
    {
        using var scope = torch.NewDisposeScope();
        var threat = new ThreatModel(norm, epsilon);
        var (x, y) = Batch(Data(5), 8);
        foreach (var attack in Short(threat))
        {
            var whole = attack.Perturb(new AttackedModel(_model), x, y, 1, [.. Enumerable.Range(0, 8).Select(i => (long)i)]);
            var last = attack.Perturb(new AttackedModel(_model), x[5..], y[5..], 1, [5, 6, 7]);
            // Matrix products of other sizes round differently, and a step size that halves or not makes more of it: compare what counts.
            var (margin, expected) = (AttackLoss.Margin(_model.call(last), y[5..]), AttackLoss.Margin(_model.call(whole[5..]), y[5..]));
            Assert.True((margin - expected).abs().max().ToSingle() < 0.02, $"{attack.Name}: {margin.ToString(TensorStringStyle.Julia)} {expected.ToString(TensorStringStyle.Julia)}");
        }
    }

    // One image a batch, where products of matrices round alike; the draws themselves in batches of any size.
    [Theory]
    [MemberData(nameof(Threats))]
    public void Examples_OfAPart_AreThoseOfTheWhole(Norm norm, double epsilon)
    {
        // So large that even what is drawn at random breaks some.
        var threat = new ThreatModel(norm, 5 * epsilon);
        var whole = new SubsetDataset(Data(15), [.. Enumerable.Range(20, 12)]);
        Attack[] attacks =
        [
            new Drawn(threat), new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 4), new FastAdaptiveBoundary(threat, targets: 1, steps: 2, restarts: 2), new SquareAttack(threat, 20),
            .. norm == Norm.L1 ? (Attack[])[] : [new ProjectedGradientDescent(threat, 3, threat.Epsilon / 3)],
        ];
        foreach (var attack in attacks)
        {
            Dictionary<long, string> Found(Dataset images, int batch)
            {
                var found = new Dictionary<long, string>();
                Evaluator(_model, images, batch).Attacked(
                    "mine", [attack], found: example => found.Add(images.Identity(example.Index), string.Join(',', example.Adversarial.contiguous().data<float>().ToArray())));
                return found;
            }

            var expected = Found(whole, 1);
            Assert.True(expected.Count >= 2, $"{attack.Name} found {expected.Count} examples");
            foreach (var (name, part) in Tests.Data.IdentityTests.Parts(whole))
            {
                var identities = Enumerable.Range(0, part.Count).Select(part.Identity).ToHashSet();
                var found = Found(part, attack is Drawn ? 5 : 1);
                Assert.Equal(expected.Keys.Where(identities.Contains).Order(), found.Keys.Order());
                Assert.All(found, one => Assert.True(expected[one.Key] == one.Value, $"{attack.Name}, {name}: image {one.Key}"));
            }
        }
    }

    [Fact]
    public void TheProgressOfAnOlderVersion_WhichDrewByPlace_BeginsAgain()
    {
        using var folder = new Data.TemporaryFolder();
        var state = Path.Combine(folder.Path, "attack.json");
        var notes = new NoteTaker();
        RobustSummary Measure() => Evaluator(_model, Data(11), 16, notes).Attacked("mine", [new SquareAttack(new ThreatModel(Norm.Linf, 0.03), 30)], state);
        var expected = Measure();
        var text = File.ReadAllText(state);
        Assert.Contains("seed 0 by image, ", text, StringComparison.Ordinal);
        // As if it had broken nothing.
        File.WriteAllText(state, System.Text.RegularExpressions.Regex.Replace(text.Replace("seed 0 by image", "seed 0", StringComparison.Ordinal), "\"brokenBy\":\\[[^]]*\\]", $"\"brokenBy\":[{string.Join(',', Enumerable.Repeat(-1, Images))}]"));
        Assert.Equal(expected.Accuracy, Measure().Accuracy);
        Assert.Contains("older version", Assert.Single(notes.Notes), StringComparison.Ordinal);
        Assert.Equal(expected.Accuracy, Measure().Accuracy);
        Assert.Single(notes.Notes);
    }

    [Fact]
    public void Gradient_IsThatOfFiniteDifferences()
    {
        using var scope = torch.NewDisposeScope();
        using var network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding: 1), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(4 * Side * Side, Classes)).to(torch.float64);
        network.eval();
        var (x, y) = Batch(Data(6), 2);
        x = x.to(torch.float64);
        var model = new AttackedModel(network);
        foreach (var loss in (Func<torch.Tensor, torch.Tensor>[])[z => AttackLoss.CrossEntropy(z, y), z => AttackLoss.Dlr(z, y), z => AttackLoss.TargetedDlr(z, y, (y + 1) % Classes)])
        {
            var (_, _, gradient) = model.Gradient(x, loss);
            foreach (var at in new[] { 0, 17, 55, 107 })
            {
                const double Step = 1e-6;
                var shift = torch.zeros(Pixels, torch.float64);
                shift[at] = Step;
                var up = loss(model.Logits(x + shift.view(1, 3, Side, Side)));
                var down = loss(model.Logits(x - shift.view(1, 3, Side, Side)));
                var expected = (up - down) / (2 * Step);
                Assert.True((expected - gradient.flatten(1).select(1, at)).abs().max().ToDouble() < 1e-6);
            }
        }

        Assert.Equal((2 * 3 * 9, 2 * 3), (model.Forwards, model.Backwards));
    }

    [Fact]
    public void Pgd_RestartsOnlyHelp_AndTakeTheirPasses()
    {
        using var scope = torch.NewDisposeScope();
        var threat = new ThreatModel(Norm.Linf, 0.02);
        var (x, y) = Batch(Data(8), 60);
        var indices = Enumerable.Range(0, 60).Select(i => (long)i).ToArray();
        var (one, five) = (new AttackedModel(_model), new AttackedModel(_model));
        var single = AttackLoss.Margin(one.Logits(new ProjectedGradientDescent(threat, 3, 0.005).Perturb(one, x, y, 0, indices)), y);
        var several = AttackLoss.Margin(five.Logits(new ProjectedGradientDescent(threat, 3, 0.005, restarts: 5).Perturb(five, x, y, 0, indices)), y);
        Assert.True((several - single).max().ToSingle() <= 1e-6);
        var right = (int)AttackLoss.Margin(new AttackedModel(_model).Logits(x), y).ge(0).sum().ToInt64();
        Assert.InRange(right, 40, 59);
        Assert.Equal(right * 3, one.Backwards);
        // Each restart is spared the images that are broken by then.
        var broken = (int)single.lt(0).sum().ToInt64();
        Assert.InRange(broken, 10, 50);
        Assert.InRange(five.Backwards, right * 3, (right * 3) + ((60 - broken) * 12));
    }

    [Fact]
    public void WrongImages_StayAsTheyAre()
    {
        using var scope = torch.NewDisposeScope();
        var threat = new ThreatModel(Norm.Linf, 0.02);
        var (x, _) = Batch(Data(12), 6);
        var (_, far) = new AttackedModel(_model).Logits(x).min(1);
        foreach (var attack in Short(threat))
        {
            var model = new AttackedModel(_model);
            Assert.Equal(x.data<float>(), attack.Perturb(model, x, far, 0, [0, 1, 2, 3, 4, 5]).data<float>());
            Assert.Equal(6, model.Forwards);
        }
    }

    [Fact]
    public void Attacks_LeaveNoTensorsBehind()
    {
        var (x, y) = Batch(Data(9), 4);
        var indices = new long[] { 0, 1, 2, 3 };
        foreach (var norm in Enum.GetValues<Norm>())
        {
            foreach (var attack in Short(new ThreatModel(norm, norm == Norm.Linf ? 0.03 : 0.4)))
            {
                attack.Perturb(new AttackedModel(_model), x, y, 0, indices).Dispose();
                var before = LiveTensors.Before();
                attack.Perturb(new AttackedModel(_model), x, y, 0, indices).Dispose();
                Assert.Equal(before, LiveTensors.After());
            }
        }

        var threat = new ThreatModel(Norm.Linf, 0.03);
        void Measure() => Evaluator(_model, Data(9), 16).Attacked("mine", [new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 3)]);
        Measure();
        var live = LiveTensors.Before();
        Measure();
        Assert.Equal(live, LiveTensors.After());
        x.Dispose();
        y.Dispose();
    }

    [Fact]
    public void BadInput_IsExplained()
    {
        using var scope = torch.NewDisposeScope();
        var threat = new ThreatModel(Norm.Linf, 0.03);
        var (x, y) = Batch(Data(10), 2);
        var pgd = KnownAttacks.Named("pgd", threat)[0];
        Assert.Contains("images in [0, 1]", Assert.Throws<InputException>(() => pgd.Perturb(new AttackedModel(_model), x * 255, y, 0, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("write 128/255", Assert.Throws<InputException>(() => KnownAttacks.Named("pgd", new ThreatModel(Norm.L2, 128))[0].Perturb(new AttackedModel(_model), x, y, 0, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => new ThreatModel(Norm.L1, Pixels + 1).RequireLimit(Pixels));
        Assert.Contains("did you mean 'apgd-ce'", Assert.Throws<InputException>(() => KnownAttacks.Named("apgd-c", threat)).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => KnownAttacks.Named("pgd", new ThreatModel(Norm.L1, 3)));
        Assert.Throws<InputException>(() => KnownAttacks.NormNamed("l3"));
        var two = new LinearModel(2, Pixels, 1);
        Assert.Contains("at least 4 classes", Assert.Throws<InputException>(() => KnownAttacks.Named("apgd-t", threat)[0].Perturb(new AttackedModel(two), x, y % 2, 0, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("at least 3 classes", Assert.Throws<InputException>(() => KnownAttacks.Named("fab-t", threat)[0].Perturb(new AttackedModel(two), x, y % 2, 0, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("2 identities", Assert.Throws<ArgumentException>(() => pgd.Run(0, new AttackedModel(_model), x[..1], y[..1], 0, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("2 identities", Assert.Throws<ArgumentException>(() => pgd.Perturb(new AttackedModel(_model), x[..1], y[..1], 0, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("Int32", Assert.Throws<ArgumentException>(() => pgd.Run(0, new AttackedModel(_model), x, y.to(torch.int32), 0, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("left the threat model", Assert.Throws<InvalidOperationException>(() => new Cheating(threat).Perturb(new AttackedModel(_model), x, y, 0, [0, 1])).Message, StringComparison.Ordinal);
        _model.train();
        Assert.Contains("training mode", Assert.Throws<InputException>(() => new AttackedModel(_model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnInterruptedEvaluation_GoesOnToTheSameResult()
    {
        using var folder = new Data.TemporaryFolder();
        var state = Path.Combine(folder.Path, "attack.json");
        var threat = new ThreatModel(Norm.Linf, 0.03);
        var data = Data(11);
        IReadOnlyList<Attack> attacks = [new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 10), new FastAdaptiveBoundary(threat, steps: 10), new SquareAttack(threat, 30)];
        RobustSummary Measure(string? file, CancellationToken stop = default, Action<AdversarialExample>? found = null) => Evaluator(_model, data, 16, stop: stop).Attacked("mine", attacks, file, found);
        var expected = Measure(null);

        using var stop = new CancellationTokenSource();
        var seen = 0;
        Assert.Throws<OperationCanceledException>(() => Measure(state, stop.Token, example =>
        {
            if (++seen == 20)
            {
                stop.Cancel();
            }
        }));
        Assert.True(File.Exists(state));
        var attackedAgain = new List<int>();
        var resumed = Measure(state, default, example => attackedAgain.Add(example.Index));
        Assert.InRange(attackedAgain.Count, 1, (int)Math.Round(expected.Clean * Images) - 20);
        Assert.Equal((expected.Clean, expected.Accuracy), (resumed.Clean, resumed.Accuracy));
        Assert.Equal(expected.Stages.Select(stage => (stage.Attack, stage.Attacked, stage.Broken)), resumed.Stages.Select(stage => (stage.Attack, stage.Attacked, stage.Broken)));
        Assert.Equal(expected.Accuracy, Measure(state, default, _ => Assert.Fail("there is nothing left to do")).Accuracy);

        Assert.Contains("another evaluation", Assert.Throws<InputException>(() => Evaluator(_model, data, 16).Attacked("other", attacks, state)).Message, StringComparison.Ordinal);
        Assert.Contains("another evaluation", Assert.Throws<InputException>(() => Evaluator(_model, data, 16).Attacked("mine", [.. attacks.SkipLast(1), new SquareAttack(threat, 31)], state)).Message, StringComparison.Ordinal);
        var whole = File.ReadAllText(state);
        foreach (var damaged in new[]
        {
            "{", "{}", whole.Replace("\"stages\":[", "\"stages\":[null,", StringComparison.Ordinal), whole.Replace("\"stage\":3", "\"stage\":-1", StringComparison.Ordinal),
            whole.Replace("\"stage\":3", "\"stage\":9", StringComparison.Ordinal), whole.Replace("\"nextIndex\":0", "\"nextIndex\":-5", StringComparison.Ordinal),
            whole.Replace("\"brokenBy\":[", "\"brokenBy\":[7,", StringComparison.Ordinal), whole.Replace("\"evaluation\":", "\"other\":", StringComparison.Ordinal),
        })
        {
            Assert.NotEqual(whole, damaged);
            File.WriteAllText(state, damaged);
            Assert.Contains("can't be read", Assert.Throws<InputException>(() => Measure(state)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void HiddenGradients_AreNoticed()
    {
        // Rounded inputs: the gradient is 0 everywhere, but square finds what it hides.
        using var rounding = new Rounding(_model);
        rounding.eval();
        var threat = new ThreatModel(Norm.Linf, 0.05);
        var metrics = Evaluator(rounding, Data(12), 64).Attacked("mine", [new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 5), new SquareAttack(threat, 300)]);
        Assert.Contains(metrics.Warnings, warning => warning.Contains("gradient of the loss is exactly 0", StringComparison.Ordinal));
        Assert.Contains(metrics.Warnings, warning => warning.Contains("square", StringComparison.Ordinal));
        Assert.Empty(Evaluator(_model, Data(12), 64).Attacked("mine", [new AutoPgd(threat, AutoPgdLoss.CrossEntropy)]).Warnings);
    }

    [Theory]
    [InlineData("CUDA out of memory. Tried to allocate 2.00 GiB")]
    [InlineData("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.")]
    [InlineData("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes. Error code 12 (Cannot allocate memory)")]
    public void Batches_AreHalvedUntilTheyFit_AndNothingIsLostOrCountedTwice(string message)
    {
        using var small = new SmallMemory(_model, 10, message);
        small.eval();
        var threat = new ThreatModel(Norm.Linf, 0.03);
        var observer = new NoteTaker();
        RobustSummary Measure(torch.nn.Module<torch.Tensor, torch.Tensor> network, IRunObserver told) =>
            Evaluator(network, Data(13), 64, told).Attacked("mine", [new AutoPgd(threat, AutoPgdLoss.TargetedDlr, steps: 5)]);
        var (expected, found) = (Measure(_model, new SilentObserver()), Measure(small, observer));
        Assert.Equal((expected.Clean, expected.Accuracy, expected.Stages[0].Attacked), (found.Clean, found.Accuracy, found.Stages[0].Attacked));
        Assert.Equal(expected.ByClass, found.ByClass);
        Assert.Equal([64, 32, 16], observer.Notes.Select(note => int.Parse(note.Split("memory for ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)));
        using var none = new SmallMemory(_model, 0, message);
        none.eval();
        Assert.Throws<LibtorchException>(() => Measure(none, observer));
    }

    [Fact]
    public void AnInterruptionBetweenTwoTargets_LosesNothing_AndAnotherModelMayNotGoOn()
    {
        using var folder = new Data.TemporaryFolder();
        var state = Path.Combine(folder.Path, "attack.json");
        var threat = new ThreatModel(Norm.Linf, 0.02);
        IReadOnlyList<Attack> attacks = [new AutoPgd(threat, AutoPgdLoss.TargetedDlr, steps: 8)];
        using var stop = new CancellationTokenSource();
        var (passes, last) = (0, int.MaxValue);
        using var counting = new Watched(_model, () =>
        {
            if (++passes == last)
            {
                stop.Cancel();
            }
        });
        counting.eval();
        RobustSummary Measure(torch.nn.Module<torch.Tensor, torch.Tensor> network, string? file, CancellationToken token = default) =>
            Evaluator(network, Data(14), 16, stop: token).Attacked("mine", attacks, file);
        var expected = Measure(counting, null);
        // In the last third of the passes the first target's run is over.
        var all = passes;
        (passes, last) = (0, all * 3 / 4);
        Assert.Throws<OperationCanceledException>(() => Measure(counting, state, stop.Token));
        using var other = new LinearModel(Classes, Pixels, 99);
        Assert.Contains("another evaluation", Assert.Throws<InputException>(() => Measure(other, state)).Message, StringComparison.Ordinal);
        (passes, last) = (0, int.MaxValue);
        var resumed = Measure(counting, state);
        Assert.InRange(passes, 1, all / 2);
        Assert.Equal((expected.Clean, expected.Accuracy), (resumed.Clean, resumed.Accuracy));
        Assert.Equal(expected.ByClass, resumed.ByClass);
        Assert.Equal(expected.Stages.Select(stage => stage with { Seconds = 0 }), resumed.Stages.Select(stage => stage with { Seconds = 0 }));
    }

    [Fact]
    public void TooFewClasses_AreTold_BeforeAnyWorkIsDone()
    {
        using var two = new LinearModel(2, Pixels, 1);
        var data = new MemoryDataset("two", ["a", "b"], Side, Side, [new byte[Pixels]], [0]);
        var observer = new NoteTaker();
        foreach (var name in new[] { "autoattack", "autoattack-plus", "autoattack-rand", "apgd-t", "apgd-dlr", "fab-t" })
        {
            var message = Assert.Throws<InputException>(() => Evaluator(two, data, 8, observer).Attacked(name, KnownAttacks.Named(name, new ThreatModel(Norm.Linf, 0.03)))).Message;
            Assert.Contains("the model has 2", message, StringComparison.Ordinal);
        }

        Assert.Equal(0, observer.Begun);
    }

    [Fact]
    public void RandomisedModels_AndProbabilities_AreNoticed()
    {
        var threat = new ThreatModel(Norm.Linf, 0.01);
        RobustSummary Measure(Func<torch.Tensor, torch.Tensor> change, params Attack[] attacks)
        {
            using var changed = new Changed(_model, change);
            changed.eval();
            return Evaluator(changed, Data(12), 64).Attacked("mine", attacks);
        }

        var attack = new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 2);
        Assert.Contains("answers differently", Assert.Single(Measure(z => z + (torch.randn_like(z) * 0.1), attack).Warnings), StringComparison.Ordinal);
        Assert.Empty(Measure(z => z + (torch.randn_like(z) * 0.1), new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 2, samples: 20)).Warnings);
        Assert.Contains(Measure(z => z.softmax(1), attack).Warnings, warning => warning.Contains("probabilities", StringComparison.Ordinal));
        // Large logits that differ by rounding only are not random.
        Assert.DoesNotContain(Measure(z => z * 1e4, new SquareAttack(threat, 2)).Warnings, warning => warning.Contains("differently", StringComparison.Ordinal));
    }

    [Fact]
    public void Passes_AreThoseOfThePublishedBudgets()
    {
        using var scope = torch.NewDisposeScope();
        using var constant = new Changed(_model, z => z - z + torch.tensor(new float[] { 1, 0, 0, 0 }));
        constant.eval();
        var (x, _) = Batch(Data(3), 2);
        var y = torch.zeros(2, torch.int64);
        // No attack can break a constant: forwards and backwards of an image.
        (long Forwards, long Backwards) Passes(Attack attack)
        {
            var model = new AttackedModel(constant);
            for (var attempt = 0; attempt < attack.Attempts(Classes); attempt++)
            {
                attack.Run(attempt, model, x, y, 0, [0, 1]);
            }

            return (model.Forwards / 2, model.Backwards / 2);
        }

        var linf = AutoAttack.Standard(new ThreatModel(Norm.Linf, 0.03));
        Assert.Equal(["apgd-ce", "apgd-t", "fab-t", "square"], linf.Select(attack => attack.Name));
        Assert.Equal((101, 101), Passes(linf[0]));
        Assert.Equal((3 * 102, 3 * 101), Passes(linf[1]));
        Assert.Equal((3 * 201, 3 * 100), Passes(linf[2]));
        Assert.Equal((5001, 0), Passes(linf[3]));
        var l1 = AutoAttack.Standard(new ThreatModel(Norm.L1, 1));
        // Three climbs of 30, 30 and 40 steps.
        Assert.Equal((5 * 103, 5 * 103), Passes(l1[0]));
        Assert.Equal((1, 5, 5, 9), (linf[0].Attempts(10), l1[0].Attempts(10), l1[1].Attempts(10), linf[1].Attempts(10)));
        var plus = AutoAttack.Plus(new ThreatModel(Norm.Linf, 0.03));
        Assert.Equal(["apgd-ce", "apgd-dlr", "fab", "square", "apgd-t", "fab-t"], plus.Select(attack => attack.Name));
        Assert.Equal([5, 5, 5, 1, 9, 9], plus.Select(attack => attack.Attempts(10)));
        // A gradient for each of the wrong classes, of one forward pass.
        Assert.Equal((1 + (2 * 10), 3 * 10), Passes(new FastAdaptiveBoundary(new ThreatModel(Norm.Linf, 0.03), targeted: false, steps: 10)));
        var rand = AutoAttack.Rand(new ThreatModel(Norm.Linf, 0.03));
        Assert.Equal(["apgd-ce", "apgd-dlr"], rand.Select(attack => attack.Name));
        Assert.All(rand, attack => Assert.True(attack is AutoPgd { Averages: true }));
        Assert.Equal((20 * 4, 20 * 4), Passes(new AutoPgd(new ThreatModel(Norm.Linf, 0.03), AutoPgdLoss.Dlr, steps: 3, samples: 20)));
    }

    // Every kind of attack, of a few steps.
    private static List<Attack> Short(ThreatModel threat) =>
    [
        new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 24, restarts: 2),
        new AutoPgd(threat, AutoPgdLoss.Dlr, steps: 24, samples: 2),
        new AutoPgd(threat, AutoPgdLoss.TargetedDlr, steps: 24, targets: 2),
        new FastAdaptiveBoundary(threat, targeted: false, steps: 6, restarts: 2),
        new FastAdaptiveBoundary(threat, steps: 12, targets: 2),
        new SquareAttack(threat, 60),
        .. threat.Norm == Norm.L1 ? (Attack[])[] : [new ProjectedGradientDescent(threat, 5, threat.Epsilon / 3, restarts: 2), ProjectedGradientDescent.Fgsm(threat)],
    ];

    private MemoryDataset Data(long seed)
    {
        var random = new SeededRandom(seed, RandomUse.Split);
        var (images, labels) = (new List<byte[]>(), new List<int>());
        for (var i = 0; i < Images; i++)
        {
            // Labels are what the model says, so that most are right; images reach the ends of the box.
            var pixels = Enumerable.Range(0, Pixels).Select(_ => (byte)Math.Clamp(127 + (90 * random.NextNormal()), 0, 255)).ToArray();
            images.Add(pixels);
            labels.Add(i % 10 == 0 ? random.Next(Classes) : Enumerable.Range(0, Classes).MaxBy(c => _model.Bias[c] + Enumerable.Range(0, Pixels).Sum(p => _model.Weight[c, p] * pixels[p] / 255f)));
        }

        return new MemoryDataset("random", [.. Enumerable.Range(0, Classes).Select(c => $"class{c}")], Side, Side, images, labels);
    }

    private static float[] Unit(Dataset data, int index)
    {
        var bytes = new byte[data.BytesPerImage];
        data.Read(index, bytes);
        return [.. bytes.Select(value => value / 255f)];
    }

    private double[] Worst(ThreatModel threat, Dataset data) =>
        [.. Enumerable.Range(0, data.Count).Select(i => _model.Worst(threat.Norm, threat.Epsilon, Unit(data, i), data.Label(i)))];

    private bool WrongWithoutAttack(Dataset data, int index) => _model.Worst(Norm.Linf, 0, Unit(data, index), data.Label(index)) > 0;

    private static (torch.Tensor Images, torch.Tensor Labels) Batch(Dataset data, int count) => (
        torch.tensor(Enumerable.Range(0, count).SelectMany(i => Unit(data, i)).ToArray(), [count, 3, Side, Side]),
        torch.tensor(Enumerable.Range(0, count).Select(i => (long)data.Label(i)).ToArray()));

    private sealed class Rounding(LinearModel model) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Rounding))
    {
        public override torch.Tensor forward(torch.Tensor images) => model.call((images * 64).round() / 64);
    }

    private sealed class SmallMemory(LinearModel model, int most, string message) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(SmallMemory))
    {
        public override torch.Tensor forward(torch.Tensor images) => images.shape[0] > Math.Max(most, 1) || most == 0
            ? throw new LibtorchException(message)
            : model.call(images);
    }

    private sealed class LibtorchException(string message) : System.Runtime.InteropServices.ExternalException(message);

    private sealed class Watched(LinearModel model, Action passing) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Watched))
    {
        public override torch.Tensor forward(torch.Tensor images)
        {
            passing();
            return model.call(images);
        }
    }

    private sealed class Changed(LinearModel model, Func<torch.Tensor, torch.Tensor> change) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Changed))
    {
        public override torch.Tensor forward(torch.Tensor images) => change(model.call(images));
    }

    private sealed class Cheating(ThreatModel threat) : Attack("cheating", threat)
    {
        public override int Attempts(int classes) => 1;

        protected override torch.Tensor Search(int attempt, AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop) => torch.ones_like(images);
    }

    // Nothing but what is drawn: no product of matrices to round otherwise.
    private sealed class Drawn(ThreatModel threat) : Attack("drawn", threat)
    {
        public override int Attempts(int classes) => 3;

        protected override torch.Tensor Search(int attempt, AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop) =>
            attempt == 0 ? draws.Start(Threat, images) : Threat.Project(images + draws.Direction(Threat, images), images);
    }

    // Projects a perturbation of every value: one of the full size, which nothing but rounding keeps from ε.
    private sealed class Dense(ThreatModel threat) : Attack("dense", threat)
    {
        public override int Attempts(int classes) => 4;

        protected override torch.Tensor Search(int attempt, AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop) =>
            Threat.Project(images + (Threat.Normalized(torch.randn_like(images)) * (1.02 * Threat.Epsilon)), images);
    }

    private sealed class NoteTaker : IRunObserver
    {
        public List<string> Notes { get; } = [];

        public int Begun { get; private set; }

        public void Begin(string name, long total, string unit, long done = 0) => Begun++;

        public void Advance(long done, string detail = "")
        {
        }

        public void Epoch(EpochMetrics metrics)
        {
        }

        public void Note(string sentence) => Notes.Add(sentence);
    }
}
