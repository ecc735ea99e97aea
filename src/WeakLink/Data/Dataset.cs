namespace WeakLink.Data;

/// <summary>Labelled RGB images of one size, read by index from any thread.</summary>
public abstract class Dataset
{
    /// <summary>Colour channels of every image: red, green, blue.</summary>
    public const int Channels = 3;

    /// <summary>What to call the data in output.</summary>
    public abstract string Name { get; }

    /// <summary>Class names; a label is an index into this list.</summary>
    public abstract IReadOnlyList<string> Classes { get; }

    /// <summary>Number of images.</summary>
    public abstract int Count { get; }

    /// <summary>Height of every image in pixels.</summary>
    public abstract int Height { get; }

    /// <summary>Width of every image in pixels.</summary>
    public abstract int Width { get; }

    /// <summary>Bytes of one image: 3 × <see cref="Height"/> × <see cref="Width"/>.</summary>
    public int BytesPerImage => Channels * Height * Width;

    /// <summary>The class of an image, in 0 ... Classes.Count − 1.</summary>
    public abstract int Label(int index);

    /// <summary>
    /// The number that an image's random draws follow from, with the seed and what they are for: its corruption, its perturbation sequence, attacks on it, its
    /// augmentation in an epoch. It is the image's own in its source, whatever part of it is read, in what order, in how many shards: its place there, as here; in a
    /// folder its class and file name (<c>FolderDataset</c>). A set that shows images of others passes theirs on.
    /// </summary>
    /// <remarks>
    /// Not a hash of the pixels: copies of an image, by which some make a rare class count for more, would be augmented alike; and not the place in a list of files, where one
    /// file more moves all that follow. So a part of a folder that was copied elsewhere keeps its draws, and renamed files get new ones.
    /// </remarks>
    /// <param name="index">0 ... Count − 1.</param>
    public virtual long Identity(int index) => index;

    /// <summary>Writes an image as three planes (red, green, blue), each row by row, 0-255. Safe to call from several threads.</summary>
    /// <param name="index">0 ... Count − 1.</param>
    /// <param name="planes">Receives <see cref="BytesPerImage"/> bytes.</param>
    /// <exception cref="InputException">The image can't be read.</exception>
    public abstract void Read(int index, Span<byte> planes);

    /// <summary>A sentence about the classes of which there is no image, for who measures on them; null where there is one of each.</summary>
    /// <param name="what">What to call the images, such as "the test images".</param>
    internal string? Lacking(string what)
    {
        const int MostNamed = 10;
        var lacking = ClassesWithoutImages();
        return lacking.Count == 0
            ? null
            : $"There are no images of {string.Join(", ", lacking.Take(MostNamed))}{(lacking.Count > MostNamed ? ", ..." : "")} ({lacking.Count} of {Classes.Count} classes) among {what} of {Name}: what is measured is about the other classes alone.";
    }

    /// <summary>The classes of which there is no image.</summary>
    internal IReadOnlyList<string> ClassesWithoutImages()
    {
        var present = Enumerable.Range(0, Count).Select(Label).ToHashSet();
        return [.. Classes.Where((_, label) => !present.Contains(label))];
    }

    /// <summary>
    /// What images are known by, wherever they lie and whatever they are called: for each the XXH128 of width and height (32-bit little-endian
    /// integers) and of its pixels, three planes, upright, and as they are before a set scales them to its size.
    /// </summary>
    /// <param name="which">Which images.</param>
    /// <param name="observer">Told of images that have to be decoded for it.</param>
    /// <param name="stop">Stops between two images.</param>
    /// <exception cref="InputException">An image can't be read.</exception>
    public virtual IReadOnlyList<UInt128> Hashes(IReadOnlyList<int> which, IRunObserver observer, CancellationToken stop = default)
    {
        var (hashes, planes) = (new UInt128[which.Count], new byte[BytesPerImage]);
        for (var i = 0; i < hashes.Length; i++)
        {
            stop.ThrowIfCancellationRequested();
            Read(which[i], planes);
            hashes[i] = KnownImages.HashOf(Width, Height, planes);
        }

        return hashes;
    }

    /// <summary>Where the image came from, for messages: a file path, or "image 17 of NAME".</summary>
    public virtual string Describe(int index) => $"image {index} of {Name}";
}
