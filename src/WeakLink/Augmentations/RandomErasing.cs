using System.Runtime.InteropServices;
using WeakLink.Imaging;

namespace WeakLink.Augmentations;

/// <summary>
/// Random erasing (Zhong, Zheng, Kang, Li and Yang, AAAI 2020): now and then a rectangle of random bytes (the paper's RE-R), anywhere
/// inside of the image. Area and aspect are drawn until the rectangle is smaller than the image in both directions; after 100 tries
/// the image stays as it is, as in the authors' code.
/// </summary>
/// <param name="Probability">How often, 0 ... 1. The paper: 0.5.</param>
/// <param name="SmallestArea">Lower end of the rectangle's share of the image.</param>
/// <param name="LargestArea">Upper end.</param>
/// <param name="Aspect">Lower end of height / width, in (0, 1]; the upper end is its reciprocal.</param>
public sealed record RandomErasing(double Probability = 0.25, double SmallestArea = 0.02, double LargestArea = 0.4, double Aspect = 0.3) : Augmentation
{
    private const int Tries = 100;

    /// <inheritdoc/>
    public override void Apply(ImageBuffer image, SeededRandom random)
    {
        if (!random.NextBool(Probability))
        {
            return;
        }

        for (var i = 0; i < Tries; i++)
        {
            var area = random.NextDouble(SmallestArea, LargestArea) * image.Height * image.Width;
            var aspect = random.NextDouble(Aspect, 1 / Aspect);
            var (height, width) = ((int)Math.Round(Math.Sqrt(area * aspect)), (int)Math.Round(Math.Sqrt(area / aspect)));
            if (height < image.Height && width < image.Width)
            {
                Erase(image, random.Next(image.Height - height + 1), random.Next(image.Width - width + 1), height, width, random);
                return;
            }
        }
    }

    private static void Erase(ImageBuffer image, int top, int left, int height, int width, SeededRandom random)
    {
        Span<uint> bits = stackalloc uint[64];
        var noise = MemoryMarshal.AsBytes(bits);
        for (var channel = 0; channel < ImageView.Channels; channel++)
        {
            for (var y = top; y < top + height; y++)
            {
                var row = image.Pixels.Slice((((channel * image.Height) + y) * image.Width) + left, width);
                for (; row.Length > 0; row = row[Math.Min(noise.Length, row.Length)..])
                {
                    random.FillBits(bits);
                    noise[..Math.Min(noise.Length, row.Length)].CopyTo(row);
                }
            }
        }
    }
}
