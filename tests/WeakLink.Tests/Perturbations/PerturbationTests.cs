using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Perturbations;
using WeakLink.Tests.Corruptions;

namespace WeakLink.Tests.Perturbations;

public sealed class PerturbationTests
{
    public static TheoryData<string> Names => [.. CommonPerturbations.All.Select(perturbation => perturbation.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AnySize_IsMadeAlike_AndFramesDiffer(string name)
    {
        foreach (var (height, width) in new[] { (1, 1), (31, 47), (64, 64), (120, 130) })
        {
            var first = Frames(name, CorruptionTests.Image(height, width), height, width, 5);
            Assert.Equal(first, Frames(name, CorruptionTests.Image(height, width), height, width, 5));
            if (height > 1 && name is not ("gaussian_blur" or "spatter"))
            {
                // Two directions of motion may lead over the same whole pixels.
                Assert.InRange(first.Select(Convert.ToHexString).Distinct().Count(), first.Count - 3, first.Count);
            }
        }
    }

    [Theory]
    [InlineData("gaussian_noise", 0)]
    [InlineData("shot_noise", 0)]
    [InlineData("speckle_noise_3", 0)]
    [InlineData("zoom_blur", 0)]
    [InlineData("brightness", 15)]
    [InlineData("translate", 7)]
    [InlineData("rotate", 15)]
    [InlineData("scale", 15)]
    [InlineData("shear", 15)]
    public void OneFrame_IsTheImageItself(string name, int frame)
    {
        var image = CorruptionTests.Image(32, 32);
        var frames = Frames(name, image, 32, 32, 0);
        // Hue, saturation and value there and back may lose one level to rounding.
        Assert.All(Enumerable.Range(0, image.Length), i => Assert.InRange(frames[frame][i] - image[i], name == "brightness" ? -1 : 0, 0));
    }

    [Fact]
    public void Translate_MovesByWholePixels_AndSeesWhatIsBesideTheView()
    {
        var image = CorruptionTests.Image(40, 44);
        var view = new CentreCrop(32, 32);
        var perturbation = CommonPerturbations.Named("translate")[0];
        var frames = new byte[16 * view.Bytes];
        perturbation.Apply(new ImageView(image, 40, 44), view, SeverityTable.Cifar, new SeededRandom(0, RandomUse.Perturbation), frames);
        for (var frame = 0; frame < 16; frame++)
        {
            for (var x = 0; x < 32; x++)
            {
                var from = x + 6 - (frame - 7);
                Assert.Equal(from is >= 0 and < 44 ? image[(4 * 44) + from] : 0, frames[(frame * view.Bytes) + x]);
            }
        }
    }

    [Theory]
    [InlineData("gaussian_noise", 0.02)]
    [InlineData("gaussian_noise_2", 0.04)]
    [InlineData("gaussian_noise_3", 0.06)]
    [InlineData("speckle_noise", 0.05 * 0.5)]
    [InlineData("shot_noise", 0.0267)]
    public void Noise_HasItsStrength(string name, double deviation)
    {
        var grey = new byte[3 * 32 * 32];
        Array.Fill(grey, (byte)127);
        var frames = Frames(name, grey, 32, 32, 1);
        var noise = frames.Skip(1).SelectMany(frame => frame.Select(value => (value + 0.5 - 127.5) / 255)).ToArray();
        // Poisson: sqrt(0.498 / 700) = 0.0267 of 1. 92,160 draws: the standard deviation is known to 0.25 %.
        Assert.InRange(Math.Sqrt(noise.Average(value => value * value)), 0.97 * deviation, 1.03 * deviation);
    }

    [Fact]
    public void Rotate_BothWaysAround_AreMirrorImages()
    {
        // A picture that is its own mirror image, up to the half pixel by which the published middle is off.
        var image = new byte[3 * 32 * 32];
        for (var i = 0; i < image.Length; i++)
        {
            var (x, y) = ((i % 32) - 16, (i / 32 % 32) - 16);
            image[i] = (byte)(200 * Math.Exp(-((x * x) + (4 * y * y)) / 200.0));
        }

        var frames = Frames("rotate", image, 32, 32, 0);
        var (left, right) = (frames[5], frames[25]);
        var differences = Enumerable.Range(0, 32 * 32).Where(i => i % 32 is > 3 and < 29 && i / 32 is > 3 and < 29)
            .Select(i => Math.Abs(left[i] - right[((32 - (i / 32)) * 32) + (i % 32)])).ToArray();
        Assert.InRange(differences.Average(), 0, 2);
        Assert.True(Enumerable.Range(0, 32 * 32).Average(i => Math.Abs(left[i] - right[i])) > 4);
    }

    [Fact]
    public void Tilt_KeepsTheMiddle_AndEnlargesTheNearSide()
    {
        var image = new byte[3 * 224 * 224];
        for (var i = 0; i < image.Length; i++)
        {
            // Stripes: what is nearer has wider ones.
            image[i] = (byte)(((i % 224) / 2 % 2) == 0 ? 255 : 0);
        }

        var view = new CentreCrop(224, 224);
        var frames = new byte[31 * view.Bytes];
        CommonPerturbations.Named("tilt")[0].Apply(new ImageView(image, 224, 224), view, SeverityTable.ImageNet, new SeededRandom(0, RandomUse.Perturbation), frames);
        var last = frames.AsSpan(30 * view.Bytes, view.Bytes);
        var row = last.Slice(112 * 224, 224);
        var (near, far) = (Edges(row[..112]), Edges(row[112..]));
        Assert.True(far > near + 2, $"{near} and {far} stripes");
        var middle = frames.AsSpan(15 * view.Bytes, view.Bytes);
        var changed = 0;
        for (var i = 0; i < view.Bytes; i++)
        {
            changed += Math.Abs(middle[i] - image[i]) > 128 ? 1 : 0;
        }

        // Not turned, the plane is one pixel farther away than its distance: nothing moves by more than half a pixel.
        Assert.InRange(changed, 0, view.Bytes / 100);
    }

    [Fact]
    public void Dataset_ItemsAreTheSequences_WhoeverReadsThem()
    {
        var images = new MemoryDataset("images", ["a", "b"], 20, 24, [.. Enumerable.Range(0, 3).Select(i => CorruptionTests.Image(20 + i, 24)[(3 * 24 * i)..])], [0, 1, 1]);
        var sequences = new PerturbedDataset(images, new CentreCrop(16, 16), CommonPerturbations.Named("snow")[0], seed: 4);
        Assert.Equal((3, 31 * 16, 16), (sequences.Count, sequences.Height, sequences.Width));
        var (first, again) = (new byte[sequences.BytesPerImage], new byte[sequences.BytesPerImage]);
        sequences.Read(1, first);
        sequences.Read(0, again);
        Assert.NotEqual(first, again);
        sequences.Read(1, again);
        Assert.Equal(first, again);
    }

    // As in the authors' evaluation: by the word "noise".
    [Fact]
    public void NoiseSequences_AreThoseOfTheFourKindsOfNoise()
    {
        string[] noise = ["gaussian_noise", "gaussian_noise_2", "gaussian_noise_3", "shot_noise", "shot_noise_2", "shot_noise_3", "speckle_noise", "speckle_noise_2", "speckle_noise_3"];
        Assert.Equal(noise, CommonPerturbations.All.Where(perturbation => perturbation.IsNoise).Select(perturbation => perturbation.Name).Order(StringComparer.Ordinal));
    }

    // Frames of the published scripts at each size: strength of the first and the last, found in what they do to an image.
    [Theory]
    [InlineData(32, 16, 7)]
    [InlineData(64, 31, 15)]
    [InlineData(224, 41, 20)]
    public void Translate_GoesAsFarAsPublished(int size, int frames, int farthest)
    {
        var image = CorruptionTests.Image(size, size);
        var made = Frames("translate", image, size, size, 0);
        Assert.Equal(frames, made.Count);
        Assert.Equal(image[farthest], made[0][0]);
        Assert.Equal(image[0], made[^1][frames - 1 - farthest]);
    }

    [Theory]
    [InlineData(32, 0.225)]
    [InlineData(64, 0.3)]
    [InlineData(224, 0.3)]
    public void Brightness_GoesAsFarAsPublished(int size, double farthest)
    {
        var grey = new byte[3 * size * size];
        Array.Fill(grey, (byte)128);
        var made = Frames("brightness", grey, size, size, 0);
        Assert.Equal(128 - (255 * farthest), made[0][0], 1.0);
        Assert.Equal(128 + (255 * farthest), made[^1][0], 1.0);
    }

    [Theory]
    [InlineData(32, 0.7, 1.3)]
    [InlineData(64, 0.4, 1.15)]
    [InlineData(224, 0.4, 1.15)]
    public void Scale_GoesAsFarAsPublished(int size, double least, double most)
    {
        // A white disk of half the width: its area grows by the square.
        var image = new byte[3 * size * size];
        for (var i = 0; i < image.Length; i++)
        {
            var (x, y) = ((i % size) - (size / 2), (i / size % size) - (size / 2));
            image[i] = (x * x) + (y * y) < size * size / 16 ? byte.MaxValue : byte.MinValue;
        }

        var made = Frames("scale", image, size, size, 0);
        var area = image.Sum(value => (double)value);
        Assert.Equal(least * least, made[0].Sum(value => (double)value) / area, 0.05);
        Assert.Equal(most * most, made[^1].Sum(value => (double)value) / area, 0.05);
    }

    [Fact]
    public void UnknownName_NamesTheNearest()
    {
        var exception = Assert.Throws<InputException>(() => CommonPerturbations.Named("rotate, til"));
        Assert.Contains("did you mean 'tilt'?", exception.Message, StringComparison.Ordinal);
    }

    private static int Edges(ReadOnlySpan<byte> row)
    {
        var edges = 0;
        for (var x = 1; x < row.Length; x++)
        {
            edges += (row[x] > 127) != (row[x - 1] > 127) ? 1 : 0;
        }

        return edges;
    }

    private static List<byte[]> Frames(string name, byte[] image, int height, int width, long seed)
    {
        var perturbation = CommonPerturbations.Named(name)[0];
        var (view, table) = (new CentreCrop(height, width), SeverityTables.For(height, width));
        var frames = new byte[perturbation.Frames(table) * view.Bytes];
        perturbation.Apply(new ImageView(image, height, width), view, table, new SeededRandom(seed, RandomUse.Perturbation), frames);
        return [.. frames.Chunk(view.Bytes)];
    }
}
