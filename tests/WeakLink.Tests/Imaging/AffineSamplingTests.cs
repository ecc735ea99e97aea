using System.Globalization;
using WeakLink.Files;
using WeakLink.Imaging;

namespace WeakLink.Tests.Imaging;

/// <summary>Against the images that Pillow 9.4 made (Reference/pil-ops).</summary>
public sealed class AffineSamplingTests
{
    public static TheoryData<string> Cases =>
    [
        .. from turn in (string[])["-30", "-13.5", "7", "21"] from sampling in (string[])["nearest", "bilinear"] select $"rotate_{sampling}_{turn}",
        .. from shear in (string[])["-0.3", "-0.1", "0.15", "0.3"] from axis in "xy" select $"shear_{axis}_bilinear_{shear}",
        .. from distance in (string[])["-10", "-3.3", "2.5", "7"] from axis in "xy" select $"translate_{axis}_bilinear_{distance}",
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void EqualsPillow(string name)
    {
        using var input = NumpyFile.Open(Reference.Path("pil-ops/input.npy"));
        using var expected = NumpyFile.Open(Reference.Path($"pil-ops/{name}.npy"));
        var (height, width) = ((int)input.Shape[1], (int)input.Shape[2]);
        var parts = name.Split('_');
        var value = double.Parse(parts[^1], CultureInfo.InvariantCulture);
        var map = string.Join('_', parts[..^2]) switch
        {
            "rotate" => AffineMap.Turned(height, width, value),
            "shear_x" => new AffineMap(1, value, 0, 0, 1, 0),
            "shear_y" => new AffineMap(1, 0, 0, value, 1, 0),
            "translate_x" => new AffineMap(1, 0, value, 0, 1, 0),
            _ => new AffineMap(1, 0, 0, 0, 1, value),
        };

        var (pixels, wanted, result) = (new byte[3 * height * width], new byte[3 * height * width], new byte[3 * height * width]);
        var (planes, wantedPlanes) = (new byte[pixels.Length], new byte[pixels.Length]);
        for (var image = 0; image < input.Shape[0]; image++)
        {
            input.Read((long)image * pixels.Length, pixels);
            expected.Read((long)image * pixels.Length, wanted);
            WeakLink.Sources.Interleaved.ToPlanes(pixels, planes);
            WeakLink.Sources.Interleaved.ToPlanes(wanted, wantedPlanes);
            var view = new ImageView(planes, height, width);
            if (parts[^2] == "nearest")
            {
                AffineSampling.Nearest(view, map, height, width, result);
            }
            else
            {
                AffineSampling.Linear(view, map, height, width, result);
            }

            Assert.Equal(wantedPlanes, result);
        }
    }

    [Fact]
    public void AView_IsThatPartOfTheWhole()
    {
        var planes = Corruptions.CorruptionTests.Image(20, 30);
        var image = new ImageView(planes, 20, 30);
        var map = AffineMap.Around(20, 30, angle: 11, right: 2, scale: 0.8, shear: 5);
        var (whole, part) = (new byte[planes.Length], new byte[3 * 8 * 9]);
        AffineSampling.Linear(image, map, 20, 30, whole);
        AffineSampling.Linear(image, map.From(6, 10), 8, 9, part);
        for (var channel = 0; channel < 3; channel++)
        {
            for (var y = 0; y < 8; y++)
            {
                Assert.Equal(whole.AsSpan((((channel * 20) + 6 + y) * 30) + 10, 9).ToArray(), part.AsSpan(((channel * 8) + y) * 9, 9).ToArray());
            }
        }
    }

    // Against the definition, pixel by pixel: any map, any size of image and result, any grey outside.
    [Fact]
    public void AnyMap_IsItsDefinition()
    {
        var random = new SeededRandom(1, RandomUse.Perturbation);
        for (var i = 0; i < 600; i++)
        {
            var (height, width) = (random.Next(1, 40), random.Next(1, 40));
            var (toHeight, toWidth) = i % 2 == 0 ? (height, width) : (random.Next(1, 40), random.Next(1, 40));
            var map = (i % 6) switch
            {
                0 => AffineMap.Turned(height, width, random.NextDouble(-180, 180)),
                1 => new AffineMap(1, random.NextDouble(-1, 1), 0, 0, 1, 0),
                2 => new AffineMap(1, 0, 0, random.NextDouble(-1, 1), 1, 0),
                3 => new AffineMap(1, 0, random.Next(-40, 40), 0, 1, random.Next(-40, 40)),
                4 => new AffineMap(1, 0, random.NextDouble(-9, 9), 0, 1, random.NextDouble(-9, 9)),
                _ => new AffineMap(Coefficient(), Coefficient(), 10 * Coefficient(), Coefficient(), Coefficient(), 10 * Coefficient()),
            };
            var outside = (byte)random.Next(256);
            var image = new ImageView(WeakLink.Tests.Augmentations.Samples.Image(height, width), height, width);
            var (nearest, linear) = (new byte[3 * toHeight * toWidth], new byte[3 * toHeight * toWidth]);
            AffineSampling.Nearest(image, map, toHeight, toWidth, nearest, outside);
            AffineSampling.Linear(image, map, toHeight, toWidth, linear, outside);
            for (var at = 0; at < toHeight * toWidth; at++)
            {
                var (x, y) = ((at % toWidth) + 0.5, (at / toWidth) + 0.5);
                var (inX, inY) = ((map.A * x) + (map.B * y) + map.C, (map.D * x) + (map.E * y) + map.F);
                for (var channel = 0; channel < 3; channel++)
                {
                    // Within 65,536ths of two pixels, either may be the nearest.
                    var plane = image.Plane(channel).ToArray();
                    Assert.Contains(nearest[(channel * toHeight * toWidth) + at], new[] { -0.001, 0.001 }.SelectMany(dx => new[] { -0.001, 0.001 }.Select(dy => Pixel(plane, inX + dx, inY + dy))));
                    Assert.Equal(Between(plane, inX, inY), linear[(channel * toHeight * toWidth) + at]);
                }
            }

            double Coefficient() => random.NextDouble(-1.5, 1.5);

            bool Inside(double inX, double inY) => inX >= 0 && inX < width && inY >= 0 && inY < height;

            byte Pixel(byte[] plane, double inX, double inY) => Inside(inX, inY) ? plane[((int)inY * width) + (int)inX] : outside;

            byte Between(byte[] plane, double inX, double inY)
            {
                if (!Inside(inX, inY))
                {
                    return outside;
                }

                var (left, top) = (Math.Floor(inX - 0.5), Math.Floor(inY - 0.5));
                var (upper, lower) = (Across(top), Across(top + 1));
                return (byte)(upper + ((inY - 0.5 - top) * (lower - upper)));

                double Across(double row)
                {
                    var start = (int)Math.Clamp(row, 0, height - 1) * width;
                    var (first, second) = (plane[start + (int)Math.Clamp(left, 0, width - 1)], plane[start + (int)Math.Clamp(left + 1, 0, width - 1)]);
                    return first + ((inX - 0.5 - left) * (second - first));
                }
            }
        }
    }
}
