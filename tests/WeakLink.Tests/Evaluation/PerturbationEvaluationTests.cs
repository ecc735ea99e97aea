using TorchSharp;
using WeakLink.Evaluation;
using WeakLink.Files;
using WeakLink.Recipes;
using WeakLink.Tests.Data;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Evaluation;

/// <summary>Sequences of two images, between which a network changes its mind, so that what is measured can be counted by hand.</summary>
public sealed class PerturbationEvaluationTests : IDisposable
{
    private const int Side = 32;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SequencesFromDisk_AreCountedByHand()
    {
        using var network = Small.Recipe.CreateNetwork(10);
        network.eval();
        var (a, b, apart) = TwoThatDiffer(network);
        // Frames aabb aabb, and abab: against the frame before, 1 of 3 flips and 3 of 3; against the first, 2 of 3 and 2 of 3.
        Write("rotate", [a, a, b, b], [a, b, a, b]);
        Write("gaussian_noise", [a, a, b, b], [a, b, a, b]);

        var measured = Measure(network, "rotate,gaussian_noise", _folder.Path);
        Assert.Equal((1.0 + 3) / 6, measured["rotate"].Flips, 12);
        Assert.Equal((2.0 + 2) / 6, measured["gaussian_noise"].Flips, 12);
        // What the five best of a are away from their places in b, and the other way round.
        Assert.Equal((apart.Forth + apart.Forth + apart.Back + apart.Forth) / 6, measured["rotate"].Top5, 12);
        Assert.Equal(apart.Forth * 4 / 6, measured["gaussian_noise"].Top5, 12);
    }

    [Fact]
    public void ANetworkThatAlwaysSaysTheSame_IsSteady_WhateverIsDoneToTheImages()
    {
        using var network = Small.Recipe.CreateNetwork(10);
        using (torch.no_grad())
        {
            network.get_parameter("fc.weight")!.zero_();
            network.get_parameter("fc.bias")!.copy_(torch.arange(10, torch.float32));
        }

        var measured = Measure(network, "gaussian_noise,translate,brightness", "");
        Assert.Equal(["gaussian_noise", "translate", "brightness"], measured.Keys);
        Assert.All(measured.Values, stability => Assert.Equal((0, 0), stability));
    }

    [Fact]
    public void FramesOfAnotherSize_AreRefused()
    {
        using var network = Small.Recipe.CreateNetwork(10);
        Write("rotate", 8, [new byte[3 * 8 * 8], new byte[3 * 8 * 8]]);
        Assert.Contains("have 8x8 pixels, but the network sees 32x32", Assert.Throws<InputException>(() => Measure(network, "rotate", _folder.Path)).Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, (double Flips, double Top5)> Measure(WeakLink.Models.ClassifierNetwork network, string perturbations, string folder)
    {
        var recipe = Small.Recipe with { Evaluation = Small.Recipe.Evaluation with { Perturbations = perturbations, PerturbedImages = folder, PerturbationImages = 3 } };
        var measured = new Evaluator(network, recipe, Small.Data.Test, torch.CPU, new SilentObserver()).Perturbed()!;
        return measured.Flips.ToDictionary(flips => flips.Key, flips => (flips.Value, measured.Distances[flips.Key]));
    }

    // Two random images (rows of red, green and blue bytes) with different answers, and how far the five best of either are from their places in the other.
    private static (byte[] First, byte[] Second, (double Forth, double Back) Apart) TwoThatDiffer(torch.nn.Module<torch.Tensor, torch.Tensor> network)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var random = new SeededRandom(5, RandomUse.Split);
        var (first, second) = (Array.Empty<byte>(), Array.Empty<byte>());
        int[] before = [], after = [];
        while (before.Length == 0 || before[0] == after[0])
        {
            (first, before) = (second, after);
            var colour = new[] { random.Next(256), random.Next(256), random.Next(256) };
            second = [.. Enumerable.Range(0, 3 * Side * Side).Select(i => (byte)Math.Clamp(colour[i % 3] + (40 * random.NextNormal()), 0, 255))];
            var logits = network.call(torch.tensor(second, [1, Side, Side, 3], torch.uint8).permute(0, 3, 1, 2).to(torch.float32) / 255).data<float>().ToArray();
            after = [.. Enumerable.Range(0, 10).OrderByDescending(c => logits[c])];
        }

        double Apart(int[] from, int[] to) => Enumerable.Range(0, 5).Sum(rank => Math.Abs(rank - Math.Min(5, Array.IndexOf(to, from[rank]))));
        return (first, second, (Apart(before, after), Apart(after, before)));
    }

    private void Write(string name, params byte[][][] sequences) => Write(name, Side, sequences);

    private void Write(string name, int side, params byte[][][] sequences)
    {
        using var file = File.Create(_folder[name + ".npy"]);
        file.Write(NumpyFile.Header("|u1", [sequences.Length, sequences[0].Length, side, side, 3]));
        file.Write([.. sequences.SelectMany(frames => frames).SelectMany(frame => frame)]);
    }
}
