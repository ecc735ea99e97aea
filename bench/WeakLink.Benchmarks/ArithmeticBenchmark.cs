using TorchSharp;
using WeakLink.Models;
using WeakLink.Runtime;

namespace WeakLink.Benchmarks;

/// <summary>
/// Convolutions against float64, forward and backward, with NaN in the memory beforehand: how many come out wrong, and by how much slower or faster oneDNN
/// is, as it finds the machine; or as if the machine hid its caches, without and with the remedy.
/// </summary>
internal static class ArithmeticBenchmark
{
    private const int Images = 4;
    private const int Size = 12;

    /// <summary>Makes oneDNN believe in caches of one byte, as on a machine that hides them; and mends that.</summary>
    public static void Pretend(bool mended)
    {
        NativeLibraries.Load();
        var done = OneDnnCaches.Write(null, OneDnnCaches.Sizes.Empty)
            && (!mended || OneDnnCaches.Write(OneDnnCaches.Sizes.Empty, OneDnnCaches.OfOlderLeaves(System.Runtime.Intrinsics.X86.X86Base.CpuId, Environment.ProcessorCount)));
        if (!done)
        {
            throw new InputException("oneDNN's belief about the caches was not found in libtorch's memory.");
        }
    }

    public static void Run()
    {
        int[] channels = [3, 4, 8, 12, 16, 20, 23, 24, 32, 45, 48, 56, 64];
        foreach (var format in from number in Machine.Precisions from layout in new[] { Layout.Contiguous, Layout.ChannelsLast } select new ComputeFormat(number, layout))
        {
            var layers = (
                from window in new (int Kernel, int Stride)[] { (1, 1), (3, 1), (3, 2) }
                from inputs in channels
                from outputs in channels
                select new LayerShape(
                    LayerKind.Convolution, inputs, outputs, Size, Size, window.Kernel, window.Stride, format.Precision == Precision.Bf16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32, format.Layout == Layout.ChannelsLast)).ToList();
            var wrong = layers.Select(layer => (Layer: layer, What: LayerCheck.Wrong(layer, Images))).Where(pair => pair.What is not null).ToList();
            Console.WriteLine($"{format}: {wrong.Count} of {layers.Count} convolutions wrong");
            foreach (var (layer, what) in wrong.Take(3))
            {
                Console.WriteLine($"  {layer} {what}");
            }
        }
    }
}
