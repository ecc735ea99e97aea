using SkiaSharp;
using WeakLink.Imaging;

namespace WeakLink.Tests.Imaging;

/// <summary>Against a real encoder and decoder: Skia's, which is libjpeg-turbo.</summary>
public sealed class JpegRoundTripTests
{
    [Theory]
    [InlineData(32, 32)]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(5, 4)]
    [InlineData(16, 17)]
    [InlineData(31, 47)]
    [InlineData(50, 46)]
    [InlineData(224, 224)]
    public void EqualsARealFile(int height, int width)
    {
        foreach (var quality in (int[])[5, 25, 49, 50, 80, 95, 100])
        {
            var image = Picture(height, width, quality);
            var ours = new byte[image.Length];
            JpegRoundTrip.Apply(new ImageView(image, height, width), quality, ours);
            Assert.Equal(ThroughAFile(image, height, width, quality), ours);
        }
    }

    // Smooth parts, edges and noise, up to both ends of the range.
    private static byte[] Picture(int height, int width, int seed)
    {
        var random = new SeededRandom(seed, RandomUse.Corruption);
        var image = new byte[3 * height * width];
        for (var i = 0; i < image.Length; i++)
        {
            var (x, y) = (i % width, i / width % height);
            var smooth = 128 + (127 * Math.Sin((x * 0.2) + (y * 0.13) + (i / (height * width))));
            image[i] = (byte)((x + y) % 40 < 8 ? random.Next(256) : x > y ? smooth : 255 - (smooth / 2));
        }

        return image;
    }

    private static byte[] ThroughAFile(byte[] image, int height, int width, int quality)
    {
        using var bitmap = Bitmaps.Of(new ImageView(image, height, width));
        using var pixels = bitmap.PeekPixels();
        using var encoded = pixels.Encode(new SKJpegEncoderOptions(quality, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore));
        using var decoded = SKBitmap.Decode(encoded, bitmap.Info);
        var result = new byte[image.Length];
        Bitmaps.CopyPlanes(decoded, result);
        return result;
    }
}
