using System.Buffers;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>
/// Frosted glass: blur, pixels taken from nearby, blur. The published code means to swap pixels but swaps views of them, so that both
/// places end with the same value; that is what its data sets hold, and what happens here.
/// </summary>
internal sealed class GlassBlur() : Corruption("glass_blur", CorruptionGroup.Blur)
{
    private static readonly Levels<(double Sigma, int Reach, int Times)> Glass = new(
        cifar: [(0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)],
        tinyImageNet: [(0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)],
        imageNet: [(0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var (sigma, reach, times) = Glass[table, severity];
        var margin = GaussianFilter.Radius(sigma);
        using (var before = Planes.Of(image, margin))
        {
            GaussianFilter.Blur(before, sigma);
            before.CutTo(result);
        }

        for (var time = 0; time < times; time++)
        {
            Displace(result, image.Height, image.Width, reach, random);
        }

        using var after = Planes.Of(new ImageView(result, image.Height, image.Width), margin);
        GaussianFilter.Blur(after, sigma);
        after.CutTo(result);
    }

    // From the bottom right to the top left, each pixel takes the value of one up to `reach` to the left or above, or one less to the
    // right or below; those were displaced before.
    private static void Displace(Span<byte> planes, int height, int width, int reach, SeededRandom random)
    {
        var area = height * width;
        var red = planes[..area];
        var green = planes[area..(2 * area)];
        var blue = planes[(2 * area)..];
        var draws = ArrayPool<uint>.Shared.Rent(width);
        var choices = (uint)(2 * reach);
        for (var y = height - reach; y > reach; y--)
        {
            random.FillBits(draws.AsSpan(0, width));
            for (var x = width - reach; x > reach; x--)
            {
                var dx = (int)((draws[x] >> 16) * choices >> 16) - reach;
                var dy = (int)((draws[x] & 0xFFFF) * choices >> 16) - reach;
                var (to, from) = ((y * width) + x, ((y + dy) * width) + x + dx);
                (red[to], green[to], blue[to]) = (red[from], green[from], blue[from]);
            }
        }

        ArrayPool<uint>.Shared.Return(draws);
    }
}
