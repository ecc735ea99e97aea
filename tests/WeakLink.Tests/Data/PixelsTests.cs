using WeakLink.Data;
using WeakLink.Runtime;

namespace WeakLink.Tests.Data;

public class PixelsTests
{
    [Fact]
    public void AChannelWithoutVariance_IsNotScaled()
    {
        NativeLibraries.Load();
        // Red is black, green varies, blue flickers by one grey level.
        byte[] image = [0, 0, 0, 0, 10, 200, 90, 60, 0, 1, 0, 1];
        var (mean, deviation) = Pixels.Statistics(new MemoryDataset("dead", ["a", "b"], 2, 2, [image, image], [0, 1]));
        Assert.Equal([0, 0.3529, 0.002], mean);
        // 69.64 levels of 255.
        Assert.Equal([1, 0.2731, 1], deviation);
    }

    [Fact]
    public void OneThatVariesByMoreThanAGreyLevel_IsScaled()
    {
        NativeLibraries.Load();
        byte[] image = [0, 3, 0, 3, 255, 0, 255, 0, 0, 4, 0, 4];
        Assert.Equal([0.0059, 0.5, 0.0078], Pixels.Statistics(new MemoryDataset("dim", ["a", "b"], 2, 2, [image], [0])).StandardDeviation);
    }
}
