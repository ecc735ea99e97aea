using System.Numerics.Tensors;
using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>Drops of water that run down.</summary>
internal sealed class SpatterSequence() : Perturbation("spatter", heldOut: true)
{
    private const double Strength = 0.6;

    public override int Frames(SeverityTable table) => 31;

    protected override void Perturb(ImageView image, CentreCrop crop, SeverityTable table, SeededRandom random, Span<byte> frames)
    {
        var (mean, deviation, sigma, threshold) = table switch
        {
            SeverityTable.Cifar => (0.6, 0.265, 1.75, 0.7),
            SeverityTable.TinyImageNet => (0.6, 0.25, 1.75, 0.7),
            _ => (0.65, 0.27, 3.7, 0.69),
        };
        // What a pixel gets from the one below it, itself, the one above, and so on.
        var (first, run) = table == SeverityTable.ImageNet ? (1, [0.05f, 0.1f, 0.15f, 0.7f]) : (0, new[] { 0.2f, 0.8f });

        crop.Cut(image, frames);
        using var clean = Planes.Of(new ImageView(frames[..crop.Bytes], crop.Height, crop.Width));
        using var wet = new Planes(clean.Count, crop.Height, crop.Width);
        var liquid = new Planes(1, crop.Height, crop.Width, GaussianFilter.Radius(sigma));
        random.FillNormal(liquid.Used);
        TensorPrimitives.Multiply(liquid.Used, (float)deviation, liquid.Used);
        TensorPrimitives.Add(liquid.Used, (float)mean, liquid.Used);
        GaussianFilter.Blur(liquid, sigma);
        // Once: what has run down may be thinner than that.
        foreach (ref var value in liquid.Used)
        {
            value = value < threshold ? 0 : value;
        }

        for (var frame = 0; frame < Frames(table); frame++)
        {
            clean.Used.CopyTo(wet.Used);
            Spatter.AddWater(wet, Spatter.Drops(liquid, 0), Strength);
            wet.CutTo(frames.Slice(frame * crop.Bytes, crop.Bytes));
            var lower = RunDown(liquid, first, run);
            liquid.Dispose();
            liquid = lower;
        }

        liquid.Dispose();
    }

    private static Planes RunDown(Planes liquid, int first, ReadOnlySpan<float> run)
    {
        var lower = new Planes(1, liquid.Height, liquid.Width);
        lower.Used.Clear();
        for (var y = 0; y < liquid.Height; y++)
        {
            for (var tap = 0; tap < run.Length; tap++)
            {
                var from = y + first - tap;
                if (from >= 0 && from < liquid.Height)
                {
                    TensorPrimitives.MultiplyAdd(liquid.Row(0, from), run[tap], lower.Row(0, y), lower.Row(0, y));
                }
            }
        }

        return lower;
    }
}
