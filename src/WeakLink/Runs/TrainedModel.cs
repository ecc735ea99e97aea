using TorchSharp;
using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Recipes;

namespace WeakLink.Runs;

/// <summary>A network as a run left it, ready to classify.</summary>
/// <param name="Network">The network, in evaluation mode.</param>
/// <param name="Recipe">The resolved recipe of its run.</param>
/// <param name="Classes">Class names.</param>
/// <param name="Size">Size of its training images, before cropping.</param>
/// <param name="Position">How far the run was.</param>
public sealed record TrainedModel(ClassifierNetwork Network, Recipe Recipe, IReadOnlyList<string> Classes, ImageSize Size, RunPosition Position) : IDisposable
{
    /// <summary>What becomes of an image before the network sees it.</summary>
    /// <exception cref="InputException">The recipe's crop is larger than the images.</exception>
    public ImagePreparation Preparation => Loaders.Preparation(Recipe, Size);

    /// <summary>Loads a checkpoint. Nothing in the file is executed.</summary>
    /// <param name="model">A run folder (its best checkpoint) or a .safetensors file.</param>
    /// <param name="device">Where to put the network.</param>
    /// <exception cref="InputException">There is none, it is damaged, or it is not of the run in whose folder it is.</exception>
    public static TrainedModel Load(string model, torch.Device device)
    {
        var path = RunFolder.CheckpointOf(model);
        using var checkpoint = Checkpoint.Load(path);
        if (RunFolder.IsRun(model))
        {
            RunFolder.RequireRecipe(model, path, checkpoint.Recipe);
        }

        var network = checkpoint.Recipe.CreateNetworkFor(checkpoint.Classes.Count, checkpoint.Numbers, path);
        try
        {
            checkpoint.RestoreNetwork(network);
            network.to(device).eval();
            return new TrainedModel(network, checkpoint.Recipe, checkpoint.Classes, checkpoint.Size, checkpoint.Position);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();
}
