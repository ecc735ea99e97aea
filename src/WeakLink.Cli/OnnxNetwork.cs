using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using WeakLink.Interop;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;

namespace WeakLink.Cli;

/// <summary>A network that <c>weaklink export</c> wrote as ONNX, computed by ONNX Runtime: what other programs will compute.</summary>
internal sealed class OnnxNetwork : IDisposable
{
    private const string Extension = ".onnx";

    private readonly InferenceSession _session;

    private OnnxNetwork(string path)
    {
        // What it warns of, such as shapes that it could not infer, is nothing to its user.
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        _session = new InferenceSession(path, options);
    }

    /// <summary>Whether the file is to be read as one.</summary>
    public static bool IsOne(string path) => path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase);

    /// <summary>Loads a model for classifying.</summary>
    /// <exception cref="InputException">There is none, it is damaged, or not of WeakLink's export.</exception>
    public static Predictor Load(string path)
    {
        var model = ExportedModel.Read(path);
        NativeLibraries.Load();
        try
        {
            var network = new OnnxNetwork(path);
            return new Predictor(model.Classes, model.Preparation, new EvaluationRecipe().Batch, network.Logits, network);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InputException($"ONNX Runtime can't load '{path}' ({exception.Message.TrimEnd('.')}): export it again.", exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private torch.Tensor Logits(torch.Tensor images)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(images.data<float>().ToArray(), images.shape);
        using var options = new RunOptions();
        using var results = _session.Run(options, [ExportedModel.Input], [input], [ExportedModel.Output]);
        return torch.tensor(results[0].GetTensorDataAsSpan<float>().ToArray(), results[0].GetTensorTypeAndShape().Shape);
    }
}
