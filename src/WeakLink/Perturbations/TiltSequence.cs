using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>The image as a plane in space, turned around both axes and seen in perspective; sampled as OpenCV's <c>warpPerspective</c> does.</summary>
internal sealed class TiltSequence() : Perturbation("tilt")
{
    // OpenCV finds places in 32nds of a pixel.
    private const double Places = 32;

    public override int Frames(SeverityTable table) => 31;

    protected override void Perturb(ImageView image, CentreCrop crop, SeverityTable table, SeededRandom random, Span<byte> frames)
    {
        var degrees = table == SeverityTable.Cifar ? 0.75 : 1;
        for (var frame = 0; frame < Frames(table); frame++)
        {
            Tilt(image, degrees * (frame - 15) * Math.PI / 180, crop, frames.Slice(frame * crop.Bytes, crop.Bytes));
        }
    }

    private static void Tilt(ImageView image, double angle, CentreCrop crop, Span<byte> result)
    {
        // A pixel (u, v), counted from the middle, goes to (u cos − sin, v cos − (u sin + cos) sin, v sin + (u sin + cos) cos + f): turned
        // around the vertical, then the horizontal axis — one pixel in front of the origin, a published quirk —, and seen from the
        // distance f, the image's diagonal. Its inverse, up to a factor, is the adjugate.
        var (sine, cosine) = Math.SinCos(angle);
        var f = Math.Sqrt(((double)image.Width * image.Width) + ((double)image.Height * image.Height));
        var (a, c) = (cosine, -sine);
        var (d, e, g) = (-sine * sine, cosine, -cosine * sine);
        var (h, k, l) = (sine * cosine, sine, (cosine * cosine) + f);

        var from = image.Height * image.Width;
        for (var (y, to) = (0, 0); y < crop.Height; y++)
        {
            var q = (y + crop.Top(image) - (image.Height / 2.0)) / f;
            for (var x = 0; x < crop.Width; x++, to++)
            {
                var p = (x + crop.Left(image) - (image.Width / 2.0)) / f;
                var u = (((e * l) - (g * k)) * p) + (c * k * q) - (c * e);
                var v = (((g * h) - (d * l)) * p) + (((a * l) - (c * h)) * q) + ((c * d) - (a * g));
                var w = (((d * k) - (e * h)) * p) - (a * k * q) + (a * e);
                var (inX, inY) = (Math.Round(Places * ((u / w) + (image.Width / 2.0))) / Places, Math.Round(Places * ((v / w) + (image.Height / 2.0))) / Places);
                var (left, top) = ((int)Math.Floor(inX), (int)Math.Floor(inY));
                var (across, down) = (inX - left, inY - top);
                for (var channel = 0; channel < ImageView.Channels; channel++)
                {
                    var plane = image.Planes.Slice(channel * from, from);
                    var upper = ((1 - across) * At(plane, image, left, top)) + (across * At(plane, image, left + 1, top));
                    var lower = ((1 - across) * At(plane, image, left, top + 1)) + (across * At(plane, image, left + 1, top + 1));
                    result[(channel * crop.Height * crop.Width) + to] = (byte)(upper + (down * (lower - upper)) + 0.5);
                }
            }
        }
    }

    private static double At(ReadOnlySpan<byte> plane, ImageView image, int x, int y) =>
        (uint)x < (uint)image.Width && (uint)y < (uint)image.Height ? plane[(y * image.Width) + x] : 0;
}
