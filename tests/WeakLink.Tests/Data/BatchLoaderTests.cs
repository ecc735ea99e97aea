using WeakLink.Data;
using WeakLink.Imaging;

namespace WeakLink.Tests.Data;

public class BatchLoaderTests
{
    [Fact]
    public void TrainingBatches_DoNotDependOnTheNumberOfWorkers()
    {
        var one = Contents(new BatchLoader(new Numbered(50, 8, 8), new CropAndFlip(8, 8, 2, true), 16, 1).Training(3, 5));
        var many = Contents(new BatchLoader(new Numbered(50, 8, 8), new CropAndFlip(8, 8, 2, true), 16, 7).Training(3, 5));
        Assert.Equal(3, one.Count);
        Assert.Equal(one, many);
        // Nobody's but the reader's.
        var none = new BatchLoader(new Numbered(50, 8, 8), new CropAndFlip(8, 8, 2, true), 16, 0);
        Assert.Equal(one, Contents(none.Training(3, 5)));
        Assert.Equal([50, 34], new[] { 0, 1 }.Select(first => none.InOrder(first).Sum(batch => batch.Labels.shape[0])));
    }

    [Fact]
    public void WithoutWorkers_NothingIsReadBeforeItIsAskedFor()
    {
        var images = new Numbered(50, 8, 8);
        using var batches = new BatchLoader(images, new CropAndFlip(8, 8, 0, false), 16, 0).Training(3, 5).GetEnumerator();
        foreach (var read in new[] { 16, 32, 48 })
        {
            Assert.True(batches.MoveNext());
            batches.Current.Dispose();
            Assert.Equal(read, images.Reads);
        }

        Assert.False(batches.MoveNext());
    }

    [Fact]
    public void EnteringAnEpochLate_GivesItsRemainingBatches()
    {
        var loader = new BatchLoader(new Numbered(50, 8, 8), new CropAndFlip(8, 8, 2, true), 16, 2);
        Assert.Equal(Contents(loader.Training(3, 5)).Skip(2), Contents(loader.Training(3, 5, firstStep: 2)));
    }

    [Fact]
    public void Epochs_AndSeeds_GiveOtherBatches()
    {
        var loader = new BatchLoader(new Numbered(50, 8, 8), new CropAndFlip(8, 8, 2, true), 16, 2);
        var contents = new[] { loader.Training(3, 5), loader.Training(3, 6), loader.Training(4, 5) }.Select(Contents).ToList();
        Assert.NotEqual(contents[0], contents[1]);
        Assert.NotEqual(contents[0], contents[2]);
    }

    [Fact]
    public void InOrder_GivesEveryImageOnce_TheLastBatchSmaller()
    {
        var sizes = new List<long>();
        var labels = new List<long>();
        foreach (var batch in new BatchLoader(new Numbered(50, 8, 8), new CropAndFlip(8, 8, 0, false), 16, 3).InOrder())
        {
            using (batch)
            {
                sizes.Add(batch.Images.shape[0]);
                labels.AddRange(batch.Labels.data<long>().ToArray());
            }
        }

        Assert.Equal([16, 16, 16, 2], sizes);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)(i % 10)), labels);
    }

    [Fact]
    public void AFailingImage_SurfacesItsOwnError()
    {
        var loader = new BatchLoader(new Numbered(50, 8, 8, broken: 20), new CropAndFlip(8, 8, 0, false), 16, 3);
        var error = Assert.Throws<InputException>(() => Contents(loader.InOrder()));
        Assert.Contains("image 20", error.Message);
    }

    [Fact]
    public void LeavingAnEpochEarly_LeavesNoWorkerBehind()
    {
        var dataset = new Numbered(64, 8, 8);
        var loader = new BatchLoader(dataset, new CropAndFlip(8, 8, 0, false), 8, 3);
        foreach (var batch in loader.InOrder())
        {
            batch.Dispose();
            break;
        }

        var reads = dataset.Reads;
        Thread.Sleep(50);
        Assert.Equal(reads, dataset.Reads);
        Assert.InRange(reads, 8, 40); // the batch in hand and at most workers + 1 ahead
    }

    [Fact]
    public void ACropLargerThanTheImage_IsRefusedWithTheRemedy()
    {
        var error = Assert.Throws<InputException>(() => new BatchLoader(new Numbered(4, 8, 8), new CropAndFlip(10, 10, 0, false), 2, 1));
        Assert.Contains("augmentation.crop", error.Message);
    }

    [Fact]
    public void ExtraImages_FillTheirPartOfEveryBatch()
    {
        var own = new Numbered(50, 8, 8);
        var extra = new Numbered(30, 8, 8, first: 1000);
        var loader = new BatchLoader(own, new CropAndFlip(8, 8, 0, false), 16, 2, new ExtraImages(extra, 0.25));
        Assert.Equal(50 / 12, loader.StepsPerEpoch);
        var drawn = new HashSet<int>();
        var ownDrawn = new List<int>();
        for (var epoch = 0; epoch < 20; epoch++)
        {
            var inEpoch = new List<int>();
            foreach (var batch in loader.Training(3, epoch))
            {
                using (batch)
                {
                    var numbers = Numbers(batch);
                    Assert.All(numbers[..12], number => Assert.InRange(number, 0, 49));
                    Assert.All(numbers[12..], number => Assert.InRange(number, 1000, 1029));
                    Assert.Equal(numbers.Select(number => (long)(number % 10)), batch.Labels.data<long>().ToArray());
                    inEpoch.AddRange(numbers[..12]);
                    drawn.UnionWith(numbers[12..]);
                }
            }

            Assert.Equal(inEpoch.Count, inEpoch.Distinct().Count());
            ownDrawn.AddRange(inEpoch);
        }

        Assert.Equal(30, drawn.Count);
        Assert.Equal(50, ownDrawn.Distinct().Count());
        Assert.Equal(Contents(loader.Training(3, 5)).Skip(2), Contents(loader.Training(3, 5, firstStep: 2)));
    }

    [Fact]
    public void AnExtraImage_ThatComesAgain_IsAugmentedAnew()
    {
        // No two pixels are alike, so that a crop tells its draws: 81 places, mirrored or not.
        MemoryDataset Of(int images) => new("one class", ["a"], 5, 5, [.. Enumerable.Range(0, images).Select(_ => Enumerable.Range(0, 75).Select(pixel => (byte)pixel).ToArray())], new int[images]);
        var loader = new BatchLoader(Of(8), new CropAndFlip(5, 5, 4, true), 16, 2, new ExtraImages(Of(1), 0.5));
        using var batch = Assert.Single(loader.Training(3, 0));
        var bytes = batch.Images.data<byte>().ToArray();
        Assert.InRange(Enumerable.Range(8, 8).Select(i => Convert.ToHexString(bytes.AsSpan(i * 75, 75))).Distinct().Count(), 6, 8);
    }

    [Fact]
    public void ExtraImagesWithoutAFraction_AreAddedToTheOthers()
    {
        var loader = new BatchLoader(new Numbered(20, 8, 8), new CropAndFlip(8, 8, 0, false), 10, 2, new ExtraImages(new Numbered(30, 8, 8, first: 1000), 0));
        Assert.Equal(5, loader.StepsPerEpoch);
        var all = new List<int>();
        foreach (var batch in loader.Training(3, 0))
        {
            using (batch)
            {
                all.AddRange(Numbers(batch));
            }
        }

        Assert.Equal(Enumerable.Range(0, 20).Concat(Enumerable.Range(1000, 30)), all.Order());
    }

    [Fact]
    public void BalancedEpochs_HoldEveryClassAsOften_WithOtherDrawsForAnImageThatComesAgain()
    {
        // 40 of the first class, 7 of the second, 1 of the third; no two pixels are alike, so that a crop tells its draws.
        int[] labels = [.. Enumerable.Repeat(0, 40), .. Enumerable.Repeat(1, 7), 2];
        var images = new MemoryDataset("unequal", ["a", "b", "c"], 5, 5, [.. labels.Select((_, i) => Enumerable.Range(0, 75).Select(pixel => (byte)(pixel + (3 * i))).ToArray())], labels);
        BatchLoader Loader(int workers, ExtraImages? extra = null) => new(images, new CropAndFlip(5, 5, 4, true), 8, workers, extra, balanced: true);
        Assert.Equal(6, Loader(1).StepsPerEpoch);
        var (seen, large) = (new List<(long Label, long Image, string Bytes)>(), new HashSet<long>());
        for (var epoch = 0; epoch < 20; epoch++)
        {
            seen.Clear();
            foreach (var batch in Loader(3).Training(3, epoch))
            {
                using (batch)
                {
                    var bytes = batch.Images.data<byte>().ToArray();
                    seen.AddRange(batch.Labels.data<long>().ToArray().Select((label, i) => (label, batch.Identities[i], Convert.ToHexString(bytes.AsSpan(i * 75, 75)))));
                }
            }

            Assert.All(seen.GroupBy(one => one.Label), same => Assert.Equal(16, same.Count()));
            Assert.Equal(16, seen.Where(one => one.Label == 0).Select(one => one.Image).Distinct().Count());
            Assert.Equal(7, seen.Where(one => one.Label == 1).Select(one => one.Image).Distinct().Count());
            Assert.InRange(seen.Where(one => one.Label == 2).Select(one => one.Bytes).Distinct().Count(), 12, 16);
            large.UnionWith(seen.Where(one => one.Label == 0).Select(one => one.Image));
        }

        Assert.Equal(40, large.Count);
        Assert.Equal(Contents(Loader(1).Training(3, 5)), Contents(Loader(7).Training(3, 5)));
        Assert.Equal(Contents(Loader(2).Training(3, 5)).Skip(2), Contents(Loader(2).Training(3, 5, firstStep: 2)));

        // Classes of equal sizes: every image once.
        var once = new HashSet<int>();
        foreach (var batch in new BatchLoader(new Numbered(50, 8, 8), new CropAndFlip(8, 8, 0, false), 10, 2, balanced: true).Training(3, 0))
        {
            using (batch)
            {
                once.UnionWith(Numbers(batch));
            }
        }

        Assert.Equal(50, once.Count);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void RandomCrops_AreWindowsOfThePaddedImage_EachEquallyOften(int padding, bool flip)
    {
        // An image whose every pixel differs: a crop can be matched with exactly one offset and mirroring.
        var source = new byte[3 * 4 * 5];
        for (var i = 0; i < source.Length; i++)
        {
            source[i] = (byte)(i + 1);
        }

        var crop = new CropAndFlip(4, 5, padding, flip);
        var seen = new Dictionary<(int Top, int Left, bool Mirrored), int>();
        const int Draws = 20_000;
        for (var draw = 0; draw < Draws; draw++)
        {
            var target = new byte[3 * 4 * 5];
            Array.Fill(target, (byte)255);
            crop.Random(source, 4, 5, target, new SeededRandom(1, RandomUse.Augmentation, 0, draw));
            var key = Offsets(padding, flip).Single(o => Window(source, 4, 5, o.Top, o.Left, o.Mirrored).AsSpan().SequenceEqual(target));
            seen[key] = seen.GetValueOrDefault(key) + 1;
        }

        var windows = Offsets(padding, flip).ToList();
        Assert.Equal(windows.Count, seen.Count);
        var expected = (double)Draws / windows.Count;
        Assert.All(seen.Values, count => Assert.InRange(count, expected - (5 * Math.Sqrt(expected)) - 1, expected + (5 * Math.Sqrt(expected)) + 1));
    }

    [Fact]
    public void CentreCrop_CutsTheSameFromBothSides()
    {
        var source = new byte[3 * 6 * 6];
        for (var i = 0; i < source.Length; i++)
        {
            source[i] = (byte)i;
        }

        var target = new byte[3 * 4 * 4];
        new CentreCrop(4, 4).Cut(new ImageView(source, 6, 6), target);
        Assert.Equal(Window(source, 6, 6, 1, 1, false, 4, 4), target);
    }

    private static IEnumerable<(int Top, int Left, bool Mirrored)> Offsets(int padding, bool flip) =>
        from top in Enumerable.Range(-padding, (2 * padding) + 1)
        from left in Enumerable.Range(-padding, (2 * padding) + 1)
        from mirrored in flip ? new[] { false, true } : [false]
        select (top, left, mirrored);

    private static byte[] Window(byte[] source, int height, int width, int top, int left, bool mirrored, int cropHeight = 4, int cropWidth = 5)
    {
        var window = new byte[3 * cropHeight * cropWidth];
        for (var c = 0; c < 3; c++)
        {
            for (var y = 0; y < cropHeight; y++)
            {
                for (var x = 0; x < cropWidth; x++)
                {
                    var (sourceY, sourceX) = (top + y, left + (mirrored ? cropWidth - 1 - x : x));
                    var inside = sourceY >= 0 && sourceY < height && sourceX >= 0 && sourceX < width;
                    window[(((c * cropHeight) + y) * cropWidth) + x] = inside ? source[(((c * height) + sourceY) * width) + sourceX] : (byte)0;
                }
            }
        }

        return window;
    }

    private static List<string> Contents(IEnumerable<Batch> batches)
    {
        var contents = new List<string>();
        foreach (var batch in batches)
        {
            using (batch)
            {
                contents.Add(Convert.ToHexString(batch.Images.data<byte>().ToArray()) + string.Join(',', batch.Labels.data<long>().ToArray()));
            }
        }

        return contents;
    }

    // The first two values of an image are its number.
    private static List<int> Numbers(Batch batch)
    {
        var bytes = batch.Images.data<byte>().ToArray();
        var size = bytes.Length / (int)batch.Images.shape[0];
        return [.. Enumerable.Range(0, (int)batch.Images.shape[0]).Select(i => (256 * bytes[i * size]) + bytes[(i * size) + 1])];
    }

    private sealed class Numbered(int count, int height, int width, int broken = -1, int first = 0) : Dataset
    {
        private int _reads;

        public int Reads => _reads;

        public override string Name => "numbered";

        public override IReadOnlyList<string> Classes { get; } = [.. Enumerable.Range(0, 10).Select(i => $"class {i}")];

        public override int Count => count;

        public override int Height => height;

        public override int Width => width;

        public override int Label(int index) => (first + index) % 10;

        public override void Read(int index, Span<byte> planes)
        {
            Interlocked.Increment(ref _reads);
            if (index == broken)
            {
                throw new InputException($"image {index} is broken");
            }

            for (var i = 0; i < planes.Length; i++)
            {
                planes[i] = (byte)((index * 37) + i);
            }

            (planes[0], planes[1]) = ((byte)((first + index) / 256), (byte)((first + index) % 256));
        }
    }
}
