using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>Where a frame's pixels lie in an image of height × width pixels.</summary>
internal delegate AffineMap FrameMap(SeverityTable table, int frame, int height, int width);

/// <summary>The image moved, turned, scaled or sheared a little more in every frame; what comes from outside of the image is black.</summary>
internal sealed class AffineSequence(string name, Func<SeverityTable, int> frameCount, bool wholePixels, FrameMap map, bool heldOut = false) : Perturbation(name, heldOut)
{
    public override int Frames(SeverityTable table) => frameCount(table);

    protected override void Perturb(ImageView image, View view, SeverityTable table, SeededRandom random, Span<byte> frames)
    {
        for (var frame = 0; frame < Frames(table); frame++)
        {
            var places = map(table, frame, image.Height, image.Width).From(view.Top(image), view.Left(image));
            var result = frames.Slice(frame * view.Bytes, view.Bytes);
            if (wholePixels)
            {
                AffineSampling.Nearest(image, places, view.Height, view.Width, result);
            }
            else
            {
                AffineSampling.Linear(image, places, view.Height, view.Width, result);
            }
        }
    }
}
