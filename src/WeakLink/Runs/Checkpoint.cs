using System.Text.Json;
using TorchSharp;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Sources;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Runs;

/// <summary>
/// Everything that a run needs to go on, in one safetensors file: weights and running averages under their PyTorch names,
/// the optimiser's state under <c>optimizer.momentum.</c> and the like, the search under <c>search.</c>; recipe, classes and position as metadata.
/// (The random state is the seed and the position: see <see cref="SeededRandom"/>.)
/// </summary>
public sealed class Checkpoint : IDisposable
{
    private const string OptimizerPrefix = "optimizer.";
    private const string SearchPrefix = "search.";
    private const string UnaveragedPrefix = "unaveraged.";
    private const string Format = "weaklink-1";
    private const int LargestSide = 65_535;

    private readonly string _path;
    private readonly Dictionary<string, torch.Tensor> _tensors;

    private Checkpoint(string path, Dictionary<string, torch.Tensor> tensors, Recipe recipe, IReadOnlyList<string> classes, ImageSize size, RunPosition position)
    {
        (_path, _tensors, Recipe, Classes, Size, Position) = (path, tensors, recipe, classes, size, position);
    }

    /// <summary>The resolved recipe of the run.</summary>
    public Recipe Recipe { get; }

    /// <summary>Class names.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Size of the images that the network was trained on, before cropping.</summary>
    public ImageSize Size { get; }

    /// <summary>How many numbers its tensors hold.</summary>
    public long Numbers => _tensors.Values.Sum(tensor => tensor.numel());

    /// <summary>How far the run was.</summary>
    public RunPosition Position { get; }

    /// <summary>Writes a checkpoint, whole or not at all. Without optimizer and search it serves to measure and classify, not to go on training.</summary>
    /// <exception cref="InputException">The file can't be written, or training diverged: a tensor holds what no network computes with. The file that was there is intact.</exception>
    /// <exception cref="ArgumentException">The recipe names no normalisation, or there are not as many names as classes.</exception>
    public static void Save(
        string path, ClassifierNetwork network, ResumableOptimizer? optimizer, ISubnetSearch? search, Recipe recipe, IReadOnlyList<string> classes, ImageSize size, RunPosition position, WeightAverage? average = null)
    {
        // What Load would refuse.
        if (recipe.Model.Mean.Count == 0)
        {
            throw new ArgumentException("The recipe leaves the normalisation open: give the one that RecipeResolution.Resolve gives.", nameof(recipe));
        }

        if (classes.Count != network.Classes)
        {
            throw new ArgumentException($"The network tells {network.Classes} classes apart, but {classes.Count} are named.", nameof(classes));
        }

        var tensors = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in average?.State ?? network.state_dict())
        {
            tensors.Add(name, tensor);
        }

        foreach (var (name, tensor) in average is null ? [] : network.state_dict())
        {
            tensors.Add(UnaveragedPrefix + name, tensor);
        }

        foreach (var (name, parameter) in optimizer is null ? [] : network.named_parameters())
        {
            foreach (var (kind, tensor) in optimizer!.StateOf(parameter))
            {
                tensors.Add($"{OptimizerPrefix}{kind}.{name}", tensor);
            }
        }

        foreach (var (name, tensor) in search?.State() ?? new Dictionary<string, torch.Tensor>())
        {
            tensors.Add(SearchPrefix + name, tensor);
        }

        if (UsableNumbers.Problem(tensors) is { } problem)
        {
            throw new InputException($"'{path}' is not written, as training diverged: {problem}. What was saved before is intact; train with a lower training.learning-rate, or a larger training.batch.");
        }

        SafeTensors.Write(path, tensors, new Dictionary<string, string>
        {
            ["format"] = Format,
            ["recipe"] = RecipeFile.ToYaml(recipe),
            ["classes"] = JsonSerializer.Serialize(classes, Json.Line),
            ["size"] = JsonSerializer.Serialize(size, Json.Line),
            ["position"] = JsonSerializer.Serialize(position, Json.Line),
        });
    }

    /// <summary>Reads a checkpoint; nothing in it is executed.</summary>
    /// <exception cref="InputException">Missing, damaged, changed since it was written, or not WeakLink's.</exception>
    public static Checkpoint Load(string path)
    {
        var stored = SafeTensors.Read(path);
        try
        {
            var metadata = stored.Metadata;
            if (!metadata.TryGetValue("format", out var format) || !format.StartsWith("weaklink", StringComparison.Ordinal))
            {
                throw new InputException($"'{path}' holds weights, but is no checkpoint: what was exported, and other programs' weights, are imported first.");
            }

            if (format != Format)
            {
                throw new InputException($"'{path}' is a safetensors file, but not a checkpoint of this version of WeakLink: give a run folder or a file from its checkpoints folder.");
            }

            if (stored.Vouched == Vouched.Nothing)
            {
                throw Damaged(path, "its checksum is missing");
            }

            // Until 26 November 2026 checkpoints held NaN for a search that had had no reward yet.
            if (UsableNumbers.Problem(stored.Tensors.Where(pair => pair.Key != SearchPrefix + "baseline")) is { } problem)
            {
                throw new InputException($"The checkpoint '{path}' is of a training that diverged: {problem}. Use one from before that, or train again with a lower training.learning-rate or a larger training.batch.");
            }

            var recipe = RecipeFile.Parse(Text("recipe"), path);
            var size = Read<ImageSize>("size");
            var position = Read<RunPosition>("position");
            return recipe.Model.Mean.Count == 0 ? throw Damaged(path, "its recipe leaves the normalisation open")
                : size is not { Height: > 0 and <= LargestSide, Width: > 0 and <= LargestSide } || (long)size.Height * size.Width > ImageLimits.Largest.Pixels ? throw Damaged(path, "its size is none of images")
                : position is not { Epoch: >= 0, StepInEpoch: >= 0, Images: >= 0 } ? throw Damaged(path, "its position is before the start")
                : new Checkpoint(path, stored.Tensors, recipe, ClassNames.Checked(Read<string?[]>("classes"), $"The checkpoint '{path}'"), size, position);

            string Text(string key) => metadata.TryGetValue(key, out var text) ? text : throw Damaged(path, $"its metadata lack '{key}'");

            T Read<T>(string key)
            {
                try
                {
                    return Json.Parse<T>(Text(key));
                }
                catch (JsonException exception)
                {
                    throw Damaged(path, $"its metadata '{key}': {Json.Problem(exception)}", exception);
                }
            }
        }
        catch
        {
            stored.Dispose();
            throw;
        }
    }

    /// <summary>Puts the weights and running averages into a network.</summary>
    /// <exception cref="InputException">The network is of another architecture; the differing tensors are named.</exception>
    public void RestoreNetwork(ClassifierNetwork network)
    {
        var saved = OfNetwork();
        var wanted = network.state_dict();
        ArchitectureMismatch.Refuse(_path, saved, network, wanted, Described, "Use the recipe that it was trained with.");
        using var noGradients = torch.no_grad();
        foreach (var (name, tensor) in wanted)
        {
            tensor.copy_(saved[name]);
        }
    }

    /// <summary>The network's tensors, normalisation included; the caller owns them.</summary>
    internal Dictionary<string, torch.Tensor> Network() => OfNetwork().ToDictionary(pair => pair.Key, pair => pair.Value.alias().DetachFromDisposeScope(), StringComparer.Ordinal);

    /// <summary>Whether tensors are of a checkpoint, of any version.</summary>
    internal static bool IsOne(StoredTensors stored) => stored.Metadata.TryGetValue("format", out var format) && format.StartsWith("weaklink-", StringComparison.Ordinal);

    /// <summary>Puts back the whole state of training.</summary>
    /// <exception cref="InputException">The checkpoint belongs to another network or search.</exception>
    public void Restore(ClassifierNetwork network, ResumableOptimizer optimizer, ISubnetSearch? search, WeightAverage? average = null)
    {
        RestoreNetwork(network);
        if (average is not null)
        {
            RestoreAverage(network, average);
        }

        foreach (var (name, parameter) in network.named_parameters())
        {
            // A name begins with what it is: "momentum.fc.bias". Of the parameter's shape, or one number such as a count of steps.
            var state = _tensors.Where(pair => pair.Key.StartsWith(OptimizerPrefix, StringComparison.Ordinal) && pair.Key[OptimizerPrefix.Length..].Split('.', 2) is [_, var of] && of == name)
                .ToDictionary(pair => pair.Key.Split('.')[1], pair => pair.Value);
            foreach (var (kind, tensor) in state)
            {
                if (Described(tensor) != Described(parameter) && (tensor.dtype, tensor.numel()) != (torch.int64, 1))
                {
                    throw Damaged(_path, $"the {kind} of '{name}' is {Described(tensor)} instead of {Described(parameter)}");
                }
            }

            optimizer.SetState(parameter, state);
        }

        search?.Load(_tensors
            .Where(pair => pair.Key.StartsWith(SearchPrefix, StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key[SearchPrefix.Length..], pair => pair.Value));
    }

    // What is under the network's own names is the average.
    private void RestoreAverage(ClassifierNetwork network, WeightAverage average)
    {
        using var noGradients = torch.no_grad();
        foreach (var (name, tensor) in network.state_dict())
        {
            average.State[name].copy_(tensor);
            tensor.copy_(_tensors.TryGetValue(UnaveragedPrefix + name, out var own) && Described(own) == Described(tensor)
                ? own
                : throw Damaged(_path, $"the weights that '{name}' is the average of are {(own is null ? "missing" : $"{Described(own)} instead of {Described(tensor)}")}"));
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

    private Dictionary<string, torch.Tensor> OfNetwork() =>
        _tensors.Where(pair => !new[] { OptimizerPrefix, SearchPrefix, UnaveragedPrefix }.Any(prefix => pair.Key.StartsWith(prefix, StringComparison.Ordinal))).ToDictionary(StringComparer.Ordinal);

    private static string Described(torch.Tensor tensor) => $"{ArchitectureMismatch.Shape(tensor)} ({tensor.dtype})";

    private static InputException Damaged(string path, string why, Exception? cause = null) => new($"The checkpoint '{path}' is damaged: {why}. Use another checkpoint, or train again.", cause);
}
