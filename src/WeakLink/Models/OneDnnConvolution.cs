using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using TorchSharp;
using WeakLink.Runtime;

namespace WeakLink.Models;

/// <summary>
/// oneDNN's convolution that adds a bias, another tensor and a ReLU where it writes its results, on weights that lie as it reads them. libtorch has it as <c>mkldnn::_convolution_pointwise</c>
/// (torch.compile uses it), which TorchSharp doesn't offer; a TorchScript archive may name it. It has no gradients.
/// </summary>
internal static class OneDnnConvolution
{
    private static readonly ConcurrentDictionary<Place, torch.jit.ScriptModule?> Scripts = new();

    private static readonly byte[] Pickled = [0x80, 2, .. "c__torch__\nFused\n)\x81}X\x08\0\0\0training\x89sb."u8];
    private static readonly byte[] NoConstants = [0x80, 2, (byte)')', (byte)'.'];

    /// <summary>Whether it can be used: this libtorch has it, and oneDNN has not been found wrong here.</summary>
    public static bool IsUsable(Place place) => Arithmetic.WithoutOneDnn is null && Script(place) is not null;

    /// <summary>Weights as the routine reads them.</summary>
    /// <param name="place">Where the convolution is applied.</param>
    /// <param name="weight">Filters×channels×height×width.</param>
    /// <param name="images">Such as it will read.</param>
    public static torch.Tensor Packed(Place place, torch.Tensor weight, torch.Tensor images) => Call(place, "pack", weight, images);

    /// <summary>Convolves.</summary>
    /// <param name="place">Where the convolution is applied.</param>
    /// <param name="images">N×C×H×W.</param>
    /// <param name="weight">Packed weights.</param>
    /// <param name="bias">A number for each filter.</param>
    /// <param name="relu">Whether the positive part is taken.</param>
    /// <param name="sum">What is added before that, and is overwritten; null: nothing.</param>
    public static torch.Tensor Run(Place place, torch.Tensor images, torch.Tensor weight, torch.Tensor bias, bool relu, torch.Tensor? sum) => sum is null
        ? Call(place, relu ? "relu" : "plain", images, weight, bias)
        : Call(place, relu ? "relu_add" : "plain_add", images, weight, bias, sum);

    /// <summary>Where a convolution is applied.</summary>
    /// <param name="Padding">Zeros around the images.</param>
    /// <param name="Stride">Pixels between two results.</param>
    /// <param name="Groups">Groups of channels: 1, or as many as there are channels.</param>
    internal readonly record struct Place(long Padding, long Stride, long Groups);

    // Tensors alone: of a number TorchSharp would make a scalar that nothing holds while libtorch reads it (KeptScalars), so the place is part of the code.
    private static torch.Tensor Call(Place place, string method, params torch.Tensor[] tensors) => (torch.Tensor)Script(place)!.invoke(method, [.. tensors]);

    private static torch.jit.ScriptModule? Script(Place place) => Scripts.GetOrAdd(place, Load);

    private static string Code(Place place)
    {
        var how = string.Create(CultureInfo.InvariantCulture, $"[{place.Padding}, {place.Padding}], [{place.Stride}, {place.Stride}], [1, 1], {place.Groups}");
        const string None = "annotate(List[Optional[number]], [])";
        return $"""
            class Fused(Module):
              __parameters__ = []
              __buffers__ = []
              training : bool
              def pack(self: __torch__.Fused, weight: Tensor, x: Tensor) -> Tensor:
                return ops.mkldnn._reorder_convolution_weight(weight, {how}, torch.size(x))
              def plain(self: __torch__.Fused, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
                return ops.mkldnn._convolution_pointwise(x, weight, bias, {how}, "none", {None}, "")
              def relu(self: __torch__.Fused, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
                return ops.mkldnn._convolution_pointwise(x, weight, bias, {how}, "relu", {None}, "")
              def plain_add(self: __torch__.Fused, x: Tensor, weight: Tensor, bias: Tensor, sum: Tensor) -> Tensor:
                return ops.mkldnn._convolution_pointwise_(sum, x, weight, bias, {how}, "add", 1.0, None, {None}, None)
              def relu_add(self: __torch__.Fused, x: Tensor, weight: Tensor, bias: Tensor, sum: Tensor) -> Tensor:
                return ops.mkldnn._convolution_pointwise_(sum, x, weight, bias, {how}, "add", 1.0, "relu", {None}, None)

            """;
    }

    // What libtorch reads in an archive of TorchScript: the code, and a pickled object of its class. Another libtorch may have other operators, or none of oneDNN's.
    private static torch.jit.ScriptModule? Load(Place place)
    {
        try
        {
            using var archive = new MemoryStream();
            using (var zip = new ZipArchive(archive, ZipArchiveMode.Create, leaveOpen: true))
            {
                Add(zip, "data.pkl", Pickled);
                Add(zip, "code/__torch__.py", Encoding.UTF8.GetBytes(Code(place).ReplaceLineEndings("\n")));
                Add(zip, "constants.pkl", NoConstants);
                Add(zip, "version", "3\n"u8);
            }

            return torch.jit.load(archive.ToArray());
        }
        catch (Exception exception) when (exception is ExternalException or TypeInitializationException or EntryPointNotFoundException)
        {
            return null;
        }

        static void Add(ZipArchive zip, string name, ReadOnlySpan<byte> content)
        {
            // libtorch reads its records where they lie.
            using var entry = zip.CreateEntry("fused/" + name, CompressionLevel.NoCompression).Open();
            entry.Write(content);
        }
    }
}
