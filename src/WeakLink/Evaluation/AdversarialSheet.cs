using SkiaSharp;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Runtime;

namespace WeakLink.Evaluation;

/// <summary>An image, what an attack made of it, and the difference, amplified: for people to look at.</summary>
internal static class AdversarialSheet
{
    private const int LeastCell = 192;
    private const int Gap = 8;

    /// <summary>Draws the three beside one another.</summary>
    /// <param name="image">3×H×W in [0, 1].</param>
    /// <param name="adversarial">3×H×W in [0, 1].</param>
    /// <param name="threat">What the attacker was allowed.</param>
    /// <returns>A PNG file.</returns>
    public static byte[] Draw(torch.Tensor image, torch.Tensor adversarial, ThreatModel threat)
    {
        SkiaLibrary.Require();
        using var scope = torch.NewDisposeScope();
        var panels = new[] { image, adversarial, Change(image, adversarial, threat) };
        var (height, width) = ((int)image.shape[1], (int)image.shape[2]);
        var scale = Math.Max(1, LeastCell / width);
        using var sheet = new SKBitmap((3 * ((width * scale) + Gap)) + Gap, (height * scale) + (2 * Gap));
        using (var canvas = new SKCanvas(sheet))
        {
            canvas.Clear(SKColors.White);
            for (var i = 0; i < panels.Length; i++)
            {
                using var bitmap = Bitmaps.Of(new ImageView(Bytes(panels[i]), height, width));
                using var panel = SKImage.FromBitmap(bitmap);
                canvas.DrawImage(panel, SKRect.Create(Gap + (i * ((width * scale) + Gap)), Gap, width * scale, height * scale), new SKSamplingOptions(SKFilterMode.Nearest, SKMipmapMode.None));
            }
        }

        using var encoded = sheet.Encode(SKEncodedImageFormat.Png, 100);
        return OwnOutput.Marked(encoded.ToArray());
    }

    /// <summary>The difference, amplified, around grey.</summary>
    public static torch.Tensor Change(torch.Tensor clean, torch.Tensor adversarial, ThreatModel threat)
    {
        using var scope = torch.NewDisposeScope();
        var change = adversarial - clean;
        // Linf: epsilon is full contrast. The others have no such bound for one value: their largest is.
        var largest = threat.Norm == Norm.Linf ? threat.Epsilon : Math.Max(change.abs().max().ReadDouble(), 1e-12);
        return (change / Kept(2 * largest)).Plus(0.5).MoveToOuterDisposeScope();
    }

    /// <summary>An image in [0, 1] as bytes.</summary>
    public static byte[] Bytes(torch.Tensor image)
    {
        using var scope = torch.NewDisposeScope();
        return image.mul(Kept(255)).round().clamp(Kept(0), Kept(255)).to(torch.uint8).cpu().contiguous().data<byte>().ToArray();
    }
}
