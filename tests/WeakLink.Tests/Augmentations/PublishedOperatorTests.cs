using System.Globalization;
using WeakLink.Augmentations;
using WeakLink.Files;
using WeakLink.Sources;

namespace WeakLink.Tests.Augmentations;

/// <summary>Our operators against the images that Pillow 9.4 made (Reference/pil-ops): every byte of every file.</summary>
public sealed class PublishedOperatorTests
{
    [Fact]
    public void EveryFile_EqualsPillow()
    {
        var folder = Reference.Path("pil-ops");
        using var input = NumpyFile.Open(Path.Combine(folder, "input.npy"));
        var (count, height, width) = ((int)input.Shape[0], (int)input.Shape[1], (int)input.Shape[2]);
        var images = Enumerable.Range(0, count).Select(i => Image(input, i)).ToList();
        var files = Directory.GetFiles(folder, "*.npy").Where(file => Path.GetFileName(file) != "input.npy").Order().ToList();
        Assert.True(files.Count >= 52, $"{files.Count} files");
        var buffer = new ImageBuffer();
        foreach (var file in files)
        {
            var (operation, resampling) = Parse(Path.GetFileNameWithoutExtension(file));
            using var expected = NumpyFile.Open(file);
            for (var i = 0; i < count; i++)
            {
                buffer.Load(images[i], height, width);
                operation.Apply(buffer, resampling, outside: 0);
                Assert.True(Image(expected, i).AsSpan().SequenceEqual(buffer.Pixels), $"{Path.GetFileName(file)}, image {i}");
            }
        }
    }

    private static (Operation Operation, Resampling Resampling) Parse(string name)
    {
        var parts = name.Split('_');
        var resampling = parts.Contains("bilinear") ? Resampling.Linear : Resampling.Nearest;
        var words = parts.Where(part => part is not ("bilinear" or "nearest")).ToList();
        var digits = words[^1].Replace("bits", "", StringComparison.Ordinal);
        var hasParameter = double.TryParse(digits, CultureInfo.InvariantCulture, out var parameter);
        var kind = string.Concat(hasParameter ? words.SkipLast(1) : words);
        Assert.True(Enum.TryParse<Operator>(kind, ignoreCase: true, out var known), $"{name}: no such operator");
        return (new Operation(known, parameter), resampling);
    }

    private static byte[] Image(NumpyFile file, int index)
    {
        var pixels = new byte[3 * file.Shape[1] * file.Shape[2]];
        var planes = new byte[pixels.Length];
        file.Read((long)index * pixels.Length, pixels);
        Interleaved.ToPlanes(pixels, planes);
        return planes;
    }
}
