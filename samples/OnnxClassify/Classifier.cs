using System.Text.Json;
using Microsoft.ML.OnnxRuntime;

namespace OnnxClassify;

/// <summary>A network that <c>weaklink export</c> wrote, with ONNX Runtime alone.</summary>
public sealed class Classifier : IDisposable
{
    private readonly InferenceSession _session;
    private readonly Preparation _preparation;
    private readonly string[] _classes;

    /// <summary>Loads a model.</summary>
    /// <exception cref="InvalidDataException">It does not say what becomes of a picture before it, or something that is not done here.</exception>
    public Classifier(string model)
    {
        _session = new InferenceSession(model);
        var about = _session.ModelMetadata.CustomMetadataMap;
        _preparation = new Preparation(about.GetValueOrDefault("preparation") ?? throw new InvalidDataException($"'{model}' does not say how pictures are prepared: export it with a newer weaklink."));
        _classes = JsonSerializer.Deserialize<string[]>(about["classes"])!;
    }

    /// <summary>Class and confidence of an image file.</summary>
    /// <exception cref="InvalidDataException">The file is no picture.</exception>
    public (string Class, double Confidence) Classify(string file)
    {
        // 1x3xHxW in [0, 1]; the normalisation is part of the model.
        var shape = _session.InputMetadata["images"].Dimensions;
        using var images = OrtValue.CreateTensorValueFromMemory(_preparation.Apply(file), [1, shape[1], shape[2], shape[3]]);
        using var options = new RunOptions();
        using var results = _session.Run(options, ["images"], [images], ["logits"]);
        var logits = results[0].GetTensorDataAsSpan<float>().ToArray();
        var best = Array.IndexOf(logits, logits.Max());
        return (_classes[best], 1 / logits.Sum(logit => Math.Exp(logit - logits[best])));
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
