using TorchSharp;
using WeakLink.Subnets;

namespace WeakLink.Models;

/// <summary>
/// A network that stands still, made ready to be measured: batch norms are folded into the convolutions before them (in float64), sums and ReLUs are computed where a convolution's results are
/// written, and nothing is kept for gradients. It is made of a trace, so that whatever can be exported can be frozen, whole or as a subnet. The weights are copies: those of the network may change.
/// </summary>
internal sealed class FrozenNetwork : IDisposable
{
    // What is frozen gives the network's logits on noise, relative to the largest, or is not used: float32 stays a hundred times below the first, bfloat16 (8 bits) ten times below the second.
    private const double Float32Tolerance = 1e-3, Bfloat16Tolerance = 0.1;
    private const int TriedImages = 2;

    private readonly IReadOnlyList<FrozenStep> _steps;

    // Of each step: which inputs no later one reads.
    private readonly bool[][] _free;

    private FrozenNetwork(IReadOnlyList<FrozenStep> steps)
    {
        _steps = steps;
        _free = [.. steps.Select((step, place) => step.Inputs.Select(value => value != 0 && step.Inputs.Count(input => input == value) == 1 && !steps.Skip(place + 1).Any(later => later.Inputs.Contains(value))).ToArray())];
    }

    /// <summary>Freezes.</summary>
    /// <param name="network">The network; it stays as it is.</param>
    /// <param name="format">How convolutions compute.</param>
    /// <param name="height">Height of the images.</param>
    /// <param name="width">Width of the images.</param>
    /// <param name="subnet">The subnet; null: the full network.</param>
    /// <param name="statistics">The subnet's batch-norm statistics; null: the full network's running averages.</param>
    /// <returns>Null where the network computes what is not traced, or an operation that is not known here: it is measured as it is, then.</returns>
    public static FrozenNetwork? Of(ClassifierNetwork network, ComputeFormat format, int height, int width, Subnet? subnet = null, SubnetStatistics? statistics = null)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        if (Trace() is not { } trace)
        {
            return null;
        }

        using (trace)
        {
            var device = network.get_buffer(ClassifierNetwork.MeanName)!.device;
            if (new Folding(trace, format, device).Steps() is not { } steps)
            {
                return null;
            }

            var frozen = new FrozenNetwork(steps);
            if (frozen.Agrees(network, format, height, width, device, subnet, statistics))
            {
                return frozen;
            }

            frozen.Dispose();
            return null;
        }

        ForwardTrace? Trace()
        {
            try
            {
                return network.Trace(height, width, subnet, statistics, fill: true);
            }
            catch (InputException)
            {
                return null;
            }
        }
    }

    /// <summary>Classifies.</summary>
    /// <param name="images">N×3×H×W in [0, 1], float32.</param>
    /// <returns>Logits, N×classes, float32.</returns>
    public torch.Tensor Classify(torch.Tensor images)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var values = new torch.Tensor[_steps[^1].Output + 1];
        values[0] = images;
        for (var place = 0; place < _steps.Count; place++)
        {
            var (step, free) = (_steps[place], _free[place]);
            torch.Tensor[] inputs = [.. step.Inputs.Select(value => values[value])];
            var result = values[step.Output] = step.Run(inputs, free);
            foreach (var done in inputs.Where((input, i) => free[i] && !ReferenceEquals(input, result)))
            {
                done.Dispose();
            }
        }

        return values[^1].MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var step in _steps)
        {
            step.Dispose();
        }
    }

    private bool Agrees(ClassifierNetwork network, ComputeFormat format, int height, int width, torch.Device device, Subnet? subnet, SubnetStatistics? statistics)
    {
        using var generator = new torch.Generator(1);
        var (noise, before, wasTraining) = (torch.rand([TriedImages, 3, height, width], generator: generator).to(device), network.Format, network.training);
        network.Format = ComputeFormat.Exact;
        network.eval();
        try
        {
            var logits = network.forward(noise, subnet, statistics);
            var difference = (Classify(noise) - logits).abs().max().ReadDouble() / Math.Max(logits.abs().max().ReadDouble(), float.Epsilon);
            // NaN is not below anything.
            return difference < (format.Precision == Precision.Bf16 ? Bfloat16Tolerance : Float32Tolerance);
        }
        finally
        {
            network.Format = before;
            network.train(wasTraining);
        }
    }
}

/// <summary>An operation of a frozen network.</summary>
/// <param name="Inputs">Numbers of the values that it takes; 0 is the images.</param>
/// <param name="Output">Number of the value that it gives.</param>
/// <param name="Run">Computes it, given the values and which of them it may overwrite.</param>
/// <param name="Held">The weights that it holds.</param>
internal sealed record FrozenStep(IReadOnlyList<int> Inputs, int Output, Func<torch.Tensor[], bool[], torch.Tensor> Run, params IDisposable[] Held) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(Held, held => held.Dispose());
}
