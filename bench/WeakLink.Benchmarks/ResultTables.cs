using WeakLink.Comparisons;

namespace WeakLink.Benchmarks;

/// <summary>The tables in docs/results.md and docs/earlier-results.md, and the networks of docs/subnets.md.</summary>
internal static class ResultTables
{
    private const string SmallRecipe = "recipes/cifar-small.yaml";
    private const string AdversarialRecipe = "recipes/adversarial-small.yaml";
    private const double LinfEps = 8.0 / 255;
    private const string Off = "ews.search=off", Policy = "ews.search=policy";

    // One format for all, not the one that wins today's timing. A thousand images of each corruption and severity: 75,000 for each network.
    private static readonly string[] Format = ["training.precision=bf16", "training.layout=channels-last", "evaluation.corruption-images=1000"];

    // As many steps as four epochs of all images: few enough images to be fitted, as in the paper's 400 epochs.
    private static readonly string[] Few = ["data.limit=5000", "training.epochs=40"];

    // Until the training images are fitted, as the published 400 epochs do: 1,250 steps on 100 images a class.
    private static readonly string[] Fitted = ["data.limit=1000", "training.epochs=160", "training.validate-every=10", "evaluation.corruption-images=200"];

    private static readonly Metric Minutes = Metric.TrainCoreMinutes with { Title = "core minutes", Digits = 1 };

    private static readonly Metric[] WithSubnets =
    [
        Metric.Clean with { Title = "clean" },
        Metric.Corrupted with { Title = "corrupted" },
        Metric.Nll,
        Metric.RandomSubnets with { Title = "random subnets, mean" },
        Metric.WeakestSubnet with { Title = "weakest subnet" },
        Minutes,
    ];

    private static readonly Metric[] UnderAttack =
    [
        Metric.Clean with { Title = "clean" },
        Metric.Robust("pgd", "linf", LinfEps) with { Title = "PGD-20" },
        Metric.Robust("autoattack", "linf", LinfEps) with { Title = "AutoAttack" },
        Minutes,
    ];

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = ["ews", "formats", "few", "fitted", "kinds", "map", "augmentation", "adversarial", "fine-tuning"];

    /// <summary>A table by name.</summary>
    public static ResultTable Named(string name) => name switch
    {
        "ews" => new(Format,
        [
            Small("plain", "plain", Off),
            Small("EWS, searched subnets", "policy", Policy),
            Small("EWS, random subnets", "random", "ews.search=random"),
            Small("plain, 8 epochs (the compute of EWS)", "plain-8", Off, "training.epochs=8"),
        ], WithSubnets),
        "formats" => new(Format,
        [
            Small("bf16 channels-last", "plain", Off),
            Small("fp32 contiguous", "plain-fp32", Off, "training.precision=fp32", "training.layout=contiguous"),
        ], WithSubnets),
        "few" => new(Format,
        [
            Small("plain", "plain-few", [.. Few, Off]),
            Small("EWS, searched subnets", "policy-few", [.. Few, Policy]),
            Small("plain, 80 epochs (the compute of EWS)", "plain-few-80", [.. Few, Off, "training.epochs=80"]),
        ], WithSubnets),
        "fitted" => new(Format,
        [
            Small("plain", "plain-fitted", [.. Fitted, Off]),
            Small("EWS, searched subnets", "policy-fitted", [.. Fitted, Policy]),
            Small("plain, 320 epochs (more than the compute of EWS)", "plain-fitted-320", [.. Fitted, Off, "training.epochs=320"]),
        ], WithSubnets),
        "kinds" => new(Format, [.. Kinds()], WithSubnets),
        "map" => new(Format, [.. Map()], WithSubnets),
        "augmentation" => new(Format, [.. Augmented()], WithSubnets),
        "adversarial" => new(AdversarialSettings, [.. Adversarial()], UnderAttack),
        "fine-tuning" => new([.. Format, "data.limit=5000", "data.size=64", "training.epochs=10", Off, "evaluation.subnets=0"], [.. FineTuned()], [Metric.Clean with { Title = "clean" }, Metric.Corrupted with { Title = "corrupted" }, Metric.Nll, Minutes]),
        _ => throw new InputException($"There is no comparison '{name}': choose {string.Join(", ", Names)}."),
    };

    private static Arm Small(string name, string folder, params string[] settings) => new(name, SmallRecipe, settings) { Folder = folder };

    // Networks without EWS, good and bad: do weak subnets go with a weak network?
    private static IEnumerable<Arm> Kinds()
    {
        (string Name, string Folder, string[] Settings)[] kinds =
        [
            ("20 epochs", "-20", ["training.epochs=20"]),
            ("40 epochs", "-40", []),
            ("500 images, 80 epochs", "-500", ["data.limit=500", "training.epochs=80"]),
            ("4,000 images, 20 epochs", "-4000", ["data.limit=4000", "training.epochs=20"]),
            ("half the width", "-half", ["model.width-multiplier=0.5"]),
            ("ResNet-14", "-resnet14", ["model.name=resnet14"]),
            ("AugMix", "-augmix", ["augmentation.sequence=crop,flip,augmix"]),
            ("AutoAugment", "-autoaugment", ["augmentation.sequence=crop,flip,autoaugment-cifar10"]),
            ("flipped, not cropped", "-flip", ["augmentation.sequence=flip"]),
        ];
        return kinds.Select(kind => Small(kind.Name, $"plain-fitted{kind.Folder}", [.. Fitted, Off, "training.epochs=40", .. kind.Settings]));
    }

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
            yield return Small($"{name}: plain", $"plain{folder}", [.. settings, Off]);
            yield return Small($"{name}: EWS", $"policy{folder}", [.. settings, Policy]);
        }

        yield return Small("as above: EWS, ρ = 0.9", "policy-width9", Policy, "ews.width=0.9");
        yield return Small("5,000 images, 40 epochs: EWS, ρ = 0.9", "policy-few-width9", [.. Few, Policy, "ews.width=0.9"]);
        yield return Small("5,000 images, 40 epochs: EWS, λ = 0.1", "policy-few-weight1", [.. Few, Policy, "ews.weight=0.1"]);
        yield return Small("5,000 images, 40 epochs: EWS, ρ = 0.9, λ = 0.1", "policy-few-width9-weight1", [.. Few, Policy, "ews.width=0.9", "ews.weight=0.1"]);
    }

    // The first two are those of the first table; no question is asked of the others' subnets.
    private static IEnumerable<Arm> Augmented()
    {
        (string Name, string Folder, string[] Settings)[] augmentations =
        [
            ("cross-entropy", "", []),
            ("AutoAugment", "-autoaugment", ["evaluation.subnets=0", "augmentation.sequence=crop,flip,autoaugment-cifar10"]),
            ("AugMix, consistency", "-augmix", ["evaluation.subnets=0", "augmentation.sequence=crop,flip,augmix", "objective.kind=consistency"]),
        ];
        foreach (var (name, folder, settings) in augmentations)
        {
            yield return Small(name, $"plain{folder}", [.. settings, Off]);
            yield return Small($"{name} + EWS", $"policy{folder}", [.. settings, Policy]);
        }
    }

    // A step costs the same in all: the small network computes about as much of an image of 64x64 pixels as the large one, whose stem makes it small.
    private static IEnumerable<Arm> FineTuned()
    {
        yield return new("fine-tuned", "recipes/fine-tune.yaml", "model.weights=resnet20-imagenet", "augmentation.sequence=crop,flip") { Folder = "fine-tuned" };
        yield return new("the same network from nothing", "recipes/small.yaml", "model.name=resnet20-imagenet") { Folder = "from-nothing" };
    }

    // Ten ways to train and AutoAttack for each: a seed takes two cores 50 minutes, half of them AutoAttack.
    private static string[] AdversarialSettings =>
    [
        "training.precision=bf16", "training.layout=channels-last", "training.epochs=10", "data.limit=10000", "evaluation.corruptions=none", "evaluation.subnets=0",
        "evaluation.attack=pgd,autoattack", "evaluation.attack-images=400",
    ];

    private static IEnumerable<Arm> Adversarial()
    {
        foreach (var (kind, name, gamma, epochs) in new[] { ("pgd", "PGD training", "0.01", 12), ("trades", "TRADES", "0.005", 15) })
        {
            foreach (var (perturbation, awp) in new[] { ("0", ""), (gamma, " + AWP") })
            {
                foreach (var (search, ews) in new[] { ("off", ""), ("policy", " + EWS") })
                {
                    yield return new($"{name}{awp}{ews}", AdversarialRecipe, $"objective.kind={kind}", $"objective.weight-perturbation={perturbation}", $"ews.search={search}")
                    {
                        Folder = $"{kind}-{(awp.Length > 0 ? "awp-" : "")}{search}",
                    };
                }
            }

            yield return new($"{name}, {epochs} epochs (the compute of EWS)", AdversarialRecipe, $"objective.kind={kind}", Off, $"training.epochs={epochs}") { Folder = $"{kind}-{epochs}" };
        }
    }
}
