using System.Globalization;
using System.Text.RegularExpressions;
using TorchSharp;

namespace WeakLink.Models;

/// <summary>The networks by name, with the parameter names of torchvision (ResNets) or RobustBench (PreAct and wide ones).</summary>
public static partial class NetworkCatalogue
{
    // Nobody trained a deeper one.
    private const int DeepestWide = 1000;

    private static readonly string[] Fixed =
    [
        "resnet8", "resnet14", "resnet20", "resnet32", "resnet56",
        "resnet18", "resnet34", "resnet50",
        "preact-resnet18", "preact-resnet34", "preact-resnet50",
        "resnet18-imagenet", "resnet34-imagenet", "resnet50-imagenet", "resnet101-imagenet", "resnet152-imagenet",
    ];

    /// <summary>All names; wide-resnet-DEPTH-WIDTH stands for every depth 6n + 4 and width.</summary>
    public static IReadOnlyList<string> Names => [.. Fixed, "wide-resnet-28-10", "wide-resnet-34-10", "wide-resnet-40-2"];

    /// <summary>Creates a network with random weights.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="mean">Mean of each channel in [0, 1] units, which the first layer subtracts.</param>
    /// <param name="standardDeviation">Standard deviation of each channel, which the first layer divides by.</param>
    /// <param name="seed">Decides the weights.</param>
    /// <param name="widthMultiplier">Multiplies the channels of every layer, rounded to whole channels.</param>
    /// <param name="dropout">Dropout probability between the convolutions of a wide block; in [0, 1).</param>
    /// <exception cref="InputException">No such network (the nearest is named), or one that dropout does not belong to.</exception>
    public static ClassifierNetwork Create(
        string name, int classes, IReadOnlyList<double> mean, IReadOnlyList<double> standardDeviation, long seed = 0, double widthMultiplier = 1, double dropout = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(mean.Count, 3);
        ArgumentOutOfRangeException.ThrowIfNotEqual(standardDeviation.Count, 3);
        // Modules keep their own tensors: a caller's dispose scope must not take them.
        using var scope = torch.NewDisposeScope();
        var network = new ClassifierNetwork(Plan(name, widthMultiplier, dropout), classes, mean, standardDeviation, seed);
        foreach (var tensor in network.parameters().Concat(network.buffers()))
        {
            tensor.DetachFromDisposeScope();
        }

        return network;
    }

    /// <summary>A number of parameters that a network has at least, known before any memory is asked for.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="widthMultiplier">Multiplies the channels of every layer.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="InputException">No such network.</exception>
    internal static long LeastParameters(string name, double widthMultiplier, int classes)
    {
        var plan = Plan(name, widthMultiplier, 0);
        return plan.LeastWeights + ((long)plan.Features * classes);
    }

    /// <summary>By how much the last blocks' features are lower and narrower than the image, rounded up.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InputException">No such network.</exception>
    internal static int Reduction(string name)
    {
        var plan = Plan(name, 1, 0);
        // The first block of every stage but the first halves them.
        return plan.StemStride * (plan.StemPool ? 2 : 1) << (plan.Stages.Count - 1);
    }

    private static NetworkPlan Plan(string name, double multiplier, double dropout)
    {
        int Scaled(int channels) => Math.Max(1, (int)Math.Round(channels * multiplier, MidpointRounding.AwayFromZero));
        var wide = Wide().Match(name);
        if (dropout > 0 && !wide.Success)
        {
            throw new InputException($"model.dropout belongs to wide-resnet-DEPTH-WIDTH; '{name}' has none: set it to 0.");
        }

        if (wide.Success)
        {
            var (depth, width) = (Number(wide, 1), Number(wide, 2));
            return depth is > 4 and <= DeepestWide && (depth - 4) % 6 == 0 && width is > 0 and <= 64
                ? WidePlan(name, (depth - 4) / 6, width, Scaled, dropout)
                : throw new InputException($"There is no network '{name}': a wide ResNet's depth is 6n + 4 (10, 16, 22, 28, 34, 40 ... {DeepestWide}) and its width 1 to 64.");
        }

        return name switch
        {
            "resnet8" or "resnet14" or "resnet20" or "resnet32" or "resnet56" => SmallPlan(name, (int.Parse(name[6..], CultureInfo.InvariantCulture) - 2) / 6, Scaled),
            "resnet18" => LargePlan(name, bottleneck: false, [2, 2, 2, 2], Scaled),
            "resnet34" => LargePlan(name, bottleneck: false, [3, 4, 6, 3], Scaled),
            "resnet50" => LargePlan(name, bottleneck: true, [3, 4, 6, 3], Scaled),
            "preact-resnet18" => PreActPlan(name, bottleneck: false, [2, 2, 2, 2], Scaled),
            "preact-resnet34" => PreActPlan(name, bottleneck: false, [3, 4, 6, 3], Scaled),
            "preact-resnet50" => PreActPlan(name, bottleneck: true, [3, 4, 6, 3], Scaled),
            "resnet18-imagenet" => ImageNetPlan(name, bottleneck: false, [2, 2, 2, 2], Scaled),
            "resnet34-imagenet" => ImageNetPlan(name, bottleneck: false, [3, 4, 6, 3], Scaled),
            "resnet50-imagenet" => ImageNetPlan(name, bottleneck: true, [3, 4, 6, 3], Scaled),
            "resnet101-imagenet" => ImageNetPlan(name, bottleneck: true, [3, 4, 23, 3], Scaled),
            "resnet152-imagenet" => ImageNetPlan(name, bottleneck: true, [3, 8, 36, 3], Scaled),
            _ => throw new InputException($"There is no network '{name}' (model.name): did you mean {Nearest.To(name, Names)}? Choose from {string.Join(", ", Fixed)}, wide-resnet-DEPTH-WIDTH."),
        };
    }

    // He et al. 2016, section 4.2: three stages of 16, 32 and 64 channels for 32x32 images.
    private static NetworkPlan SmallPlan(string name, int blocks, Func<int, int> scaled) => new()
    {
        Name = name,
        StemChannels = scaled(16),
        Features = scaled(64),
        LeastWeights = LeastWeights([scaled(16), scaled(32), scaled(64)], [blocks, blocks, blocks]),
        Stages = Stages("layer{0}", [scaled(16), scaled(32), scaled(64)], [blocks, blocks, blocks], scaled(16), 1, (from, to, stride) => random => new BasicBlock(from, to, stride, random)),
    };

    // He et al. 2016, table 1, with the 3x3 stem that is usual for 32x32 images.
    private static NetworkPlan LargePlan(string name, bool bottleneck, int[] blocks, Func<int, int> scaled)
    {
        int[] channels = [scaled(64), scaled(128), scaled(256), scaled(512)];
        var expansion = bottleneck ? Bottleneck.Expansion : 1;
        return new NetworkPlan
        {
            Name = name,
            StemChannels = channels[0],
            Features = channels[3] * expansion,
            LeastWeights = LeastWeights(channels, blocks),
            Stages = Stages("layer{0}", channels, blocks, channels[0], expansion, (from, to, stride) => bottleneck
                ? random => new Bottleneck(from, to, stride, random)
                : random => new BasicBlock(from, to, stride, random)),
        };
    }

    private static NetworkPlan ImageNetPlan(string name, bool bottleneck, int[] blocks, Func<int, int> scaled) =>
        LargePlan(name, bottleneck, blocks, scaled) with { StemKernel = 7, StemStride = 2, StemPool = true };

    private static NetworkPlan PreActPlan(string name, bool bottleneck, int[] blocks, Func<int, int> scaled)
    {
        int[] channels = [scaled(64), scaled(128), scaled(256), scaled(512)];
        var expansion = bottleneck ? Bottleneck.Expansion : 1;
        return new NetworkPlan
        {
            Name = name,
            StemChannels = channels[0],
            StemNorm = false,
            FinalNorm = "bn",
            HeadName = "linear",
            Features = channels[3] * expansion,
            LeastWeights = LeastWeights(channels, blocks),
            Stages = Stages("layer{0}", channels, blocks, channels[0], expansion, (from, to, stride) => bottleneck
                ? random => new PreActBottleneck(from, to, stride, random)
                : random => new PreActBlock(from, to, stride, random)),
        };
    }

    // Zagoruyko and Komodakis 2016, table 1.
    private static NetworkPlan WidePlan(string name, int blocks, int width, Func<int, int> scaled, double dropout)
    {
        int[] channels = [scaled(16 * width), scaled(32 * width), scaled(64 * width)];
        return new NetworkPlan
        {
            Name = name,
            StemChannels = scaled(16),
            StemNorm = false,
            FinalNorm = "bn1",
            Features = channels[2],
            LeastWeights = LeastWeights(channels, [blocks, blocks, blocks]),
            Stages = Stages("block{0}.layer", channels, [blocks, blocks, blocks], scaled(16), 1, (from, to, stride) => random => new WideBlock(from, to, stride, dropout, random)),
        };
    }

    private static List<(string, IReadOnlyList<Func<torch.Generator, ResidualBlock>>)> Stages(
        string name, int[] channels, int[] blocks, int from, int expansion, Func<int, int, int, Func<torch.Generator, ResidualBlock>> create)
    {
        var stages = new List<(string, IReadOnlyList<Func<torch.Generator, ResidualBlock>>)>();
        for (var stage = 0; stage < channels.Length; stage++)
        {
            var creators = new List<Func<torch.Generator, ResidualBlock>>();
            for (var block = 0; block < blocks[stage]; block++)
            {
                creators.Add(create(from, channels[stage], stage > 0 && block == 0 ? 2 : 1));
                from = channels[stage] * expansion;
            }

            stages.Add((string.Format(CultureInfo.InvariantCulture, name, stage + 1), creators));
        }

        return stages;
    }

    // Every kind of block has a 3x3 convolution from its inner channels to as many.
    private static long LeastWeights(int[] channels, int[] blocks) => channels.Zip(blocks).Sum(stage => 9L * stage.First * stage.First * stage.Second);

    private static int Number(Match match, int group) => int.TryParse(match.Groups[group].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    [GeneratedRegex("^wide-resnet-([0-9]+)-([0-9]+)$")]
    private static partial Regex Wide();
}
