using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using WeakLink.Files;
using WeakLink.Sources;

using TarEntry = System.Formats.Tar.TarEntry;

namespace WeakLink.Fuzzing;

/// <summary>Archives of folders, CIFAR's files, and what was downloaded.</summary>
internal static class ArchiveReaders
{
    private const int TarBlock = 512;
    private static readonly string[] Cifars = ["TarEntries..ctor", "CifarFiles.IsCifarArchive", "CifarFiles.ReadArchive"];
    private static readonly string[] Extracted = ["TarEntries..ctor", "SafeArchive.ExtractTar", "SafeArchive.CopyLinks"];

    public static IReadOnlyList<Reader> All { get; } =
    [
        new("tar", "x.tar", Extracted, Tars, Extract),
        new("tar-resealed", "x.tar", Extracted, Tars, Extract) { Seal = RightHeaders },
        new("tar-gz", "x.tar.gz", Extracted, () => [.. Tars().Select(GZip)], Extract),
        new("zip", "x.zip", ["SafeArchive.ExtractZip"], () => [Zip("cat/a.png", "dog/b.png"), Zip("images/cat/a.txt", "images/dog/")], Extract),
        new("npz", "x.npz", ["SafeArchive.ExtractZip"], () => [Zip("image.npy", "label.npy")], Extract),
        new("cifar-archive", "x.tar.gz", Cifars, () => [GZip(Cifar(1)), GZip(Cifar(2))], ReadCifar),
        new("cifar-archive-resealed", "x.tar", Cifars, () => [Cifar(1), Cifar(2)], ReadCifar) { Seal = RightHeaders },
        new("cifar-batch", "test_batch.bin", ["CifarFiles.ReadFile"], () => [Batch(1), Batch(2)], (input, value) => ReadCifar(input.Folder, value)) { Beside = folder => WriteCifar(folder, "test_batch.bin") },
        new("cifar-names", "batches.meta.txt", ["CifarFiles.ReadFile"], () => [Names("cat", 10), Names("dog", 12)], (input, value) => ReadCifar(input.Folder, value))
        {
            IsText = true,
            Beside = folder => WriteCifar(folder, "batches.meta.txt"),
        },
        new("download", "x.bin", ["Download.IsThereAsync"], () => [Batch(1)], (input, value) => value.Add(
            Download.IsThereAsync(input.Path, Batch(1).Length, Convert.ToHexStringLower(SHA256.HashData(Batch(1))), CancellationToken.None).GetAwaiter().GetResult() ? 1 : 0)) { IsChecked = true },
    ];

    private static IReadOnlyList<byte[]> Tars() =>
    [
        Pack(TarEntryFormat.Pax, ("images/cat/a.png", "cat"), ("images/dog/b.png", "dog"), ("images/" + new string('n', 120) + "/c.png", "long")),
        Pack(TarEntryFormat.Gnu, ("cat/a.png", "cat"), ("cat/" + new string('n', 120), "long"), ("dog/b.png", "dog")),
        Pack(TarEntryFormat.Ustar, ("cat/a.png", "cat"), ("dog/b.png", "dog")),
        Pack(TarEntryFormat.V7, ("cat/a.png", new string('x', 2000)), ("dog/b.png", "")),
    ];

    private static byte[] Pack(TarEntryFormat format, params (string Name, string Text)[] files) => Pack(format, files.Select(file => (file.Name, Encoding.UTF8.GetBytes(file.Text))), links: true);

    private static byte[] Pack(TarEntryFormat format, IEnumerable<(string Name, byte[] Bytes)> files, bool links)
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, format, leaveOpen: true))
        {
            string? first = null;
            foreach (var (name, bytes) in files)
            {
                first ??= name;
                writer.WriteEntry(Entry(format, format == TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile, name, entry => entry.DataStream = new MemoryStream(bytes)));
            }

            if (links)
            {
                writer.WriteEntry(Entry(format, TarEntryType.SymbolicLink, "cat/link.png", entry => entry.LinkName = "../" + first));
                writer.WriteEntry(Entry(format, TarEntryType.HardLink, "cat/hard.png", entry => entry.LinkName = first!));
            }
        }

        return stream.ToArray();
    }

    private static TarEntry Entry(TarEntryFormat format, TarEntryType type, string name, Action<TarEntry> fill)
    {
        TarEntry entry = format switch
        {
            TarEntryFormat.Pax => new PaxTarEntry(type, name),
            TarEntryFormat.Gnu => new GnuTarEntry(type, name),
            TarEntryFormat.Ustar => new UstarTarEntry(type, name),
            _ => new V7TarEntry(type, name),
        };
        entry.ModificationTime = DateTimeOffset.UnixEpoch;
        fill(entry);
        return entry;
    }

    // Every block that looks like a header gets its checksum.
    private static byte[] RightHeaders(byte[] file)
    {
        for (var start = 0; start + TarBlock <= file.Length; start += TarBlock)
        {
            var header = file.AsSpan(start, TarBlock);
            if (header[148..154].ContainsAnyExceptInRange((byte)'0', (byte)'7'))
            {
                continue;
            }

            header[148..156].Fill((byte)' ');
            var sum = 0;
            foreach (var one in header)
            {
                sum += one;
            }

            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ", header[148..156]);
        }

        return file;
    }

    private static byte[] GZip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var zipped = new GZipStream(stream, CompressionLevel.Fastest))
        {
            zipped.Write(bytes);
        }

        return stream.ToArray();
    }

    private static byte[] Zip(params string[] names)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create))
        {
            foreach (var (i, name) in names.Index())
            {
                var entry = archive.CreateEntry(name, i == 0 ? CompressionLevel.Optimal : CompressionLevel.NoCompression);
                entry.LastWriteTime = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
                if (!name.EndsWith('/'))
                {
                    using var content = entry.Open();
                    content.Write(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(name, 20))));
                }
            }
        }

        return stream.ToArray();
    }

    private static void Extract(Input input, FoundValue value)
    {
        var cache = Path.Combine(input.Folder, "cache");
        try
        {
            var folder = ArchiveFiles.ExtractedFolder(input.Path, cache);
            foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                value.Add(Path.GetRelativePath(folder, path));
                value.Add(File.ReadAllBytes(path));
            }
        }
        finally
        {
            if (Directory.Exists(cache))
            {
                Directory.Delete(cache, recursive: true);
            }
        }
    }

    private static byte[] Batch(int seed) => [.. Enumerable.Range(0, 2).SelectMany(i => (byte[])[(byte)(i * seed), .. Enumerable.Repeat((byte)(10 * seed), 3072)])];

    private static byte[] Names(string name, int count) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, count).Select(i => name + i.ToString(CultureInfo.InvariantCulture) + "\n")));

    private static IEnumerable<(string Name, byte[] Bytes)> CifarContent(int seed) =>
        [.. Enumerable.Range(1, 5).Select(i => (FormattableString.Invariant($"data_batch_{i}.bin"), Batch(seed))), ("test_batch.bin", Batch(seed + 1)), ("batches.meta.txt", Names("class", 10))];

    private static byte[] Cifar(int seed) => Pack(TarEntryFormat.Gnu, CifarContent(seed).Select(file => ("cifar-10-batches-bin/" + file.Name, file.Bytes)), links: false);

    private static void WriteCifar(string folder, string but)
    {
        foreach (var (name, bytes) in CifarContent(1).Where(file => file.Name != but))
        {
            File.WriteAllBytes(Path.Combine(folder, name), bytes);
        }
    }

    private static void ReadCifar(Input input, FoundValue value)
    {
        if (CifarFiles.IsCifar(input.Path))
        {
            ReadCifar(input.Path, value);
        }
    }

    private static void ReadCifar(string path, FoundValue value)
    {
        var (train, test) = CifarFiles.Open(path, Path.GetTempPath());
        foreach (var images in new[] { train, test })
        {
            value.Add(images.Classes);
            value.Add(images.Count);
            var planes = new byte[images.BytesPerImage];
            for (var i = 0; i < images.Count; i++)
            {
                images.Read(i, planes);
                value.Add(images.Label(i));
                value.Add(planes);
            }
        }
    }
}
