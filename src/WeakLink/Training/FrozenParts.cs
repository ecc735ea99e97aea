using TorchSharp.Modules;
using WeakLink.Models;
using WeakLink.Recipes;
using BatchNorm = WeakLink.Models.BatchNorm;

namespace WeakLink.Training;

/// <summary>What of a network stands still in a step: the parts that a recipe freezes, and in the classifier's warm-up all but the classifier.</summary>
public sealed class FrozenParts
{
    private readonly Parameter[] _backbone;
    private readonly long _warmup;

    /// <summary>Freezes what stands still for good.</summary>
    /// <param name="network">The network.</param>
    /// <param name="recipe">What is frozen.</param>
    /// <param name="stepsPerEpoch">Steps in an epoch.</param>
    /// <exception cref="InputException">The network has no such part.</exception>
    public FrozenParts(ClassifierNetwork network, TrainingRecipe recipe, int stepsPerEpoch)
    {
        var frozen = Frozen(network, recipe.Freeze);
        foreach (var (name, module) in network.named_modules())
        {
            if (module is BatchNorm norm)
            {
                norm.KeepsAverages = recipe.FreezeBatchNorm || frozen.Contains(name.Split('.')[0]);
            }
        }

        var parameters = network.named_parameters().Where(named => !network.IsClassifier(named.name)).ToLookup(named => frozen.Contains(named.name.Split('.')[0]), named => named.parameter);
        foreach (var parameter in parameters[true])
        {
            parameter.requires_grad = false;
        }

        (_backbone, _warmup) = ([.. parameters[false]], recipe.StepAfter(recipe.ClassifierWarmup, stepsPerEpoch));
    }

    /// <summary>Freezes and thaws for a step: before each one.</summary>
    /// <param name="step">The step of the run, from 0.</param>
    public void Apply(long step)
    {
        foreach (var parameter in _backbone)
        {
            parameter.requires_grad = step >= _warmup;
        }
    }

    /// <summary>Refuses a recipe that freezes what its network does not have.</summary>
    /// <exception cref="InputException">As the constructor.</exception>
    internal static void Check(Recipe recipe)
    {
        if (recipe.Training.Freeze == TrainingRecipe.NoPart)
        {
            return;
        }

        // Parts are called the same in a network of one channel.
        using var network = (recipe with { Model = recipe.Model with { WidthMultiplier = 1e-3, Mean = [0, 0, 0], StandardDeviation = [1, 1, 1] } }).CreateNetwork(classes: 2);
        Frozen(network, recipe.Training.Freeze);
    }

    private static List<string> Frozen(ClassifierNetwork network, string last)
    {
        // In the order of the forward pass, as they are registered.
        var parts = network.named_children().Select(child => child.name).Where(name => !network.IsClassifier(name + ".")).ToList();
        return last switch
        {
            TrainingRecipe.NoPart => [],
            TrainingRecipe.Backbone => parts,
            _ when parts.Contains(last) => parts[..(parts.IndexOf(last) + 1)],
            _ => throw new InputException($"training.freeze can't be '{last}'; of {network.Name} choose {TrainingRecipe.NoPart}, {string.Join(", ", parts)} or {TrainingRecipe.Backbone}."),
        };
    }
}
