namespace WeakLink.Benchmarks;

/// <summary>The tables in docs/results.md.</summary>
internal static class Comparisons
{
    private const string Small = "recipes/cifar-small.yaml";
    private const string Off = "ews.search=off";

    // One format for all, not the one that wins today's timing. A thousand images of each corruption and severity: 75,000 for each network.
    private static readonly string[] Format = ["training.precision=bf16", "training.layout=channels-last", "evaluation.corruption-images=1000"];

    // As many steps as four epochs of all images: few enough images to be fitted, as in the paper's 400 epochs.
    private static readonly string[] Few = ["data.limit=5000", "training.epochs=40"];

    private static readonly Column Clean = new("clean", 1, run => 100 * run.Clean.Top1);
    private static readonly Column Corrupted = new("corrupted", 1, run => 100 * run.Corruptions?.Accuracy);
    private static readonly Column Minutes = new("core minutes", 1, run => run.Seconds.TrainProcessor / 60);

    private static readonly Column[] WithSubnets =
    [
        Clean,
        Corrupted,
        new("NLL", 3, run => run.Clean.Nll),
        new("random subnets, mean", 1, run => 100 * run.Subnets?.Random.Mean),
        new("weakest proposed", 1, run => 100 * run.Subnets?.Proposed.Min),
        Minutes,
    ];

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = ["ews", "formats", "few", "map", "augmentation", "adversarial"];

    /// <summary>A table by name.</summary>
    public static Comparison Named(string name) => name switch
    {
        "ews" => new(Small, Format,
        [
            new("plain", "plain", Off),
            new("EWS, searched subnets", "policy"),
            new("EWS, random subnets", "random", "ews.search=random"),
            new("plain, 8 epochs (the compute of EWS)", "plain-8", Off, "training.epochs=8"),
        ], WithSubnets),
        "formats" => new(Small, Format,
        [
            new("bf16 channels-last", "plain", Off),
            new("fp32 contiguous", "plain-fp32", Off, "training.precision=fp32", "training.layout=contiguous"),
        ], WithSubnets),
        "few" => new(Small, Format,
        [
            new("plain", "plain-few", [.. Few, Off]),
            new("EWS, searched subnets", "policy-few", Few),
            new("plain, 80 epochs (the compute of EWS)", "plain-few-80", [.. Few, Off, "training.epochs=80"]),
        ], WithSubnets),
        "map" => new(Small, Format, [.. Map()], WithSubnets),
        "augmentation" => new(Small, Format, [.. Augmented()], WithSubnets),
        "adversarial" => new("recipes/adversarial-small.yaml", AdversarialSettings, [.. Adversarial()],
        [
            new("clean", 1, run => 100 * run.Attacks?["pgd"]["linf"].Clean),
            new("PGD-20", 1, run => 100 * run.Attacks?["pgd"]["linf"].Accuracy),
            new("AutoAttack", 1, run => 100 * run.Attacks?["autoattack"]["linf"].Accuracy),
            Minutes,
        ]),
        _ => throw new InputException($"There is no comparison '{name}': choose {string.Join(", ", Names)}."),
    };

    // Where does EWS help? From the setting of the first table one thing is changed at a time, with and without EWS.
    private static IEnumerable<Arm> Map()
    {
        (string Name, string Folder, string[] Settings)[] places =
        [
            ("as above", "", []),
            ("8 epochs", "-8", ["training.epochs=8"]),
            ("5,000 images, 40 epochs", "-few", Few),
            ("half the width", "-half", ["model.width-multiplier=0.5"]),
            ("ResNet-14", "-resnet14", ["model.name=resnet14"]),
        ];
        foreach (var (name, folder, settings) in places)
        {
            yield return new($"{name}: plain", $"plain{folder}", [.. settings, Off]);
            yield return new($"{name}: EWS", $"policy{folder}", settings);
        }

        yield return new("as above: EWS, ρ = 0.9", "policy-width9", "ews.width=0.9");
        yield return new("5,000 images, 40 epochs: EWS, ρ = 0.9", "policy-few-width9", [.. Few, "ews.width=0.9"]);
        yield return new("5,000 images, 40 epochs: EWS, λ = 0.1", "policy-few-weight1", [.. Few, "ews.weight=0.1"]);
        yield return new("5,000 images, 40 epochs: EWS, ρ = 0.9, λ = 0.1", "policy-few-width9-weight1", [.. Few, "ews.width=0.9", "ews.weight=0.1"]);
    }

    // The first two are those of the first table.
    private static IEnumerable<Arm> Augmented()
    {
        (string Name, string Folder, string[] Settings)[] augmentations =
        [
            ("cross-entropy", "", []),
            ("AutoAugment", "-autoaugment", ["augmentation.sequence=crop,flip,autoaugment-cifar10"]),
            ("AugMix, consistency", "-augmix", ["augmentation.sequence=crop,flip,augmix", "objective.kind=consistency"]),
        ];
        foreach (var (name, folder, settings) in augmentations)
        {
            yield return new(name, $"plain{folder}", [.. settings, Off]);
            yield return new($"{name} + EWS", $"policy{folder}", settings);
        }
    }

    // Eight ways to train, three seeds and AutoAttack must fit two cores and two hours.
    private static string[] AdversarialSettings =>
    [
        "training.precision=bf16", "training.layout=channels-last", "data.limit=10000", "evaluation.corruptions=none", "evaluation.subnets=0",
        "evaluation.attack=pgd,autoattack", "evaluation.attack-images=128",
    ];

    private static IEnumerable<Arm> Adversarial()
    {
        foreach (var (kind, name, gamma) in new[] { ("pgd", "PGD training", "0.01"), ("trades", "TRADES", "0.005") })
        {
            foreach (var (perturbation, awp) in new[] { ("0", ""), (gamma, " + AWP") })
            {
                foreach (var (search, ews) in new[] { ("off", ""), ("policy", " + EWS") })
                {
                    yield return new($"{name}{awp}{ews}", $"{kind}-{(awp.Length > 0 ? "awp-" : "")}{search}", $"objective.kind={kind}", $"objective.weight-perturbation={perturbation}", $"ews.search={search}");
                }
            }
        }
    }
}
