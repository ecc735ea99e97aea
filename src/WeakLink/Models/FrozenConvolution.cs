using TorchSharp;
using WeakLink.Runtime;

namespace WeakLink.Models;

/// <summary>A convolution with a bias that adds another tensor and takes the positive part in one pass, where libtorch can do so.</summary>
/// <param name="weight">Filters×channels×kernel×kernel, in the number format of the images; it is disposed of.</param>
/// <param name="bias">A number for each filter; it is disposed of.</param>
/// <param name="stride">Pixels between two results.</param>
/// <param name="groups">1, or a filter for every channel.</param>
/// <param name="relu">Whether the positive part is taken.</param>
/// <param name="oneDnn">Whether oneDNN computes in this number format on this device.</param>
internal sealed class FrozenConvolution(torch.Tensor weight, torch.Tensor bias, long stride, long groups, bool relu, bool oneDnn) : IDisposable
{
    // As oneDNN reads the weights, made when a first image tells the layout.
    private torch.Tensor? _packed;

    /// <summary>Convolves.</summary>
    /// <param name="images">N×C×H×W.</param>
    /// <param name="sum">What is added; null: nothing.</param>
    /// <param name="overwrites">Whether that may be overwritten.</param>
    public torch.Tensor Run(torch.Tensor images, torch.Tensor? sum, bool overwrites)
    {
        var (read, every) = Convolution.Read(images, weight.shape[2], stride);
        Layer.Prove(groups == 1 ? LayerKind.Convolution : LayerKind.Depthwise, read, weight.shape[0], weight.shape[2], every);
        var (padding, inOne) = (weight.shape[2] / 2, overwrites ? sum : null);
        var left = inOne is null ? sum : null;
        var place = new OneDnnConvolution.Place(padding, every, groups);
        if (oneDnn && OneDnnConvolution.IsUsable(place))
        {
            _packed ??= OneDnnConvolution.Packed(place, weight, read).DetachFromDisposeScope();
            var result = OneDnnConvolution.Run(place, read, _packed, bias, relu && left is null, inOne);
            return left is null ? result : Positive(result.add_(left, Kept(1)));
        }

        var plain = torch.nn.functional.conv2d(read, weight, bias, [every, every], [padding, padding], groups: groups);
        return Positive(sum is null ? plain : plain.add_(sum, Kept(1)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        weight.Dispose();
        bias.Dispose();
        _packed?.Dispose();
    }

    private torch.Tensor Positive(torch.Tensor values) => relu ? values.relu_() : values;
}
