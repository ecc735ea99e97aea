using TorchSharp;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Tests.Interop;

/// <summary>Networks whose every parameter matters: nothing is left at 0 or 1.</summary>
internal static class Networks
{
    public static readonly double[] Mean = [0.5, 0.4, 0.3];
    public static readonly double[] Deviation = [0.25, 0.2, 0.3];

    public static ClassifierNetwork Create(string name, double multiplier = 0.125, int classes = 7)
    {
        NativeLibraries.Load();
        var network = NetworkCatalogue.Create(name, classes, Mean, Deviation, seed: 5, multiplier);
        Randomise(network);
        network.eval();
        return network;
    }

    public static Subnet Random(ClassifierNetwork network, double width, long seed = 1)
    {
        using var search = new RandomSearch(network.Space, width);
        return search.Propose(new SearchContext(new SeededRandom(seed, RandomUse.SubnetEvaluation)));
    }

    /// <summary>Statistics of a subnet on noise.</summary>
    public static SubnetStatistics Statistics(ClassifierNetwork network, Subnet subnet, int side)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var statistics = new SubnetStatistics();
        network.train();
        statistics.NextBatch();
        network.forward(Images(16, side), subnet, statistics);
        network.eval();
        return statistics;
    }

    public static torch.Tensor Images(int count, int side)
    {
        using var random = new torch.Generator(11);
        return torch.rand([count, 3, side, side], generator: random);
    }

    public static double Distance(torch.Tensor a, torch.Tensor b) => (a - b).abs().max().ToDouble();

    private static void Randomise(ClassifierNetwork network)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        using var random = new torch.Generator(6);
        foreach (var (name, tensor) in network.state_dict())
        {
            if (tensor.dim() == 1 && name.EndsWith("bias", StringComparison.Ordinal))
            {
                tensor.copy_(torch.randn(tensor.shape, generator: random) * 0.2);
            }
            else if (tensor.dim() == 1 && name.EndsWith("weight", StringComparison.Ordinal))
            {
                tensor.copy_(torch.rand(tensor.shape, generator: random) + 0.5);
            }
        }

        // Running averages of noise, so that logits are of the size of a trained network's.
        network.train();
        for (var batch = 0; batch < 20; batch++)
        {
            network.call(Images(8, 32));
        }
    }

    /// <summary>Writes a checkpoint of a network that nobody trained.</summary>
    public static string Save(string path, string name, string data, int size, IReadOnlyList<string> classes) => Save(path, name, data, size, size, 0, classes);

    /// <inheritdoc cref="Save(string, string, string, int, IReadOnlyList{string})"/>
    public static string Save(string path, string name, string data, int height, int width, int crop, IReadOnlyList<string> classes)
    {
        using var scope = torch.NewDisposeScope();
        using var network = Create(name, 0.5, classes.Count);
        var recipe = new Recipe
        {
            Data = new() { Source = data, Size = height == width ? height : 0 },
            Augmentation = new() { Crop = crop },
            Model = new() { Name = name, WidthMultiplier = 0.5, Mean = Mean, StandardDeviation = Deviation },
            Training = new() { Precision = Precision.Fp32, Layout = Layout.Contiguous },
        };
        Checkpoint.Save(path, network, null, null, recipe, classes, new ImageSize(height, width), new RunPosition());
        return path;
    }
}
