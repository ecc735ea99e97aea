using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace WeakLink.Data;

/// <summary>The images of a set as they are known again whatever they are called and wherever they lie: by their pixels and their classes.</summary>
/// <param name="Hashes">A hash of each image (see <see cref="Dataset.Hashes"/>), in the order of the set.</param>
/// <param name="Labels">Its class, an index into <paramref name="Classes"/>.</param>
/// <param name="Classes">Class names.</param>
public sealed record KnownImages(IReadOnlyList<UInt128> Hashes, IReadOnlyList<int> Labels, IReadOnlyList<string> Classes)
{
    /// <summary>Looks at the images of a set.</summary>
    /// <param name="images">The set.</param>
    /// <param name="observer">Told of the images that have to be decoded for it.</param>
    /// <param name="stop">Stops between two images.</param>
    /// <exception cref="InputException">An image can't be read.</exception>
    public static KnownImages Of(Dataset images, IRunObserver observer, CancellationToken stop = default)
    {
        int[] all = [.. Enumerable.Range(0, images.Count)];
        return new(images.Hashes(all, observer, stop), [.. all.Select(images.Label)], images.Classes);
    }

    /// <summary>A checksum of the images and the names of their classes, 32 hexadecimal digits: the same in any order, under any file names.</summary>
    public string Fingerprint()
    {
        var names = Classes.Select(name => Encoding.UTF8.GetBytes(name + "\n")).ToArray();
        var order = Hashes.Zip(Labels).ToArray();
        // Of millions: comparing is most of it, and few are equal.
        Array.Sort(order, (one, other) => one.First != other.First ? one.First.CompareTo(other.First) : string.CompareOrdinal(Classes[one.Second], Classes[other.Second]));
        var hash = new XxHash128();
        Span<byte> bytes = stackalloc byte[16];
        foreach (var (image, label) in order)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(bytes, image);
            hash.Append(bytes);
            hash.Append(names[label]);
        }

        return Text(hash.GetCurrentHashAsUInt128());
    }

    /// <summary>How many of its images are among others, whatever their classes.</summary>
    public int CountAmong(IEnumerable<KnownImages> others)
    {
        var known = others.SelectMany(other => other.Hashes).ToHashSet();
        return Hashes.Count(known.Contains);
    }

    /// <summary>These images and others of the same classes.</summary>
    public KnownImages With(KnownImages others) => this with { Hashes = [.. Hashes, .. others.Hashes], Labels = [.. Labels, .. others.Labels] };

    /// <summary>A hash as 32 hexadecimal digits.</summary>
    internal static string Text(UInt128 hash) => hash.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>The hash of an image file that was decoded.</summary>
    internal static UInt128 HashOf((byte[] Planes, int Width, int Height) image) => HashOf(image.Width, image.Height, image.Planes);

    /// <summary>The hash of an image.</summary>
    internal static UInt128 HashOf(int width, int height, ReadOnlySpan<byte> planes)
    {
        var hash = new XxHash128();
        Span<byte> size = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(size, width);
        BinaryPrimitives.WriteInt32LittleEndian(size[4..], height);
        hash.Append(size);
        hash.Append(planes);
        return hash.GetCurrentHashAsUInt128();
    }
}
