using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace WeakLink.Imaging;

/// <summary>
/// Changes in the colour space of hue, saturation and value, without going there: with the hue fixed, red, green and blue are linear
/// in value × saturation.
/// </summary>
internal static class Colours
{
    /// <summary>Adds to the value (the largest of red, green and blue), at most up to 255; hue and saturation stay.</summary>
    public static void Brighten(Planes pixels, float added) => Change(pixels, (red, green, blue) =>
    {
        var value = Vector512.Max(red, Vector512.Max(green, blue));
        var brighter = Vector512.Min(value + Vector512.Create(added), Vector512.Create(255f));
        // Black has no saturation: it becomes grey.
        var scale = brighter / Vector512.Max(value, Vector512.Create(1f));
        var black = Vector512.Equals(value, Vector512<float>.Zero);
        return (
            Vector512.ConditionalSelect(black, brighter, red * scale),
            Vector512.ConditionalSelect(black, brighter, green * scale),
            Vector512.ConditionalSelect(black, brighter, blue * scale));
    });

    /// <summary>Saturation (1 − least / value) becomes factor × saturation + added, limited to [0, 1]; hue and value stay.</summary>
    public static void Saturate(Planes pixels, float factor, float added) => Change(pixels, (red, green, blue) =>
    {
        var value = Vector512.Max(red, Vector512.Max(green, blue));
        var range = value - Vector512.Min(red, Vector512.Min(green, blue));
        var saturation = range / Vector512.Max(value, Vector512.Create(1f));
        var changed = Vector512.Min(Vector512.Max((saturation * factor) + Vector512.Create(added), Vector512<float>.Zero), Vector512.Create(1f));
        var scale = value * changed / Vector512.Max(range, Vector512.Create(1f));
        // Grey has hue 0 by convention, which is red: only green and blue give way.
        var grey = Vector512.Equals(range, Vector512<float>.Zero);
        var reddened = value - (value * changed);
        return (
            Vector512.ConditionalSelect(grey, value, value - ((value - red) * scale)),
            Vector512.ConditionalSelect(grey, reddened, value - ((value - green) * scale)),
            Vector512.ConditionalSelect(grey, reddened, value - ((value - blue) * scale)));
    });

    private static void Change(
        Planes pixels, Func<Vector512<float>, Vector512<float>, Vector512<float>, (Vector512<float>, Vector512<float>, Vector512<float>)> change)
    {
        ref var red = ref MemoryMarshal.GetReference(pixels.Values);
        var (green, blue) = ((nuint)pixels.PlaneLength, 2 * (nuint)pixels.PlaneLength);
        for (nuint i = 0; i < green; i += Planes.Lanes)
        {
            var (r, g, b) = change(Vector512.LoadUnsafe(ref red, i), Vector512.LoadUnsafe(ref red, green + i), Vector512.LoadUnsafe(ref red, blue + i));
            r.StoreUnsafe(ref red, i);
            g.StoreUnsafe(ref red, green + i);
            b.StoreUnsafe(ref red, blue + i);
        }
    }
}
