using TorchSharp;
using WeakLink.Models;
using WeakLink.Runtime;

namespace WeakLink.Tests.Models;

public sealed class KeptChannelsTests
{
    public KeptChannelsTests() => NativeLibraries.Load();

    [Fact]
    public void Entries_AreTakenInOrder_AlongAnyDimension()
    {
        using var scope = torch.NewDisposeScope();
        var values = torch.arange(24, torch.float32).reshape(4, 3, 2);
        var kept = new KeptChannels([2, 0], torch.CPU, fill: false);
        Assert.Equal([12f, 13, 14, 15, 16, 17, 0, 1, 2, 3, 4, 5], kept.Of(values).data<float>());
        Assert.Equal([4f, 5, 0, 1, 10, 11, 6, 7, 16, 17, 12, 13, 22, 23, 18, 19], kept.Of(values, 1).data<float>());
    }

    // Vectors hold 8 or 16 numbers, and are wasted to an eighth at most where one does not do.
    [Fact]
    public void FilledUp_TheSameEntriesComeFirst_ThenZeros_AndNotMoreThanTheyAreWorth()
    {
        for (var count = 1; count <= 300; count++)
        {
            using var scope = torch.NewDisposeScope();
            var channels = Enumerable.Range(0, count).Select(i => (long)(count - 1 - i)).ToArray();
            var values = torch.arange(1, count + 1, torch.float32).reshape(1, count, 1);
            var filled = new KeptChannels(channels, torch.CPU, fill: true).Of(values, 1);
            var width = filled.shape[1];
            Assert.Equal([1L, width, 1L], filled.shape);
            Assert.Equal(0, width % 8);
            Assert.InRange(width, count, Math.Max((count + 15) / 16 * 16, count * 9 / 8));
            Assert.Equal(channels.Select(channel => channel + 1f).Concat(Enumerable.Repeat(0f, (int)width - count)), filled.flatten().data<float>());
        }
    }

    [Fact]
    public void Gradients_GoToTheKeptEntriesAlone()
    {
        using var scope = torch.NewDisposeScope();
        var values = torch.ones(5, 2).requires_grad_();
        (new KeptChannels([3, 1], torch.CPU, fill: true).Of(values) * 2).sum().backward();
        Assert.Equal([0f, 0, 2, 2, 0, 0, 2, 2, 0, 0], values.grad!.data<float>());
    }
}
