using WeakLink.Augmentations;

namespace WeakLink.Tests.Augmentations;

public sealed class ErasingTests
{
    [Fact]
    public void Cutout_MiddleIsAnyPixel_EquallyOften()
    {
        // Sides of one pixel: the middle itself.
        var places = Enumerable.Range(0, 12_000).Select(index => Samples.Augmented(new Cutout(1), new byte[3 * 4 * 6], 4, 6, index)).Select(result =>
        {
            Assert.Equal(3, result.Count(level => level == 128));
            Assert.Equal(result[..24], result[24..48]);
            Assert.Equal(result[..24], result[48..]);
            return Array.IndexOf(result, (byte)128);
        });
        Samples.AssertDistribution(places, Samples.Uniform(Enumerable.Range(0, 24)));
    }

    // Middle m covers m − 8 ... m + 7, inside of 0 ... 31.
    [Fact]
    public void Cutout_ReachesBeyondTheBorders()
    {
        var sides = new Dictionary<int, double>();
        for (var middle = 0; middle < 32; middle++)
        {
            var side = Math.Min(middle + 8, 32) - Math.Max(middle - 8, 0);
            sides[side] = sides.GetValueOrDefault(side) + (1.0 / 32);
        }

        var results = Enumerable.Range(0, 8000).Select(index => Samples.Augmented(new Cutout(), new byte[3 * 32 * 32], 32, 32, index)[..1024]).ToList();
        Samples.AssertDistribution(results.Select(result => Enumerable.Range(0, 32).Count(y => result.AsSpan(y * 32, 32).Contains((byte)128))), sides);
        Samples.AssertDistribution(results.Select(result => result.Chunk(32).Max(row => row.Count(level => level == 128))), sides);
        Assert.All(results, result => Assert.DoesNotContain(result, level => level is not 0 and not 128));
    }

    [Fact]
    public void Cutout_OfNoSize_ChangesNothing() => Assert.Equal(Samples.Image(5, 5), Samples.Augmented(new Cutout(0), Samples.Image(5, 5), 5, 5));

    [Fact]
    public void RandomErasing_ErasesARectangleOfThePublishedSizes_AsOftenAsAsked()
    {
        const int Height = 60;
        const int Width = 90;
        var image = new byte[3 * Height * Width];
        Array.Fill(image, (byte)7);
        var erased = new List<bool>();
        var areas = new List<double>();
        var levels = new List<int>();
        for (var index = 0; index < 4000; index++)
        {
            var result = Samples.Augmented(new RandomErasing(), image, Height, Width, index);
            erased.Add(!result.AsSpan().SequenceEqual(image));
            if (!erased[^1])
            {
                continue;
            }

            var changed = Enumerable.Range(0, Height * Width).Where(i => result[i] != 7 || result[i + (Height * Width)] != 7 || result[i + (2 * Height * Width)] != 7).ToList();
            var (top, bottom) = (changed.Min(i => i / Width), changed.Max(i => i / Width));
            var (left, right) = (changed.Min(i => i % Width), changed.Max(i => i % Width));
            var (height, width) = (bottom - top + 1, right - left + 1);
            // All of it, but for the pixels (one in 2^24) that were drawn as they were.
            Assert.InRange(changed.Count, (height * width) - 1, height * width);
            Assert.InRange((double)height / width, 0.25, 4);
            areas.Add((double)(height * width) / (Height * Width));
            levels.AddRange(changed.Take(50).Select(i => result[i] / 16));
        }

        Samples.AssertDistribution(erased, new Dictionary<bool, double> { [true] = 0.25, [false] = 0.75 });
        Samples.AssertDistribution(levels, Samples.Uniform(Enumerable.Range(0, 16)));
        Assert.InRange(areas.Min(), 0.018, 0.03);
        Assert.InRange(areas.Max(), 0.37, 0.41);
        // Somewhat below the middle of 0.02 ... 0.4: the widest and tallest of the large ones don't fit.
        Assert.InRange(areas.Average(), 0.17, 0.21);
    }

    [Fact]
    public void RandomErasing_PlacesAreInsideAndReachEveryBorder()
    {
        var borders = new HashSet<string>();
        for (var index = 0; index < 500; index++)
        {
            var result = Samples.Augmented(new RandomErasing(1), new byte[3 * 8 * 8], 8, 8, index);
            var inside = Enumerable.Range(0, 64).Where(i => result[i] + result[i + 64] + result[i + 128] > 0).ToList();
            borders.UnionWith(inside.Select(i => (i / 8, i % 8) switch { (0, _) => "top", (7, _) => "bottom", (_, 0) => "left", (_, 7) => "right", _ => "inside" }));
        }

        Assert.Equal(["bottom", "inside", "left", "right", "top"], borders.Order());
    }

    // No rectangle is smaller than this image in both directions.
    [Fact]
    public void RandomErasing_WhereNothingFits_ChangesNothing() => Assert.Equal([1, 2, 3], Samples.Augmented(new RandomErasing(1, 0.9, 1), [1, 2, 3], 1, 1));
}
