namespace WeakLink.Imaging;

/// <summary>What lies outside of an image.</summary>
internal enum Border
{
    /// <summary>The nearest pixel: aa|abcd|dd ("nearest" in SciPy, "edge" in ImageMagick).</summary>
    Edge,

    /// <summary>The image mirrored at the middle of its last pixel: cb|abcd|cb (OpenCV's reflect-101).</summary>
    Mirror,

    /// <summary>The image mirrored at its edge: ba|abcd|dc ("reflect" in SciPy).</summary>
    Reflect,
}

/// <summary>Finds the pixel that stands for one outside.</summary>
internal static class Borders
{
    /// <summary>The index in 0 ... length − 1 that an index outside stands for, however far outside.</summary>
    public static int Inside(this Border border, int index, int length)
    {
        if ((uint)index < (uint)length)
        {
            return index;
        }

        if (border == Border.Edge || length == 1)
        {
            return Math.Clamp(index, 0, length - 1);
        }

        var period = border == Border.Mirror ? (2 * length) - 2 : 2 * length;
        var place = ((index % period) + period) % period;
        return place < length ? place : border == Border.Mirror ? period - place : period - 1 - place;
    }
}
