namespace WeakLink.Imaging;

/// <summary>Where the middle of an image begins.</summary>
internal static class CentreCrop
{
    /// <summary>The first of the middle pixels of a line; of two equally good ones the even one, as torchvision's <c>CenterCrop</c> rounds.</summary>
    /// <param name="length">Pixels of the line.</param>
    /// <param name="kept">How many are kept, at most <paramref name="length"/>.</param>
    public static long First(long length, int kept) => (long)Math.Round((length - kept) / 2.0, MidpointRounding.ToEven);
}
