using System.Globalization;
using WeakLink.Imaging;
using WeakLink.Interop;

namespace WeakLink.Tests.Imaging;

/// <summary>Against the images that Pillow 9.4 made (shared/reference/pil-ops).</summary>
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
        using var input = NumpyFile.Open(Shared.Require("reference/pil-ops/input.npy"));
        using var expected = NumpyFile.Open(Shared.Require($"reference/pil-ops/{name}.npy"));
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
            WeakLink.Data.Interleaved.ToPlanes(pixels, planes);
            WeakLink.Data.Interleaved.ToPlanes(wanted, wantedPlanes);
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
}
