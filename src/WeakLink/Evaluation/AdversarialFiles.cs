using System.Globalization;
using System.Runtime.InteropServices;
using SkiaSharp;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Imaging;
using WeakLink.Interop;

namespace WeakLink.Evaluation;

/// <summary>Adversarial examples on disk: pictures to look at, or arrays to use (bytes would round the perturbation away).</summary>
/// <param name="folder">An existing folder.</param>
/// <param name="arrays">Arrays instead of pictures.</param>
/// <param name="threat">What the attacker was allowed: the largest perturbation is shown at full contrast.</param>
/// <param name="classes">Class names.</param>
public sealed class AdversarialFiles(string folder, bool arrays, ThreatModel threat, IReadOnlyList<string> classes) : IDisposable
{
    private const int LeastCell = 192;
    private const int Gap = 8;
    private readonly List<(int Index, int Label, int Predicted, torch.Tensor Clean, torch.Tensor Adversarial)> _kept = [];

    /// <summary>Takes an example: a picture is written at once, arrays with <see cref="Finish"/>.</summary>
    /// <param name="example">The example.</param>
    /// <param name="label">Its class.</param>
    /// <param name="predicted">What the model took it for.</param>
    public void Add(AdversarialExample example, int label, int predicted)
    {
        if (arrays)
        {
            _kept.Add((example.Index, label, predicted, example.Image.cpu().clone().DetachFromDisposeScope(), example.Adversarial.cpu().clone().DetachFromDisposeScope()));
            return;
        }

        var name = string.Create(CultureInfo.InvariantCulture, $"{example.Index:000000}-{FileName(classes[label])}-as-{FileName(classes[predicted])}.png");
        var picture = Picture(example);
        AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(picture));
    }

    /// <summary>Writes the arrays, in the order of the images.</summary>
    public void Finish()
    {
        if (!arrays || _kept.Count == 0)
        {
            return;
        }

        var ordered = _kept.OrderBy(example => example.Index).ToList();
        Write("adversarial.npy", "<f4", [ordered.Count, .. ordered[0].Clean.shape], ordered.Select(example => MemoryMarshal.AsBytes<float>(example.Adversarial.data<float>().ToArray()).ToArray()));
        Write("clean.npy", "<f4", [ordered.Count, .. ordered[0].Clean.shape], ordered.Select(example => MemoryMarshal.AsBytes<float>(example.Clean.data<float>().ToArray()).ToArray()));
        Write("labels.npy", "<i8", [ordered.Count], ordered.Select(example => BitConverter.GetBytes((long)example.Label)));
        Write("predictions.npy", "<i8", [ordered.Count], ordered.Select(example => BitConverter.GetBytes((long)example.Predicted)));
        Write("indices.npy", "<i8", [ordered.Count], ordered.Select(example => BitConverter.GetBytes((long)example.Index)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, _, _, clean, adversarial) in _kept)
        {
            clean.Dispose();
            adversarial.Dispose();
        }
    }

    private void Write(string name, string type, long[] shape, IEnumerable<byte[]> items) => AtomicFile.Write(Path.Combine(folder, name), stream =>
    {
        stream.Write(NumpyFile.Header(type, shape));
        foreach (var item in items)
        {
            stream.Write(item);
        }
    });

    private byte[] Picture(AdversarialExample example)
    {
        using var scope = torch.NewDisposeScope();
        var change = example.Adversarial - example.Image;
        // Linf: epsilon is full contrast. The others have no such bound for one value: their largest is.
        var largest = threat.Norm == Norm.Linf ? threat.Epsilon : Math.Max(change.abs().max().ToDouble(), 1e-12);
        var panels = new[] { example.Image, example.Adversarial, (change / (2 * largest)) + 0.5 };
        var (height, width) = ((int)example.Image.shape[1], (int)example.Image.shape[2]);
        var scale = Math.Max(1, LeastCell / width);
        using var sheet = new SKBitmap((3 * ((width * scale) + Gap)) + Gap, (height * scale) + (2 * Gap));
        using (var canvas = new SKCanvas(sheet))
        {
            canvas.Clear(SKColors.White);
            for (var i = 0; i < panels.Length; i++)
            {
                var bytes = panels[i].mul(255).round().clamp(0, 255).to(torch.uint8).cpu().data<byte>().ToArray();
                using var bitmap = Bitmaps.Of(new ImageView(bytes, height, width));
                using var image = SKImage.FromBitmap(bitmap);
                canvas.DrawImage(image, SKRect.Create(Gap + (i * ((width * scale) + Gap)), Gap, width * scale, height * scale), new SKSamplingOptions(SKFilterMode.Nearest, SKMipmapMode.None));
            }
        }

        using var encoded = sheet.Encode(SKEncodedImageFormat.Png, 100);
        return encoded.ToArray();
    }

    // Class names come from folders, but a model file may have been made anywhere.
    private static string FileName(string name) => string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' ? letter : '_'));
}
