using System.Globalization;
using System.Text.Json;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;

namespace WeakLink.Interop;

/// <summary>
/// Weights that somebody saved: WeakLink's own checkpoints and exports, safetensors, checkpoints that PyTorch wrote, ONNX models. Understands the names of torchvision's
/// (and timm's) ResNets, RobustBench's PreAct and wide ones, and the checkpoints of the EWS authors, whatever modules the network was wrapped in; ONNX models by their
/// graph, whatever their names. Nothing in the file is executed.
/// </summary>
public sealed class ImportedWeights : IDisposable
{
    private const int LargestSide = 65_535;
    private const int MostBeside = 4;

    // What still looks like a network that is known: a part of its tensors is as it should be.
    private const double Resemblance = 0.25;

    private readonly string _path;
    private readonly StoredTensors _stored;
    private readonly Dictionary<string, torch.Tensor> _tensors;
    private readonly OnnxWeights? _graph;

    private readonly List<string> _notes = [];

    private ImportedWeights(string path, StoredTensors stored, OnnxWeights? graph = null)
    {
        (_path, _stored, _graph) = (path, stored, graph);
        var tensors = Unwrapped();
        var normalisations = ParameterNames.NormalisationsIn(tensors.Keys.ToHashSet(StringComparer.Ordinal)).ToList();
        foreach (var (mean, deviation) in normalisations)
        {
            Normalise(Three(mean, tensors[mean]), Three(deviation, tensors[deviation]));
        }

        if (graph is { Mean: { } graphMean, StandardDeviation: { } graphDeviation })
        {
            Normalise(graphMean, graphDeviation);
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

            NormalisesItself = Mean is not null;
            if (TimmConfig.Beside(path) is { } timm)
            {
                if (timm.IsSmoothed)
                {
                    throw new InputException($"'{TimmConfig.Name}' beside '{path}' says that the network is timm's {ParameterNames.Shown(timm.Architecture!)}, whose tensors have torchvision's names, but which computes something else: WeakLink does not have it.");
                }

                Preparation = timm.Preparation;
                _notes.Add(Preparation is null ? $"'{TimmConfig.Name}' beside the file prepares images in a way that WeakLink does not, or does not say how: only its mean and standard deviation are taken."
                    : FormattableString.Invariant($"Images are prepared as '{TimmConfig.Name}' beside the file says: {Preparation.Height} pixels, of them the middle {Preparation.CropHeight}, {Preparation.Filter.ToString().ToLowerInvariant()}."));
                if (Mean is null)
                {
                    Normalise(timm.Mean, timm.StandardDeviation);
                }
            }

            return;
        }

        NormalisesItself = true;
        Model = metadata.GetValueOrDefault(ExportMetadata.Model);
        ClassNames = List<string>(ExportMetadata.Classes) is { } names ? WeakLink.ClassNames.Checked(names, $"The checkpoint '{path}'") : null;
        if (graph is null && List<double>(ExportMetadata.Mean) is { } means && List<double>(ExportMetadata.StandardDeviation) is { } deviations)
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

    // Of a checkpoint of WeakLink's, whose names are the network's and whose normalisation is the recipe's.
    private ImportedWeights(string path, Checkpoint checkpoint)
    {
        (_path, _stored) = (path, new StoredTensors(checkpoint.Network(), []));
        _tensors = _stored.Tensors.Where(pair => pair.Key is not (ClassifierNetwork.MeanName or ClassifierNetwork.DeviationName)).ToDictionary(StringComparer.Ordinal);
        (Model, WidthMultiplier, ClassNames) = (checkpoint.Recipe.Model.Name, checkpoint.Recipe.Model.WidthMultiplier, checkpoint.Classes);
        (Mean, StandardDeviation, NormalisesItself) = (checkpoint.Recipe.Model.Mean, checkpoint.Recipe.Model.StandardDeviation, true);
        Preparation = Loaders.Preparation(checkpoint.Recipe, checkpoint.Size);
        (Height, Width) = (Preparation.CropHeight, Preparation.CropWidth);
    }

    /// <summary>What multiplies the network's channels, where a checkpoint of WeakLink says it; otherwise null.</summary>
    public double? WidthMultiplier { get; }

    /// <summary>The network's name, where WeakLink exported the file; otherwise null.</summary>
    public string? Model { get; }

    /// <summary>Class names, where WeakLink exported the file; otherwise null.</summary>
    public IReadOnlyList<string>? ClassNames { get; }

    /// <summary>What the model subtracts from each channel of images in [0, 1], where the file says it; otherwise null.</summary>
    public IReadOnlyList<double>? Mean { get; private set; }

    /// <summary>What the model divides each channel by, where the file says it; otherwise null.</summary>
    public IReadOnlyList<double>? StandardDeviation { get; private set; }

    /// <summary>Whether the network itself does that, by its tensors, its graph or what WeakLink wrote: others would be wrong.</summary>
    public bool NormalisesItself { get; }

    /// <summary>Sentences about what was taken of the file, and what was not.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Height of the network's input in pixels, where WeakLink exported the file; otherwise null.</summary>
    public int? Height { get; }

    /// <summary>Width of the network's input in pixels, where WeakLink exported the file; otherwise null.</summary>
    public int? Width { get; }

    /// <summary>Whether these are the weights of a subnet, which no network of the catalogue takes.</summary>
    public bool IsSubnet { get; }

    /// <summary>What becomes of an image before the network sees it, where WeakLink exported the file or timm's <c>config.json</c> beside it says it; otherwise null.</summary>
    public ImagePreparation? Preparation { get; }

    /// <summary>How many numbers its tensors hold at most: views of the same numbers count once.</summary>
    public long Numbers => Math.Min(_graph?.Numbers ?? _tensors.Values.Sum(tensor => tensor.numel()), new FileInfo(_path).Length);

    /// <summary>Number of classes: rows of the classifier's weight.</summary>
    /// <exception cref="InputException">There is no classifier.</exception>
    public int Classes => ClassCount
        ?? throw new InputException($"The checkpoint '{_path}' holds no classifier{(_graph is null ? $" ({string.Join(" or ", Classifiers)}); it has {Some(_tensors.Keys)}" : "")}: give the checkpoint of a whole network.");

    /// <summary>Number of classes; null where there is no classifier.</summary>
    /// <exception cref="InputException">The file claims more than it can hold.</exception>
    internal int? ClassCount => (_graph is not null ? _graph.Classes : Classifiers.Select(name => _tensors.GetValueOrDefault(name)).FirstOrDefault(weight => weight?.dim() == 2)?.shape[0]) switch
    {
        null => null,
        var rows when rows > 0 && rows <= Numbers => (int)rows,
        var rows => throw new InputException($"The checkpoint '{_path}' claims {rows:n0} classes, but holds {Numbers:n0} numbers: it is damaged; copy it again."),
    };

    /// <summary>Reads a file.</summary>
    /// <param name="path">A .safetensors file, a .pt or .pth file that PyTorch's <c>torch.save</c> wrote, or an .onnx file.</param>
    /// <param name="key">The name of the weights within a file of PyTorch's that holds several, such as <c>state_dict_ema</c>; null: those under the usual names.</param>
    /// <exception cref="InputException">The file is missing or damaged, holds no weights (under the name), or they are anything but tensors and containers.</exception>
    public static ImportedWeights Read(string path, string? key = null)
    {
        if (PyTorchFile.IsOne(path))
        {
            var (tensors, beside) = PyTorchFile.Read(path, key);
            var weights = Read(path, new StoredTensors(tensors, []));
            if (beside.Count > 0)
            {
                weights._notes.Add($"The file holds other weights, too, which are not taken: {string.Join(", ", beside.Take(MostBeside).Select(ParameterNames.Shown))}{(beside.Count > MostBeside ? ", ..." : "")} (name one with the key of its weights).");
            }

            return weights;
        }

        if (key is not null)
        {
            throw new InputException($"'{path}' is no checkpoint of PyTorch's, which alone may hold weights under several names: leave the name '{ParameterNames.Shown(key)}' out.");
        }

        if (OnnxGraph.IsOne(path))
        {
            var graph = Understood(path, () => OnnxGraph.Read(path));
            return Read(path, new StoredTensors([], graph.Metadata) { Vouched = graph.IsVouched ? Vouched.Everything : Vouched.Nothing }, Understood(path, () => new OnnxWeights(graph)));
        }

        var stored = SafeTensors.Read(path);
        if (!Checkpoint.IsOne(stored))
        {
            return Read(path, stored);
        }

        stored.Dispose();
        using var checkpoint = Checkpoint.Load(path);
        return new ImportedWeights(path, checkpoint);
    }

    private static ImportedWeights Read(string path, StoredTensors stored, OnnxWeights? graph = null)
    {
        try
        {
            return new ImportedWeights(path, stored, graph);
        }
        catch
        {
            stored.Dispose();
            throw;
        }
    }

    /// <summary>Puts the weights and running averages into a network.</summary>
    /// <returns>The file's names of tensors that change nothing in the network, and were not taken.</returns>
    /// <exception cref="InputException">Parameters are missing, unknown or of another shape, which are listed; or one holds what no network computes with. The network stays as it is.</exception>
    public IReadOnlyList<string> CopyTo(ClassifierNetwork network) =>
        CopyTo(network, classifier: true, $"Name the network that it is{(IsSubnet ? "; subnets can't be imported" : "")}.").Left;

    /// <summary>Puts them into a network, where asked without its classifier, which stays as it is.</summary>
    /// <param name="network">The network.</param>
    /// <param name="classifier">Whether the classifier is copied too.</param>
    /// <param name="remedy">A sentence that says what to do about another architecture.</param>
    /// <returns>What was copied, and what of the file was not.</returns>
    /// <exception cref="InputException">As the public one.</exception>
    internal CopiedTensors CopyTo(ClassifierNetwork network, bool classifier, string remedy)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var wanted = Wanted(network);
        var (found, left) = Found(network, wanted);
        if (!classifier)
        {
            left = [.. left, .. found.Keys.Where(network.IsClassifier)];
            found = found.Where(pair => !network.IsClassifier(pair.Key)).ToDictionary(StringComparer.Ordinal);
            wanted = wanted.Where(pair => !network.IsClassifier(pair.Key)).ToDictionary(StringComparer.Ordinal);
        }

        ArchitectureMismatch.Refuse(_path, found, network, wanted, ArchitectureMismatch.Shape, remedy, name => MayBeMissing(name, found));
        if (found.FirstOrDefault(pair => wanted[pair.Key].is_floating_point() && !pair.Value.is_floating_point()) is { Key: { } whole })
        {
            throw new InputException($"The checkpoint '{_path}' is quantised: '{whole}' holds whole numbers ({found[whole].dtype}), whose scale WeakLink does not know; import the network as it was before.");
        }

        Require(found, "");
        var types = found.Values.Where(tensor => tensor.is_floating_point()).Select(tensor => tensor.dtype).Distinct().Where(type => type != torch.float32).Order().ToList();
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

        return new CopiedTensors([.. found.Keys], left, types);
    }

    /// <summary>Which network of the catalogue the tensors are of, by their names and shapes.</summary>
    /// <param name="widthMultiplier">What multiplies the network's channels.</param>
    /// <returns>The network that has all of them, or else the nearest one, and whether it has all; null: they look like none.</returns>
    public (string Name, bool IsExact)? Recognise(double widthMultiplier = 1)
    {
        var candidates = NetworkCatalogue.Names.Select(name => (Name: name, Least: NetworkCatalogue.LeastParameters(name, widthMultiplier, classes: 1))).ToList();
        // A network has up to four times the numbers of its 3x3 convolutions.
        var nearest = (Name: "", Share: Resemblance);
        foreach (var likely in (bool[])[true, false])
        {
            foreach (var (name, least) in candidates.Where(one => (Numbers >= one.Least && Numbers <= 4 * one.Least) == likely && Numbers >= one.Least / 8 && Numbers <= 8 * one.Least))
            {
                using var network = NetworkCatalogue.Create(name, 2, [0, 0, 0], [1, 1, 1], widthMultiplier: widthMultiplier);
                var (same, wanted) = Agreement(network);
                if (same == wanted)
                {
                    return (name, true);
                }

                nearest = (double)same / wanted > nearest.Share ? (name, (double)same / wanted) : nearest;
            }
        }

        return nearest.Name.Length > 0 ? (nearest.Name, false) : null;
    }

    /// <summary>How many of a network's tensors the file has, the classifier's aside; all of them where nothing is missing or too much.</summary>
    internal (int Same, int Wanted) Agreement(ClassifierNetwork network)
    {
        using var scope = torch.NewDisposeScope();
        var wanted = Wanted(network).Where(pair => !network.IsClassifier(pair.Key)).ToDictionary(StringComparer.Ordinal);
        var (found, _) = Found(network, wanted);
        var others = found.Keys.Count(name => !wanted.ContainsKey(name) && !network.IsClassifier(name));
        return (wanted.Count(pair => found.TryGetValue(pair.Key, out var tensor) ? tensor.shape.SequenceEqual(pair.Value.shape) : MayBeMissing(pair.Key, found)) - others, wanted.Count);
    }

    /// <inheritdoc/>
    public void Dispose() => _stored.Dispose();

    private static Dictionary<string, torch.Tensor> Wanted(ClassifierNetwork network) =>
        network.state_dict().Where(pair => pair.Key is not (ClassifierNetwork.MeanName or ClassifierNetwork.DeviationName)).ToDictionary(StringComparer.Ordinal);

    // By the network's names, and what changes nothing in it.
    private (Dictionary<string, torch.Tensor> Found, IReadOnlyList<string> Left) Found(ClassifierNetwork network, Dictionary<string, torch.Tensor> wanted)
    {
        if (_graph is not null)
        {
            return (Understood(_path, () => _graph.For(network)) ?? [], []);
        }

        var names = wanted.Keys.ToHashSet(StringComparer.Ordinal);
        var (found, left) = (new Dictionary<string, torch.Tensor>(StringComparer.Ordinal), new List<string>());
        var isEws = ParameterNames.AreOfEws(_tensors.Keys);
        foreach (var (bare, tensor) in _tensors)
        {
            var name = ParameterNames.Ours(bare, names);
            if (!names.Contains(name) && (ParameterNames.IsUnused(bare, isEws) || IsCount(tensor)))
            {
                left.Add(bare);
            }
            else if (!found.TryAdd(name, tensor))
            {
                throw new InputException($"The checkpoint '{_path}' holds '{ParameterNames.Shown(name)}' under two names: save one network alone.");
            }
        }

        return (found, left);
    }

    internal static T Understood<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException exception)
        {
            throw new InputException($"The ONNX model '{path}' is refused: {exception.Message.TrimEnd('.')}.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The checkpoint '{path}' can't be read ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
        }
    }

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

        TakeClassifierOutOfItsSequence(plain);
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

    // "model.fc = nn.Sequential(nn.Dropout(0.5), nn.Linear(512, 10))" has its classifier under fc.1: the one part of the sequence that has weights.
    private void TakeClassifierOutOfItsSequence(Dictionary<string, torch.Tensor> tensors)
    {
        foreach (var module in Classifiers.Select(classifier => classifier[..^"weight".Length]).ToList())
        {
            var parts = (
                from name in tensors.Keys
                let start = name.StartsWith(module, StringComparison.Ordinal) ? 0 : name.LastIndexOf("." + module, StringComparison.Ordinal) + 1
                where start > 0 || name.StartsWith(module, StringComparison.Ordinal)
                let rest = name[(start + module.Length)..].Split('.')
                select (Name: name, Sequence: name[..(start + module.Length)], rest)).ToList();
            foreach (var sequence in parts.GroupBy(part => part.Sequence).Where(one => one.All(part => part.rest is [var place, "weight" or "bias"] && place.All(char.IsAsciiDigit)) && one.Select(part => part.rest[0]).Distinct().Count() == 1))
            {
                foreach (var (name, _, rest) in sequence)
                {
                    tensors.Add(sequence.Key + rest[1], tensors[name]);
                    tensors.Remove(name);
                }

                var classifier = sequence.First();
                _notes.Add($"The classifier is part {classifier.rest[0]} of the sequence '{ParameterNames.Shown(sequence.Key.TrimEnd('.'))}'; what stands beside it there has no weights, such as dropout, and is taken to change nothing.");
            }
        }
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
        if (classified.Count == 0)
        {
            // Features alone.
            return [.. (from name in tensors.Keys
                        from stem in stems
                        where name.EndsWith(stem, StringComparison.Ordinal) && tensors[name].dim() == 4 && tensors[name].shape[1] == 3
                        let wrapper = name[..^stem.Length]
                        where wrapper.Length == 0 || wrapper[^1] == '.'
                        orderby wrapper.Length
                        select wrapper).Distinct()];
        }

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

/// <summary>What became of a file's tensors.</summary>
/// <param name="Taken">Names of those that the network has now, its own ones.</param>
/// <param name="Left">Names of those that it has no use for.</param>
/// <param name="Converted">Number formats that became float32.</param>
internal sealed record CopiedTensors(IReadOnlyList<string> Taken, IReadOnlyList<string> Left, IReadOnlyList<torch.ScalarType> Converted);
