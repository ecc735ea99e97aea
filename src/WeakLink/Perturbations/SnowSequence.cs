using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>The same flakes, falling in a direction that turns.</summary>
internal sealed class SnowSequence() : Perturbation("snow")
{
    // Mean, threshold and what is kept of the image are the same for all sizes.
    private const double Mean = 0.05, Threshold = 0.5;
    private const float Kept = 0.85f;

    public override int Frames(SeverityTable table) => 31;

    protected override void Perturb(ImageView image, CentreCrop crop, SeverityTable table, SeededRandom random, Span<byte> frames)
    {
        var (deviation, zoom, radius, sigma) = table switch
        {
            SeverityTable.Cifar => (0.3, 2, 10, 2),
            SeverityTable.TinyImageNet => (0.28, 2, 10, 2.5),
            _ => (0.3, 3, 14, 4.0),
        };
        crop.Cut(image, frames);
        using var whitened = Planes.Of(new ImageView(frames[..crop.Bytes], crop.Height, crop.Width));
        Snow.Whiten(whitened, Kept);
        using var flakes = Snow.Flakes(crop.Height, crop.Width, Mean, deviation, zoom, Threshold, radius, random);
        using var snowed = new Planes(whitened.Count, crop.Height, crop.Width);
        for (var frame = 0; frame < Frames(table); frame++)
        {
            whitened.Used.CopyTo(snowed.Used);
            Snow.Add(flakes, radius, sigma, (4 * frame) - 150, snowed);
            snowed.CutTo(frames.Slice(frame * crop.Bytes, crop.Bytes));
        }
    }
}
