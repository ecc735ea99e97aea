using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using SkiaSharp;

namespace OnnxClassify;

/// <summary>A network that <c>weaklink export</c> wrote, with ONNX Runtime alone.</summary>
public sealed class Classifier(string model) : IDisposable
{
    private readonly InferenceSession _session = new(model);

    /// <summary>Class and confidence of an image file.</summary>
    public (string Class, double Confidence) Classify(string file)
    {
        // 1x3xHxW in [0, 1]; the normalisation is part of the model.
        int[] shape = [1, .. _session.InputMetadata["images"].Dimensions[1..]];
        using var picture = SKBitmap.Decode(file) ?? throw new InvalidDataException($"'{file}' is missing, or not a picture.");
        using var square = new SKBitmap();
        var side = Math.Min(picture.Width, picture.Height);
        picture.ExtractSubset(square, SKRectI.Create((picture.Width - side) / 2, (picture.Height - side) / 2, side, side));
        using var bitmap = square.Resize(new SKImageInfo(shape[3], shape[2], SKColorType.Rgba8888, SKAlphaType.Unpremul), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Nearest));
        var images = new DenseTensor<float>(shape);
        for (var y = 0; y < shape[2]; y++)
        {
            for (var x = 0; x < shape[3]; x++)
            {
                var colour = bitmap.GetPixel(x, y);
                (images[0, 0, y, x], images[0, 1, y, x], images[0, 2, y, x]) = (colour.Red / 255f, colour.Green / 255f, colour.Blue / 255f);
            }
        }

        using var results = _session.Run([NamedOnnxValue.CreateFromTensor("images", images)]);
        var logits = results[0].AsEnumerable<float>().ToArray();
        var best = Array.IndexOf(logits, logits.Max());
        var classes = JsonSerializer.Deserialize<string[]>(_session.ModelMetadata.CustomMetadataMap["classes"])!;
        return (classes[best], 1 / logits.Sum(logit => Math.Exp(logit - logits[best])));
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
