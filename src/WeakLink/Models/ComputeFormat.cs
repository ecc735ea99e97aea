using System.Diagnostics;
using TorchSharp;

namespace WeakLink.Models;

/// <summary>How convolutions compute: number format and memory layout. A network normalises its images in float32 and gives what follows this format (see <see cref="ClassifierNetwork.Format"/>).</summary>
/// <param name="Precision">float32 or bfloat16 (not auto).</param>
/// <param name="Layout">Contiguous or channels-last (not auto).</param>
public sealed record ComputeFormat(Precision Precision, Layout Layout)
{
    // A ratio below this is within the noise of so short a measurement: the plainer format is kept.
    private const double Gain = 0.95;
    private const int LeastRounds = 3;

    // How many times the usual trial a machine that does other work, too, is given to agree with itself: what is chosen is kept.
    private const int Patience = 5;

    // The first rounds of a small network are spent on compiling the code that runs it.
    private static readonly TimeSpan TrialTime = TimeSpan.FromSeconds(2), FrozenTrialTime = TimeSpan.FromSeconds(0.3);

    // A frozen network is timed on as many images as take this many multiply-adds, at most so many.
    private const long FrozenTrialWork = 2_000_000_000;
    private const int MostFrozenTrialImages = 64;

    /// <summary>float32, contiguous: what attacks use, and every measurement that is to be exact.</summary>
    public static ComputeFormat Exact { get; } = new(Precision.Fp32, Layout.Contiguous);

    /// <summary>Puts normalised images into the format.</summary>
    /// <param name="images">N×3×H×W, float32.</param>
    internal torch.Tensor Apply(torch.Tensor images)
    {
        var typed = Precision == Precision.Bf16 ? images.to(torch.bfloat16) : images;
        // TorchSharp has no memory-format argument; this gives NCHW with channels-last strides.
        return Layout == Layout.ChannelsLast ? typed.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : typed.contiguous();
    }

    /// <summary>Chooses the fastest of the formats that a recipe allows, by training steps of a copy of the network on this machine.</summary>
    /// <param name="create">Creates the network to try; it is disposed of.</param>
    /// <param name="precision">Auto tries bfloat16 only where the hardware computes in it.</param>
    /// <param name="layout">Auto tries both.</param>
    /// <param name="nativeBf16">Whether the hardware computes in bfloat16.</param>
    /// <param name="batch">Images in a step.</param>
    /// <param name="height">Height of the images.</param>
    /// <param name="width">Width of the images.</param>
    /// <param name="device">Where to train.</param>
    public static ComputeFormat Choose(
        Func<ClassifierNetwork> create, Precision precision, Layout layout, bool nativeBf16, int batch, int height, int width, torch.Device device)
    {
        var candidates = (
            from number in precision == Precision.Auto ? nativeBf16 ? [Precision.Fp32, Precision.Bf16] : [Precision.Fp32] : new[] { precision }
            from order in layout == Layout.Auto ? new[] { Layout.Contiguous, Layout.ChannelsLast } : [layout]
            select new ComputeFormat(number, order)).ToList();
        if (candidates.Count == 1)
        {
            return candidates[0];
        }

        using var scope = torch.NewDisposeScope();
        using var network = create();
        network.to(device).train();
        var images = torch.rand([batch, 3, height, width], device: device);
        return Fastest(candidates, candidate => Step(network, candidate, images), TrialTime);
    }

    /// <summary>Chooses the fastest of some formats for measuring, by the network frozen in each (see <see cref="FrozenNetwork"/>).</summary>
    /// <param name="network">The network; it stays as it is.</param>
    /// <param name="precisions">Number formats to try, the plainest first.</param>
    /// <param name="height">Height of the images.</param>
    /// <param name="width">Width of the images.</param>
    /// <param name="device">Where it is.</param>
    /// <returns>Null where the network can't be frozen.</returns>
    internal static ComputeFormat? ChooseFrozen(ClassifierNetwork network, IReadOnlyList<Precision> precisions, int height, int width, torch.Device device)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var count = (int)Math.Clamp(FrozenTrialWork / Math.Max(1, network.MultiplyAdds(height, width)), 1, MostFrozenTrialImages);
        var images = torch.rand([count, 3, height, width], device: device);
        var candidates = new Dictionary<ComputeFormat, FrozenNetwork>();
        try
        {
            foreach (var format in from number in precisions from order in new[] { Layout.Contiguous, Layout.ChannelsLast } select new ComputeFormat(number, order))
            {
                if (FrozenNetwork.Of(network, format, height, width) is { } frozen)
                {
                    candidates.Add(format, frozen);
                }
            }

            return candidates.Count == 0 ? null : Fastest([.. candidates.Keys], candidate => Pass(candidates[candidate], images), FrozenTrialTime);
        }
        finally
        {
            foreach (var frozen in candidates.Values)
            {
                frozen.Dispose();
            }
        }
    }

    // The first of them where none is much faster.
    private static ComputeFormat Fastest(IReadOnlyList<ComputeFormat> candidates, Func<ComputeFormat, double> time, TimeSpan trialTime)
    {
        // In turns, so that a disturbance hits all alike; the least time of each, because only the format itself can't be avoided. A least time that came once may be another's luck.
        var times = candidates.ToDictionary(candidate => candidate, _ => (Least: double.PositiveInfinity, Second: double.PositiveInfinity));
        var start = Stopwatch.GetTimestamp();
        for (var round = 0; round < LeastRounds || Within(trialTime) || (Within(trialTime * Patience) && times.Values.Any(two => two.Least < two.Second * Gain)); round++)
        {
            foreach (var candidate in candidates)
            {
                var (taken, (least, second)) = (time(candidate), times[candidate]);
                times[candidate] = (Math.Min(least, taken), Math.Min(second, Math.Max(least, taken)));
            }
        }

        return candidates.Aggregate((best, candidate) => times[candidate].Least < times[best].Least * Gain ? candidate : best);

        bool Within(TimeSpan most) => Stopwatch.GetElapsedTime(start) < most;
    }

    private static double Pass(FrozenNetwork network, torch.Tensor images)
    {
        using var scope = torch.NewDisposeScope();
        var start = Stopwatch.GetTimestamp();
        network.Classify(images).sum().ReadDouble();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{(Precision == Precision.Bf16 ? "bf16" : "fp32")} {(Layout == Layout.ChannelsLast ? "channels-last" : "contiguous")}";

    private static double Step(ClassifierNetwork network, ComputeFormat format, torch.Tensor images)
    {
        using var scope = torch.NewDisposeScope();
        network.Format = format;
        var start = Stopwatch.GetTimestamp();
        network.zero_grad();
        var loss = network.call(images).Squared().mean();
        loss.backward();
        loss.ReadDouble();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
