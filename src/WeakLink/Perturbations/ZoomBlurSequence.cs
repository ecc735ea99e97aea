using System.Numerics.Tensors;
using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>The mean of the image and more and more enlargements of it.</summary>
internal sealed class ZoomBlurSequence() : Perturbation("zoom_blur")
{
    private const double Step = 0.004;

    public override int Frames(SeverityTable table) => 31;

    protected override void Perturb(ImageView image, CentreCrop crop, SeverityTable table, SeededRandom random, Span<byte> frames)
    {
        crop.Cut(image, frames);
        using var sum = Planes.Of(new ImageView(frames[..crop.Bytes], crop.Height, crop.Width));
        using var mean = new Planes(sum.Count, crop.Height, crop.Width);
        for (var frame = 1; frame < Frames(table); frame++)
        {
            var result = frames.Slice(frame * crop.Bytes, crop.Bytes);
            var places = AffineMap.Around(image.Height, image.Width, scale: 1 + (Step * frame)).From(crop.Top(image), crop.Left(image));
            AffineSampling.Linear(image, places, crop.Height, crop.Width, result);
            using var enlarged = Planes.Of(new ImageView(result, crop.Height, crop.Width));
            TensorPrimitives.Add(sum.Used, enlarged.Used, sum.Used);
            TensorPrimitives.Divide(sum.Used, frame + 1, mean.Used);
            mean.CutTo(result);
        }
    }
}
