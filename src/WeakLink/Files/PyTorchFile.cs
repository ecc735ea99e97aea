using System.IO.Compression;
using System.Numerics;
using TorchSharp;

namespace WeakLink.Files;

/// <summary>
/// Checkpoints that PyTorch's <c>torch.save</c> wrote, in the format since version 1.6 or the older one. Reading executes nothing, whatever the
/// file holds (<see cref="PickleReader"/>), and allocates at most twice the file's size and 250 MB: tensors that are views of the same numbers
/// share them here too.
/// </summary>
public static class PyTorchFile
{
    /// <summary>No sane description of tensors is longer (bytes).</summary>
    internal const long LargestPickle = 1 << 24;

    // A network, its twin and its average may share numbers; more looks at them again and again.
    private const int MostViews = 16;

    // Where training scripts put the weights among other things.
    private static readonly string[] Containers = ["state_dict", "model_state_dict", "net", "model"];

    /// <summary>Whether a file is one, by how it begins.</summary>
    /// <exception cref="InputException">The file can't be read.</exception>
    internal static bool IsOne(string path)
    {
        try
        {
            using var file = InputFile.Open(path, 1);
            var start = Start(file);
            return PyTorchArchive.IsOne(start) || PyTorchSequence.IsOne(start);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, exception);
        }
    }

    /// <summary>
    /// Reads the weights of a checkpoint: the tensors of the dictionary that it is, or of the one in it that is called state_dict,
    /// model_state_dict, net or model. The caller owns them.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <returns>Tensors by name, on the processor.</returns>
    /// <exception cref="InputException">The file is missing or damaged, or its weights are anything but tensors and containers.</exception>
    public static Dictionary<string, torch.Tensor> Read(string path) => Read(path, null).Tensors;

    /// <summary>The same of the dictionary under a name of the file; null: as above.</summary>
    internal static PyTorchWeights Read(string path, string? key)
    {
        try
        {
            using var file = InputFile.Open(path);
            return Read(file, key);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException)
        {
            var why = exception is EndOfStreamException ? "it is cut off" : exception.Message.TrimEnd('.');
            throw new InputException($"The PyTorch checkpoint '{path}' is refused: {why}.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, exception);
        }
    }

    /// <exception cref="InvalidDataException">The message is part of a sentence.</exception>
    internal static PyTorchWeights Read(Stream file, string? key = null)
    {
        var start = Start(file);
        if (PyTorchSequence.IsOne(start))
        {
            return Of(PyTorchSequence.Read(file));
        }

        if (PyTorchArchive.IsOne(start))
        {
            using var archive = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
            return Of(PyTorchArchive.Read(archive, file.Length));
        }

        throw new InvalidDataException("it does not begin as PyTorch's checkpoints do");

        PyTorchWeights Of((object? Value, Func<PickledStorage, StoredNumbers?> Find) read)
        {
            var (weights, beside) = Weights(read.Value, key);
            return new PyTorchWeights(Tensors(weights, read.Find, file.Length), beside);
        }
    }

    private static byte[] Start(Stream file)
    {
        var start = new byte[PyTorchSequence.StartLength];
        file.Position = 0;
        file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return start;
    }

    private static (PickledDictionary Weights, IReadOnlyList<string> Beside) Weights(object? value, string? key)
    {
        const int Deepest = 4;
        var beside = new List<string>();
        if (key is not null && value is PickledDictionary file)
        {
            value = file[key] is PickledDictionary or PickledObject ? file[key] : throw new InvalidDataException($"it holds no weights under '{ParameterNames.Shown(key)}' (it has {Some(file)})");
        }

        for (var depth = 0; depth < Deepest && value is PickledDictionary dictionary; depth++)
        {
            if (dictionary.Named.Any(pair => pair.Value is PickledTensor) && Containers.All(name => dictionary[name] is not PickledDictionary))
            {
                return (dictionary, beside);
            }

            var inner = Containers.Select(name => dictionary[name]).FirstOrDefault(one => one is PickledDictionary) ?? OnlyWeights(dictionary);
            beside.AddRange(WithTensors(dictionary).Where(pair => pair.Value != inner).Select(pair => pair.Name));
            value = inner;
        }

        throw value is PickledObject unknown ? unknown.Refusal : new InvalidDataException("it holds no dictionary of weights; save model.state_dict()");
    }

    private static IEnumerable<(string Name, object? Value)> WithTensors(PickledDictionary dictionary) =>
        dictionary.Named.Where(pair => pair.Value is PickledDictionary inner && inner.Named.Any(tensor => tensor.Value is PickledTensor));

    // Under a name of its own, such as that of an average.
    private static PickledDictionary OnlyWeights(PickledDictionary dictionary)
    {
        var weights = WithTensors(dictionary).ToList();
        return weights.Count switch
        {
            1 => (PickledDictionary)weights[0].Value!,
            0 when IsOptimiser(dictionary) || dictionary.Named.Any(pair => pair.Value is PickledDictionary inner && IsOptimiser(inner)) =>
                throw new InvalidDataException("it holds an optimiser's state and no network; give the file with the network's weights"),
            0 => throw Containers.Select(name => dictionary[name]).OfType<PickledObject>().FirstOrDefault()?.Refusal
                ?? new InvalidDataException($"it holds no weights by name (it has {Some(dictionary)}); save model.state_dict()"),
            _ => throw new InvalidDataException($"it holds tensors under {string.Join(" and ", weights.Take(3).Select(pair => ParameterNames.Shown(pair.Name)))}; save the weights of one network alone"),
        };
    }

    private static bool IsOptimiser(PickledDictionary dictionary) => dictionary["param_groups"] is not null;

    private static string Some(PickledDictionary dictionary)
    {
        const int Shown = 5;
        var names = dictionary.Named.Select(pair => ParameterNames.Shown(pair.Name)).Take(Shown + 1).ToList();
        return names.Count == 0 ? "no names" : string.Join(", ", names.Take(Shown)) + (names.Count > Shown ? ", ..." : "");
    }

    private static Dictionary<string, torch.Tensor> Tensors(PickledDictionary weights, Func<PickledStorage, StoredNumbers?> find, long fileLength)
    {
        using var scope = torch.NewDisposeScope();
        var storages = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        var tensors = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        BigInteger total = 0;
        foreach (var (name, value) in weights.Named)
        {
            if (value is PickledObject unknown)
            {
                throw unknown.Refusal;
            }

            if (value is not PickledTensor tensor)
            {
                continue;
            }

            if ((total += (BigInteger)tensor.Count * tensor.Storage.Size) > (BigInteger)MostViews * fileLength)
            {
                throw new InvalidDataException("its tensors overlap: together they are many times larger than the file");
            }

            if (!storages.TryGetValue(tensor.Storage.Key, out var numbers))
            {
                storages.Add(tensor.Storage.Key, numbers = Read(name, tensor.Storage, find));
            }

            tensors.Add(name, numbers.as_strided(tensor.Shape, tensor.Strides, tensor.Offset));
        }

        foreach (var tensor in tensors.Values)
        {
            tensor.DetachFromDisposeScope();
        }

        return tensors;
    }

    private static torch.Tensor Read(string name, PickledStorage storage, Func<PickledStorage, StoredNumbers?> find)
    {
        var numbers = find(storage) ?? throw new InvalidDataException($"the numbers of '{ParameterNames.Shown(name)}' are missing");
        if ((BigInteger)storage.Count * storage.Size != numbers.Length)
        {
            throw new InvalidDataException($"the numbers of '{ParameterNames.Shown(name)}' are cut off or too many");
        }

        if (numbers.Length > Array.MaxLength)
        {
            throw new InvalidDataException(FormattableString.Invariant($"the numbers of '{ParameterNames.Shown(name)}' take {numbers.Length / 1e9:0.0} GB, and WeakLink reads none of 2 GB or more: it is no network of images"));
        }

        var read = torch.empty([storage.Count], storage.Type);
        if (storage.Count > 0)
        {
            numbers.Read(read.bytes);
        }

        return read;
    }

    private static InputException Unreadable(string path, Exception exception) =>
        new($"The checkpoint '{path}' can't be read ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
}

/// <summary>The weights that a checkpoint of PyTorch holds.</summary>
/// <param name="Tensors">Tensors by name, on the processor.</param>
/// <param name="Beside">The names under which the file has others, such as an average.</param>
internal sealed record PyTorchWeights(Dictionary<string, torch.Tensor> Tensors, IReadOnlyList<string> Beside);
