using WeakLink.Recipes;

namespace WeakLink.Training;

/// <summary>The learning rate as a pure function of the step.</summary>
public static class LearningRate
{
    /// <summary>The rate of one step.</summary>
    /// <param name="recipe">The peak rate and the schedule.</param>
    /// <param name="step">The step, from 0.</param>
    /// <param name="stepsPerEpoch">Steps in an epoch.</param>
    /// <returns>A rate in [0, peak].</returns>
    public static double At(TrainingRecipe recipe, long step, int stepsPerEpoch)
    {
        // The rate of a step is that of its middle, so that neither the first step of a warm-up nor the last of a decline is wasted at 0.
        var epoch = (step + 0.5) / stepsPerEpoch;
        var warmup = recipe.Warmup * recipe.Epochs;
        if (epoch < warmup)
        {
            return recipe.LearningRate * epoch / warmup;
        }

        var rest = Math.Clamp((epoch - warmup) / (recipe.Epochs - warmup), 0, 1);
        return recipe.LearningRate * recipe.Schedule switch
        {
            // Drops happen at the start of an epoch, as they do in the published code: 400 epochs drop at 133 and 266. The first epoch, of however few, has the whole rate.
            ScheduleKind.Step => Math.Pow(recipe.Drop, recipe.Milestones.Count(milestone => step >= (long)Math.Max(1, Math.Floor((milestone * recipe.Epochs) + 1e-9)) * stepsPerEpoch)),
            ScheduleKind.Cosine => (1 + Math.Cos(Math.PI * rest)) / 2,
            ScheduleKind.OneCycle => 1 - rest,
            _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe.Schedule, "Unknown schedule."),
        };
    }
}
