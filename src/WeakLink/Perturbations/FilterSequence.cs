using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>Makes one frame of an image.</summary>
internal delegate void Filter(ImageView image, SeverityTable table, int frame, Span<byte> result);

/// <summary>Frames that follow from the image and their number alone.</summary>
internal sealed class FilterSequence(string name, Func<SeverityTable, int> frameCount, Filter filter, bool heldOut = false) : Perturbation(name, heldOut)
{
    public override int Frames(SeverityTable table) => frameCount(table);

    protected override void Perturb(ImageView image, CentreCrop crop, SeverityTable table, SeededRandom random, Span<byte> frames)
    {
        var bytes = new byte[crop.Bytes];
        crop.Cut(image, bytes);
        for (var frame = 0; frame < Frames(table); frame++)
        {
            filter(new ImageView(bytes, crop.Height, crop.Width), table, frame, frames.Slice(frame * crop.Bytes, crop.Bytes));
        }
    }
}
