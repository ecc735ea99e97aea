using WeakLink.Augmentations;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Perturbations;
using WeakLink.Tests.Corruptions;

namespace WeakLink.Tests.Data;

/// <summary>What is drawn for an image is the image's own, in whatever part of its source it is read. (Attacks: <see cref="Attacks.AttackTests"/>.)</summary>
public class IdentityTests
{
    private const int Side = 20, Images = 12;

    // Three pictures in four copies each: what tells copies apart are their numbers alone.
    private static readonly MemoryDataset Whole = new(
        "images", ["a", "b"], Side, Side, [.. Enumerable.Range(0, Images).Select(i => CorruptionTests.Image(Side + (i % 3), Side)[(3 * Side * (i % 3))..])], [.. Enumerable.Range(0, Images).Select(i => i % 2)]);

    /// <summary>Parts of a set by name, of even size: the first in another order, the last two of the same images as the whole set.</summary>
    internal static IEnumerable<(string Name, Dataset Part)> Parts(Dataset whole)
    {
        yield return ("limited", StratifiedSplit.Limit(whole, whole.Count / 2, seed: 3));
        yield return ("held out", StratifiedSplit.HoldOut(whole, 1.0 / 3, seed: 4).HeldOut);
        yield return ("of a part", StratifiedSplit.Limit(new SubsetDataset(whole, [.. Enumerable.Range(whole.Count / 3, whole.Count / 3)]), whole.Count / 6, seed: 5));
        yield return ("reversed", new SubsetDataset(whole, [.. Enumerable.Range(0, whole.Count).Reverse()]));
        for (var shard = 0; shard < 3; shard++)
        {
            yield return ($"shard {shard}", new SubsetDataset(whole, [.. Enumerable.Range(0, whole.Count).Where(i => i % 3 == shard)]));
        }
    }

    [Fact]
    public void Corruptions_OfAPart_AreThoseOfTheWhole()
    {
        foreach (var corruption in CommonCorruptions.All)
        {
            AssertTheSame(corruption.Name, images => new CorruptedDataset(images, new CentreCrop(16, 18), corruption, 3, seed: 5), differ: corruption.Name is "fog" or "gaussian_noise" or "frost");
        }
    }

    [Fact]
    public void Perturbations_OfAPart_AreThoseOfTheWhole()
    {
        foreach (var perturbation in CommonPerturbations.All)
        {
            AssertTheSame(perturbation.Name, images => new PerturbedDataset(images, new CentreCrop(16, 18), perturbation, seed: 5), differ: perturbation.Name is "snow" or "gaussian_noise");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void TrainingViews_OfAPart_AreThoseOfTheWhole(int workers)
    {
        var views = new AugmentedViews(16, 16, [new RandomCrop(16, 16, 4), new RandomFlip(), new TrivialAugment()]);
        Dictionary<long, string> Seen(Dataset images, int epoch, ExtraImages? extra = null)
        {
            var seen = new Dictionary<long, string>();
            foreach (var batch in new BatchLoader(images, views, 2, workers, extra).Training(seed: 7, epoch))
            {
                using (batch)
                {
                    var bytes = batch.Images.data<byte>().ToArray();
                    foreach (var (identity, i) in batch.Identities.Select((identity, i) => (identity, i)))
                    {
                        seen.Add(identity, Convert.ToHexString(bytes.AsSpan(i * bytes.Length / 2, bytes.Length / 2)));
                    }
                }
            }

            return seen;
        }

        var whole = Seen(Whole, 4);
        Assert.Equal(Enumerable.Range(0, Images).Select(i => (long)i), whole.Keys.Order());
        Assert.True(whole.Values.Distinct().Count() > Images / 2);
        Assert.NotEqual(whole[3], Seen(Whole, 5)[3]);
        foreach (var (name, part) in Parts(Whole))
        {
            var seen = Seen(part, 4);
            Assert.Equal(part.Count, seen.Count);
            Assert.All(seen, one => Assert.True(whole[one.Key] == one.Value, $"{name}: image {one.Key}"));
        }

        // Images that are trained on beside them change none of theirs, and have draws of their own, though both sets count from 0.
        var together = Seen(Whole, 4, new ExtraImages(Whole, 0));
        Assert.Equal(2 * Images, together.Count);
        Assert.All(whole, one => Assert.Equal(one.Value, together[one.Key]));
        Assert.True(together.Where(one => !whole.ContainsKey(one.Key)).Select(one => one.Value).Except(whole.Values).Count() > Images / 2);
    }

    [Fact]
    public void MeasuredBatches_TellWhoseImagesTheyAre()
    {
        var (name, part) = Parts(Whole).First();
        var identities = new List<long>();
        foreach (var batch in new BatchLoader(part, new CropAndFlip(Side, Side, 0, Flip: false), 4, 2).InOrder())
        {
            using (batch)
            {
                identities.AddRange(batch.Identities);
            }
        }

        Assert.Equal("limited", name);
        Assert.Equal(Enumerable.Range(0, part.Count).Select(part.Identity), identities);
        Assert.NotEqual(Enumerable.Range(0, part.Count).Select(i => (long)i), identities);
    }

    private static void AssertTheSame(string what, Func<Dataset, Dataset> change, bool differ)
    {
        var whole = Bytes(change(Whole));
        // Copies of an image are drawn apart.
        Assert.True(!differ || whole.Values.Distinct().Count() == Images, what);
        foreach (var (name, part) in Parts(Whole))
        {
            var changed = Bytes(change(part));
            Assert.Equal(part.Count, changed.Count);
            Assert.All(changed, one => Assert.True(whole[one.Key] == one.Value, $"{what}, {name}: image {one.Key}"));
        }

        var again = change(Whole);
        Assert.Equal(whole[5], Bytes(new SubsetDataset(again, [5]))[5]);
    }

    private static Dictionary<long, string> Bytes(Dataset images) => Enumerable.Range(0, images.Count).ToDictionary(images.Identity, i =>
    {
        var planes = new byte[images.BytesPerImage];
        images.Read(i, planes);
        return Convert.ToHexString(planes);
    });
}
