namespace WeakLink.Data;

/// <summary>What a training step sees of an image: one or several randomly changed views of it.</summary>
public interface IViews
{
    /// <summary>Height of every view in pixels.</summary>
    int Height { get; }

    /// <summary>Width of every view in pixels.</summary>
    int Width { get; }

    /// <summary>Views of each image.</summary>
    int Count { get; }

    /// <summary>Whether images of this size can become such views.</summary>
    bool Fit(int height, int width);

    /// <summary>Makes the views. Safe to call from several threads.</summary>
    /// <param name="source">Three planes of <paramref name="height"/> × <paramref name="width"/> bytes.</param>
    /// <param name="height">Height of the source.</param>
    /// <param name="width">Width of the source.</param>
    /// <param name="target">Receives three planes of <see cref="Height"/> × <see cref="Width"/> bytes for each view.</param>
    /// <param name="random">The draws of this sample in this epoch.</param>
    void Make(ReadOnlySpan<byte> source, int height, int width, ViewTargets target, SeededRandom random);
}

/// <summary>Where the views of one image go in a batch that holds all first views, then all second ones ...</summary>
/// <param name="batch">The whole batch.</param>
/// <param name="image">The image's place among those of the batch.</param>
/// <param name="images">Images in the batch.</param>
/// <param name="bytes">Bytes of a view.</param>
public readonly ref struct ViewTargets(Span<byte> batch, int image, int images, int bytes)
{
    private readonly Span<byte> _batch = batch;

    /// <summary>Three planes of bytes.</summary>
    public Span<byte> this[int view] => _batch.Slice(((view * images) + image) * bytes, bytes);
}
