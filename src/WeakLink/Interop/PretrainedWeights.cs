using System.Globalization;
using System.Security.Cryptography;
using TorchSharp;
using WeakLink.Files;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;

namespace WeakLink.Interop;

/// <summary>The weights that a recipe starts from (<c>model.weights</c>): a run, a file, or published ones by name.</summary>
public sealed class PretrainedWeights : IDisposable
{
    // In [0, 1]: of images in levels of 0 to 255 the deviations are 1 / 255 or little more.
    private const double LargestOfLevels = 0.02;

    // Those that torchvision's networks, and most others, were trained with.
    private static readonly double[] ImageNetMean = [0.485, 0.456, 0.406], ImageNetDeviation = [0.229, 0.224, 0.225];

    private const string ImageNetSuffix = "-imagenet";

    private const string Remedy = "Give weights of this network, or set model.name to theirs (auto finds it).";

    private readonly ModelRecipe _recipe;
    private readonly KnownWeights? _known;
    private readonly ImportedWeights _weights;

    private PretrainedWeights(ModelRecipe recipe, string file)
    {
        (_recipe, Path) = (recipe, file);
        Sha256 = Checksum(file);
        if (recipe.WeightsChecksum.Length > 0 && !FileChecksum.AreEqual(recipe.WeightsChecksum, Sha256))
        {
            throw new InputException($"The weights '{recipe.Weights}' are not those that the recipe was made with: their SHA-256 is {Short(Sha256)}..., and model.weights-checksum {Short(recipe.WeightsChecksum)}...; give those, or set model.weights-checksum to nothing.");
        }

        _known = KnownWeights.All.FirstOrDefault(one => one.Sha256 == Sha256);
        _weights = ImportedWeights.Read(file);
    }

    /// <summary>The file that they are in.</summary>
    public string Path { get; }

    /// <summary>The file's SHA-256 in hexadecimal.</summary>
    public string Sha256 { get; }

    /// <summary>Opens the weights of a recipe.</summary>
    /// <param name="recipe">Names them.</param>
    /// <exception cref="InputException">There are none, they are damaged, or not those of <see cref="ModelRecipe.WeightsChecksum"/>.</exception>
    public static PretrainedWeights Open(ModelRecipe recipe) => new(recipe, FileOf(recipe.Weights));

    /// <summary>A recipe in which nothing is left to its weights: their network, their normalisation where the recipe names none, and their checksum.</summary>
    /// <param name="recipe">The recipe; without weights it stays as it is.</param>
    /// <exception cref="InputException">There are no such weights, or they are not the network's.</exception>
    public static Recipe Resolve(Recipe recipe)
    {
        if (recipe.Model.Weights.Length == 0)
        {
            return recipe.Model.Name != ModelRecipe.Auto ? recipe
                : throw new InputException($"The recipe {recipe.Name} leaves the network to weights, and names none: set model.weights to a file, a run or a name, or model.name to a network.");
        }

        using var weights = Open(recipe.Model);
        return recipe with { Model = weights.Resolved() };
    }

    /// <summary>Whether the file is another one than the recipe's run began with, as a sentence; null: it is the same, or not there to be compared.</summary>
    /// <param name="recipe">The recipe of a run.</param>
    internal static string? Changed(ModelRecipe recipe)
    {
        try
        {
            return recipe.Weights.Length == 0 || FileChecksum.AreEqual(Checksum(FileOf(recipe.Weights)), recipe.WeightsChecksum) ? null
                : $"The weights '{recipe.Weights}' are no longer those that this run began with: it goes on from its own checkpoint, but could not be trained again from its recipe.";
        }
        catch (InputException)
        {
            // A run that goes on needs them no more.
            return null;
        }
    }

    /// <summary>Puts the weights into a network; its classifier stays as it is where the classes are others.</summary>
    /// <param name="network">The network.</param>
    /// <param name="classes">Its classes.</param>
    /// <returns>What was taken.</returns>
    /// <exception cref="InputException">They are of another architecture, or hold what no network computes with. The network stays as it is.</exception>
    public TakenWeights CopyTo(ClassifierNetwork network, IReadOnlyList<string> classes)
    {
        var (count, names) = (_weights.ClassCount, _weights.ClassNames);
        var classifier = count == classes.Count && (names is null || names.SequenceEqual(classes));
        var copied = _weights.CopyTo(network, classifier, Remedy);
        AdaptStem(network);
        return new TakenWeights
        {
            Weights = _recipe.Weights,
            Sha256 = Sha256,
            Network = network.Name,
            Taken = copied.Taken.Count,
            Left = copied.Left,
            New = [.. network.state_dict().Keys.Where(name => !classifier && network.IsClassifier(name))],
            Classifier = classifier ? names is null ? $"taken: it has as many classes ({classes.Count}), whose names are not known" : "taken: the classes are the same"
                : $"new, for {classes.Count} classes: the weights {(count is null ? "have none" : count == classes.Count ? "are of other classes" : FormattableString.Invariant($"tell {count:n0} apart"))}",
            Converted = [.. copied.Converted.Select(type => type.ToString().ToLowerInvariant())],
            Mean = _recipe.Mean,
            StandardDeviation = _recipe.StandardDeviation,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _weights.Dispose();

    // A first convolution of levels up to 255 has weights a sixtieth of the usual ones and gradients sixty times as large: any usual rate would be thousands of times too large for it, and its
    // filters would be lost in the first steps. It computes the same of images scaled as usual.
    private IReadOnlyList<double>? OfLevels =>
        (_known?.StandardDeviation ?? _weights.StandardDeviation) is { } own && own.All(deviation => deviation < LargestOfLevels) ? own : null;

    private void AdaptStem(ClassifierNetwork network)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var stem = network.get_parameter(NetworkCatalogue.StemOf(network.Name))!;
        if (_known is { BlueFirst: true })
        {
            stem.copy_(stem.flip(1));
        }

        if (OfLevels is { } own && _recipe.StandardDeviation.SequenceEqual(ImageNetDeviation))
        {
            stem.mul_(torch.tensor([.. ImageNetDeviation.Zip(own, (usual, its) => usual / its)], torch.float32).view(1, -1, 1, 1));
        }
    }

    private static string FileOf(string weights) =>
        RunFolder.IsRun(weights) ? RunFolder.CheckpointOf(weights)
        : File.Exists(weights) ? weights
        : KnownWeights.All.FirstOrDefault(known => known.Name == weights) is { } named ? named.Find()
        : throw new InputException(Directory.Exists(weights)
            ? $"'{weights}' is a folder, but not that of a run: give a file of weights in it."
            : $"There are no weights '{weights}': give a file (a checkpoint or an export of WeakLink's, safetensors, PyTorch's .pt or .pth, ONNX), a run folder, or one of {string.Join(", ", KnownWeights.All.Select(known => known.Name))}.");

    private static string Checksum(string file)
    {
        try
        {
            using var stream = InputFile.Open(file);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The weights '{file}' can't be read ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
        }
    }

    private static string Short(string checksum) => checksum[..Math.Min(8, checksum.Length)];

    private ModelRecipe Resolved()
    {
        var isNamed = _recipe.Name != ModelRecipe.Auto;
        var name = isNamed ? _recipe.Name : _known?.Name ?? _weights.Model ?? _weights.Recognise(_recipe.WidthMultiplier)?.Name
            ?? throw new InputException($"The weights '{_recipe.Weights}' are of no network that WeakLink knows by its tensors: set model.name to the network that they are of, or give others.");
        var (mean, deviation) = _recipe.Mean.Count > 0 ? (_recipe.Mean, _recipe.StandardDeviation)
            : _known is not null ? (_known.Mean, _known.StandardDeviation)
            : _weights is { Mean: { } ownMean, StandardDeviation: { } ownDeviation } ? (ownMean, ownDeviation)
            : name.EndsWith(ImageNetSuffix, StringComparison.Ordinal) ? (ImageNetMean, ImageNetDeviation)
            : throw new InputException($"The weights '{_recipe.Weights}' do not say how their images were normalised: set model.mean and model.standard-deviation as in their training (0,0,0 and 1,1,1 where the network takes images in [0, 1] as they are).");
        if (_recipe.Mean.Count == 0 && OfLevels is not null)
        {
            deviation = ImageNetDeviation;
        }

        var resolved = _recipe with
        {
            Name = name,
            WidthMultiplier = isNamed ? _recipe.WidthMultiplier : _weights.WidthMultiplier ?? _recipe.WidthMultiplier,
            Mean = [.. mean],
            StandardDeviation = [.. deviation],
            Weights = RecipeResolution.AbsoluteSource(_recipe.Weights),
            WeightsChecksum = Sha256,
        };
        // Before anything long begins: what CopyTo would refuse then.
        using var network = new Recipe { Model = resolved }.CreateNetworkFor(_weights.ClassCount ?? 2, _weights.Numbers, _recipe.Weights, explains: true);
        _weights.CopyTo(network, _weights.ClassCount is not null, Remedy);
        return resolved;
    }
}

/// <summary>What a run took from the weights that it began with.</summary>
public sealed record TakenWeights
{
    private const int Listed = 4;

    /// <summary>The file, run or name.</summary>
    public required string Weights { get; init; }

    /// <summary>The file's SHA-256 in hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The network.</summary>
    public required string Network { get; init; }

    /// <summary>How many tensors were taken.</summary>
    public required int Taken { get; init; }

    /// <summary>The file's tensors that the network has no use for.</summary>
    public required IReadOnlyList<string> Left { get; init; }

    /// <summary>The network's tensors that begin at random.</summary>
    public required IReadOnlyList<string> New { get; init; }

    /// <summary>Whether the classifier was taken, and why.</summary>
    public required string Classifier { get; init; }

    /// <summary>Number formats that became float32.</summary>
    public required IReadOnlyList<string> Converted { get; init; }

    /// <summary>What the network subtracts from each channel.</summary>
    public required IReadOnlyList<double> Mean { get; init; }

    /// <summary>What it divides by then.</summary>
    public required IReadOnlyList<double> StandardDeviation { get; init; }

    /// <summary>What a run took; null where it began with weights drawn at random, or its file can't be read.</summary>
    /// <param name="run">The run's directory.</param>
    public static TakenWeights? Of(string run)
    {
        var file = RunFolder.WeightsOf(run);
        try
        {
            return File.Exists(file) ? Json.Read<TakenWeights>(file) : null;
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    /// <summary>The same for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Taken:n0} tensors of {Network} come from '{Weights}'{(Converted.Count > 0 ? $", converted from {string.Join(" and ", Converted)} to float32" : "")}; the classifier is {Classifier}{(Left.Count > 0 ? $"; left: {string.Join(", ", Left.Take(Listed).Select(ParameterNames.Shown))}{(Left.Count > Listed ? $" and {Left.Count - Listed} more" : "")}" : "")}. Normalised by the means {Text(Mean)} and the deviations {Text(StandardDeviation)}.");

    private static string Text(IReadOnlyList<double> values) => string.Join(", ", values.Select(value => value.ToString("0.####", CultureInfo.InvariantCulture)));
}
