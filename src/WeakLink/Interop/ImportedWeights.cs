using System.Globalization;
using System.Text.Json;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Models;

namespace WeakLink.Interop;

/// <summary>
/// Weights that other programs saved: safetensors, or checkpoints that PyTorch wrote. Understands the names of torchvision's ResNets,
/// RobustBench's PreAct and wide ones, and the checkpoints of the EWS authors, whatever modules the network was wrapped in. Nothing in the
/// file is executed.
/// </summary>
public sealed class ImportedWeights : IDisposable
{
    private const int LargestSide = 65_535;

    private readonly string _path;
    private readonly StoredTensors _stored;
    private readonly Dictionary<string, torch.Tensor> _tensors;

    private ImportedWeights(string path, StoredTensors stored)
    {
        (_path, _stored) = (path, stored);
        var tensors = Unwrapped();
        var normalisations = ParameterNames.NormalisationsIn(tensors.Keys.ToHashSet(StringComparer.Ordinal)).ToList();
        foreach (var (mean, deviation) in normalisations)
        {
            Normalise(Three(mean, tensors[mean]), Three(deviation, tensors[deviation]));
        }

        _tensors = OneNetwork(tensors.ExceptBy(normalisations.SelectMany(pair => (string[])[pair.Mean, pair.Deviation]), pair => pair.Key).ToDictionary(StringComparer.Ordinal));
        var metadata = stored.Metadata;
        if (stored.Vouched == Vouched.Nothing)
        {
            // What another program says under the same keys may mean anything.
            if (metadata.ContainsKey(ExportMetadata.Model) && metadata.ContainsKey(ExportMetadata.Classes))
            {
                throw new InputException($"The checkpoint '{path}' describes itself as WeakLink's exports do, but lacks their checksum: it was changed; export it again, or save its tensors without these metadata and import them by name of the network and of its classes.");
            }

            return;
        }

        Model = metadata.GetValueOrDefault(ExportMetadata.Model);
        ClassNames = List<string>(ExportMetadata.Classes) is { } names ? WeakLink.ClassNames.Checked(names, $"The checkpoint '{path}'") : null;
        if (List<double>(ExportMetadata.Mean) is { } means && List<double>(ExportMetadata.StandardDeviation) is { } deviations)
        {
            Normalise(means, deviations);
        }

        (Height, Width) = (Side(ExportMetadata.Height), Side(ExportMetadata.Width));
        IsSubnet = metadata.ContainsKey(ExportMetadata.Subnet);
        Preparation = metadata.TryGetValue(ExportMetadata.Preparation, out var json) ? ImagePreparation.Parse(json, path)
            // WeakLink's exports before there was the key said the size of the input alone.
            : Height is { } inputHeight && Width is { } inputWidth ? new ImagePreparation(inputHeight, inputWidth)
            : null;
    }

    /// <summary>The network's name, where WeakLink exported the file; otherwise null.</summary>
    public string? Model { get; }

    /// <summary>Class names, where WeakLink exported the file; otherwise null.</summary>
    public IReadOnlyList<string>? ClassNames { get; }

    /// <summary>What the model subtracts from each channel of images in [0, 1], where the file says it; otherwise null.</summary>
    public IReadOnlyList<double>? Mean { get; private set; }

    /// <summary>What the model divides each channel by, where the file says it; otherwise null.</summary>
    public IReadOnlyList<double>? StandardDeviation { get; private set; }

    /// <summary>Height of the network's input in pixels, where WeakLink exported the file; otherwise null.</summary>
    public int? Height { get; }

    /// <summary>Width of the network's input in pixels, where WeakLink exported the file; otherwise null.</summary>
    public int? Width { get; }

    /// <summary>Whether these are the weights of a subnet, which no network of the catalogue takes.</summary>
    public bool IsSubnet { get; }

    /// <summary>What becomes of an image before the network sees it, where WeakLink exported the file; otherwise null.</summary>
    public ImagePreparation? Preparation { get; }

    /// <summary>How many numbers its tensors hold at most: views of the same numbers count once.</summary>
    public long Numbers => Math.Min(_tensors.Values.Sum(tensor => tensor.numel()), new FileInfo(_path).Length);

    /// <summary>Number of classes: rows of the classifier's weight.</summary>
    /// <exception cref="InputException">There is no classifier.</exception>
    public int Classes => Classifiers.Select(name => _tensors.GetValueOrDefault(name)).FirstOrDefault(weight => weight?.dim() == 2) is { } weight
        ? (int)weight.shape[0]
        : throw new InputException($"The checkpoint '{_path}' holds no classifier ({string.Join(" or ", Classifiers)}); it has {Some(_tensors.Keys)}: give the checkpoint of a whole network.");

    /// <summary>Reads a file.</summary>
    /// <param name="path">A .safetensors file, or a .pt or .pth file that PyTorch's <c>torch.save</c> wrote.</param>
    /// <exception cref="InputException">The file is missing, damaged, or holds anything but tensors and containers.</exception>
    public static ImportedWeights Read(string path)
    {
        var stored = PyTorchFile.IsOne(path) ? new StoredTensors(PyTorchFile.Read(path), []) : SafeTensors.Read(path);
        try
        {
            return new ImportedWeights(path, stored);
        }
        catch
        {
            stored.Dispose();
            throw;
        }
    }

    /// <summary>Puts the weights and running averages into a network.</summary>
    /// <exception cref="InputException">Parameters are missing, unknown or of another shape, which are listed; or one holds what no network computes with. The network stays as it is.</exception>
    public void CopyTo(ClassifierNetwork network)
    {
        var wanted = network.state_dict().Where(pair => pair.Key is not (ClassifierNetwork.MeanName or ClassifierNetwork.DeviationName)).ToDictionary(StringComparer.Ordinal);
        var names = wanted.Keys.ToHashSet(StringComparer.Ordinal);
        var found = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        foreach (var (bare, tensor) in _tensors)
        {
            var name = ParameterNames.Ours(bare, names);
            if (!names.Contains(name) && (ParameterNames.IsUnused(bare) || IsCount(tensor)))
            {
                continue;
            }

            if (!found.TryAdd(name, tensor))
            {
                throw new InputException($"The checkpoint '{_path}' holds '{ParameterNames.Shown(name)}' under two names: save one network alone.");
            }
        }

        ArchitectureMismatch.Refuse(
            _path, found, network, wanted, ArchitectureMismatch.Shape, $"Name the network that it is{(IsSubnet ? "; subnets can't be imported" : "")}.", name => MayBeMissing(name, found));
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        if (found.FirstOrDefault(pair => wanted[pair.Key].is_floating_point() && !pair.Value.is_floating_point()) is { Key: { } whole })
        {
            throw new InputException($"The checkpoint '{_path}' is quantised: '{whole}' holds whole numbers ({found[whole].dtype}), whose scale WeakLink does not know; import the network as it was before.");
        }

        Require(found, "");
        found = found.ToDictionary(pair => pair.Key, pair => pair.Value.to(wanted[pair.Key].dtype), StringComparer.Ordinal);
        Require(found, "as float32, which WeakLink computes in, ");
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
    public void Dispose() => _stored.Dispose();

    // Counts of batches change nothing; a classifier without shifts has shifts of zero.
    private static bool MayBeMissing(string name, Dictionary<string, torch.Tensor> found) =>
        name.EndsWith(BatchNorm.Batches, StringComparison.Ordinal) || Classifiers.Any(classifier => name == classifier.Replace("weight", "bias", StringComparison.Ordinal) && found.ContainsKey(classifier));

    // Of batches, of averaged models, of steps: a single whole number is no weight.
    private static bool IsCount(torch.Tensor tensor) => tensor.dim() == 0 && !tensor.is_floating_point() && !tensor.is_complex();

    private static bool AreSame(torch.Tensor one, torch.Tensor other) =>
        ReferenceEquals(one, other) || (one.dtype == other.dtype && one.shape.SequenceEqual(other.shape) && one.allclose(other, 0, 0, equal_nan: true));

    private Dictionary<string, torch.Tensor> Unwrapped()
    {
        var plain = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in _stored.Tensors)
        {
            var bare = ParameterNames.Plain(name);
            if (!plain.TryAdd(bare, tensor) && !IsCount(tensor) && !AreSame(plain[bare], tensor))
            {
                throw new InputException($"The checkpoint '{_path}' holds two networks ('{ParameterNames.Shown(bare)}' is there with and without a prefix): save one of them.");
            }
        }

        return plain;
    }

    // What stands before the names of a whole network is a wrapper. Models that attack or average themselves hold theirs twice.
    private Dictionary<string, torch.Tensor> OneNetwork(Dictionary<string, torch.Tensor> tensors)
    {
        var wrappers = Wrappers(tensors);
        if (wrappers.Count == 0)
        {
            return tensors;
        }

        string? Wrapper(string name) => wrappers.LastOrDefault(wrapper => name.StartsWith(wrapper, StringComparison.Ordinal));
        var network = tensors.Where(pair => Wrapper(pair.Key) == wrappers[0]).ToDictionary(pair => pair.Key[wrappers[0].Length..], pair => pair.Value, StringComparer.Ordinal);
        foreach (var (name, tensor) in tensors)
        {
            var wrapper = Wrapper(name);
            if (wrapper is null)
            {
                // Outside of the network: named when it is copied, if it is more than a count.
                if (!network.TryAdd(name, tensor))
                {
                    throw new InputException($"The checkpoint '{_path}' holds '{ParameterNames.Shown(name)}' both outside of and inside of '{ParameterNames.Shown(wrappers[0])}': save one network alone.");
                }
            }
            else if (wrapper != wrappers[0] && !IsCount(tensor) && !(network.TryGetValue(name[wrapper.Length..], out var same) && AreSame(same, tensor)))
            {
                throw new InputException($"The checkpoint '{_path}' holds two networks ('{ParameterNames.Shown(wrappers[0])}' and '{ParameterNames.Shown(wrapper)}'), which differ in '{ParameterNames.Shown(name[wrapper.Length..])}': save one of them.");
            }
        }

        return network;
    }

    private static IEnumerable<string> Classifiers => NetworkCatalogue.Families.Select(family => family.Classifier).Distinct();

    // By length, so that the last that a name begins with is its own.
    private static List<string> Wrappers(Dictionary<string, torch.Tensor> tensors)
    {
        var classifiers = Classifiers.ToList();
        var classified = (
            from name in tensors.Keys
            from classifier in classifiers
            where name.EndsWith(classifier, StringComparison.Ordinal) && tensors[name].dim() == 2
            let wrapper = name[..^classifier.Length]
            where wrapper.Length == 0 || wrapper[^1] == '.'
            orderby wrapper.Length
            select wrapper).Distinct().ToList();
        var stems = NetworkCatalogue.Families.Select(family => family.Stem).Distinct().ToList();
        var whole = classified.Where(wrapper => stems.Any(name => tensors.TryGetValue(wrapper + name, out var stem) && stem.dim() == 4 && stem.shape[1] == 3)).ToList();
        return whole.Count > 0 ? whole : [.. classified.Take(1)];
    }

    private void Normalise(double[] mean, double[] deviation)
    {
        if (mean.Length != 3 || deviation.Length != 3 || !UsableNumbers.MeansFit(mean) || !UsableNumbers.DeviationsFit(deviation))
        {
            throw new InputException(FormattableString.Invariant($"The checkpoint '{_path}' normalises its input by the means {string.Join(", ", mean)} and the deviations {string.Join(", ", deviation)}, but means must be in {UsableNumbers.MeanRange}, deviations in {UsableNumbers.DeviationRange}."));
        }

        if (Mean is not null && !(Mean.SequenceEqual(mean) && StandardDeviation!.SequenceEqual(deviation)))
        {
            throw new InputException($"The checkpoint '{_path}' normalises its input in two ways that differ: save one network alone.");
        }

        (Mean, StandardDeviation) = (mean, deviation);
    }

    private double[] Three(string name, torch.Tensor tensor)
    {
        if (tensor.numel() != 3)
        {
            throw new InputException($"The checkpoint '{_path}' normalises by '{ParameterNames.Shown(name)}', which is {ArchitectureMismatch.Shape(tensor)} instead of three channels: it is not of a network for colour pictures.");
        }

        using var scope = torch.NewDisposeScope();
        return tensor.to(torch.float64).reshape(-1).data<double>().ToArray();
    }

    private void Require(Dictionary<string, torch.Tensor> tensors, string how)
    {
        if (UsableNumbers.Problem(tensors) is { } problem)
        {
            throw new InputException($"The checkpoint '{_path}' holds no network that computes: {how}{problem}. Its training diverged; import one from before that.");
        }
    }

    private int? Side(string key) => !_stored.Metadata.TryGetValue(key, out var text) ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var side) && side is > 0 and <= LargestSide ? side
        : throw new InputException($"The checkpoint '{_path}' is damaged: its metadata '{key}' are not a size in pixels.");

    private T[]? List<T>(string key)
    {
        try
        {
            return _stored.Metadata.TryGetValue(key, out var text) ? Json.Parse<T[]>(text) : null;
        }
        catch (JsonException exception)
        {
            throw new InputException($"The checkpoint '{_path}' is damaged: its metadata '{key}' are not a list.", exception);
        }
    }

    private static string Some(IEnumerable<string> names) => string.Join(", ", names.Take(3).Select(ParameterNames.Shown)) + ", ...";
}
