using WeakLink.Augmentations;

namespace WeakLink.Tests.Augmentations;

public class PatternsTests
{
    private const int Height = 32, Width = 40;
    private static readonly Patterns Patterns = new();

    [Fact]
    public void PlaneWaves_AreAlikeInAllChannels_WithMeanZero_AndNoLargerThanTheirAmplitude()
    {
        for (var draw = 0; draw < 20; draw++)
        {
            var changed = Changed(100, image => Patterns.PlaneWaves(image, Draws(draw)));
            Assert.Equal(changed[..(Height * Width)], changed[(Height * Width)..(2 * Height * Width)]);
            Assert.InRange(changed.Max(value => Math.Abs(value)), 0.03 * 255 * 0.8, (0.3 * 255) + 1);
            Assert.InRange(changed.Average(), -8, 8);
        }
    }

    [Fact]
    public void Rings_DependOnTheDistanceFromAPoint()
    {
        for (var draw = 0; draw < 20; draw++)
        {
            var changed = Changed(100, image => Patterns.Rings(image, Draws(draw)));
            Assert.InRange(changed.Max(value => Math.Abs(value)), 0.03 * 255 * 0.8, (0.3 * 255) + 1);
            Assert.NotEqual(changed[..(Height * Width)], changed[(Height * Width)..(2 * Height * Width)]);

            // Recomputed from the draws in their order.
            var random = Draws(draw);
            var amplitude = 255 * random.NextDouble(0.1, 1) * 0.3;
            var length = random.NextDouble(4, 8);
            var (top, left, phase) = (random.NextDouble(0, Height), random.NextDouble(0, Width), random.NextDouble(0, 2 * Math.PI));
            Assert.Equal(amplitude * Math.Sin((2 * Math.PI * Math.Sqrt(Math.Pow(5 - top, 2) + Math.Pow(7 - left, 2)) / length) + phase), changed[(5 * Width) + 7], 0.51);
        }
    }

    [Fact]
    public void ACheckerboard_DrawsHalfOfTheImageTowardsGrey()
    {
        var parts = new List<double>();
        for (var draw = 0; draw < 40; draw++)
        {
            var changed = Changed(28, image => Patterns.Checkerboard(image, Draws(draw)));
            var moved = changed.Where(value => value != 0).Distinct().ToList();
            Assert.InRange(Assert.Single(moved), 30, 100);
            parts.Add(changed.Count(value => value != 0) / (double)changed.Length);
        }

        Assert.All(parts, part => Assert.InRange(part, 0.25, 0.75));
        Assert.InRange(parts.Average(), 0.45, 0.55);
    }

    [Fact]
    public void EachPattern_ComesAsOften()
    {
        var different = Enumerable.Range(0, 300).Select(draw => Changed(28, image => Patterns.Apply(image, Draws(draw))))
            .GroupBy(changed => changed.Distinct().Count() == 2 ? "squares" : changed.AsSpan(0, Height * Width).SequenceEqual(changed.AsSpan(Height * Width, Height * Width)) ? "waves" : "rings")
            .ToDictionary(kind => kind.Key, kind => kind.Count());
        Assert.Equal(3, different.Count);
        Assert.All(different.Values, count => Assert.InRange(count, 65, 135));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Patterns(0));
    }

    private static SeededRandom Draws(int draw) => new(1, RandomUse.Augmentation, 0, draw);

    private static int[] Changed(byte level, Action<ImageBuffer> apply)
    {
        var image = new ImageBuffer();
        image.Load([.. Enumerable.Repeat(level, 3 * Height * Width)], Height, Width);
        apply(image);
        return [.. image.Pixels.ToArray().Select(value => value - level)];
    }
}
