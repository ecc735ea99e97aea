using System.Text.Json;
using WeakLink.Data;

namespace WeakLink.Interop;

/// <summary>What an ONNX model that WeakLink exported says of itself, for programs that run it: input <see cref="Input"/> (N×3×H×W in [0, 1]), output <see cref="Output"/> (N×classes).</summary>
/// <param name="Classes">Class names, by class index.</param>
/// <param name="Preparation">What becomes of a picture before the network sees it.</param>
public sealed record ExportedModel(IReadOnlyList<string> Classes, ImagePreparation Preparation)
{
    /// <summary>Name of the model's input.</summary>
    public const string Input = OnnxModel.Input;

    /// <summary>Name of the model's output.</summary>
    public const string Output = OnnxModel.Output;

    /// <summary>Reads it.</summary>
    /// <param name="path">An .onnx file.</param>
    /// <exception cref="InputException">The file is missing, damaged, or not as <c>weaklink export</c> wrote it.</exception>
    public static ExportedModel Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new InputException($"There is no model '{path}': check the path.");
        }

        var graph = ImportedWeights.Understood(path, () => OnnxGraph.Read(path));
        if (!graph.IsVouched || !graph.Metadata.TryGetValue(ExportMetadata.Classes, out var classes) || !graph.Metadata.TryGetValue(ExportMetadata.Preparation, out var preparation))
        {
            throw new InputException($"The ONNX model '{path}' is no export of WeakLink's, or was changed since, so that nothing says how pictures are prepared for it and what its classes are: export it again, or import it, naming its network and classes.");
        }

        try
        {
            return new ExportedModel(ClassNames.Checked(Json.Parse<List<string>>(classes), $"The model '{path}'"), ImagePreparation.Parse(preparation, path));
        }
        catch (JsonException exception)
        {
            throw new InputException($"The model '{path}' is damaged: its metadata '{ExportMetadata.Classes}' are no list of names.", exception);
        }
    }
}
