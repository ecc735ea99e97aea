using TorchSharp;
using WeakLink.Models;

namespace WeakLink.Attacks;

/// <summary>A model as an attacker sees it: logits, gradients, and a count of both.</summary>
public sealed class AttackedModel
{
    private readonly torch.nn.Module<torch.Tensor, torch.Tensor> _model;

    /// <summary>Takes a model.</summary>
    /// <param name="model">Maps images N×3×H×W in [0, 1] to logits N×classes; in evaluation mode. Its normalisation is a layer of its own.</param>
    /// <exception cref="InputException">The model is in training mode: its answers would depend on the other images of a batch.</exception>
    public AttackedModel(torch.nn.Module<torch.Tensor, torch.Tensor> model)
    {
        if (model.training)
        {
            throw new InputException("The model is in training mode, where its answers depend on the other images of the batch: call eval() before attacking it.");
        }

        _model = model;
    }

    /// <summary>Images that went through the model.</summary>
    public long Forwards { get; private set; }

    /// <summary>Images whose gradient was computed.</summary>
    public long Backwards { get; private set; }

    /// <summary>Logits, without a graph.</summary>
    public torch.Tensor Logits(torch.Tensor images)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        Forwards += images.shape[0];
        return _model.call(images).MoveToOuterDisposeScope();
    }

    /// <summary>How many classes the model tells apart.</summary>
    /// <param name="images">At least one image; the first is asked about.</param>
    public int Classes(torch.Tensor images)
    {
        using var scope = torch.NewDisposeScope();
        return (int)Logits(images.narrow(0, 0, 1)).shape[1];
    }

    /// <summary>The likeliest class of each image.</summary>
    /// <param name="images">N×3×H×W.</param>
    /// <param name="name">What to call the i-th image in a message; null: by its number.</param>
    /// <returns>N class indices.</returns>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public torch.Tensor Predict(torch.Tensor images, Func<int, string>? name = null)
    {
        using var scope = torch.NewDisposeScope();
        return FiniteLogits.Require(Logits(images), name ?? (position => $"image {position} of the batch")).argmax(1).MoveToOuterDisposeScope();
    }

    /// <summary>Which images are classified as labelled.</summary>
    /// <param name="images">N×3×H×W.</param>
    /// <param name="labels">N class indices.</param>
    /// <param name="name">What to call the i-th image in a message; null: by its number.</param>
    /// <returns>N booleans.</returns>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public torch.Tensor Correct(torch.Tensor images, torch.Tensor labels, Func<int, string>? name = null)
    {
        using var scope = torch.NewDisposeScope();
        return Predict(images, name).eq(labels).MoveToOuterDisposeScope();
    }

    /// <summary>Losses and their gradient in the images.</summary>
    /// <param name="images">N×3×H×W.</param>
    /// <param name="loss">Logits to N losses.</param>
    /// <returns>Logits, losses and gradient, without a graph.</returns>
    public (torch.Tensor Logits, torch.Tensor Losses, torch.Tensor Gradient) Gradient(torch.Tensor images, Func<torch.Tensor, torch.Tensor> loss)
    {
        using var scope = torch.NewDisposeScope();
        using var gradients = torch.enable_grad();
        var variable = images.detach().requires_grad_();
        var logits = _model.call(variable);
        var losses = loss(logits);
        var gradient = torch.autograd.grad([losses.sum()], [variable])[0];
        Forwards += images.shape[0];
        Backwards += images.shape[0];
        return (logits.detach().MoveToOuterDisposeScope(), losses.detach().MoveToOuterDisposeScope(), gradient.MoveToOuterDisposeScope());
    }

    /// <summary>Several values of each image and their gradients, from a single forward pass.</summary>
    /// <param name="images">N×3×H×W.</param>
    /// <param name="values">Logits to N×K values.</param>
    /// <param name="visit">Gets one of the K values (N) and its gradient at a time; both are gone afterwards.</param>
    public void Gradients(torch.Tensor images, Func<torch.Tensor, torch.Tensor> values, Action<torch.Tensor, torch.Tensor> visit)
    {
        using var scope = torch.NewDisposeScope();
        using var gradients = torch.enable_grad();
        var variable = images.detach().requires_grad_();
        var results = values(_model.call(variable));
        Forwards += images.shape[0];
        for (var k = 0; k < results.shape[1]; k++)
        {
            using var one = torch.NewDisposeScope();
            var value = results.select(1, k);
            var gradient = torch.autograd.grad([value.sum()], [variable], retain_graph: k + 1 < results.shape[1])[0];
            Backwards += images.shape[0];
            visit(value.detach(), gradient);
        }
    }

    /// <summary>Checks what an attack is given.</summary>
    /// <exception cref="InputException">Images are outside of [0, 1].</exception>
    internal static void Check(torch.Tensor images)
    {
        using var scope = torch.NewDisposeScope();
        var (low, high) = (images.min().ReadSingle(), images.max().ReadSingle());
        if (!(low >= 0 && high <= 1))
        {
            throw new InputException(FormattableString.Invariant(
                $"The images are in [{low:g4}, {high:g4}], but attacks take images in [0, 1]: normalise inside the model, as its first layer."));
        }
    }
}
