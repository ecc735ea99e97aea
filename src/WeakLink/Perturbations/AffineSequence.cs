using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>Where a frame's pixels lie in an image of height × width pixels.</summary>
internal delegate AffineMap FrameMap(SeverityTable table, int frame, int height, int width);

/// <summary>The image moved, turned, scaled or sheared a little more in every frame; what comes from outside of the image is black.</summary>
internal sealed class AffineSequence(string name, Func<SeverityTable, int> frameCount, bool wholePixels, FrameMap map, bool heldOut = false) : Perturbation(name, heldOut)
{
    public override int Frames(SeverityTable table) => frameCount(table);

    protected override void Perturb(ImageView image, CentreCrop crop, SeverityTable table, SeededRandom random, Span<byte> frames)
    {
        for (var frame = 0; frame < Frames(table); frame++)
        {
            var places = map(table, frame, image.Height, image.Width).From(crop.Top(image), crop.Left(image));
            var result = frames.Slice(frame * crop.Bytes, crop.Bytes);
            if (wholePixels)
            {
                AffineSampling.Nearest(image, places, crop.Height, crop.Width, result);
            }
            else
            {
                AffineSampling.Linear(image, places, crop.Height, crop.Width, result);
            }
        }
    }
}
