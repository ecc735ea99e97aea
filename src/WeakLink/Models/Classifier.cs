using TorchSharp;
using TorchSharp.Modules;
using WeakLink.Runtime;

namespace WeakLink.Models;

/// <summary>The mean over the pixels, then a linear layer with <c>weight</c> and <c>bias</c>: what a network ends with. It computes in float32, as all that follows.</summary>
public sealed class Classifier : Layer
{
    /// <summary>Draws the weights.</summary>
    /// <param name="features">Channels that it reads.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="generator">Draws the weights.</param>
    public Classifier(int features, int classes, torch.Generator generator)
        : base(nameof(Classifier))
    {
        // PyTorch's default for linear layers: uniform within 1 / sqrt(inputs).
        var bound = 1 / Math.Sqrt(features);
        register_parameter("weight", new Parameter(torch.rand([classes, features], generator: generator).sub_(Kept(0.5)).mul_(Kept(2 * bound))));
        register_parameter("bias", new Parameter(torch.rand([classes], generator: generator).sub_(Kept(0.5)).mul_(Kept(2 * bound))));
    }

    /// <summary>Classifies.</summary>
    /// <param name="images">N×features×H×W.</param>
    /// <param name="pass">The pass.</param>
    /// <returns>Logits, N×classes, float32.</returns>
    public torch.Tensor Run(torch.Tensor images, ForwardPass pass)
    {
        var weight = Parameter("weight");
        pass.Operations?.Add(weight.numel());
        var features = images.mean([2, 3], type: torch.float32);
        pass.Traced("GlobalAveragePool", features, [images]);
        pass.Traced("Flatten", features, [features]);
        Prove(LayerKind.Linear, features, weight.shape[0]);
        var result = torch.nn.functional.linear(features, weight, Parameter("bias"));
        pass.Traced("Gemm", result, [features], this, [("weight", weight), ("bias", Parameter("bias"))], [("transB", 1L)]);
        return result;
    }
}
