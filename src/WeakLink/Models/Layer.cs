using TorchSharp;
using TorchSharp.Modules;
using WeakLink.Runtime;

namespace WeakLink.Models;

/// <summary>
/// A module whose parts are registered under the names that the constructor gives them, and no others: TorchSharp would register
/// every field once more under the field's name. Parameters are asked for by name, because moving a module replaces them.
/// </summary>
/// <param name="name">What kind of layer it is.</param>
public abstract class Layer(string name) : torch.nn.Module(name)
{
    /// <summary>Registers nothing.</summary>
    protected override void RegisterComponents()
    {
    }

    /// <summary>Makes sure that this machine computes the layer right, before it does: see <see cref="Arithmetic"/>.</summary>
    /// <param name="kind">What it computes.</param>
    /// <param name="images">N×C×H×W, or N×C: what it reads.</param>
    /// <param name="outputs">Channels it gives.</param>
    /// <param name="kernel">Height and width of a convolution's kernel.</param>
    /// <param name="stride">Pixels between two results of a convolution.</param>
    /// <exception cref="InputException">It computes it wrong, in every way that there is.</exception>
    protected internal static void Prove(LayerKind kind, torch.Tensor images, long outputs, long kernel = 1, long stride = 1)
    {
        if (images.device_type == DeviceType.CPU)
        {
            var (shape, plane) = (images.shape, images.dim() == 4);
            Arithmetic.Ensure(new LayerShape(kind, shape[1], outputs, plane ? shape[2] : 1, plane ? shape[3] : 1, kernel, stride, images.dtype, plane && images.stride(1) == 1 && shape[1] > 1));
        }
    }

    /// <summary>A parameter of this layer.</summary>
    protected Parameter Parameter(string name) => get_parameter(name)!;

    /// <summary>A buffer of this layer.</summary>
    protected torch.Tensor Buffer(string name) => get_buffer(name)!;
}

/// <summary>Layers under the names 0, 1, 2 ...</summary>
public sealed class LayerList : Layer
{
    /// <summary>Takes the layers.</summary>
    public LayerList(IReadOnlyList<Layer> layers)
        : base(nameof(LayerList))
    {
        for (var i = 0; i < layers.Count; i++)
        {
            register_module(i.ToString(System.Globalization.CultureInfo.InvariantCulture), layers[i]);
        }
    }
}
