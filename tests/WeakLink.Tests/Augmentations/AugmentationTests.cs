using WeakLink.Augmentations;

namespace WeakLink.Tests.Augmentations;

/// <summary>What holds for every augmentation.</summary>
public sealed class AugmentationTests
{
    private static readonly Dictionary<string, Augmentation> All = new()
    {
        ["autoaugment, cifar10"] = new AutoAugment(AutoAugmentPolicy.Cifar10),
        ["autoaugment, imagenet"] = new AutoAugment(AutoAugmentPolicy.ImageNet),
        ["autoaugment, svhn"] = new AutoAugment(AutoAugmentPolicy.Svhn),
        ["randaugment"] = new RandAugment(3, 30),
        ["trivialaugment"] = new TrivialAugment(),
        ["augmix"] = new AugMix(),
        ["augmix, all"] = new AugMix(4, 3, 10, 0.5, AllOperators: true),
        ["cutout"] = new Cutout(7),
        ["erasing"] = new RandomErasing(0.8),
        ["resized crop"] = new RandomResizedCrop(24, 20),
        ["crop"] = new RandomCrop(1, 1, 2),
        ["flip"] = new RandomFlip(),
    };

    public static TheoryData<string> Names => [.. All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void OneSeed_OneResult_OfAnySize_InAUsedBuffer(string name)
    {
        var used = new ImageBuffer();
        foreach (var (height, width) in ((int, int)[])[(31, 47), (1, 1), (64, 64), (1, 9), (2, 2), (47, 31), (130, 3)])
        {
            var image = Samples.Image(height, width);
            for (var index = 0; index < 40; index++)
            {
                used.Load(image, height, width);
                All[name].Apply(used, new SeededRandom(11, RandomUse.Augmentation, 0, index));
                Assert.Equal(Samples.Augmented(All[name], image, height, width, index), used.Pixels.ToArray());
                Assert.Equal(3 * used.Height * used.Width, used.Pixels.Length);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AnotherSeed_AnotherResult(string name)
    {
        var image = Samples.Image(32, 32);
        var results = Enumerable.Range(0, 20).Select(index => Convert.ToHexString(Samples.Augmented(All[name], image, 32, 32, index))).Distinct().Count();
        Assert.InRange(results, name == "flip" ? 2 : 5, 20);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ManyThreads_SameBytes(string name)
    {
        var image = Samples.Image(32, 32);
        var alone = Enumerable.Range(0, 64).Select(index => Samples.Augmented(All[name], image, 32, 32, index)).ToArray();
        var together = new byte[64][];
        Parallel.For(0, 64, index => together[index] = Samples.Augmented(All[name], image, 32, 32, index));
        Assert.Equal(alone, together);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Images_AllocateNothing(string name)
    {
        var image = Samples.Image(40, 33);
        var buffer = new ImageBuffer();
        var random = new SeededRandom(1, RandomUse.Augmentation);
        // The pools of arrays are shared with other tests, and may be emptied by the collector at any time: nothing, now and then, is nothing.
        var least = Enumerable.Range(0, 5).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 200; i++)
            {
                buffer.Load(image, 40, 33);
                All[name].Apply(buffer, random);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Assert.Equal(0, least);
    }

    [Fact]
    public void LargePhotographs_AreMixed()
    {
        var image = Samples.Image(3000, 4000);
        Assert.NotEqual(image, Samples.Augmented(new AugMix(), image, 3000, 4000, 1));
        Assert.Equal(3 * 224 * 224, Samples.Augmented(new RandomResizedCrop(224, 224), image, 3000, 4000).Length);
    }

    [Theory]
    [InlineData(11, 2, 2)]
    [InlineData(13, 2, 2)]
    [InlineData(0, 0, 4)]
    public void Load_OfAnotherNumberOfBytes_Throws(int length, int height, int width) =>
        Assert.ThrowsAny<ArgumentException>(() => new ImageBuffer().Load(new byte[length], height, width));
}
