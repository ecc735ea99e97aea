using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Models;

/// <summary>
/// A module whose parts are registered under the names that the constructor gives them, and no others: TorchSharp would register
/// every field once more under the field's name. Parameters are asked for by name, because moving a module replaces them.
/// </summary>
internal abstract class Layer(string name) : torch.nn.Module(name)
{
    protected override void RegisterComponents()
    {
    }

    protected Parameter Parameter(string name) => get_parameter(name)!;

    protected torch.Tensor Buffer(string name) => get_buffer(name)!;
}
