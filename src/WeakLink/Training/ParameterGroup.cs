using TorchSharp.Modules;
using WeakLink.Models;
using WeakLink.Recipes;

namespace WeakLink.Training;

/// <summary>Parameters that an optimiser moves alike.</summary>
/// <param name="Parameters">The parameters.</param>
/// <param name="Rate">Factor of the learning rate.</param>
/// <param name="Decay">Factor of the weight decay.</param>
public sealed record ParameterGroup(IReadOnlyList<Parameter> Parameters, double Rate = 1, double Decay = 1)
{
    /// <summary>All parameters of a network, as a recipe moves them.</summary>
    /// <param name="network">The network.</param>
    /// <param name="recipe">How they move.</param>
    public static IReadOnlyList<ParameterGroup> Of(ClassifierNetwork network, TrainingRecipe recipe) =>
        [.. from named in network.named_parameters()
            let rate = network.IsClassifier(named.name) ? 1 : recipe.BackboneRate
            // Those of one dimension: scales, shifts and biases.
            let decay = recipe.DecayNorms || named.parameter.dim() > 1 ? 1 : 0
            group named.parameter by (rate, decay) into same
            select new ParameterGroup([.. same], same.Key.rate, same.Key.decay)];
}
