namespace WeakLink.Imaging;

/// <summary>Histogram equalisation of bytes.</summary>
internal static class Histogram
{
    /// <summary>Spreads the bytes so that each level below holds its share (OpenCV's <c>equalizeHist</c>): the least becomes 0, the greatest 255.</summary>
    public static void Equalize(Span<byte> bytes)
    {
        Span<int> counts = stackalloc int[256];
        counts.Clear();
        foreach (var value in bytes)
        {
            counts[value]++;
        }

        var least = counts.IndexOfAnyExcept(0);
        if (counts[least] == bytes.Length)
        {
            return;
        }

        Span<byte> levels = stackalloc byte[256];
        levels.Clear();
        var scale = 255f / (bytes.Length - counts[least]);
        for (var (level, below) = (least + 1, 0); level < 256; level++)
        {
            below += counts[level];
            levels[level] = (byte)Math.Clamp(MathF.Round(below * scale), 0, 255);
        }

        foreach (ref var value in bytes)
        {
            value = levels[value];
        }
    }
}
