using System.IO.Compression;
using System.IO.Hashing;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Perturbations;
using WeakLink.Sources;

namespace WeakLink.Fuzzing;

/// <summary>NumPy's arrays, MNIST's, and the folders of images that consist of them.</summary>
internal static class ArrayReaders
{
    private const int Images = 4;
    private const int Side = 5;
    private static readonly string[] Classes = ["cat", "dog", "owl"];
    private static readonly string[] Pictured = ["NumpyFile.Open", "NumpyImages.Open"];
    private static readonly string[] Packed = ["PackedImages.Is", "PackedImages.Open"];
    private static readonly string[] Corrupted = ["NumpyFile.Open", "CorruptionFolder.Open", "CorruptionFolder.ArrayOf"];

    public static IReadOnlyList<Reader> All { get; } =
    [
        new("npy", "x.npy", ["NumpyFile.Open"], () => [Labels(1), Array("|u1", [2, 3], 6), Array("<f4", [2, 2], 16), Array("<i2", [3], 6), Array("|i1", [], 1)], (input, value) =>
        {
            using var array = NumpyFile.Open(input.Path);
            value.Add($"{array.Type} {string.Join(',', array.Shape)}");
            foreach (var number in array.Type[1] == 'f' ? [] : array.ReadIntegers())
            {
                value.Add(number);
            }
        }),
        new("images-npy", "images.npy", Pictured, () => [Pictures(1), Pictures(2)], Read) { Beside = folder => File.WriteAllBytes(Path.Combine(folder, "labels.npy"), Labels(1)) },
        new("labels-npy", "labels.npy", Pictured, () => [Labels(1), Labels(2)], Read) { Beside = folder => File.WriteAllBytes(Path.Combine(folder, "images.npy"), Pictures(1)) },
        new("corrupted-npy", "fog.npy", Corrupted, () => [Pictures(1)], ReadCorrupted) { IsChecked = true, Beside = folder => WriteCorrupted(folder, "fog.npy") },
        new("corrupted-labels", "labels.npy", Corrupted, () => [Labels(1), Labels(2)], ReadCorrupted) { Beside = folder => WriteCorrupted(folder, "labels.npy") },
        new("corruptions-json", CorruptionManifest.FileName, ["CorruptionManifest.Read"], () => [Manifest(1), Manifest(2)], ReadCorrupted)
        {
            IsText = true,
            IsChecked = true,
            Beside = folder => WriteCorrupted(folder, CorruptionManifest.FileName),
        },
        new("idx-images", "train-images-idx3-ubyte", ["IdxFiles.Read"], () => [Idx(Images, Side, Side), Idx(Images, 2, 3)], ReadIdx) { Beside = folder => WriteIdx(folder, "train-images-idx3-ubyte") },
        new("idx-labels", "train-labels-idx1-ubyte", ["IdxFiles.Read"], () => [Idx(Images), Gzip(Idx(Images))], ReadIdx) { Beside = folder => WriteIdx(folder, "train-labels-idx1-ubyte") },
        new("packed", "x.pack", Packed, () => [Pack(1), Pack(3)], ReadPacked) { IsChecked = true },
        new("packed-resealed", "x.pack", Packed, () => [Pack(1), Pack(3)], ReadPacked) { Seal = Resealed },
        new("sequences-npy", "rotate.npy", ["NumpyFile.Open", "PerturbationFolder.Sequences"], () => [Array("|u1", [2, 3, Side, Side, 3], 2 * 3 * Side * Side * 3), Array("|u1", [1, 2, 3, 4, 3], 72)], (input, value) =>
        {
            using var folder = new PerturbationFolder(input.Folder, Classes);
            ReadSequences(folder, value);
        }),
        new("videos", "rotate/x.mp4", ["PerturbationFolder.Sequences", "VideoSequences.Decode"], () => [Frames(3, 4), Frames(2, 5)], (input, value) =>
        {
            using var folder = new PerturbationFolder(input.Folder, Classes);
            ReadSequences(folder, value);
        })
        { Beside = PretendFfmpeg, Share = 0.1 },
    ];

    private static byte[] Array(string type, long[] shape, int bytes) => [.. NumpyFile.Header(type, shape), .. Enumerable.Range(0, bytes).Select(i => (byte)i)];

    private static byte[] Pictures(int seed) => [.. NumpyFile.Header("|u1", [Images, Side, Side, 3]), .. Enumerable.Range(0, Images * Side * Side * 3).Select(i => (byte)(i * seed))];

    private static byte[] Labels(int seed) => [.. NumpyFile.Header("<i8", [Images]), .. Enumerable.Range(0, Images).SelectMany(i => BitConverter.GetBytes((long)(i * seed % Classes.Length)))];

    private static byte[] Manifest(long seed)
    {
        var manifest = new CorruptionManifest("shapes", 2, Side, Side, SeverityTable.Cifar, [1, 2], CorruptionLayout.Npy, seed, "WeakLink");
        var folder = Directory.CreateTempSubdirectory("weaklink-fuzz-").FullName;
        File.WriteAllBytes(Path.Combine(folder, "fog.npy"), Pictures(1));
        manifest = manifest with { Checksums = new() { ["fog.npy"] = manifest.ChecksumOf(folder, "fog.npy") } };
        Directory.Delete(folder, recursive: true);
        return System.Text.Encoding.UTF8.GetBytes(manifest.ToJson());
    }

    private static void Read(Input input, FoundValue value) => Add(NumpyImages.Open(input.Folder, Classes), value);

    private static void WriteCorrupted(string folder, string but)
    {
        foreach (var (name, bytes) in new[] { ("labels.npy", Labels(1)), ("fog.npy", Pictures(1)), (CorruptionManifest.FileName, Manifest(1)) })
        {
            if (name != but)
            {
                File.WriteAllBytes(Path.Combine(folder, name), bytes);
            }
        }
    }

    private static void ReadPacked(Input input, FoundValue value)
    {
        value.Add($"{PackedImages.Is(input.Path)}");
        var parts = PackedImages.Open(input.Path, name => name);
        value.Add(string.Join('|', parts.Train.Classes));
        foreach (var part in new[] { parts.Train, parts.Validation, parts.Test }.OfType<Dataset>())
        {
            Add(part, value);
            for (var i = 0; i < part.Count; i++)
            {
                value.Add($"{part.Describe(i)} {part.Identity(i)} {part.Hashes([i], new SilentObserver())[0]}");
            }
        }
    }

    private static byte[] Pack(int parts)
    {
        var folder = Directory.CreateTempSubdirectory("weaklink-fuzz-").FullName;
        var file = Path.Combine(folder, "x.pack");
        PackedImages.Write(file, "pets", ".", new PackedParts(Part(0), parts > 1 ? Part(1) : null, parts > 2 ? Part(2) : null, null), new SilentObserver());
        var bytes = File.ReadAllBytes(file);
        Directory.Delete(folder, recursive: true);
        return bytes;

        static MemoryDataset Part(int seed) => new("pets", Classes, 2, 3, [.. Enumerable.Range(0, Images).Select(i => Enumerable.Repeat((byte)(i + (9 * seed)), 18).ToArray())], [.. Enumerable.Range(0, Images).Select(i => i % Classes.Length)]);
    }

    // Where the tables still lie in the file.
    private static byte[] Resealed(byte[] file)
    {
        const int ChecksumAt = 48;
        if (file.Length >= 4096 && BitConverter.ToInt64(file, 32) is > 0 and var at && at <= file.Length)
        {
            var hash = new XxHash128();
            hash.Append(file.AsSpan(0, ChecksumAt));
            hash.Append(file.AsSpan((int)at));
            hash.GetCurrentHash().CopyTo(file, ChecksumAt);
        }

        return file;
    }

    private static byte[] Idx(params int[] shape) =>
        [0, 0, 8, (byte)shape.Length, .. shape.SelectMany(side => (byte[])[0, 0, 0, (byte)side]), .. Enumerable.Range(0, shape.Aggregate(1, (product, side) => product * side)).Select(i => (byte)i)];

    private static byte[] Gzip(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var stream = new GZipStream(compressed, CompressionLevel.Fastest))
        {
            stream.Write(bytes);
        }

        return compressed.ToArray();
    }

    private static void WriteIdx(string folder, string but)
    {
        foreach (var (name, bytes) in new[] { ("train-images-idx3-ubyte", Idx(Images, Side, Side)), ("train-labels-idx1-ubyte", Idx(Images)), ("t10k-images-idx3-ubyte", Idx(1, Side, Side)), ("t10k-labels-idx1-ubyte", Idx(1)) })
        {
            if (name != but)
            {
                File.WriteAllBytes(Path.Combine(folder, name), bytes);
            }
        }
    }

    private static void ReadIdx(Input input, FoundValue value)
    {
        var (train, test) = IdxFiles.Open(input.Folder);
        value.Add(string.Join('|', train.Classes));
        Add(train, value);
        Add(test, value);
    }

    private static void ReadCorrupted(Input input, FoundValue value)
    {
        using var folder = CorruptionFolder.Open(input.Folder, Classes, new DataRecipe());
        foreach (var severity in folder.Severities)
        {
            value.Add(severity);
            Add(folder.Images(CommonCorruptions.Named("fog")[0], severity, new SilentObserver()), value);
        }
    }

    private static void ReadSequences(PerturbationFolder folder, FoundValue value)
    {
        var (sequences, frames) = folder.Sequences(CommonPerturbations.Named("rotate")[0]);
        value.Add(frames);
        Add(sequences, value);
    }

    private static void Add(Dataset images, FoundValue value)
    {
        using var _ = images as IDisposable;
        value.Add($"{images.Count} {images.Height} {images.Width}");
        var planes = new byte[images.BytesPerImage];
        for (var i = 0; i < images.Count; i++)
        {
            images.Read(i, planes);
            value.Add(images.Label(i));
            value.Add(planes);
        }
    }

    // What ffmpeg sends; the video itself is ffmpeg's to read.
    private static byte[] Frames(int count, int side) =>
        [.. Enumerable.Range(0, count).SelectMany(frame => (byte[])[.. System.Text.Encoding.ASCII.GetBytes($"P6\n{side} {side}\n255\n"), .. Enumerable.Repeat((byte)frame, 3 * side * side)])];

    private static void PretendFfmpeg(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "rotate"));
        var program = Path.Combine(Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(folder)!, "programs")).FullName, "ffmpeg");
        File.WriteAllText(program, "#!/bin/sh\nexec cat \"$7\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        Environment.SetEnvironmentVariable("PATH", Path.GetDirectoryName(program) + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH"));
    }
}
