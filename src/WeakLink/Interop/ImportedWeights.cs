using System.Text.Json;
using TorchSharp;
using WeakLink.Models;

namespace WeakLink.Interop;

/// <summary>
/// Weights that other programs saved: safetensors, or checkpoints that PyTorch wrote. Understands the names of torchvision's ResNets,
/// RobustBench's PreAct and wide ones, and the checkpoints of the EWS authors. Nothing in the file is executed.
/// </summary>
public sealed class ImportedWeights : IDisposable
{
    private const int Listed = 8;

    private readonly string _path;
    private readonly Dictionary<string, torch.Tensor> _tensors;

    private ImportedWeights(string path, Dictionary<string, torch.Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        (_path, _tensors) = (path, tensors);
        Model = metadata.GetValueOrDefault(ExportMetadata.Model);
        ClassNames = List<string>(metadata, ExportMetadata.Classes);
        if (Floats(metadata, ExportMetadata.Mean) is { } mean && Floats(metadata, ExportMetadata.StandardDeviation) is { } deviation)
        {
            (Mean, StandardDeviation) = (mean, deviation);
        }
        else if (ParameterNames.Normalisation(tensors.Keys.ToHashSet(StringComparer.Ordinal)) is { } names)
        {
            (Mean, StandardDeviation) = (Take(names.Mean), Take(names.Deviation));
        }

        Height = int.TryParse(metadata.GetValueOrDefault(ExportMetadata.Height), out var height) && height > 0 ? height : null;
        Width = int.TryParse(metadata.GetValueOrDefault(ExportMetadata.Width), out var width) && width > 0 ? width : null;
        IsSubnet = metadata.ContainsKey(ExportMetadata.Subnet);
    }

    /// <summary>The network's name, where WeakLink exported the file; otherwise null.</summary>
    public string? Model { get; }

    /// <summary>Class names, where WeakLink exported the file; otherwise null.</summary>
    public IReadOnlyList<string>? ClassNames { get; }

    /// <summary>What the model subtracts from each channel of images in [0, 1], where the file says it; otherwise null.</summary>
    public IReadOnlyList<double>? Mean { get; }

    /// <summary>What the model divides each channel by, where the file says it; otherwise null.</summary>
    public IReadOnlyList<double>? StandardDeviation { get; }

    /// <summary>Height of the images in pixels, where WeakLink exported the file; otherwise null.</summary>
    public int? Height { get; }

    /// <summary>Width of the images in pixels, where WeakLink exported the file; otherwise null.</summary>
    public int? Width { get; }

    /// <summary>Whether these are the weights of a subnet, which no network of the catalogue takes.</summary>
    public bool IsSubnet { get; }

    /// <summary>How many numbers its tensors hold.</summary>
    public long Numbers => _tensors.Values.Sum(tensor => tensor.numel());

    /// <summary>Number of classes: rows of the classifier's weight.</summary>
    /// <exception cref="InputException">There is no classifier.</exception>
    public int Classes => ParameterNames.Classifiers.Select(name => _tensors.GetValueOrDefault(name)).FirstOrDefault(weight => weight?.dim() == 2) is { } weight
        ? (int)weight.shape[0]
        : throw new InputException($"The checkpoint '{_path}' holds no classifier ({string.Join(" or ", ParameterNames.Classifiers)}); it has {Some(_tensors.Keys)}: give the checkpoint of a whole network.");

    /// <summary>Reads a file.</summary>
    /// <param name="path">A .safetensors file, or a .pt or .pth file that PyTorch's <c>torch.save</c> wrote.</param>
    /// <exception cref="InputException">The file is missing, damaged, or holds anything but tensors and containers.</exception>
    public static ImportedWeights Read(string path)
    {
        var (tensors, metadata) = PyTorchFile.IsOne(path) ? (PyTorchFile.Read(path), []) : SafeTensors.Read(path);
        var bare = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        try
        {
            foreach (var (name, tensor) in tensors)
            {
                if (!bare.TryAdd(ParameterNames.Bare(name), tensor))
                {
                    throw new InputException($"The checkpoint '{path}' holds two networks ('{ParameterNames.Bare(name)}' is there with and without a prefix): save one of them.");
                }
            }

            return new ImportedWeights(path, bare, metadata);
        }
        catch
        {
            foreach (var tensor in tensors.Values)
            {
                tensor.Dispose();
            }

            throw;
        }
    }

    /// <summary>Puts the weights and running averages into a network.</summary>
    /// <exception cref="InputException">Parameters are missing, unknown or of another shape; they are listed.</exception>
    public void CopyTo(ClassifierNetwork network)
    {
        var wanted = network.state_dict().Where(pair => pair.Key is not (ExportMetadata.Mean or "standard_deviation")).ToDictionary(StringComparer.Ordinal);
        var names = wanted.Keys.ToHashSet(StringComparer.Ordinal);
        var found = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        foreach (var (bare, tensor) in _tensors)
        {
            if (!ParameterNames.IsUnused(bare) && !found.TryAdd(ParameterNames.Ours(bare, names), tensor))
            {
                throw new InputException($"The checkpoint '{_path}' holds '{ParameterNames.Ours(bare, names)}' under two names: save one network alone.");
            }
        }

        var differences = wanted.Keys.Where(name => !found.ContainsKey(name) && !MayBeMissing(name, found)).Select(name => $"'{name}' is missing")
            .Concat(found.Keys.Where(name => !names.Contains(name)).Select(name => $"'{name}' is not part of the network"))
            .Concat(wanted.Where(pair => found.TryGetValue(pair.Key, out var other) && !other.shape.SequenceEqual(pair.Value.shape))
                .Select(pair => $"'{pair.Key}' is {Shape(found[pair.Key])} instead of {Shape(pair.Value)}"))
            .ToList();
        if (differences.Count > 0)
        {
            throw new InputException(
                $"The checkpoint '{_path}' is of another architecture than {network.Name} with {network.Classes} classes: {string.Join(", ", differences.Take(Listed))}"
                + $"{(differences.Count > Listed ? $" and {differences.Count - Listed} more differences" : "")}. Name the network that it is with --model{(IsSubnet ? "; subnets can't be imported" : "")}.");
        }

        using var noGradients = torch.no_grad();
        foreach (var (name, tensor) in wanted)
        {
            if (found.TryGetValue(name, out var value))
            {
                tensor.copy_(value);
            }
            else
            {
                tensor.zero_();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
        {
            tensor.Dispose();
        }
    }

    // Counts of batches change nothing; a classifier without shifts has shifts of zero.
    private static bool MayBeMissing(string name, Dictionary<string, torch.Tensor> found) =>
        name.EndsWith(BatchNorm.Batches, StringComparison.Ordinal) || (name is "fc.bias" or "linear.bias" && found.ContainsKey(name.Replace("bias", "weight", StringComparison.Ordinal)));

    private double[] Take(string name)
    {
        _tensors.Remove(name, out var tensor);
        using (tensor)
        {
            using var values = tensor!.to(torch.float64).reshape(-1);
            return values.numel() == 3
                ? values.data<double>().ToArray()
                : throw new InputException($"The checkpoint '{_path}' normalises by '{name}', which is {Shape(tensor)} instead of three channels: it is not of a network for colour pictures.");
        }
    }

    private double[]? Floats(IReadOnlyDictionary<string, string> metadata, string key) => List<double>(metadata, key) is { Length: 3 } values ? values : null;

    private T[]? List<T>(IReadOnlyDictionary<string, string> metadata, string key)
    {
        try
        {
            return metadata.TryGetValue(key, out var text) ? Json.Parse<T[]>(text) : null;
        }
        catch (JsonException exception)
        {
            throw new InputException($"The checkpoint '{_path}' is damaged: its metadata '{key}' are not a list.", exception);
        }
    }

    private static string Shape(torch.Tensor tensor) => tensor.dim() == 0 ? "one number" : string.Join('x', tensor.shape);

    private static string Some(IEnumerable<string> names) => string.Join(", ", names.Take(3)) + ", ...";
}
