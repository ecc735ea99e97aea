using System.Text.Json;
using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Sources;
using WeakLink.Tests.Interop;

namespace WeakLink.Tests.Data;

public sealed class ImagePreparationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void ItsText_IsReadBack()
    {
        var preparation = new ImagePreparation(256, 256, 224, 224);
        Assert.Equal("""{"orientation":"exif","background":"white","height":256,"width":256,"resize":"shorterSide","filter":"bilinearAntialiased","cropHeight":224,"cropWidth":224,"channels":"RGB","range":[0,1]}""", preparation.ToJson());
        foreach (var one in new[] { preparation, new ImagePreparation(24, 40), new ImagePreparation(40, 24, 20, 20), preparation with { Filter = ResizeFilter.Bicubic } })
        {
            Assert.Equal(one, ImagePreparation.Parse(one.ToJson(), "x"));
        }
    }

    [Theory]
    [InlineData("{", "damaged")]
    [InlineData("null", "damaged")]
    [InlineData("{}", "damaged")]
    [InlineData("\"range\":[0,1]", "\"range\":[0,255]", "does not know")]
    [InlineData("bilinearAntialiased", "bicubic", "does not know")]
    [InlineData("shorterSide", "none", "does not know")]
    [InlineData("\"cropHeight\":24", "\"cropHeight\":64", "does not know")]
    [InlineData("\"height\":32", "\"height\":-32", "does not know")]
    [InlineData("\"height\":32", "\"height\":1e99", "damaged")]
    public void AnotherText_IsRefused(string text, string other, string? reason = null)
    {
        var json = reason is null ? text : new ImagePreparation(32, 32, 24, 24).ToJson().Replace(text, other, StringComparison.Ordinal);
        Assert.Contains(reason ?? other, Assert.Throws<InputException>(() => ImagePreparation.Parse(json, "x")).Message);
    }

    // The script of docs/interop.md with a module in place of ONNX Runtime that keeps what it is given: the very numbers that predict computes with.
    [Theory]
    [InlineData(32, 32, 32)]
    [InlineData(40, 40, 33)]
    [InlineData(40, 40, 40, ResizeFilter.Bicubic)]
    [InlineData(20, 30, 17)]
    public void ThePythonScriptOfTheDocumentation_PreparesTheSame(int height, int width, int crop, ResizeFilter filter = ResizeFilter.Bilinear)
    {
        var preparation = (crop == height ? new ImagePreparation(height, width) : new ImagePreparation(height, width, crop, crop)) with { Filter = filter };
        File.WriteAllText(_folder["model.json"], JsonSerializer.Serialize(new { classes = """["cat"]""", preparation = preparation.ToJson() }));
        File.WriteAllText(_folder["onnxruntime.py"], """
            import json
            class InferenceSession:
                def __init__(self, path):
                    self.custom_metadata_map = json.load(open(path))
                    self.kept = open(path + ".pixels", "wb")
                def get_modelmeta(self):
                    return self
                def run(self, outputs, inputs):
                    import numpy
                    assert inputs["images"].dtype == numpy.float32 and outputs is None
                    self.kept.write(inputs["images"].tobytes())
                    self.kept.flush()
                    return [numpy.zeros((1, 1), numpy.float32)]
            """);
        string[] files = [.. Pictures.WriteEveryKind(_folder["pets"], height, width).Order(StringComparer.Ordinal)];
        var output = Python.Require("PIL, numpy", $"import sys; sys.path.insert(0, sys.argv.pop(1)); {Script()}", [_folder.Path, _folder["model.json"], .. files]);
        Assert.Equal(files.Length, output.Split('\n').Count(line => line.StartsWith("cat ", StringComparison.Ordinal)));

        var pixels = File.ReadAllBytes(_folder["model.json.pixels"]);
        var length = 3 * preparation.CropHeight * preparation.CropWidth;
        var expected = new byte[length];
        foreach (var (i, file) in files.Index())
        {
            new CentreCrop(preparation.CropHeight, preparation.CropWidth).Cut(new ImageView(ImageFile.DecodeTo(file, width, height, filter), height, width), expected);
            Assert.Equal(expected.Select(level => level / 255f), Enumerable.Range(i * length, length).Select(place => BitConverter.ToSingle(pixels, 4 * place)));
        }
    }

    public void Dispose() => _folder.Dispose();

    private static string Script()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "WeakLink.slnx")))
        {
            folder = folder.Parent!;
        }

        return File.ReadAllText(Path.Combine(folder.FullName, "docs", "interop.md")).Split("```python\n").Single(block => block.Contains("InferenceSession", StringComparison.Ordinal)).Split("```")[0];
    }
}
