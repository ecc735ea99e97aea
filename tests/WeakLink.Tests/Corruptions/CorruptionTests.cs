using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Tests.Corruptions;

public sealed class CorruptionTests
{
    public static TheoryData<string> Names => [.. CommonCorruptions.All.Select(corruption => corruption.Name)];

    [Fact]
    public void Names_AreThoseOfTheBenchmark()
    {
        Assert.Equal(19, CommonCorruptions.All.Count);
        Assert.Equal(15, CommonCorruptions.Benchmark.Count);
        Assert.Equal(["snow", "fog"], CommonCorruptions.Named("snow, Fog").Select(corruption => corruption.Name));
        var error = Assert.Throws<InputException>(() => CommonCorruptions.Named("gausian_noise"));
        Assert.Contains("'gaussian_noise'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Apply_AnySize_EverySeverity(string name)
    {
        var corruption = CommonCorruptions.Named(name)[0];
        foreach (var (height, width) in ((int, int)[])[(1, 1), (1, 9), (2, 2), (31, 47), (47, 31), (65, 33)])
        {
            var image = Image(height, width);
            foreach (var table in Enum.GetValues<SeverityTable>())
            {
                for (var severity = 1; severity <= Corruption.Severities; severity++)
                {
                    var first = Corrupt(corruption, image, height, width, table, severity);
                    Assert.Equal(first, Corrupt(corruption, image, height, width, table, severity));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Apply_LargeImage(string name)
    {
        var corruption = CommonCorruptions.Named(name)[0];
        var image = Image(300, 1100);
        Assert.NotEqual(image, Corrupt(corruption, image, 300, 1100, SeverityTable.ImageNet, 5));
    }

    // As wide as a photograph of 12 megapixels, but quick: buffers and indices of its width, clouds and ice of its size.
    [Theory]
    [MemberData(nameof(Names))]
    public void Apply_WideImage(string name)
    {
        var image = Image(3, 4000);
        Assert.NotEqual(image, Corrupt(CommonCorruptions.Named(name)[0], image, 3, 4000, SeverityTable.ImageNet, 5));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Apply_ManyThreads_SameBytes(string name)
    {
        var corruption = CommonCorruptions.Named(name)[0];
        var image = Image(32, 32);
        var alone = Enumerable.Range(0, 16).Select(index => Corrupt(corruption, image, 32, 32, SeverityTable.Cifar, 3, index)).ToArray();
        var together = new byte[16][];
        Parallel.For(0, 16, index => together[index] = Corrupt(corruption, image, 32, 32, SeverityTable.Cifar, 3, index));
        Assert.Equal(alone, together);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    public void Apply_SeverityOutOfRange_Throws(int severity)
    {
        var image = Image(4, 4);
        Assert.Throws<ArgumentOutOfRangeException>(() => Corrupt(CommonCorruptions.All[0], image, 4, 4, SeverityTable.Cifar, severity));
    }

    [Theory]
    [InlineData(32, 32, SeverityTable.Cifar)]
    [InlineData(45, 300, SeverityTable.Cifar)]
    [InlineData(64, 64, SeverityTable.TinyImageNet)]
    [InlineData(119, 119, SeverityTable.TinyImageNet)]
    [InlineData(224, 224, SeverityTable.ImageNet)]
    [InlineData(3000, 4000, SeverityTable.ImageNet)]
    public void Table_FollowsTheShorterSide(int height, int width, SeverityTable table) => Assert.Equal(table, SeverityTables.For(height, width));

    // Against the definition: every count has its Poisson probability.
    [Fact]
    public void ShotNoise_IsPoisson()
    {
        var image = new byte[3 * 300 * 300];
        Array.Fill(image, (byte)102);
        var result = Corrupt(CommonCorruptions.Named("shot_noise")[0], image, 300, 300, SeverityTable.ImageNet, 4);
        const double Mean = 102.0 / 255 * 5;
        var probability = Math.Exp(-Mean);
        for (var photons = 0; photons < 5; photons++)
        {
            var share = result.Average(value => value == (byte)(photons / 5.0 * 255) ? 1.0 : 0);
            Assert.Equal(probability, share, 4 * Math.Sqrt(probability / result.Length));
            probability *= Mean / (photons + 1);
        }
    }

    [Fact]
    public void Normals_HaveTheirMoments()
    {
        var values = new float[1_000_001];
        new SeededRandom(1, RandomUse.Corruption).FillNormal(values);
        Assert.Equal(0, values.Average(x => (double)x), 0.004);
        Assert.Equal(1, values.Average(x => (double)x * x), 0.006);
        Assert.Equal(3, values.Average(x => Math.Pow(x, 4)), 0.05);
        Assert.Equal(0.0455, values.Average(x => Math.Abs(x) > 2 ? 1.0 : 0), 0.001);
        Assert.Equal(0, values.Zip(values.Skip(16)).Average(pair => (double)pair.First * pair.Second), 0.004);
    }

    [Fact]
    public void Bits_AreTheHalvesOfTheSequence()
    {
        var random = new SeededRandom(5, RandomUse.Corruption);
        var expected = Enumerable.Range(0, 32).Select(_ => random.NextBits()).ToArray();
        var bits = new uint[64];
        new SeededRandom(5, RandomUse.Corruption).FillBits(bits);
        for (var i = 0; i < 64; i++)
        {
            var whole = expected[(i / 32 * 16) + (i % 16)];
            Assert.Equal((uint)(i % 32 < 16 ? whole >> 32 : whole), bits[i]);
        }
    }

    internal static byte[] Image(int height, int width)
    {
        var image = new byte[3 * height * width];
        for (var i = 0; i < image.Length; i++)
        {
            image[i] = (byte)((i * 7) + (i / width * 13));
        }

        return image;
    }

    private static byte[] Corrupt(Corruption corruption, byte[] image, int height, int width, SeverityTable table, int severity, int index = 0)
    {
        var result = new byte[image.Length];
        corruption.Apply(new ImageView(image, height, width), table, severity, new SeededRandom(0, RandomUse.Corruption, severity, index), result);
        return result;
    }
}
