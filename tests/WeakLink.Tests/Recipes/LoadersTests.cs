using WeakLink.Data;
using WeakLink.Recipes;

namespace WeakLink.Tests.Recipes;

public class LoadersTests
{
    [Theory]
    [InlineData("crop,flip", 0)]
    [InlineData("flip", 255)]
    [InlineData("random-resized-crop,flip", 255)]
    public void StatisticsSeeBlackBorders_WhereTrainingDoes(string sequence, byte darkest)
    {
        var white = Enumerable.Repeat((byte)255, 3 * 8 * 8).ToArray();
        var images = new MemoryDataset("white", ["a", "b"], 8, 8, [.. Enumerable.Repeat(white, 16)], [.. Enumerable.Range(0, 16).Select(i => i % 2)]);
        var recipe = new Recipe().With($"augmentation.sequence={sequence}", "training.batch=16");
        using var batch = Loaders.Recalibrating(recipe, images).Training(seed: 0, epoch: 0).First();
        Assert.Equal(darkest, batch.Images.min().item<byte>());
    }
}
