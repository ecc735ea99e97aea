using WeakLink.Data;

namespace WeakLink.Sources;

/// <summary>Pixels as files have them: red, green and blue of one pixel after the other.</summary>
internal static class Interleaved
{
    /// <summary>Puts the three colours into planes.</summary>
    /// <param name="pixels">3 × height × width bytes.</param>
    /// <param name="planes">Receives as many.</param>
    public static void ToPlanes(ReadOnlySpan<byte> pixels, Span<byte> planes)
    {
        var area = planes.Length / Dataset.Channels;
        for (var i = 0; i < area; i++)
        {
            planes[i] = pixels[3 * i];
            planes[area + i] = pixels[(3 * i) + 1];
            planes[(2 * area) + i] = pixels[(3 * i) + 2];
        }
    }
}
