using WeakLink.Augmentations;

namespace WeakLink.Tests.Augmentations;

public sealed class OperationTests
{
    public static TheoryData<string> Names => [.. Enum.GetNames<Operator>()];

    // Made with Pillow 9.4 from the red plane of Samples.Image(3, 5): what Reference/pil-ops lacks, grey outside and shears by whole pixels.
    [Theory]
    [InlineData("Rotate", 30, "128 74 111 187 229 0 103 145 7 54 61 103 216 216 128")]
    [InlineData("Rotate", -50, "122 103 37 74 128 128 169 145 111 128 128 216 7 187 148")]
    [InlineData("ShearX", -0.6, "0 37 74 111 148 128 61 103 145 187 128 128 122 169 216")]
    public void OfTheNearestPixels_GreyOutside_EqualsPillow(string name, double parameter, string pillow)
    {
        var result = Samples.Operated(Enum.Parse<Operator>(name), parameter, Samples.Image(3, 5), 3, 5, Resampling.Nearest, outside: 128);
        Assert.Equal(pillow.Split(' ').Select(byte.Parse), result[..15]);
    }

    // Half a quarter: its sine and cosine lie half-way between two roundings (see AffineMap.Turned).
    [Fact]
    public void Rotate45_EqualsPillow()
    {
        const string Pillow = """
            0 73 121 204 105 21 67 145 99 26 17 85 163 215 0
            0 156 151 31 113 104 150 228 76 109 100 168 192 43 0
            0 239 85 114 196 187 158 55 137 192 183 101 73 126 0
            """;
        var result = Samples.Operated(Operator.Rotate, 45, Samples.Image(3, 5), 3, 5, Resampling.Linear);
        Assert.Equal(Pillow.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(byte.Parse), result);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AnySize_GreyStaysGrey(string name)
    {
        var kind = Enum.Parse<Operator>(name);
        foreach (var (height, width) in ((int, int)[])[(1, 1), (1, 9), (9, 1), (2, 2), (3, 3), (3, 40), (31, 47), (64, 17)])
        {
            foreach (var resampling in Enum.GetValues<Resampling>())
            {
                var colours = Samples.Image(height, width);
                var plane = colours[..(height * width)];
                var result = Samples.Operated(kind, Strong(kind), colours, height, width, resampling);
                Assert.Equal(colours.Length, result.Length);
                var grey = Samples.Operated(kind, Strong(kind), [.. plane, .. plane, .. plane], height, width, resampling);
                Assert.Equal(grey[..plane.Length], grey[plane.Length..(2 * plane.Length)]);
                Assert.Equal(grey[..plane.Length], grey[(2 * plane.Length)..]);
            }
        }
    }

    // Of a large image, pixels far from its beginning are what they are in a small one.
    [Fact]
    public void LargeImages_ArePlacedRight()
    {
        const int Height = 3000;
        const int Width = 4000;
        var image = Samples.Image(Height, Width);
        var row = image.AsSpan(1777 * Width, Width).ToArray();
        var moved = Samples.Operated(Operator.TranslateX, 1000, image, Height, Width, Resampling.Linear);
        Assert.Equal([.. row[1000..], .. new byte[1000]], moved.AsSpan(1777 * Width, Width).ToArray());
        var turned = Samples.Operated(Operator.Rotate, 180, image, Height, Width);
        Assert.Equal(row.Reverse(), turned.AsSpan((Height - 1 - 1777) * Width, Width).ToArray());
        var sheared = Samples.Operated(Operator.ShearY, 0.5, image, Height, Width, Resampling.Linear);
        // The middle of that pixel comes from 1,000.75 pixels below.
        var (above, below) = (image[(1100 * Width) + 2001], image[(1101 * Width) + 2001]);
        Assert.Equal((byte)(above + (0.75 * (below - above))), sheared[(100 * Width) + 2001]);
        foreach (var kind in Enum.GetValues<Operator>().Where(kind => kind is not (Operator.Rotate or Operator.TranslateX or Operator.ShearY)))
        {
            Assert.Equal(image.Length, Samples.Operated(kind, Strong(kind), image, Height, Width, Resampling.Linear).Length);
        }
    }

    [Theory]
    [InlineData("Color", 1)]
    [InlineData("Contrast", 1)]
    [InlineData("Brightness", 1)]
    [InlineData("Sharpness", 1)]
    [InlineData("Posterize", 8)]
    [InlineData("Solarize", 256)]
    [InlineData("Rotate", 0)]
    [InlineData("Rotate", 360)]
    [InlineData("ShearX", 0)]
    [InlineData("TranslateY", 0)]
    public void WithoutStrength_ChangesNothing(string name, double parameter)
    {
        var image = Samples.Image(33, 18);
        Assert.Equal(image, Samples.Operated(Enum.Parse<Operator>(name), parameter, image, 33, 18, Resampling.Linear));
        Assert.Equal(image, Samples.Operated(Enum.Parse<Operator>(name), parameter, image, 33, 18));
    }

    [Fact]
    public void Equalize_SpreadsFewLevels()
    {
        // 600 pixels a plane: 300 of 10, 200 of 20, 100 of 30. Pillow's step is (600 − 100) / 255 = 1, cut off: the levels' thresholds are 0, 300 and 500.
        byte[] plane = [.. Enumerable.Repeat((byte)10, 300), .. Enumerable.Repeat((byte)20, 200), .. Enumerable.Repeat((byte)30, 100)];
        var result = Samples.Operated(Operator.Equalize, 0, [.. plane, .. plane, .. plane], 20, 30);
        Assert.Equal([.. Enumerable.Repeat((byte)0, 300), .. Enumerable.Repeat((byte)255, 300)], result[..600]);
    }

    private static double Strong(Operator kind) => kind switch
    {
        Operator.Posterize => 2,
        Operator.Solarize => 100,
        Operator.Rotate => -77.7,
        Operator.ShearX or Operator.ShearY => 0.77,
        Operator.TranslateX or Operator.TranslateY => -5.3,
        _ => 1.9,
    };
}
