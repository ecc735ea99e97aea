using System.Globalization;
using TorchSharp;

namespace WeakLink.Runtime;

/// <summary>What a layer computes.</summary>
public enum LayerKind
{
    /// <summary>A 2-d convolution without bias, padded by half of its kernel.</summary>
    Convolution,

    /// <summary>The same, of every channel with a filter of its own.</summary>
    Depthwise,

    /// <summary>Batch normalisation by the batch's own statistics.</summary>
    BatchNorm,

    /// <summary>A matrix product with bias.</summary>
    Linear,
}

/// <summary>What decides which of libtorch's routines runs a layer, but for the number of images.</summary>
/// <param name="Kind">What it computes.</param>
/// <param name="Inputs">Channels it reads.</param>
/// <param name="Outputs">Channels it gives.</param>
/// <param name="Height">Height of what it reads.</param>
/// <param name="Width">Width of what it reads.</param>
/// <param name="Kernel">Height and width of a convolution's kernel.</param>
/// <param name="Stride">Pixels between two results of a convolution.</param>
/// <param name="Number">Number format.</param>
/// <param name="ChannelsLast">Whether the channels of a pixel lie side by side.</param>
internal readonly record struct LayerShape(
    LayerKind Kind, long Inputs, long Outputs, long Height, long Width, long Kernel, long Stride, torch.ScalarType Number, bool ChannelsLast)
{
    /// <summary>Multiply-adds for one image, forward.</summary>
    public long MultiplyAdds => Kind == LayerKind.BatchNorm
        ? Inputs * Height * Width
        : FilterInputs * Outputs * Kernel * Kernel * ((Height + Stride - 1) / Stride) * ((Width + Stride - 1) / Stride);

    /// <summary>Channels that a filter reads.</summary>
    public long FilterInputs => Kind == LayerKind.Depthwise ? 1 : Inputs;

    /// <summary>As a line of a file: the same text for the same layer, and for no other.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Kind} {Inputs}>{Outputs} {Height}x{Width} kernel {Kernel} stride {Stride} {Number} {(ChannelsLast ? "channels-last" : "contiguous")};");
}
