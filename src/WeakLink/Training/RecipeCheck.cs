using WeakLink.Attacks;
using WeakLink.Corruptions;
using WeakLink.Models;
using WeakLink.Perturbations;

namespace WeakLink.Training;

/// <summary>Refuses recipes that ask for the impossible, before anything long begins.</summary>
public static class RecipeCheck
{
    /// <summary>Checks every value.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="origin">Where a key's value came from, for the message.</param>
    /// <param name="isForItsNorm">Whether the key of a norm and that of a size were given together, or are as they were.</param>
    /// <exception cref="InputException">The first value out of its range, with the range.</exception>
    public static void Check(Recipe recipe, Func<string, string> origin, Func<string, string, bool> isForItsNorm)
    {
        var (data, model, training, augmentation, ews, evaluation) = (recipe.Data, recipe.Model, recipe.Training, recipe.Augmentation, recipe.Ews, recipe.Evaluation);

        Range("data.size", data.Size, 0, 4096);
        Fraction("data.validation", data.Validation);
        Inside("data.test", data.Test, 0, 1);
        Range("data.cache-megabytes", data.CacheMegabytes, 0, int.MaxValue);
        Range("data.limit", data.Limit, 0, int.MaxValue);
        Fraction("data.extra-fraction", data.ExtraFraction);
        Inside("model.width-multiplier", model.WidthMultiplier, 0, 64);
        // Names the nearest where there is no such network.
        NetworkCatalogue.LeastParameters(model.Name, model.WidthMultiplier, classes: 2);
        Fraction("model.dropout", model.Dropout);
        Require("model.mean", model.Mean.Count is 0 or 3, string.Join(", ", model.Mean), "three numbers, or none to measure them");
        Require("model.mean", UsableNumbers.MeansFit(model.Mean), string.Join(", ", model.Mean), "in " + UsableNumbers.MeanRange);
        Require("model.standard-deviation", model.StandardDeviation.Count is 0 or 3, string.Join(", ", model.StandardDeviation), "three numbers, or none to measure them");
        Require("model.standard-deviation", UsableNumbers.DeviationsFit(model.StandardDeviation), string.Join(", ", model.StandardDeviation), "in " + UsableNumbers.DeviationRange);
        Require("model.standard-deviation", model.Mean.Count == model.StandardDeviation.Count, model.StandardDeviation.Count, "given together with model.mean");

        Range("training.epochs", training.Epochs, 1, 1_000_000);
        Range("training.batch", training.Batch, 1, 1_000_000);
        Inside("training.learning-rate", training.LearningRate, 0, 1000);
        Fraction("training.momentum", training.Momentum);
        AtLeastZero("training.weight-decay", training.WeightDecay);
        AtLeastZero("training.gradient-clip", training.GradientClip);
        Require("training.milestones", training.Milestones.All(value => value is > 0 and < 1) && training.Milestones.SequenceEqual(training.Milestones.Order()), string.Join(", ", training.Milestones), "fractions of the epochs in (0, 1), ascending");
        Inside("training.drop", training.Drop, 0, 1);
        Fraction("training.warmup", training.Warmup);
        Range("training.threads", training.Threads, 0, 4096);
        Range("training.workers", training.Workers, 0, 256);
        Range("training.checkpoint-every", training.CheckpointEvery, 1, 1_000_000);
        Range("training.keep-every", training.KeepEvery, 0, 1_000_000);
        Range("training.validate-every", training.ValidateEvery, 1, 1_000_000);

        Range("augmentation.crop", augmentation.Crop, 0, 4096);
        Range("augmentation.padding", augmentation.Padding, 0, 1024);
        Require("augmentation.resized-crop-area", augmentation.ResizedCropArea is > 0 and <= 1, augmentation.ResizedCropArea, "in (0, 1]");
        Range("augmentation.randaugment-operations", augmentation.RandaugmentOperations, 0, 16);
        Range("augmentation.randaugment-magnitude", augmentation.RandaugmentMagnitude, 0, 30);
        Range("augmentation.augmix-width", augmentation.AugmixWidth, 1, 64);
        Range("augmentation.augmix-depth", augmentation.AugmixDepth, 0, 64);
        Require("augmentation.augmix-severity", augmentation.AugmixSeverity is > 0 and <= 10, augmentation.AugmixSeverity, "above 0 and at most 10");
        Inside("augmentation.augmix-coefficient", augmentation.AugmixCoefficient, 0, 1000);
        Range("augmentation.cutout-size", augmentation.CutoutSize, 1, 4096);
        Require("augmentation.erasing-probability", augmentation.ErasingProbability is >= 0 and <= 1, augmentation.ErasingProbability, "in [0, 1]");
        Inside("augmentation.mixup-alpha", augmentation.MixupAlpha, 0, 1000);
        Inside("augmentation.cutmix-alpha", augmentation.CutmixAlpha, 0, 1000);
        AugmentationSequence.Check(recipe, origin);
        AtLeastZero("objective.consistency-weight", recipe.Objective.ConsistencyWeight);
        Fraction("objective.label-smoothing", recipe.Objective.LabelSmoothing);

        Require("ews.width", ews.Width is > 0 and <= 1, ews.Width, "in (0, 1]");
        AtLeastZero("ews.weight", ews.Weight);
        Range("ews.hidden", ews.Hidden, 1, 100_000);
        Inside("ews.policy-learning-rate", ews.PolicyLearningRate, 0, 1000);
        Fraction("ews.policy-beta1", ews.PolicyBeta1);
        Fraction("ews.policy-beta2", ews.PolicyBeta2);
        AtLeastZero("ews.entropy-bonus", ews.EntropyBonus);
        Fraction("ews.baseline-decay", ews.BaselineDecay);
        AtLeastZero("ews.policy-gradient-clip", ews.PolicyGradientClip);
        Range("ews.policy-every", ews.PolicyEvery, 1, 1_000_000);

        Range("objective.steps", recipe.Objective.Steps, 1, 10_000);
        Size("objective.eps", recipe.Objective.Norm, recipe.Objective.Eps);
        var attack = Named("objective.step-size", recipe.Objective.InnerAttack);
        Require("objective.norm", attack.Threat.Norm != Norm.L1 || !recipe.Objective.Kind.IsAdversarial(), "l1", "linf or l2 (attacks of a few steps are not defined for l1)");
        if (recipe.Objective.Kind.IsAdversarial())
        {
            NamedSize("objective.norm", "objective.eps", recipe.Objective.Norm, recipe.Objective.Eps);
        }

        Require("objective.step-size", attack.StepSize > 0 && (attack.StepSize <= 1.25 || attack.Threat.Norm != Norm.Linf), recipe.Objective.StepSize, "above 0 and, as images are in [0, 1], at most 1.25, such as 2/255, or auto");
        AtLeastZero("objective.beta", recipe.Objective.Beta);
        AtLeastZero("objective.weight-perturbation", recipe.Objective.WeightPerturbation);
        Fraction("objective.weight-perturbation-warmup", recipe.Objective.WeightPerturbationWarmup);

        Range("evaluation.batch", evaluation.Batch, 1, 1_000_000);
        Range("evaluation.subnets", evaluation.Subnets, 0, 100_000);
        Require("evaluation.subnet-width", evaluation.SubnetWidth is >= 0 and <= 1, evaluation.SubnetWidth, "in (0, 1], or 0 for that of ews.width");
        Range("evaluation.subnet-images", evaluation.SubnetImages, 0, int.MaxValue);
        Range("evaluation.recalibration-images", evaluation.RecalibrationImages, 0, int.MaxValue);
        Range("evaluation.search-updates", evaluation.SearchUpdates, 0, 1_000_000);
        Range("evaluation.corruption-images", evaluation.CorruptionImages, 0, int.MaxValue);
        if (evaluation.Corruptions != EvaluationRecipe.None)
        {
            CommonCorruptions.Named(evaluation.Corruptions);
        }

        Range("evaluation.perturbation-images", evaluation.PerturbationImages, 0, int.MaxValue);
        Range("evaluation.attack-images", evaluation.AttackImages, 0, int.MaxValue);
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
            CommonPerturbations.Named(evaluation.Perturbations);
        }

        ThreatModel Size(string key, Norm norm, string size) => Named(key, () => new ThreatModel(norm, ThreatModel.ParseEpsilon(size)));

        // A network trained against, or measured under, L2 8/255 would look robust; nobody means that.
        void NamedSize(string normKey, string key, Norm norm, string size)
        {
            var name = norm.ToString().ToLowerInvariant();
            Require(key, isForItsNorm(normKey, key), size, $"named with {normKey}={name}: {size} is {(size == ObjectiveRecipe.LinfSize ? "the default, a size for linf" : "of another norm")} (usual for 32x32 images: 8/255 for linf, 0.5 for l2, 12 for l1)");
        }

        // What reads a value says what is wrong with it, but not under which key it stood.
        T Named<T>(string key, Func<T> read)
        {
            try
            {
                return read();
            }
            catch (InputException exception)
            {
                throw new InputException($"{origin(key)}: {key}: {exception.Message}", exception);
            }
        }

        void Require(string key, bool holds, object value, string allowed)
        {
            if (!holds)
            {
                throw new InputException(FormattableString.Invariant($"{origin(key)}: {key} is {value}, but must be {allowed}."));
            }
        }

        void Range(string key, int value, int least, int most) =>
            Require(key, value >= least && value <= most, value, most == int.MaxValue ? $"at least {least}" : $"from {least} to {most}");
        void Fraction(string key, double value) => Require(key, value is >= 0 and < 1, value, "at least 0 and below 1");
        void Inside(string key, double value, double low, double high) => Require(key, value > low && value < high, value, $"above {low} and below {high}");
        void AtLeastZero(string key, double value) => Require(key, value >= 0, value, "at least 0");
    }
}
