using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Interop;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Fuzzing;

/// <summary>Checkpoints: WeakLink's own, what it exports, and those of other programs.</summary>
internal static class NetworkReaders
{
    private const string Network = "resnet8";
    private const double Multiplier = 0.125;
    private const string TensorLine = "tensor ";
    private const long MostNumbers = 1 << 16;

    // Lines of the text that stands for a checkpoint have these in place of their line feeds.
    private const char InnerLine = '\u0001';

    private static readonly double[] Mean = [0.5, 0.4, 0.3];
    private static readonly double[] Deviation = [0.25, 0.2, 0.3];
    private static readonly string[] Classes = ["cat", "dog", "naïve"];
    private static readonly Lazy<ClassifierNetwork> Target = new(() => Create(0));
    private static readonly Lazy<PolicySearch> Search = new(() => new PolicySearch(Target.Value.Space, new EwsRecipe(), 0));

    private static readonly string[] OwnFile = ["SafeTensors.Read", "SafeTensors.Header", "Checkpoint.Load"];
    private static readonly string[] ExportedFile = ["SafeTensors.Read", "SafeTensors.Header", "PyTorchFile.IsOne", "OnnxGraph.IsOne", "ImportedWeights.Read", "ImportedWeights.List", "ImagePreparation.Parse"];
    private static readonly string[] PyTorchZip = ["PyTorchFile.IsOne", "PyTorchFile.Read", "PyTorchFile.Tensors", "PyTorchArchive.Read", "ImportedWeights.Read"];

    // A part of what the others are given: each that is read whole is traced.
    private static readonly Reader Onnx = new(
        "onnx", "x.onnx", ["OnnxGraph.IsOne", "OnnxGraph.Read", "ImportedWeights.Read"], () => [Modelled(1), Modelled(2)], (input, value) => Import(input.Path, value))
    { Share = 0.2 };

    private static readonly Reader Timm = new(
        "timm", "config.json", ["TimmConfig.Beside"], () => [Configured(0.5), Configured(0.25)], (input, value) =>
        {
            var found = TimmConfig.Beside(Path.Combine(input.Folder, "x.safetensors"));
            value.Add(JsonSerializer.Serialize(new { found?.Mean, found?.StandardDeviation }, Json.Line));
        })
    { IsText = true };

    public static IReadOnlyList<Reader> All { get; } =
    [
        new("checkpoint", "x.safetensors", OwnFile, () => [Saved(1), Saved(2)], (input, value) => Load(input.Path, value)) { IsChecked = true },
        new("checkpoint-resealed", "x.safetensors", OwnFile, () => [Described(Saved(1)), Described(Saved(2))], (input, value) =>
        {
            Write(input);
            Load(input.Path, value);
        })
        { IsText = true },
        new("resumed-resealed", "x.safetensors", OwnFile, () => [Described(Resumable(1)), Described(Resumable(2))], (input, value) =>
        {
            Write(input);
            Resume(input.Path, value);
        })
        { IsText = true },
        new("run-images", RunImages.FileName, ["RunImages.Read", "SafeTensors.Read"], () => [Images(1), Images(2)], (input, value) =>
        {
            var images = RunImages.Of(input.Folder, RunRecipe(input.Folder))!;
            value.Add(string.Join(' ', images.Fingerprint(), images.Train.Hashes.Count, images.Validation.Hashes.Count, images.Test.Hashes.Count, string.Join('|', images.Train.Classes)));
        })
        { IsChecked = true, Beside = WriteRunRecipe },
        new("export", "x.safetensors", ExportedFile, () => [Exported(1), Exported(2)], (input, value) => Import(input.Path, value)) { IsChecked = true },
        new("export-resealed", "x.safetensors", ExportedFile, () => [Described(Exported(1)), Described(Exported(2))], (input, value) =>
        {
            Write(input);
            Import(input.Path, value);
        })
        { IsText = true },
        new("safetensors", "x.safetensors", ["SafeTensors.Read", "SafeTensors.Header"], () => [Foreign(1), Foreign(2)], (input, value) => Read(input.Path, value)),
        new("safetensors-header", "x.safetensors", ["SafeTensors.Read", "SafeTensors.Header"], () => [Foreign(1), Foreign(2)], (input, value) => Read(input.Path, value))
        {
            IsText = true,
            Seal = RightLength,
        },
        new("pytorch", "x.pt", PyTorchZip, () => [Some(1).Archive(), Whole(2).Archive()], (input, value) => Import(input.Path, value)),
        new("pytorch-resealed", "x.pt", PyTorchZip, () => [Whole(1).Finished, Whole(2).Finished], (input, value) =>
        {
            File.WriteAllBytes(input.Path, Zip(input.Bytes));
            Import(input.Path, value);
        }),
        new("pytorch-older", "x.pth", ["PyTorchFile.IsOne", "PyTorchFile.Read", "PyTorchFile.Tensors", "PyTorchSequence.Read", "ImportedWeights.Read"], () => [Some(1).Sequence(), Whole(2).Sequence()], (input, value) => Import(input.Path, value)),
        Onnx,
        Timm,
    ];

    private static byte[] Configured(double mean) => Encoding.UTF8.GetBytes(FormattableString.Invariant($$$"""{"architecture":"resnet18","pretrained_cfg":{"mean":[{{{mean}}},0.456,0.406],"std":[0.229,0.224,0.225],"crop_pct":0.95}}"""));

    // Without what it says about itself, which a checksum vouches for.
    private static byte[] Modelled(long seed) => Written(path =>
    {
        using var network = Create(seed);
        network.eval();
        new NetworkExport(network, Classes, new ImagePreparation(32, 32)).WriteOnnx(path);
        var text = Encoding.Latin1.GetString(File.ReadAllBytes(path));
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(text.Replace("classes", "clxsses", StringComparison.Ordinal).Replace("weaklink.sha256", "somebody.sha256", StringComparison.Ordinal)));
    });

    private static ClassifierNetwork Create(long seed)
    {
        NativeLibraries.Load();
        return NetworkCatalogue.Create(Network, Classes.Length, Mean, Deviation, seed, Multiplier);
    }

    private static Recipe Recipe(long seed) => new()
    {
        Seed = seed,
        Model = new ModelRecipe { Name = Network, WidthMultiplier = Multiplier, Mean = Mean, StandardDeviation = Deviation },
    };

    private static byte[] Saved(long seed) => Written(path =>
    {
        using var network = Create(seed);
        Checkpoint.Save(path, network, null, null, Recipe(seed), Classes, new ImageSize(32, 32 + (int)seed), new RunPosition { Epoch = (int)seed });
    });

    private static byte[] Resumable(long seed) => Written(path =>
    {
        using var network = Create(seed);
        using var optimizer = Descent(network);
        using var search = new PolicySearch(network.Space, new EwsRecipe(), seed);
        network.call(torch.zeros(2, 3, 32, 32)).sum().backward();
        optimizer.step();
        Checkpoint.Save(path, network, optimizer, search, Recipe(seed), Classes, new ImageSize(32, 32), new RunPosition { Epoch = 1, StepInEpoch = (int)seed });
    });

    // Images 1 and 2 have one fingerprint each; the recipe beside them names none, as that of an older run does, so that only the file itself can say that it was changed.
    private static byte[] Images(int seed)
    {
        var folder = Directory.CreateTempSubdirectory("weaklink-fuzz-").FullName;
        var known = KnownImages.Of(new MemoryDataset("grey", ["cat", "dog"], 2, 2, [[.. Enumerable.Repeat((byte)seed, 12)], [.. Enumerable.Repeat((byte)(seed + 2), 12)]], [0, 1]), new SilentObserver());
        RunImages.Keep(folder, new KnownSplits(known, known, known, null));
        var bytes = File.ReadAllBytes(Path.Combine(folder, RunImages.FileName));
        Directory.Delete(folder, recursive: true);
        return bytes;
    }

    private static void WriteRunRecipe(string folder) => File.WriteAllText(Path.Combine(folder, "recipe.yaml"), RecipeFile.ToYaml(Recipe(0)));

    private static Recipe RunRecipe(string folder) => RecipeFile.Load(Path.Combine(folder, "recipe.yaml"), []);

    private static byte[] Exported(long seed) => Written(path =>
    {
        using var network = Create(seed);
        network.eval();
        new NetworkExport(network, Classes, new ImagePreparation(32, 32)).WriteSafeTensors(path);
    });

    private static MomentumSgd Descent(ClassifierNetwork network) => new(network.parameters(), 0.1, 0.9, 1e-4, nesterov: true);

    // As another program writes it: no checksum, and zeros behind the header so that its end is the last brace.
    private static byte[] Foreign(int rows)
    {
        NativeLibraries.Load();
        var header = Encoding.UTF8.GetBytes($$$"""{"__metadata__":{"by":"hand"},"b":{"dtype":"F32","shape":[{{{rows}}},2],"data_offsets":[8,{{{8 + (8 * rows)}}}]},"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"empty":{"dtype":"BOOL","shape":[0,3],"data_offsets":[8,8]}}""");
        return RightLength([.. new byte[8], .. header, .. new byte[8 + (8 * rows)]]);
    }

    private static byte[] RightLength(byte[] file)
    {
        if (file.Length >= 8 && Array.LastIndexOf(file, (byte)'}') is >= 8 and var end)
        {
            BinaryPrimitives.WriteInt64LittleEndian(file, end + 1 - 8);
        }

        return file;
    }

    private static PickleWriter Some(long seed)
    {
        NativeLibraries.Load();
        using var scope = torch.NewDisposeScope();
        var writer = new PickleWriter();
        return writer.Dictionary(
            () =>
            {
                writer.Text("epoch").Number(200).Text("best").Raw((byte)'G', 0x3f, 0xe0, 0, 0, 0, 0, 0, 0).Text("done").Raw(0x88).Text("note").Raw((byte)'N');
                writer.Text("lrs").Raw((byte)']').Mark().Number(1).Number(-70000).Number(1L << 40).Raw((byte)'e');
                writer.Text("state_dict").State(new Dictionary<string, torch.Tensor> { ["fc.weight"] = torch.full([3, 2], seed), ["fc.bias"] = torch.full([3], seed + 0.5), ["empty"] = torch.zeros(0, 2) });
            },
            ordered: false);
    }

    private static PickleWriter Whole(long seed)
    {
        using var network = Create(seed);
        return new PickleWriter().State(network.state_dict().Where(pair => pair.Key is not ("mean" or "standard_deviation")).Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));
    }

    // Around whatever the pickle has become: numbers enough for every storage that it had.
    private static byte[] Zip(byte[] pickle)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("data.pkl", pickle);
            foreach (var (key, bytes) in Storages.Value.Index())
            {
                Add(FormattableString.Invariant($"data/{key}"), bytes);
            }

            void Add(string name, byte[] bytes)
            {
                using var entry = archive.CreateEntry("archive/" + name, CompressionLevel.NoCompression).Open();
                entry.Write(bytes);
            }
        }

        return stream.ToArray();
    }

    private static readonly Lazy<IReadOnlyList<byte[]>> Storages = new(() =>
    {
        using var network = Create(2);
        return [.. network.state_dict().Where(pair => pair.Key is not ("mean" or "standard_deviation")).Select(pair => pair.Value.bytes.ToArray())];
    });

    private static byte[] Written(Action<string> write)
    {
        var path = Path.GetTempFileName();
        write(path);
        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return bytes;
    }

    /// <summary>A safetensors file as text, whose damage leaves a file with the right checksum: a line for each entry of the metadata and each tensor.</summary>
    private static byte[] Described(byte[] file)
    {
        using var scope = torch.NewDisposeScope();
        var text = new StringBuilder();
        Written(path =>
        {
            File.WriteAllBytes(path, file);
            var (tensors, metadata) = SafeTensors.Read(path);
            foreach (var (key, value) in metadata)
            {
                text.Append(key).Append('=').Append(value.Replace('\n', InnerLine)).Append('\n');
            }

            foreach (var (name, tensor) in tensors)
            {
                text.Append(TensorLine).Append(name).Append(' ').Append(tensor.dtype).Append(' ').AppendJoin('x', tensor.shape).Append('\n');
            }
        });
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(Input input)
    {
        using var scope = torch.NewDisposeScope();
        var (tensors, metadata) = (new Dictionary<string, torch.Tensor>(), new Dictionary<string, string>());
        foreach (var line in Encoding.UTF8.GetString(input.Bytes).Split('\n'))
        {
            if (line.StartsWith(TensorLine, StringComparison.Ordinal))
            {
                var parts = line.Split(' ');
                var shape = parts[^1].Split('x', StringSplitOptions.RemoveEmptyEntries).Select(side => uint.TryParse(side, out var length) ? length : 0L).ToArray();
                var type = Enum.TryParse<torch.ScalarType>(parts[^2], out var known) && Enum.IsDefined(known) && known <= torch.ScalarType.Float64 ? known : torch.ScalarType.Float32;
                if (parts.Length > 3 && shape.Length <= 8 && shape.Aggregate(1.0, (product, side) => product * Math.Max(side, 1)) <= MostNumbers)
                {
                    tensors[string.Join(' ', parts[1..^2])] = torch.ones(shape, type);
                }
            }
            else if (line.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals)
            {
                metadata[line[..equals]] = line[(equals + 1)..].Replace(InnerLine, '\n');
            }
        }

        File.Delete(input.Path);
        SafeTensors.Write(input.Path, tensors, metadata);
    }

    private static void Read(string path, FoundValue value)
    {
        var (tensors, metadata) = SafeTensors.Read(path);
        value.Add(tensors);
        value.Add(metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => new[] { pair.Key, pair.Value }));
        foreach (var tensor in tensors.Values)
        {
            tensor.Dispose();
        }
    }

    private static void Load(string path, FoundValue value)
    {
        using var model = TrainedModel.Load(path, torch.CPU);
        value.Add(RecipeFile.ToYaml(model.Recipe));
        value.Add(model.Classes);
        value.Add($"{model.Size} {model.Position}");
        Add(model.Network, value);
    }

    private static void Resume(string path, FoundValue value)
    {
        using var checkpoint = Checkpoint.Load(path);
        using var network = checkpoint.Recipe.CreateNetworkFor(checkpoint.Classes.Count, checkpoint.Numbers, path);
        using var optimizer = Descent(network);
        checkpoint.Restore(network, optimizer, Search.Value);
        Add(network, value);
        value.Add(Search.Value.State());
        value.Add($"{checkpoint.Size} {checkpoint.Position}");
    }

    private static void Import(string path, FoundValue value)
    {
        using var weights = ImportedWeights.Read(path);
        value.Add($"{weights.Model} {weights.Classes} {weights.Height} {weights.Width} {weights.IsSubnet} {weights.Numbers}");
        value.Add(JsonSerializer.Serialize(new { weights.ClassNames, weights.Mean, weights.StandardDeviation }, Json.Line));
        // Of two shapes alone, which say nothing of a whole network.
        if (weights.Numbers > 20)
        {
            weights.CopyTo(Target.Value);
            Add(Target.Value, value);
        }
    }

    private static void Add(ClassifierNetwork network, FoundValue value)
    {
        using var scope = torch.NewDisposeScope();
        value.Add(network.state_dict().Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));
    }
}
