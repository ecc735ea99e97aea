using WeakLink.Augmentations;
using WeakLink.Data;

namespace WeakLink.Tests.Augmentations;

public class AugmentedViewsTests
{
    private const int Side = 8;
    private static readonly byte[] Image = [.. Enumerable.Range(0, 3 * Side * Side).Select(i => (byte)((i * 7) + 1))];

    [Fact]
    public void CropThenFlip_IsTheClassicAugmentation()
    {
        var views = new AugmentedViews(Side, Side, [new RandomCrop(Side, Side, 2), new RandomFlip()]);
        for (var draw = 0; draw < 50; draw++)
        {
            var expected = new byte[Image.Length];
            new CropAndFlip(Side, Side, 2, Flip: true).Random(Image, Side, Side, expected, new SeededRandom(1, RandomUse.Augmentation, 0, draw));
            Assert.Equal(expected, Make(views, draw)[0]);
        }
    }

    // What is left of the batch before would be trained on.
    [Fact]
    public void AugmentationsThatEndWithAnotherSize_AreRefused() =>
        Assert.Throws<InvalidOperationException>(() => Make(new AugmentedViews(Side, Side, [new RandomCrop(Side - 2, Side, 0)]), 0));

    [Fact]
    public void CopyOfACrop_PadsAsItSays()
    {
        var crop = new RandomCrop(Side, Side, 4) with { Padding = 0 };
        Assert.Equal(Image, Make(new AugmentedViews(Side, Side, [crop]), 1)[0]);
    }

    [Fact]
    public void ThreeViews_ShareTheCrop_AndOnlyTwoAreMixed()
    {
        var views = new AugmentedViews(Side, Side, [new RandomCrop(Side, Side, 2), new Add(1), new AugMix(), new Add(10)], threeViews: true);
        var differ = 0;
        for (var draw = 0; draw < 20; draw++)
        {
            var made = Make(views, draw);
            var cropped = new byte[Image.Length];
            new CropAndFlip(Side, Side, 2, Flip: false).Random(Image, Side, Side, cropped, new SeededRandom(1, RandomUse.Augmentation, 0, draw));
            Assert.Equal(3, made.Count);
            Assert.Equal(cropped.Select(value => (byte)(value + 11)), made[0]);
            differ += made[1].SequenceEqual(made[0]) || made[2].SequenceEqual(made[0]) || made[1].SequenceEqual(made[2]) ? 0 : 1;
        }

        Assert.True(differ > 10, $"only {differ} of 20 triples have two mixtures that differ from each other and from the image");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ASubnetsView_SharesWhatItShall_AndLeavesTheOthersAsTheyAre(bool threeViews)
    {
        IReadOnlyList<Augmentation> sequence = [new RandomCrop(Side, Side, 2), new Add(1), new AugMix(), new Add(10)];
        var without = new AugmentedViews(Side, Side, sequence, threeViews);
        var cropped = new AugmentedViews(Side, Side, sequence, threeViews, new Branch(1, [new Add(5)]));
        var redrawn = new AugmentedViews(Side, Side, sequence, threeViews, new Branch(0, sequence));
        Assert.Equal(without.Count + 1, cropped.Count);
        var differ = 0;
        for (var draw = 0; draw < 20; draw++)
        {
            var expected = new byte[Image.Length];
            new CropAndFlip(Side, Side, 2, Flip: false).Random(Image, Side, Side, expected, new SeededRandom(1, RandomUse.Augmentation, 0, draw));
            var (plain, made, again) = (Make(without, draw), Make(cropped, draw), Make(redrawn, draw));
            Assert.Equal(plain, made[..^1]);
            Assert.Equal(plain, again[..^1]);
            Assert.Equal(expected.Select(value => (byte)(value + 5)), made[^1]);
            differ += again[^1].SequenceEqual(again[0]) ? 0 : 1;
        }

        Assert.True(differ > 10, $"only {differ} of 20 redrawn views differ from the first");
    }

    [Fact]
    public void Steps_AreTakenInTheirOrder()
    {
        var (double1, add) = (new Multiply(2), new Add(3));
        Assert.Equal(Image.Select(value => (byte)((2 * value) + 3)), Make(new AugmentedViews(Side, Side, [double1, add]), 0)[0]);
        Assert.Equal(Image.Select(value => (byte)(2 * (value + 3))), Make(new AugmentedViews(Side, Side, [add, double1]), 0)[0]);
    }

    [Theory]
    [InlineData(8, 0, 8, true)]
    [InlineData(10, 1, 8, true)]
    [InlineData(11, 1, 8, false)]
    public void ACrop_FitsIntoThePaddedImage(int crop, int padding, int image, bool fits) =>
        Assert.Equal(fits, new AugmentedViews(crop, crop, [new RandomCrop(crop, crop, padding)]).Fit(image, image));

    [Fact]
    public void WithoutACrop_OnlyImagesOfTheSizeFit()
    {
        Assert.False(new AugmentedViews(Side, Side, [new RandomFlip()]).Fit(Side, Side + 1));
        Assert.True(new AugmentedViews(Side, Side, [new RandomResizedCrop(Side, Side)]).Fit(100, 3));
    }

    private static List<byte[]> Make(AugmentedViews views, int draw)
    {
        // The second of two images in the batch: nothing may be written elsewhere.
        var batch = new byte[views.Count * 2 * Image.Length];
        Array.Fill(batch, (byte)99);
        views.Make(Image, Side, Side, new ViewTargets(batch, 1, 2, Image.Length), new SeededRandom(1, RandomUse.Augmentation, 0, draw));
        Assert.All(Enumerable.Range(0, views.Count), view => Assert.All(batch.AsSpan(2 * view * Image.Length, Image.Length).ToArray(), value => Assert.Equal(99, value)));
        return [.. Enumerable.Range(0, views.Count).Select(view => batch.AsSpan(((2 * view) + 1) * Image.Length, Image.Length).ToArray())];
    }

    private sealed record Add(byte Amount) : Augmentation
    {
        public override void Apply(ImageBuffer image, SeededRandom random)
        {
            foreach (ref var value in image.Pixels)
            {
                value += Amount;
            }
        }
    }

    private sealed record Multiply(byte Factor) : Augmentation
    {
        public override void Apply(ImageBuffer image, SeededRandom random)
        {
            foreach (ref var value in image.Pixels)
            {
                value *= Factor;
            }
        }
    }
}
