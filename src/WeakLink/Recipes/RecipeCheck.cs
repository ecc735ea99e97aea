using WeakLink.Attacks;
using WeakLink.Corruptions;
using WeakLink.Models;
using WeakLink.Perturbations;
using WeakLink.Subnets;

namespace WeakLink.Recipes;

/// <summary>Refuses recipes that ask for the impossible, before anything long begins: the limits that a recipe's properties declare, and what they must be together.</summary>
public static class RecipeCheck
{
    /// <summary>Checks every value of a recipe, such as one that was made in code.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <returns>The same recipe.</returns>
    /// <exception cref="InputException">The first value out of its limits, with these.</exception>
    public static Recipe Check(Recipe recipe)
    {
        Check(recipe, _ => null, (_, _) => true);
        return recipe;
    }

    /// <summary>Checks every value.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="origin">Where a key's value came from, for the message; null: from code.</param>
    /// <param name="isNamedWith">Whether a kind and a size that is of this kind, such as a norm and its ε, were given together, or are as they were.</param>
    /// <exception cref="InputException">The first value out of its limits, with these.</exception>
    internal static void Check(Recipe recipe, Func<string, string?> origin, Func<string, string, bool> isNamedWith)
    {
        var (model, training, objective, evaluation) = (recipe.Model, recipe.Training, recipe.Objective, recipe.Evaluation);
        // Before their limits: these say what to do.
        Require("model.mean", UsableNumbers.MeansFit(model.Mean), model.Mean, "in " + UsableNumbers.MeanRange);
        Require("model.standard-deviation", UsableNumbers.DeviationsFit(model.StandardDeviation), model.StandardDeviation, "in " + UsableNumbers.DeviationRange);
        Keys.RequireLimits(recipe, origin: origin);
        Require("data.source", IsPath(recipe.Data.Source), "empty or no text", "a path or the name of a data set");
        Require("data.extra", recipe.Data.Extra.All(IsPath), "empty or no text in one of its items", "a list of paths");
        // Names the nearest where there is no such network.
        Named("model.name", () => model.Name == ModelRecipe.Auto ? 0 : NetworkCatalogue.LeastParameters(model.Name, model.WidthMultiplier, classes: 2));
        Require("model.mean", model.Mean.Count is 0 or 3, model.Mean, "three numbers, or none to measure them");
        Require("model.standard-deviation", model.StandardDeviation.Count is 0 or 3, model.StandardDeviation, "three numbers, or none to measure them");
        Require("model.standard-deviation", model.Mean.Count == model.StandardDeviation.Count, model.StandardDeviation.Count, "given together with model.mean");
        Require("training.milestones", training.Milestones.SequenceEqual(training.Milestones.Order()), training.Milestones, "ascending");
        Require("training.learning-rate", isNamedWith("training.optimiser", "training.learning-rate"), training.LearningRate, $"named with training.optimiser={training.Optimiser.ToString().ToLowerInvariant()}: {Keys.Text(training.LearningRate)} is the other optimiser's (usual: 0.1 for sgd, 0.001 for adamw, a tenth of either to fine-tune)");
        Require("ews.teacher", recipe.Ews.Teacher == TeacherKind.Network || training.Average > 0, "average", "network, or training.average above 0 (such as 0.99), which keeps the average that teaches");
        Require("ews.warmup", recipe.Ews.Start + recipe.Ews.Warmup <= 1 + 1e-9, recipe.Ews.Warmup, $"at most what ews.start={Keys.Text(recipe.Ews.Start)} leaves of the epochs: ews.weight would never be reached");
        AugmentationSequence.Check(recipe, origin);

        Size("objective.eps", objective.Norm, objective.Eps);
        var attack = Named("objective.step-size", objective.InnerAttack);
        Require("objective.norm", attack.Threat.Norm != Norm.L1 || !recipe.Attacks(), "l1", "linf or l2 (attacks of a few steps are not defined for l1)");
        if (recipe.Attacks())
        {
            NamedSize("objective.norm", "objective.eps", objective.Norm, objective.Eps);
        }

        Require("objective.step-size", attack.StepSize >= ThreatModel.LeastEpsilon && (attack.StepSize <= 1.25 || attack.Threat.Norm != Norm.Linf), objective.StepSize, "at least a millionth and, as images are in [0, 1], at most 1.25, such as 2/255, or auto");

        if (evaluation.Corruptions != EvaluationRecipe.None)
        {
            Named("evaluation.corruptions", () => CommonCorruptions.Named(evaluation.Corruptions));
        }

        if (evaluation.Attack != EvaluationRecipe.None)
        {
            var threat = Size("evaluation.attack-eps", evaluation.AttackNorm, evaluation.AttackEps);
            NamedSize("evaluation.attack-norm", "evaluation.attack-eps", evaluation.AttackNorm, evaluation.AttackEps);
            foreach (var name in evaluation.Attack.Split(',', StringSplitOptions.TrimEntries))
            {
                Named("evaluation.attack", () => KnownAttacks.Named(name, threat));
            }
        }

        if (evaluation.Perturbations != EvaluationRecipe.None)
        {
            Named("evaluation.perturbations", () => CommonPerturbations.Named(evaluation.Perturbations));
        }

        ThreatModel Size(string key, Norm norm, string size) => Named(key, () => new ThreatModel(norm, ThreatModel.ParseEpsilon(size)));

        // A network trained against, or measured under, L2 8/255 would look robust; nobody means that.
        void NamedSize(string normKey, string key, Norm norm, string size)
        {
            var name = norm.ToString().ToLowerInvariant();
            Require(key, isNamedWith(normKey, key), size, $"named with {normKey}={name}: {size} is {(size == ObjectiveRecipe.LinfSize ? "the default, a size for linf" : "of another norm")} (usual for 32x32 images: 8/255 for linf, 0.5 for l2, 12 for l1)");
        }

        // What reads a value says what is wrong with it, but mostly not under which key it stood.
        T Named<T>(string key, Func<T> read)
        {
            try
            {
                return read();
            }
            catch (InputException exception)
            {
                throw Keys.Wrong(exception.Message.Contains(key, StringComparison.Ordinal) ? exception.Message : $"{key}: {exception.Message}", origin(key), exception);
            }
        }

        void Require(string key, bool holds, object value, string allowed)
        {
            if (!holds)
            {
                throw Keys.Refused(key, Keys.Text(value), allowed, origin(key));
            }
        }

        static bool IsPath(string text) => text.Length > 0 && !text.Contains('\0', StringComparison.Ordinal);
    }
}
