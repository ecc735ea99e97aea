using WeakLink.Augmentations;
using WeakLink.Data;
using WeakLink.Imaging;

namespace WeakLink.Tests.Augmentations;

public sealed class CropTests
{
    [Theory]
    [InlineData(32, 32, 32, 32, 4)]
    [InlineData(20, 31, 16, 35, 2)]
    [InlineData(9, 9, 3, 3, 0)]
    [InlineData(1, 1, 1, 1, 1)]
    public void RandomCropThenFlip_IsCropAndFlip(int height, int width, int cropHeight, int cropWidth, int padding)
    {
        var image = Samples.Image(height, width);
        var old = new CropAndFlip(cropHeight, cropWidth, padding, Flip: true);
        var expected = new byte[3 * cropHeight * cropWidth];
        for (var index = 0; index < 200; index++)
        {
            old.Random(image, height, width, expected, new SeededRandom(3, RandomUse.Augmentation, 1, index));
            var buffer = Samples.Buffer(image, height, width);
            var random = new SeededRandom(3, RandomUse.Augmentation, 1, index);
            new RandomCrop(cropHeight, cropWidth, padding).Apply(buffer, random);
            new RandomFlip().Apply(buffer, random);
            Assert.Equal((cropHeight, cropWidth), (buffer.Height, buffer.Width));
            Assert.Equal(expected, buffer.Pixels.ToArray());
        }
    }

    [Fact]
    public void RandomCrop_BesideTheImage_IsBlack()
    {
        // Padding as large as the image: crops that miss it are among those drawn.
        var results = Enumerable.Range(0, 900).Select(index => Samples.Augmented(new RandomCrop(1, 1, 1), [50, 60, 70], 1, 1, index)).ToList();
        Samples.AssertDistribution(results.Select(result => $"{result[0]} {result[1]} {result[2]}"), new Dictionary<string, double> { ["50 60 70"] = 1.0 / 9, ["0 0 0"] = 8.0 / 9 });
    }

    [Fact]
    public void RandomCrop_LargerThanThePaddedImage_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Samples.Augmented(new RandomCrop(8, 4, 1), Samples.Image(5, 5), 5, 5));

    [Fact]
    public void RandomResizedCrop_PartsHaveTheRulesAreaAspectAndPlace()
    {
        var crop = new RandomResizedCrop(8, 8);
        var random = new SeededRandom(4, RandomUse.Augmentation);
        var parts = Enumerable.Range(0, 20_000).Select(_ => crop.Part(1000, 1000, random)).ToList();
        Assert.All(parts, part => Assert.True(part.Top >= 0 && part.Left >= 0 && part.Top + part.Height <= 1000 && part.Left + part.Width <= 1000));
        Assert.All(parts, part => Assert.InRange((double)part.Width / part.Height, 0.745, 1.34));
        // Areas below 3/4 always fit, whatever their aspect, so that each of these parts has the same probability.
        var areas = parts.Select(part => part.Height * part.Width / 1e6).ToList();
        Assert.InRange(areas.Min(), 0.079, 0.085);
        Assert.InRange(areas.Max(), 0.95, 1);
        var small = parts.Where((_, i) => areas[i] is > 0.08 and < 0.74).ToList();
        Samples.AssertUniform(small.Select(part => part.Height * part.Width / 1e6), 0.08, 0.74);
        Samples.AssertUniform(small.Select(part => Math.Log((double)part.Width / part.Height)).Where(aspect => Math.Abs(aspect) < 0.28), -0.28, 0.28);
        Samples.AssertUniform(small.Where(part => part.Height < 900).Select(part => (part.Top + 0.5) / (1001 - part.Height)), 0, 1);
        Samples.AssertUniform(small.Where(part => part.Width < 900).Select(part => (part.Left + 0.5) / (1001 - part.Width)), 0, 1);
    }

    // torchvision: where no part fits, the middle with the nearest allowed aspect.
    [Theory]
    [InlineData(3, 100, 0, 48, 3, 4)]
    [InlineData(100, 6, 46, 0, 8, 6)]
    [InlineData(10, 11, 0, 0, 10, 11)]
    public void RandomResizedCrop_WhereNothingFits_TakesTheMiddle(int height, int width, int top, int left, int partHeight, int partWidth)
    {
        // Areas above the whole image.
        var part = new RandomResizedCrop(8, 8, SmallestArea: 4).Part(height, width, new SeededRandom(1, RandomUse.Augmentation));
        Assert.Equal((top, left, partHeight, partWidth), part);
    }

    [Fact]
    public void RandomResizedCrop_ScalesThePartItDraws()
    {
        var image = Samples.Image(40, 50);
        for (var index = 0; index < 50; index++)
        {
            var crop = new RandomResizedCrop(12, 17, 0.3);
            var (top, left, height, width) = crop.Part(40, 50, new SeededRandom(11, RandomUse.Augmentation, 0, index));
            var expected = new byte[3 * 12 * 17];
            FilteredResize.Apply(new ImageView(image, 40, 50), top, left, height, width, 12, 17, expected);
            Assert.Equal(expected, Samples.Augmented(crop, image, 40, 50, index));
        }
    }
}
