using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>Adds noise of a strength.</summary>
internal delegate void Noise<in T>(ImageView image, T strength, SeededRandom random, Span<byte> result);

/// <summary>The clean image, then 30 times the image under fresh noise.</summary>
internal sealed class NoiseSequence<T>(string name, Noise<T> noise, T cifar, T tinyImageNet, T imageNet, bool heldOut = false) : Perturbation(name, heldOut)
{
    public override int Frames(SeverityTable table) => 31;

    protected override void Perturb(ImageView image, CentreCrop crop, SeverityTable table, SeededRandom random, Span<byte> frames)
    {
        var strength = table switch
        {
            SeverityTable.Cifar => cifar,
            SeverityTable.TinyImageNet => tinyImageNet,
            _ => imageNet,
        };
        crop.Cut(image, frames);
        var clean = new ImageView(frames[..crop.Bytes], crop.Height, crop.Width);
        for (var frame = 1; frame < Frames(table); frame++)
        {
            noise(clean, strength, random, frames.Slice(frame * crop.Bytes, crop.Bytes));
        }
    }
}
