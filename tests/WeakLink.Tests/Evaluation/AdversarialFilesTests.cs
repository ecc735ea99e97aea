using System.Runtime.InteropServices;
using System.Text.Json;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Evaluation;
using WeakLink.Files;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Evaluation;

public class AdversarialFilesTests
{
    private static readonly ThreatModel Threat = new(Norm.Linf, 8.0 / 255);
    private static readonly string[] Classes = ["猫", "../dog", ".hidden"];

    [Fact]
    public void Arrays_HoldTheExamples_InTheOrderOfTheImages()
    {
        using var scope = torch.NewDisposeScope();
        using var folder = new TemporaryFolder();
        var examples = Examples();
        using (var files = new AdversarialFiles(folder.Path, arrays: true, Threat, Classes))
        {
            Add(files, examples);
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
            files.Finish("best.safetensors", "pets", "autoattack", 3, new RobustSummary(Threat.Epsilon, 10, 0.8, 0.6, 3, [], new Dictionary<string, ClassSummary>(), []));
        }

        Assert.Equal(new long[] { 2, 3, 4, 5 }, NumpyFile.Open(folder["adversarial.npy"]).Shape);
        Assert.Equal(examples[1].Adversarial.flatten().data<float>().Concat(examples[0].Adversarial.flatten().data<float>()), Read<float>("adversarial.npy"));
        Assert.Equal(examples[1].Image.flatten().data<float>().Concat(examples[0].Image.flatten().data<float>()), Read<float>("clean.npy"));
        Assert.Equal([4L, 7L], Read<long>("indices.npy"));
        Assert.Equal([1L, 0L], Read<long>("labels.npy"));
        Assert.Equal([0L, 2L], Read<long>("predictions.npy"));
        var amplified = Read<byte>("amplified.npy");
        Assert.Equal(2 * 4 * 5 * 3, amplified.Length);
        // ε up is the brightest, ε down the darkest, and no change grey.
        Assert.Equal([255, 128, 0], amplified[..3].Select(value => (int)value));

        var description = Description(folder);
        Assert.True(description.GetProperty("complete").GetBoolean());
        Assert.Equal((10, 0.8, 0.6), (description.GetProperty("images").GetInt32(), description.GetProperty("clean").GetDouble(), description.GetProperty("accuracy").GetDouble()));
        Assert.Equal([4, 7], description.GetProperty("examples").EnumerateArray().Select(example => example.GetProperty("index").GetInt32()));

        T[] Read<T>(string name)
            where T : struct => MemoryMarshal.Cast<byte, T>(Bytes(folder[name])).ToArray();
    }

    [Fact]
    public void Pictures_LieInTheFolderOfTheirClass_AndAStoppedAttackSaysSo()
    {
        using var scope = torch.NewDisposeScope();
        using var folder = new TemporaryFolder();
        using (var files = new AdversarialFiles(folder.Path, arrays: false, Threat, Classes))
        {
            Add(files, Examples());
            files.Finish("best.safetensors", "pets", "pgd", 0, metrics: null);
        }

        Assert.Equal(["%2E.%2Fdog", "猫"], Directory.EnumerateDirectories(folder["images"]).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
        var description = Description(folder);
        Assert.False(description.GetProperty("complete").GetBoolean());
        foreach (var example in description.GetProperty("examples").EnumerateArray())
        {
            Assert.True(File.Exists(folder[example.GetProperty("file").GetString()!]));
        }

        Assert.Equal("../dog", description.GetProperty("examples")[0].GetProperty("label").GetString());
    }

    private static AdversarialExample[] Examples()
    {
        var image = torch.full([3, 4, 5], 0.5f);
        var other = torch.full([3, 4, 5], 0.25f);
        var moved = other.clone();
        moved[0] += 8f / 255;
        moved[2] -= 8f / 255;
        return [new AdversarialExample(7, image, image + 0.01f, 2, "fab-t"), new AdversarialExample(4, other, moved, 0, "apgd-ce")];
    }

    private static void Add(AdversarialFiles files, AdversarialExample[] examples)
    {
        files.Add(examples[0], 0, "cat.png");
        files.Add(examples[1], 1, "dog.png");
    }

    private static JsonElement Description(TemporaryFolder folder) => JsonDocument.Parse(File.ReadAllText(folder["attack.json"])).RootElement;

    // After the header: ten bytes, of which the last two are its length.
    private static ReadOnlySpan<byte> Bytes(string path)
    {
        var file = File.ReadAllBytes(path);
        return file.AsSpan(10 + BitConverter.ToUInt16(file, 8));
    }
}
