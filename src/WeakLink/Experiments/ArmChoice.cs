using System.Globalization;
using WeakLink.Comparisons;
using WeakLink.Recipes;

namespace WeakLink.Experiments;

/// <summary>
/// Which variant of each arm is compared: the one that does best on validation images, with seeds that nothing is judged by, so that an arm with more
/// variants has no more luck than one with fewer.
/// </summary>
/// <param name="Arms">The arms, each with its chosen settings; empty where runs are missing.</param>
/// <param name="Findings">What was chosen among what, and by which accuracies: a sentence for each arm that had a choice.</param>
/// <param name="Unfinished">Folders of runs that are not finished, because other processes train them.</param>
public sealed record ArmChoice(IReadOnlyList<Arm> Arms, IReadOnlyList<string> Findings, IReadOnlyList<string> Unfinished)
{
    private const string Folder = "choice";

    // The best variant is trained again with other seeds, and measured then.
    private static readonly string[] Unmeasured = ["evaluation.corruptions=none", "evaluation.subnets=0", "evaluation.attack=none", "evaluation.perturbations=none", "evaluation.curve-images=0"];

    /// <summary>Trains what is missing of every variant, and chooses.</summary>
    /// <param name="variants">The variants of each arm, at least one.</param>
    /// <param name="common">What all change of their recipes, each <c>key=value</c>.</param>
    /// <param name="seeds">Seeds to choose with.</param>
    /// <param name="output">The comparison's folder; the variants' runs are in its folder choice/.</param>
    /// <param name="observer">Told of everything.</param>
    /// <param name="stop">Saves a checkpoint, then stops.</param>
    /// <exception cref="InputException">Anything that the user has to change.</exception>
    public static ArmChoice Of(
        IReadOnlyList<ArmVariants> variants, IReadOnlyList<string> common, IReadOnlyList<long> seeds, string output, IRunObserver observer, CancellationToken stop = default)
    {
        foreach (var arm in variants)
        {
            RequireOneMeasure(arm, common);
        }

        var folder = Path.Combine(output, Folder);
        IReadOnlyList<Arm> candidates = [.. variants.Where(arm => arm.Variants.Count > 1).SelectMany(arm => arm.Variants).Select(Candidate)];
        var unfinished = ComparisonTraining.Train(candidates, common, seeds, folder, observer, stop);
        if (unfinished.Count > 0)
        {
            return new([], [], unfinished);
        }

        var (arms, findings) = (new List<Arm>(), new List<string>());
        foreach (var (name, all) in variants)
        {
            if (all.Count == 1)
            {
                arms.Add(all[0]);
                continue;
            }

            var scored = all.Select(variant => (Variant: variant, Accuracy: Accuracy(variant))).ToList();
            // Of equals the one that was named first.
            var best = scored.OrderByDescending(one => one.Accuracy).First();
            arms.Add(best.Variant with { Name = name, Folder = Arm.FolderFor(name) });
            findings.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{best.Variant.Name} was chosen, by accuracy on validation images with seed {string.Join(", ", seeds)}: {string.Join(", ", scored.Select(one => $"{one.Variant.Name} {100 * one.Accuracy:0.0}%"))}."));
        }

        return new(arms, findings, []);

        double Accuracy(Arm variant)
        {
            var runs = ComparisonTraining.Read([Candidate(variant)], seeds, folder)[0].Runs;
            return runs.Average(run => run.Summary.Validation is { Top1: >= 0 } validation ? validation.Top1
                : throw new InputException($"The variants of {variant.Name} can't be told apart without validation images: enlarge data.validation, or name one variant."));
        }
    }

    // The validation images of adversarial training are attacked as it attacks: against a weaker attack, or none, any network does better.
    private static void RequireOneMeasure(ArmVariants arm, IReadOnlyList<string> common)
    {
        var measures = arm.Variants.Select(variant => Measure(variant.Load(0, common).Objective)).Distinct().ToList();
        if (measures.Count > 1)
        {
            throw new InputException($"The variants of {arm.Name} can't be told apart by their validation images: their accuracy is measured {measures[0]} for one, {measures[1]} for another; make them arms of their own.");
        }

        static string Measure(ObjectiveRecipe objective) => objective.Kind.IsAdversarial() ? $"under attack ({objective.Threat()})" : "without an attack";
    }

    private static Arm Candidate(Arm variant) => new(variant.Name, variant.Recipe, [.. variant.Settings, .. Unmeasured]);
}

/// <summary>An arm with what it chooses from.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Variants">The ways of training, at least one.</param>
public sealed record ArmVariants(string Name, IReadOnlyList<Arm> Variants)
{
    /// <summary>The variants that an arm's settings name (<see cref="Arm.Variants"/>).</summary>
    public static ArmVariants Of(Arm arm) => new(arm.Name, arm.Variants());
}
