using WeakLink.Data;

namespace WeakLink.Tests.Data;

/// <summary>Data sets that are put together in code: what does not fit would be trained on as whatever lay in memory.</summary>
public class DatasetTests
{
    private static readonly string[] Classes = ["a", "b"];

    [Fact]
    public void ImagesInMemory_HaveOneSizeAndKnownClasses()
    {
        _ = new MemoryDataset("x", Classes, 2, 2, [new byte[12], new byte[12]], [0, 1]);
        Assert.Contains("Image 1 has 11 bytes", Assert.Throws<ArgumentException>(() => new MemoryDataset("x", Classes, 2, 2, [new byte[12], new byte[11]], [0, 1])).Message);
        Assert.Throws<ArgumentException>(() => new MemoryDataset("x", Classes, 2, 2, [new byte[12]], [2]));
        Assert.Throws<ArgumentException>(() => new MemoryDataset("x", Classes, 2, 2, [new byte[12]], [-1]));
        Assert.Throws<ArgumentException>(() => new MemoryDataset("x", Classes, 2, 2, [new byte[12]], [0, 1]));
    }

    [Fact]
    public void JoinedData_HaveOneSizeAndTheSameClasses()
    {
        var images = new MemoryDataset("x", Classes, 2, 2, [new byte[12]], [0]);
        Assert.Equal(2, new JoinedDataset([images, images]).Count);
        Assert.Throws<ArgumentException>(() => new JoinedDataset([images, new MemoryDataset("y", Classes, 1, 4, [new byte[12]], [0])]));
        Assert.Throws<ArgumentException>(() => new JoinedDataset([images, new MemoryDataset("y", ["a", "c"], 2, 2, [new byte[12]], [0])]));
        Assert.Throws<ArgumentException>(() => new JoinedDataset([]));
    }
}
