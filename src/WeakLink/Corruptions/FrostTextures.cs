using System.IO.Hashing;
using System.Numerics.Tensors;
using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Sources;

namespace WeakLink.Corruptions;

/// <summary>
/// Pictures of ice to lay over images. The published ones are photographs that can't be shipped: these are drawn by code, with the
/// colours and the shares of dark, grey, teal and white ice measured from the published images (tests/WeakLink.Tests/Reference).
/// </summary>
public sealed class FrostTextures
{
    private const int Side = 1024;

    // A texture takes half a second to draw: only those that an image gets are.
    private readonly IReadOnlyList<Lazy<Texture>>[] _scaled;

    private FrostTextures(IEnumerable<Lazy<Texture>> pictures, string fingerprint)
    {
        Fingerprint = fingerprint;
        var whole = pictures.ToList();
        _scaled = [.. Enum.GetValues<SeverityTable>().Select(table => (IReadOnlyList<Lazy<Texture>>)[.. whole.Select(picture => new Lazy<Texture>(() => Scaled(picture.Value, Scale(table))))])];
    }

    /// <summary>What these textures are known by: "generated", or the XXH128 of the pictures.</summary>
    public string Fingerprint { get; }

    /// <summary>Textures drawn by code, the same on every machine.</summary>
    public static FrostTextures Generated { get; } = Draw();

    /// <summary>Textures from files, such as the six published ones (of which the authors' code never draws the sixth, so this doesn't either).</summary>
    /// <param name="folder">A folder of images.</param>
    /// <exception cref="InputException">There is no such folder, or no image in it.</exception>
    public static FrostTextures From(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new InputException($"The folder of frost textures '{folder}' does not exist: check the path.");
        }

        var files = Directory.GetFiles(folder).Where(ImageFile.IsImage).Where(file => Path.GetFileNameWithoutExtension(file) != "frost6").Order(StringComparer.Ordinal).ToList();
        if (files.Count == 0)
        {
            throw new InputException($"The folder '{folder}' holds no images to use as frost textures: put JPEG or PNG files there, such as frost1.png.");
        }

        var read = files.Select(file =>
        {
            try
            {
                var (planes, width, height) = ImageFile.Decode(file);
                return new Texture(planes, height, width);
            }
            catch (InputException exception)
            {
                throw new InputException($"The frost texture '{file}' is no readable image: remove or replace it.", exception);
            }
        }).ToList();
        var hash = new XxHash128();
        foreach (var texture in read)
        {
            hash.Append(BitConverter.GetBytes(texture.Width));
            hash.Append(texture.Planes);
        }

        return new FrostTextures(read.Select(texture => new Lazy<Texture>(texture)), KnownImages.Text(hash.GetCurrentHashAsUInt128()));
    }

    /// <summary>Cuts a random piece out of a random texture.</summary>
    /// <param name="table">Which scale: the published code shrinks the textures for small images.</param>
    /// <param name="random">Which texture and where.</param>
    /// <param name="piece">Three planes to fill; where larger than the texture, it is mirrored.</param>
    internal void Cut(SeverityTable table, SeededRandom random, Planes piece)
    {
        var textures = _scaled[(int)table];
        var (planes, height, width) = textures[random.Next(textures.Count)].Value;
        var (top, left) = (random.Next(Math.Max(height - piece.Height, 1)), random.Next(Math.Max(width - piece.Width, 1)));
        for (var plane = 0; plane < piece.Count; plane++)
        {
            for (var y = 0; y < piece.Height; y++)
            {
                var source = planes.AsSpan((plane * height * width) + (Border.Reflect.Inside(top + y, height) * width), width);
                var row = piece.Row(plane, y);
                var inside = Math.Min(width - left, row.Length);
                TensorPrimitives.ConvertTruncating<byte, float>(source.Slice(left, inside), row[..inside]);
                for (var x = inside; x < row.Length; x++)
                {
                    row[x] = source[Border.Reflect.Inside(left + x, width)];
                }
            }
        }
    }

    private static double Scale(SeverityTable table) => table switch
    {
        SeverityTable.Cifar => 0.2,
        SeverityTable.TinyImageNet => 0.3,
        _ => 1,
    };

    // Linear between the nearest pixels, without a filter before, as OpenCV's resize: small ice is grainy in the published images too.
    private static Texture Scaled(Texture picture, double scale)
    {
        if (scale == 1)
        {
            return picture;
        }

        var (height, width) = (Math.Max((int)Math.Round(picture.Height * scale), 1), Math.Max((int)Math.Round(picture.Width * scale), 1));
        using var pixels = Planes.Of(new ImageView(picture.Planes, picture.Height, picture.Width));
        using var places = new Planes(2, height, width);
        using var small = new Planes(pixels.Count, height, width);
        for (var y = 0; y < height; y++)
        {
            places.Row(1, y).Fill((float)(((y + 0.5) / scale) - 0.5));
            var across = places.Row(0, y);
            for (var x = 0; x < width; x++)
            {
                across[x] = (float)(((x + 0.5) / scale) - 0.5);
            }
        }

        LinearSampling.Apply(pixels, places, Border.Edge, small);
        var result = new byte[3 * height * width];
        small.CutTo(result);
        return new(result, height, width);
    }

    // The order of the kinds and the two white ones among five are those of the published photographs. Colours (red, green, blue) at
    // the quantiles of FrostDrawing, measured from CIFAR-10-C's and ImageNet-C's frost.
    private static FrostTextures Draw()
    {
        (FrostKind Kind, (byte R, byte G, byte B)[] Colours)[] kinds =
        [
            (FrostKind.Veil, [(35, 114, 135), (38, 119, 140), (47, 128, 149), (56, 136, 156), (69, 145, 163), (87, 156, 172), (107, 166, 178), (137, 180, 188), (157, 193, 198)]),
            (FrostKind.Feathers, [(116, 121, 129), (141, 146, 155), (166, 170, 179), (184, 188, 197), (200, 204, 214), (211, 216, 226), (220, 225, 235), (229, 234, 243), (235, 240, 248)]),
            (FrostKind.Needles, [(116, 121, 129), (141, 146, 155), (166, 170, 179), (184, 188, 197), (200, 204, 214), (211, 216, 226), (220, 225, 235), (229, 234, 243), (235, 240, 248)]),
            (FrostKind.Stars, [(29, 40, 52), (37, 48, 60), (54, 65, 78), (68, 80, 94), (89, 101, 114), (113, 125, 137), (137, 148, 159), (169, 180, 191), (197, 207, 217)]),
            (FrostKind.Drops, [(50, 62, 72), (70, 83, 93), (98, 116, 128), (119, 137, 149), (137, 156, 167), (154, 170, 183), (170, 185, 199), (198, 211, 224), (224, 235, 245)]),
        ];
        return new FrostTextures(kinds.Select((kind, index) => new Lazy<Texture>(() => new(FrostDrawing.Draw(kind.Kind, kind.Colours, Side, new SeededRandom(0, RandomUse.Frost, index)), Side, Side))), "generated");
    }

    private sealed record Texture(byte[] Planes, int Height, int Width);
}
