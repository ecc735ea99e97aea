using TorchSharp;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Recipes;

namespace WeakLink.Benchmarks;

/// <summary>
/// Images a second of measuring, bytes in and logits out as for the corruption benchmark of CIFAR: the network as it is trained in float32 (which <c>--exact</c> measures with), and frozen, whole and in its
/// parts. Also by the processor's time, which others on the machine disturb less.
/// </summary>
internal static class MeasuringBenchmark
{
    private const int Classes = 10, Size = 32, ImagesPerTurn = 512;
    private static readonly int[] Batches = [64, 128, 512];

    public static void Run(IReadOnlyList<string> networks, int rounds)
    {
        foreach (var name in networks)
        {
            Run(name, rounds);
        }
    }

    private static void Run(string name, int rounds)
    {
        using var network = StepBenchmark.NewNetwork(name, Classes);
        network.eval();
        using var images = torch.randint(0, 256, [ImagesPerTurn, Dataset.Channels, Size, Size], torch.uint8);
        var formats = (from number in Machine.Precisions from layout in new[] { Layout.Contiguous, Layout.ChannelsLast } select new ComputeFormat(number, layout)).ToList();
        var batch = new EvaluationRecipe().Batch;
        var frozen = formats.ToDictionary(format => format, format => FrozenNetwork.Of(network, format, Size, Size)!);
        (string, Action)[] ways =
        [
            ($"{ComputeFormat.Exact}, as it is, batch {batch}", Turn(batch, As(ComputeFormat.Exact))),
            .. formats.Skip(1).Select(format => ($"{format}, as it is, batch {batch}", Turn(batch, As(format)))),
            .. formats.Select(format => ($"{format}, frozen, batch {batch}", Turn(batch, frozen[format].Classify))),
            .. Batches.Where(size => size != batch).Select(size => ($"{formats[^1]}, frozen, batch {size}", Turn(size, frozen[formats[^1]].Classify))),
        ];
        var (clock, processor) = Interleaved.RunOnBoth(rounds, ways);
        Console.WriteLine(FormattableString.Invariant($"{name}, {Size}x{Size}, {network.MultiplyAdds(Size, Size) / 1e6:0} million multiply-adds an image, {rounds} rounds of {ImagesPerTurn} images"));
        foreach (var (timing, ofProcessor) in clock.Zip(processor))
        {
            Console.WriteLine(FormattableString.Invariant(
                $"  {timing.Name,-46} {ImagesPerTurn / timing.Median,7:0} images/s  {1 / timing.RatioTo(clock[0]),5:0.00} x  ({1 / ofProcessor.RatioTo(processor[0]):0.00} x by the processor's time)"));
        }

        Console.WriteLine();

        Func<torch.Tensor, torch.Tensor> As(ComputeFormat format) => given =>
        {
            network.Format = format;
            return network.call(given);
        };

        Action Turn(int size, Func<torch.Tensor, torch.Tensor> classify) => () =>
        {
            using var noGradients = torch.no_grad();
            foreach (var start in Enumerable.Range(0, ImagesPerTurn / size))
            {
                using var scope = torch.NewDisposeScope();
                classify(Pixels.ToUnit(images.narrow(0, start * size, size))).sum().ReadDouble();
            }
        };
    }
}
