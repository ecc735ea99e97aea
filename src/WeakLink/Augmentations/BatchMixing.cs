using TorchSharp;

namespace WeakLink.Augmentations;

/// <summary>Mixes the images of a batch with one another, and their labels alike.</summary>
/// <param name="Classes">Number of classes.</param>
public abstract record BatchMixing(int Classes)
{
    /// <summary>Mixes every image with another one of the batch.</summary>
    /// <param name="images">VN×3×H×W in [0, 1]: N images in each of V views; an image's views are mixed alike.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="random">The draws of this step.</param>
    /// <returns>Mixed images, and N×classes probabilities.</returns>
    public (torch.Tensor Images, torch.Tensor Labels) Mix(torch.Tensor images, torch.Tensor labels, SeededRandom random)
    {
        using var scope = torch.NewDisposeScope();
        var count = (int)labels.shape[0];
        var order = torch.tensor(Partners(count, random), device: labels.device);
        var views = images.view([-1, count, .. images.shape[1..]]);
        var (mixed, soft) = Mix(images, labels, views.index_select(1, order).flatten(0, 1), labels.index_select(0, order), random);
        return (mixed.MoveToOuterDisposeScope(), soft.MoveToOuterDisposeScope());
    }

    /// <summary>Mixes every image with one that is given.</summary>
    /// <param name="images">VN×3×H×W in [0, 1]: N images in each of V views; an image's views are mixed alike.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="others">Their partners, of the same shape.</param>
    /// <param name="otherLabels">The partners' class indices.</param>
    /// <param name="random">The draws of this step, after <see cref="Partners"/>.</param>
    /// <returns>Mixed images, and N×classes probabilities.</returns>
    public (torch.Tensor Images, torch.Tensor Labels) Mix(torch.Tensor images, torch.Tensor labels, torch.Tensor others, torch.Tensor otherLabels, SeededRandom random)
    {
        using var scope = torch.NewDisposeScope();
        long[] views = [-1, labels.shape[0], .. images.shape[1..]];
        var (mixed, share) = Blend(images.view(views), others.view(views), random);
        var soft = (Certain(labels) * Kept(share)).Plus(Certain(otherLabels) * Kept(1 - share));
        return (mixed.view(images.shape).MoveToOuterDisposeScope(), soft.MoveToOuterDisposeScope());

        torch.Tensor Certain(torch.Tensor classes) => torch.nn.functional.one_hot(classes, Classes).to(torch.float32);
    }

    /// <summary>With which image of a batch each of them is mixed.</summary>
    /// <param name="images">Images in the batch.</param>
    /// <param name="random">The draws of this step.</param>
    public static long[] Partners(int images, SeededRandom random)
    {
        var partners = Enumerable.Range(0, images).Select(i => (long)i).ToArray();
        random.Shuffle<long>(partners);
        return partners;
    }

    /// <summary>Mixes images with others.</summary>
    /// <param name="images">V×N×3×H×W in [0, 1].</param>
    /// <param name="others">Their partners, of the same shape.</param>
    /// <param name="random">The draws of this step.</param>
    /// <returns>The mixed images, and the share of the first ones in them, in [0, 1].</returns>
    protected abstract (torch.Tensor Mixed, double Share) Blend(torch.Tensor images, torch.Tensor others, SeededRandom random);
}

/// <summary>Weighted means of two images and their labels (Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018).</summary>
/// <param name="Alpha">The weight is drawn from Beta(α, α) for each batch; published: 0.2 for ImageNet, 1 for CIFAR-10.</param>
/// <param name="Classes">Number of classes.</param>
public sealed record Mixup(double Alpha, int Classes) : BatchMixing(Classes)
{
    /// <inheritdoc/>
    protected override (torch.Tensor Mixed, double Share) Blend(torch.Tensor images, torch.Tensor others, SeededRandom random)
    {
        var share = random.NextBeta(Alpha, Alpha);
        return ((images * Kept(share)).Plus(others * Kept(1 - share)), share);
    }
}

/// <summary>A rectangle of another image, labels by area (Yun et al., "CutMix", ICCV 2019).</summary>
/// <param name="Alpha">The rectangle's area is 1 − λ of the image, λ drawn from Beta(α, α) for each batch, before it is cut at the border; published: 1.</param>
/// <param name="Classes">Number of classes.</param>
public sealed record CutMix(double Alpha, int Classes) : BatchMixing(Classes)
{
    /// <inheritdoc/>
    protected override (torch.Tensor Mixed, double Share) Blend(torch.Tensor images, torch.Tensor others, SeededRandom random)
    {
        var (height, width) = ((int)images.shape[3], (int)images.shape[4]);
        var side = Math.Sqrt(1 - random.NextBeta(Alpha, Alpha));
        var (top, bottom) = Span(height);
        var (left, right) = Span(width);
        var mixed = images.clone();
        mixed.narrow(3, top, bottom - top).narrow(4, left, right - left).copy_(others.narrow(3, top, bottom - top).narrow(4, left, right - left));
        return (mixed, 1 - ((double)(bottom - top) * (right - left) / (height * width)));

        (int From, int To) Span(int length)
        {
            var half = (int)(length * side) / 2;
            var centre = random.Next(length);
            return (Math.Max(centre - half, 0), Math.Min(centre + half, length));
        }
    }
}
