using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>
/// A perturbation: a way to turn an image into a sequence that changes a little from frame to frame, on which a stable classifier does
/// not change its mind (Hendrycks and Dietterich, ICLR 2019, section 4.1, ImageNet-P). Stateless: safe to use from several threads.
/// </summary>
/// <param name="name">As in the names of CIFAR-10-P's files: lower case, underscores.</param>
/// <param name="heldOut">Whether it is one of those that the authors published as extra ones.</param>
public abstract class Perturbation(string name, bool heldOut = false)
{
    /// <summary>As in the names of CIFAR-10-P's files.</summary>
    public string Name => name;

    /// <summary>Whether it is one of the extra ones, which benchmark numbers leave out.</summary>
    public bool HeldOut => heldOut;

    /// <summary>
    /// Whether the frames are the same image under different noise: each is then compared with the first, clean one. Otherwise each is
    /// compared with the one before it. Published files are told apart by their names, as here.
    /// </summary>
    public bool IsNoise => name.Contains("noise", StringComparison.Ordinal);

    /// <summary>Frames in a sequence.</summary>
    public abstract int Frames(SeverityTable table);

    /// <summary>Makes the sequence of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="crop">What the network sees of it: what moves into this part from the rest of the image is seen too.</param>
    /// <param name="table">Which published strengths.</param>
    /// <param name="random">All random draws come from here.</param>
    /// <param name="frames">Receives frames × 3 × crop height × crop width bytes.</param>
    /// <exception cref="ArgumentException">The crop does not lie in the image, or the result has another size.</exception>
    public void Apply(ImageView image, CentreCrop crop, SeverityTable table, SeededRandom random, Span<byte> frames)
    {
        crop.Require(image);
        if (frames.Length != Frames(table) * crop.Bytes)
        {
            throw new ArgumentException($"The result has {frames.Length} bytes, {Frames(table)} frames of {crop.Width}x{crop.Height} pixels need {Frames(table) * crop.Bytes}.", nameof(frames));
        }

        Perturb(image, crop, table, random, frames);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <inheritdoc cref="Apply"/>
    protected abstract void Perturb(ImageView image, CentreCrop crop, SeverityTable table, SeededRandom random, Span<byte> frames);
}
