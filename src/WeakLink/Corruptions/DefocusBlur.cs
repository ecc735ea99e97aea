using System.Collections.Concurrent;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Out of focus: every point becomes a disk.</summary>
internal sealed class DefocusBlur() : Corruption("defocus_blur", CorruptionGroup.Blur)
{
    // Radius in pixels, and the Gaussian that softens the disk's edge.
    private static readonly Levels<(double Radius, double Softness)> Disks = new(
        cifar: [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)],
        tinyImageNet: [(0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)],
        imageNet: [(3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)]);

    private static readonly ConcurrentDictionary<(double Radius, double Softness), float[][]> Kernels = new();

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var disk = Disks[table, severity];
        var kernel = Kernels.GetOrAdd(disk, static disk => Kernel(disk.Radius, disk.Softness));
        var reach = kernel.Length / 2;
        using var pixels = Planes.Of(image, reach);
        using var blurred = new Planes(pixels.Count, pixels.Height, pixels.Width);
        pixels.Extend(Border.Mirror);

        Span<int> offsets = stackalloc int[kernel.Length * kernel.Length];
        Span<float> weights = stackalloc float[offsets.Length];
        var taps = 0;
        for (var y = 0; y < kernel.Length; y++)
        {
            for (var x = 0; x < kernel.Length; x++)
            {
                if (kernel[y][x] > 0)
                {
                    offsets[taps] = ((y - reach) * pixels.Stride) + x - reach;
                    weights[taps++] = kernel[y][x];
                }
            }
        }

        Correlation.Apply(pixels, offsets[..taps], weights[..taps], blurred);
        blurred.CutTo(result);
    }

    /// <summary>A disk of equal weights, softened by a Gaussian of 3×3 pixels (5×5 for radii above 8), without its empty border.</summary>
    internal static float[][] Kernel(double radius, double softness)
    {
        var half = radius <= 8 ? 1 : 2;
        var soft = new double[(2 * half) + 1];
        for (var i = -half; i <= half; i++)
        {
            soft[i + half] = Math.Exp(-0.5 * i * i / (softness * softness));
        }

        // The authors' grid ends at 8 pixels, or at the radius where that is larger, and OpenCV mirrors the disk beyond it.
        var edge = radius <= 8 ? 8 : (int)radius;
        var disk = new double[(2 * edge) + 1, (2 * edge) + 1];
        var (inside, softSum) = (0, soft.Sum());
        for (var y = -edge; y <= edge; y++)
        {
            for (var x = -edge; x <= edge; x++)
            {
                var isInside = (x * x) + (y * y) <= radius * radius;
                disk[y + edge, x + edge] = isInside ? 1 : 0;
                inside += isInside ? 1 : 0;
            }
        }

        var reach = Math.Min(edge, (int)radius + half);
        var kernel = new float[(2 * reach) + 1][];
        for (var y = -reach; y <= reach; y++)
        {
            kernel[y + reach] = new float[(2 * reach) + 1];
            for (var x = -reach; x <= reach; x++)
            {
                var sum = 0.0;
                for (var dy = -half; dy <= half; dy++)
                {
                    for (var dx = -half; dx <= half; dx++)
                    {
                        var (row, column) = (Border.Mirror.Inside(y + dy + edge, (2 * edge) + 1), Border.Mirror.Inside(x + dx + edge, (2 * edge) + 1));
                        sum += soft[dy + half] * soft[dx + half] * disk[row, column];
                    }
                }

                kernel[y + reach][x + reach] = (float)(sum / (softSum * softSum * inside));
            }
        }

        return kernel;
    }
}
