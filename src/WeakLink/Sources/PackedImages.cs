using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using WeakLink.Data;
using WeakLink.Imaging;

namespace WeakLink.Sources;

/// <summary>The parts of a data set that are told apart.</summary>
/// <param name="Train">Training images, or all.</param>
/// <param name="Validation">Validation images; null: none are told apart.</param>
/// <param name="Test">Test images; null: none are told apart.</param>
/// <param name="Filter">How they were scaled to their size; null: they were not.</param>
internal sealed record PackedParts(Dataset Train, Dataset? Validation, Dataset? Test, ResizeFilter? Filter);

/// <summary>
/// Decoded images of one size in one file, which are read where they lie, without decoding and without being loaded: what is in use stays in the system's file cache. (The file is read and not
/// mapped, at the same speed: of a file on a failing disk, or that somebody shortens, a mapping ends the process without a word.) Classes, file names, splits, what images are known by and what
/// their random draws follow from are those of the folder, so that a training on the file is the training on the folder in that size.
/// </summary>
/// <remarks>
/// All numbers are little-endian. A header of 4096 bytes: <c>WeakLink images\n</c>; version (1), height, width and number of images, 32 bits each; where the tables begin and their length, 64 bits
/// each; the XXH128 of what of the header is before it and of the tables; zeros. Then the images, each as red, green and blue planes of height × width bytes. Then the tables: length (32 bits) and
/// text of a JSON object (<c>name</c>, <c>classes</c>, <c>train</c>, <c>validation</c> and <c>test</c>: images of each part, in this order; <c>filter</c>: how they were scaled); for each image its class (32 bits), identity (64 bits),
/// hash (128 bits: <see cref="Dataset.Hashes"/>) and the XXH3 of its bytes here (64 bits), number by number; then the files' names in UTF-8, each with a zero byte behind it.
/// </remarks>
internal sealed class PackedImages : Dataset
{
    private const int HeaderBytes = 4096, ChecksumAt = 48, ChecksumBytes = 16;
    private const int Version = 1;
    private const int MostPixels = 4096;
    private const int BytesPerRow = sizeof(int) + sizeof(long) + ChecksumBytes + sizeof(ulong);
    private const int BytesAtATime = 1 << 25;

    private static readonly JsonSerializerOptions Named = new(Json.Named) { WriteIndented = false };
    private static readonly byte[] Magic = "WeakLink images\n"u8.ToArray();

    private readonly FileStream _file;
    private readonly byte[] _tables;
    private readonly int _rows;
    private readonly int[] _names;

    private PackedImages(FileStream file, int height, int width, byte[] tables, int rows, int[] names, string name, IReadOnlyList<string> classes)
    {
        (_file, Height, Width, _tables, _rows, _names, Name, Classes) = (file, height, width, tables, rows, names, name, classes);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes { get; }

    /// <inheritdoc/>
    public override int Count => _names.Length - 1;

    /// <inheritdoc/>
    public override int Height { get; }

    /// <inheritdoc/>
    public override int Width { get; }

    /// <inheritdoc/>
    public override int Label(int index) => BinaryPrimitives.ReadInt32LittleEndian(_tables.AsSpan(_rows + (sizeof(int) * index)));

    /// <summary>That of the image in its folder.</summary>
    /// <inheritdoc/>
    public override long Identity(int index) => BinaryPrimitives.ReadInt64LittleEndian(_tables.AsSpan(_rows + (sizeof(int) * Count) + (sizeof(long) * index)));

    /// <inheritdoc/>
    public override IReadOnlyList<UInt128> Hashes(IReadOnlyList<int> which, IRunObserver observer, CancellationToken stop = default) =>
        [.. which.Select(index => BinaryPrimitives.ReadUInt128LittleEndian(_tables.AsSpan(_rows + ((sizeof(int) + sizeof(long)) * Count) + (ChecksumBytes * index))))];

    /// <inheritdoc/>
    public override string Describe(int index) => $"'{Encoding.UTF8.GetString(_tables.AsSpan(_names[index], _names[index + 1] - _names[index] - 1))}' in {_file.Name}";

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes)
    {
        planes = planes[..BytesPerImage];
        try
        {
            ReadExactly(_file, planes, HeaderBytes + ((long)index * BytesPerImage));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The image {Describe(index)} can't be read ({error.Message.TrimEnd('.')}): check the disk, or pack the images again.", error);
        }

        if (XxHash3.HashToUInt64(planes) != BinaryPrimitives.ReadUInt64LittleEndian(_tables.AsSpan(_rows + ((BytesPerRow - sizeof(ulong)) * Count) + (sizeof(ulong) * index))))
        {
            throw new InputException($"The image {Describe(index)} is damaged (its checksum does not match): pack the images again.");
        }
    }

    /// <summary>Whether a path is a file of packed images, by its first bytes.</summary>
    public static bool Is(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using var file = InputFile.Open(path, 1);
            var start = new byte[Magic.Length];
            return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.AsSpan().SequenceEqual(Magic);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="called">What to call a class of the file.</param>
    /// <exception cref="InputException">It can't be read, is damaged, or of a newer version.</exception>
    public static PackedParts Open(string path, Func<string, string> called)
    {
        FileStream? file = null;
        try
        {
            file = InputFile.Open(path, 1);
            return Open(file, called);
        }
        catch (Exception error)
        {
            file?.Dispose();
            throw error switch
            {
                EndOfStreamException => Damaged(path, "it ends too early"),
                JsonException => Damaged(path, Json.Problem(error)),
                IOException or UnauthorizedAccessException => new InputException($"The packed images '{path}' can't be read ({error.Message.TrimEnd('.')}): check the path and its permissions.", error),
                _ => error,
            };
        }
    }

    private static PackedParts Open(FileStream file, Func<string, string> called)
    {
        var header = new byte[HeaderBytes];
        ReadExactly(file, header, 0);
        int Number(int place) => BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(Magic.Length + (sizeof(int) * place)));
        var (version, height, width, count) = (Number(0), Number(1), Number(2), Number(3));
        var (tablesAt, tablesLength) = (BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(32)), BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(40)));
        if (!header.AsSpan().StartsWith(Magic) || version < Version || height is < 1 or > MostPixels || width is < 1 or > MostPixels || count < 1)
        {
            throw Damaged(file.Name, "its header is not one");
        }

        if (version > Version)
        {
            throw new InputException($"The packed images '{file.Name}' were written by a newer WeakLink (format {version}): update this one, or pack the images again.");
        }

        // At most 2^31 images of 3 x 2^24 bytes: no product is too large for 64 bits. Memory follows what the file really holds.
        if (tablesAt != HeaderBytes + ((long)count * Channels * height * width) || tablesLength < sizeof(int) + ((long)count * (BytesPerRow + 1)) || tablesLength > Array.MaxLength || tablesAt > file.Length - tablesLength)
        {
            throw Damaged(file.Name, $"{count:n0} images of {width}x{height} pixels and their tables are not {file.Length:n0} bytes");
        }

        if (tablesAt + tablesLength != file.Length)
        {
            throw Damaged(file.Name, "it is longer than its header says");
        }

        var tables = new byte[tablesLength];
        ReadExactly(file, tables, tablesAt);
        if (!Checksum(header, tables).AsSpan().SequenceEqual(header.AsSpan(ChecksumAt, ChecksumBytes)))
        {
            throw Damaged(file.Name, "its checksum does not match");
        }

        var textLength = BinaryPrimitives.ReadInt32LittleEndian(tables);
        var rows = sizeof(int) + (long)textLength;
        var namesAt = rows + ((long)count * BytesPerRow);
        if (textLength < 0 || namesAt + count > tablesLength)
        {
            throw Damaged(file.Name, "its tables are too short");
        }

        var about = Json.Parse<About>(Encoding.UTF8.GetString(tables, sizeof(int), textLength));
        var parts = new[] { about.Train, about.Validation ?? 0, about.Test ?? 0 };
        if (parts.Any(part => part < 0) || about.Train == 0 || parts.Sum(part => (long)part) != count)
        {
            throw Damaged(file.Name, $"its parts are not {count:n0} images");
        }

        var names = new int[count + 1];
        names[0] = (int)namesAt;
        for (var i = 0; i < count; i++)
        {
            var length = tables.AsSpan(names[i]).IndexOf((byte)0);
            names[i + 1] = length < 0 ? throw Damaged(file.Name, "it names too few files") : names[i] + length + 1;
        }

        if (names[count] != tables.Length)
        {
            throw Damaged(file.Name, "it names too many files");
        }

        var classes = ClassNames.Checked([.. about.Classes.Select(called)], $"'{file.Name}'");
        var whole = new PackedImages(file, height, width, tables, (int)rows, names, about.Name, classes);
        for (var i = 0; i < count; i++)
        {
            if ((uint)whole.Label(i) >= (uint)classes.Count)
            {
                throw Damaged(file.Name, $"an image is of class {whole.Label(i)}, of {classes.Count}");
            }
        }

        return new PackedParts(Part(0, about.Train), about.Validation is { } validation ? Part(about.Train, validation) : null, about.Test is { } test ? Part(count - test, test) : null, about.Filter);

        SubsetDataset Part(int first, int images) => new(whole, [.. Enumerable.Range(first, images)]);
    }

    /// <summary>Writes images into a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">What to call the data.</param>
    /// <param name="folder">Images are called by their place in it.</param>
    /// <param name="parts">The images; of the same classes and size.</param>
    /// <param name="observer">Told of the images written.</param>
    /// <param name="stop">Stops between some images, and leaves no file.</param>
    /// <exception cref="InputException">An image can't be read, or the file can't be written.</exception>
    public static void Write(string path, string name, string folder, PackedParts parts, IRunObserver observer, CancellationToken stop = default)
    {
        var all = new JoinedParts([.. new[] { parts.Train, parts.Validation, parts.Test }.OfType<Dataset>()]);
        var (count, bytes) = (all.Count, parts.Train.BytesPerImage);
        var text = JsonSerializer.SerializeToUtf8Bytes(new About(name, parts.Train.Classes, parts.Train.Count, parts.Validation?.Count, parts.Test?.Count, parts.Filter), Named);
        using var names = new MemoryStream();
        foreach (var (images, index) in all.Places())
        {
            names.Write(Encoding.UTF8.GetBytes(Path.GetRelativePath(folder, images.Describe(index))));
            names.WriteByte(0);
        }

        var tables = new byte[checked(sizeof(int) + text.Length + (count * BytesPerRow) + (int)names.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(tables, text.Length);
        text.CopyTo(tables, sizeof(int));
        names.GetBuffer().AsSpan(0, (int)names.Length).CopyTo(tables.AsSpan(tables.Length - (int)names.Length));
        var rows = sizeof(int) + text.Length;
        var hashes = all.Hashes(observer, stop);
        foreach (var (i, (images, index)) in all.Places().Index())
        {
            BinaryPrimitives.WriteInt32LittleEndian(tables.AsSpan(rows + (sizeof(int) * i)), images.Label(index));
            BinaryPrimitives.WriteInt64LittleEndian(tables.AsSpan(rows + (sizeof(int) * count) + (sizeof(long) * i)), images.Identity(index));
            BinaryPrimitives.WriteUInt128LittleEndian(tables.AsSpan(rows + ((sizeof(int) + sizeof(long)) * count) + (ChecksumBytes * i)), hashes[i]);
        }

        AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[HeaderBytes]);
            observer.Begin("packing", count, "images");
            var planes = new byte[Math.Max(1, Math.Min(count, BytesAtATime / bytes))][];
            var done = 0;
            foreach (var some in all.Places().Chunk(planes.Length))
            {
                var first = done;
                Parallel.ForAsync(0, some.Length, stop, (i, _) =>
                {
                    var image = planes[i] ??= new byte[bytes];
                    some[i].Images.Read(some[i].Index, image);
                    BinaryPrimitives.WriteUInt64LittleEndian(tables.AsSpan(rows + ((BytesPerRow - sizeof(ulong)) * count) + (sizeof(ulong) * (first + i))), XxHash3.HashToUInt64(image));
                    return ValueTask.CompletedTask;
                }).GetAwaiter().GetResult();
                foreach (var image in planes.AsSpan(0, some.Length))
                {
                    stream.Write(image);
                }

                observer.Advance(done += some.Length);
            }

            stream.Write(tables);
            stream.Position = 0;
            stream.Write(Header(parts.Train, count, tables));
        });
    }

    private static byte[] Header(Dataset images, int count, byte[] tables)
    {
        var header = new byte[HeaderBytes];
        Magic.CopyTo(header, 0);
        foreach (var (place, number) in new[] { Version, images.Height, images.Width, count }.Index())
        {
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(Magic.Length + (sizeof(int) * place)), number);
        }

        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(32), HeaderBytes + ((long)count * images.BytesPerImage));
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(40), tables.Length);
        Checksum(header, tables).CopyTo(header, ChecksumAt);
        return header;
    }

    private static byte[] Checksum(byte[] header, byte[] tables)
    {
        var hash = new XxHash128();
        hash.Append(header.AsSpan(0, ChecksumAt));
        hash.Append(tables);
        return hash.GetCurrentHash();
    }

    private static void ReadExactly(FileStream file, Span<byte> target, long offset)
    {
        while (target.Length > 0)
        {
            var count = RandomAccess.Read(file.SafeFileHandle, target, offset);
            target = count > 0 ? target[count..] : throw new EndOfStreamException("it ends too early");
            offset += count;
        }
    }

    private static InputException Damaged(string path, string why) => new(FormattableString.Invariant($"'{path}' is no whole file of packed images ({why}): pack them again."));

    private sealed record About(string Name, IReadOnlyList<string> Classes, int Train, int? Validation, int? Test, ResizeFilter? Filter);

    // The parts one after another. (JoinedDataset's images have identities of their own.)
    private sealed class JoinedParts(Dataset[] parts)
    {
        public int Count => parts.Sum(part => part.Count);

        public IEnumerable<(Dataset Images, int Index)> Places() => parts.SelectMany(part => Enumerable.Range(0, part.Count).Select(index => (part, index)));

        public UInt128[] Hashes(IRunObserver observer, CancellationToken stop) => [.. parts.SelectMany(part => part.Hashes([.. Enumerable.Range(0, part.Count)], observer, stop))];
    }
}
