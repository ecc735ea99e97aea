using System.Buffers.Binary;
using System.Text.Json;
using SkiaSharp;

namespace OnnxClassify;

/// <summary>What becomes of a picture before the network sees it, as the model's metadata <c>preparation</c> say.</summary>
public sealed class Preparation
{
    private readonly int _height;
    private readonly int _width;
    private readonly bool _scales;
    private readonly bool _cubic;
    private readonly int _cropHeight;
    private readonly int _cropWidth;

    /// <summary>Reads the metadata.</summary>
    /// <exception cref="InvalidDataException">They ask for something that is not done here.</exception>
    public Preparation(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        string Text(string key) => root.GetProperty(key).GetString()!;
        (_height, _width) = (root.GetProperty("height").GetInt32(), root.GetProperty("width").GetInt32());
        (_cropHeight, _cropWidth) = (root.GetProperty("cropHeight").GetInt32(), root.GetProperty("cropWidth").GetInt32());
        (_scales, _cubic) = (Text("resize") == "shorterSide", Text("filter") == "bicubicAntialiased");
        if ((Text("orientation"), Text("background"), Text("channels"), root.GetProperty("range").GetRawText()) != ("exif", "white", "RGB", "[0,1]") || (Text("filter") != "bilinearAntialiased" && !_cubic))
        {
            throw new InvalidDataException($"This program does not prepare pictures like this: {json}");
        }
    }

    /// <summary>A picture as the network takes it: 3×H×W numbers in [0, 1].</summary>
    /// <exception cref="InvalidDataException">The file is missing or no picture, or has another size where the network does not scale.</exception>
    public float[] Apply(string file)
    {
        var picture = Read(file);
        if ((picture.Width, picture.Height) != (_width, _height))
        {
            if (!_scales)
            {
                throw new InvalidDataException($"'{file}' is {picture.Width}x{picture.Height} pixels, but the network takes {_width}x{_height}.");
            }

            var side = Math.Min(picture.Width, picture.Height);
            var (width, height) = ((int)((long)_width * picture.Width / side), (int)((long)_height * picture.Height / side));
            picture = picture.Across(width, _cubic).Transposed().Across(height, _cubic).Transposed().Middle(_width, _height);
        }

        return picture.Middle(_cropWidth, _cropHeight).ToUnit();
    }

    private static Picture Read(string file)
    {
        using var codec = File.Exists(file) ? SKCodec.Create(file) : null;
        if (codec is null)
        {
            throw new InvalidDataException($"'{file}' is missing, or not a picture.");
        }

        // SKBitmap.Decode would take half a picture for a whole one.
        using var bitmap = new SKBitmap(new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        if (codec.GetPixels(bitmap.Info, bitmap.GetPixels()) is var result and not SKCodecResult.Success)
        {
            throw new InvalidDataException($"'{file}' is truncated or damaged ({result}).");
        }

        var picture = new Picture(bitmap.Width, bitmap.Height);
        var pixels = bitmap.GetPixelSpan();
        for (var i = 0; i < picture.Levels.Length; i++)
        {
            // On white paper.
            var (level, alpha) = (pixels[(i / 3 * 4) + (i % 3)], pixels[(i / 3 * 4) + 3]);
            picture.Levels[i] = (byte)(((level * alpha) + (255 * (255 - alpha)) + 127) / 255);
        }

        // Exif's eight orientations: from the fifth on rows are columns; then two are mirrored, two turned around, two upside down.
        var orientation = codec.EncodedFormat == SKEncodedImageFormat.Png ? OrientationOfPng(File.ReadAllBytes(file)) : (int)codec.EncodedOrigin;
        picture = orientation > 4 ? picture.Transposed() : picture;
        picture = orientation is 2 or 3 or 6 or 7 ? picture.Mirrored() : picture;
        return orientation is 3 or 4 or 7 or 8 ? picture.Transposed().Mirrored().Transposed() : picture;
    }

    // Skia does not look into a PNG's eXIf chunk: a TIFF header, then entries of tag, type, count and value.
    private static int OrientationOfPng(ReadOnlySpan<byte> png)
    {
        for (var at = 8; at + 12 <= png.Length; at += 12 + BinaryPrimitives.ReadInt32BigEndian(png[at..]))
        {
            if (png.Slice(at + 4, 4).SequenceEqual("eXIf"u8))
            {
                var exif = png.Slice(at + 8, BinaryPrimitives.ReadInt32BigEndian(png[at..]));
                var little = exif[0] == 'I';
                var directory = little ? BinaryPrimitives.ReadInt32LittleEndian(exif[4..]) : BinaryPrimitives.ReadInt32BigEndian(exif[4..]);
                for (var entry = exif[(directory + 2)..]; entry.Length >= 12; entry = entry[12..])
                {
                    if (entry.StartsWith(little ? [0x12, 0x01] : [0x01, 0x12]))
                    {
                        return entry[little ? 8 : 9];
                    }
                }
            }
        }

        return 1;
    }

    /// <summary>Red, green and blue of every pixel, row by row.</summary>
    private sealed record Picture(int Width, int Height)
    {
        public byte[] Levels { get; } = new byte[3 * Width * Height];

        // Pillow's bilinear filter, a triangle, or its bicubic one: as much wider as the new pixels are larger, in whole 4,194,304ths.
        public Picture Across(int width, bool cubic)
        {
            var result = new Picture(width, Height);
            var scale = Width / (double)width;
            var wider = Math.Max(scale, 1);
            var reach = cubic ? 2 * wider : wider;
            for (var x = 0; x < width; x++)
            {
                var centre = (x + 0.5) * scale;
                var (first, last) = (Math.Max((int)(centre - reach + 0.5), 0), Math.Min((int)(centre + reach + 0.5), Width));
                var parts = Enumerable.Range(first, last - first).Select(i => Part(Math.Abs((i - centre + 0.5) * (1 / wider)), cubic)).ToArray();
                var all = parts.Sum();
                var weights = parts.Select(part => part / all * (1 << 22)).Select(weight => (int)(weight + (weight < 0 ? -0.5 : 0.5))).ToArray();
                for (var i = 0; i < 3 * Height; i++)
                {
                    var (y, channel) = (i / 3, i % 3);
                    var sum = 1 << 21;
                    for (var tap = 0; tap < weights.Length; tap++)
                    {
                        sum += weights[tap] * Levels[Index(first + tap, y, channel)];
                    }

                    result.Levels[result.Index(x, y, channel)] = (byte)Math.Clamp(sum >> 22, 0, 255);
                }
            }

            return result;
        }

        private static double Part(double distance, bool cubic) =>
            !cubic ? Math.Max(1 - distance, 0)
            : distance < 1 ? (((1.5 * distance) - 2.5) * distance * distance) + 1
            : distance < 2 ? (((((-0.5 * distance) + 2.5) * distance) - 4) * distance) + 2
            : 0;

        public Picture Transposed() => new Picture(Height, Width).From((x, y) => (y, x), this);

        public Picture Mirrored() => new Picture(Width, Height).From((x, y) => (Width - 1 - x, y), this);

        // Of two equally good places the even one, as torchvision rounds.
        public Picture Middle(int width, int height)
        {
            var (left, top) = ((int)Math.Round((Width - width) / 2.0), (int)Math.Round((Height - height) / 2.0));
            return new Picture(width, height).From((x, y) => (left + x, top + y), this);
        }

        public float[] ToUnit() => [.. from channel in Enumerable.Range(0, 3) from y in Enumerable.Range(0, Height) from x in Enumerable.Range(0, Width) select Levels[Index(x, y, channel)] / 255f];

        private Picture From(Func<int, int, (int X, int Y)> place, Picture other)
        {
            for (var i = 0; i < Levels.Length; i++)
            {
                var (x, y) = place(i / 3 % Width, i / 3 / Width);
                Levels[i] = other.Levels[other.Index(x, y, i % 3)];
            }

            return this;
        }

        private int Index(int x, int y, int channel) => (3 * ((y * Width) + x)) + channel;
    }
}
