using System.Diagnostics;
using TorchSharp;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Tests.Runtime;

/// <summary>The fault is made, on any processor, in processes of their own: oneDNN is told caches of one byte.</summary>
public sealed class ArithmeticTests
{
    public ArithmeticTests()
    {
        NativeLibraries.Load();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The fault and its remedy are known on Linux.");
    }

    [Fact]
    public void Check_finds_what_caches_of_one_byte_do()
    {
        var (_, output) = SpoiledProcess.Run(nameof(SpoiledProcess.Finds));
        // Wrong convolutions may write where they must not: how the process ends is not asked.
        Assert.Contains("FOUND gradient of the input", output);
    }

    [Fact]
    public void Remedy_makes_every_convolution_right()
    {
        var (exitCode, output) = SpoiledProcess.Run(nameof(SpoiledProcess.Mends));
        Assert.True(exitCode == 0, output);
        Assert.Contains("RIGHT 54", output);
    }

    [Fact]
    public void Where_there_is_no_remedy_oneDNN_is_left_out_and_a_sentence_says_so()
    {
        var (_, output) = SpoiledProcess.Run(nameof(SpoiledProcess.GoesWithoutOneDnn));
        Assert.Contains("SAID libtorch computes wrong numbers on this processor (Convolution 3>12", output);
        Assert.Contains("RIGHT right without oneDNN", output);
    }

    [Theory]
    [InlineData("resnet8", 3)]
    [InlineData("resnet20", 3)]
    [InlineData("resnet18", 2)]
    [InlineData("resnet50", 1)]
    [InlineData("resnet18-imagenet", 2)]
    [InlineData("resnet50-imagenet", 1)]
    [InlineData("preact-resnet18", 1)]
    [InlineData("wide-resnet-10-2", 2)]
    public void Every_layer_of_the_catalogue_is_right_here(string name, int multipliers)
    {
        var formats = EnvironmentReport.Create().NativeBf16 ? new[] { Precision.Fp32, Precision.Bf16 } : [Precision.Fp32];
        foreach (var multiplier in new[] { 0.5, 1, 1.5 }.Take(multipliers))
        {
            using var scope = torch.NewDisposeScope();
            using var noGradients = torch.no_grad();
            using var network = NetworkCatalogue.Create(name, 10, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], widthMultiplier: multiplier);
            var images = torch.rand(2, 3, 32, 32);
            foreach (var format in from number in formats from layout in new[] { Layout.Contiguous, Layout.ChannelsLast } select new ComputeFormat(number, layout))
            {
                network.Format = format;
                network.call(images);
                foreach (var width in new[] { 0.5, 0.7, 0.9 })
                {
                    using var search = new RandomSearch(network.Space, width);
                    network.forward(images, search.Propose(new SearchContext(new SeededRandom(0, RandomUse.SubnetEvaluation))));
                }
            }
        }

        // What was remembered from another run is computed all the same.
        Assert.All(Tried(), layer => Assert.Null(LayerCheck.Wrong(layer, 2)));
    }

    [Fact]
    public void Layer_of_too_few_vectors_for_oneDNN_to_skip_pixels_is_right()
    {
        // As it is, this convolution's gradient is wrong on AVX2, and ends in a corrupted heap: it must not be asked for.
        var layers = Arithmetic.RightLayers.ToHashSet();
        using var network = NetworkCatalogue.Create("resnet8", 10, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], widthMultiplier: 0.25);
        using var scope = torch.NewDisposeScope();
        network.Format = new ComputeFormat(Precision.Fp32, Layout.ChannelsLast);
        network.call(torch.rand(4, 3, 32, 32));
        Assert.DoesNotContain(Arithmetic.RightLayers.Except(layers), layer => layer is { Kernel: 1, Stride: > 1 });
    }

    private static readonly HashSet<LayerShape> Done = [];

    private static IEnumerable<LayerShape> Tried() => Arithmetic.RightLayers.Where(Done.Add);
}

/// <summary>What runs in a process of its own: never by itself.</summary>
public sealed class SpoiledProcess
{
    private static readonly LayerShape First = new(LayerKind.Convolution, 3, 12, 12, 12, 3, 1, torch.ScalarType.Float32, false);

    [Fact(Explicit = true)]
    public void Finds()
    {
        Spoil();
        Write($"FOUND {Layers().Select(layer => LayerCheck.Wrong(layer, 4)).First(wrong => wrong is not null)}");
    }

    [Fact(Explicit = true)]
    public void Mends()
    {
        Spoil();
        Assert.True(OneDnnCaches.Write(OneDnnCaches.Sizes.Empty, OneDnnCaches.OfOlderLeaves((_, _) => default, 2)));
        Assert.False(OneDnnCaches.Write(OneDnnCaches.Sizes.Empty, OneDnnCaches.Sizes.Empty), "There is nothing left to mend.");
        Assert.All(Layers(), layer => Assert.Null(LayerCheck.Wrong(layer, 4)));
        Write($"RIGHT {Layers().Count()}");
    }

    [Fact(Explicit = true)]
    public void GoesWithoutOneDnn()
    {
        Spoil();
        Arithmetic.Said += sentence => Write($"SAID {sentence}");
        Arithmetic.Ensure(First);
        Assert.Null(LayerCheck.Wrong(First, 4));
        Write($"RIGHT {Arithmetic.Report.Verdict}");
    }

    internal static (int ExitCode, string Output) Run(string method)
    {
        using var cache = new Data.TemporaryFolder();
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "WeakLink.Tests"), ["-explicit", "on", "-method", $"{typeof(SpoiledProcess).FullName}.{method}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What was computed with one belief must not be kept for the other.
        start.Environment["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] = "0";
        start.Environment["WEAKLINK_CACHE"] = cache.Path;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.WaitForExit();
        return (process.ExitCode, output.Result + error.Result);
    }

    private static void Spoil()
    {
        NativeLibraries.Load();
        Assert.True(OneDnnCaches.Write(null, OneDnnCaches.Sizes.Empty), "oneDNN's belief was not found in libtorch.");
    }

    // Channels that vectors of 8 or 16 divide, and that they don't; the images' 3.
    private static IEnumerable<LayerShape> Layers() =>
        from layout in new[] { false, true }
        from kernel in new[] { 3, 1 }
        from inputs in new long[] { 3, 12, 16 }
        from outputs in new long[] { 3, 12, 16 }
        from stride in new[] { 1, 2 }
        where kernel == 3 || stride == 1
        select new LayerShape(LayerKind.Convolution, inputs, outputs, 12, 12, kernel, stride, torch.ScalarType.Float32, layout);

    private static void Write(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
