using System.Buffers.Binary;
using System.Text.Json;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Recipes;

namespace WeakLink.Runs;

/// <summary>
/// What a run keeps to know its images again: images.safetensors in its folder, with <c>train</c>, <c>validation</c>, <c>test</c> and, where there
/// are any, <c>extra</c>, each N×16 bytes (the hashes, little-endian), and <c>train.labels</c> ..., N integers that index the metadata <c>classes</c>.
/// </summary>
public static class RunImages
{
    /// <summary>The file in a run folder.</summary>
    public const string FileName = "images.safetensors";

    private const string Train = "train", Validation = "validation", Test = "test", Extra = "extra", Labels = ".labels", Classes = "classes";
    private const int HashBytes = 16;

    /// <summary>Keeps the images of a run, unless they are kept already.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="images">Its images.</param>
    /// <exception cref="InputException">The file can't be written.</exception>
    public static void Keep(string run, KnownSplits images)
    {
        var path = Path.Combine(run, FileName);
        if (File.Exists(path))
        {
            return;
        }

        using var scope = torch.NewDisposeScope();
        var tensors = new Dictionary<string, torch.Tensor>();
        foreach (var (name, part) in new[] { (Train, images.Train), (Validation, images.Validation), (Test, images.Test), (Extra, images.Extra) })
        {
            if (part is not null)
            {
                var bytes = new byte[HashBytes * part.Hashes.Count];
                for (var i = 0; i < part.Hashes.Count; i++)
                {
                    BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(HashBytes * i), part.Hashes[i]);
                }

                tensors.Add(name, torch.tensor(bytes, [part.Hashes.Count, HashBytes], torch.uint8));
                tensors.Add(name + Labels, torch.tensor(part.Labels.ToArray(), torch.int32));
            }
        }

        SafeTensors.Write(path, tensors, new Dictionary<string, string> { [Classes] = JsonSerializer.Serialize(images.Train.Classes, Json.Line) });
    }

    /// <summary>The images of the run that a model is of.</summary>
    /// <param name="model">A run folder, or a checkpoint in one.</param>
    /// <param name="recipe">The recipe of the model.</param>
    /// <returns>Null where it is of no run that kept them: of an older version, imported, or moved out of its folder, be it into that of another run.</returns>
    /// <exception cref="InputException">The file is damaged, or of another run.</exception>
    public static KnownSplits? Of(string model, Recipe recipe)
    {
        var (isRun, known) = (RunFolder.IsRun(model), recipe.Data.Fingerprint);
        var run = isRun ? model : RunFolder.AmongCheckpointsOf(model);
        var path = Path.Combine(run ?? "", FileName);
        if (run is null || !File.Exists(path))
        {
            return null;
        }

        var images = Read(path);
        if (images.Fingerprint() == known)
        {
            return images;
        }

        // Whatever lies among a run's checkpoints, such as an imported network, may have been put there.
        return !isRun && RunFolder.RecipeOf(run).Data.Fingerprint != known ? null
            : !KnownSplits.IsFingerprint(known) ? images
            : throw new InputException($"'{path}' does not hold the images that the run was trained on: put back the one that belongs to it, or delete it (what the network was trained on can't be recognised then).");
    }

    /// <summary>Sentences for a model that is measured on images that it was trained on, or that chose it; none where it is not.</summary>
    /// <param name="model">A run folder, or a checkpoint.</param>
    /// <param name="recipe">The recipe of the model.</param>
    /// <param name="measured">What it is measured on.</param>
    /// <param name="what">What to call these, in the plural.</param>
    /// <param name="observer">Told where it can't be known.</param>
    /// <exception cref="InputException">The run's list of images is damaged, or of another run.</exception>
    public static IReadOnlyList<string> Met(string model, Recipe recipe, KnownImages measured, string what, IRunObserver observer)
    {
        if (Of(model, recipe) is { } images)
        {
            return images.Met(measured, what);
        }

        observer.Note($"Whether the network was trained on some of the {what} can't be checked: there is no list of its images ({FileName}) with '{model}', as runs have it.");
        return [];
    }

    private static KnownSplits Read(string path)
    {
        var (tensors, metadata) = SafeTensors.Read(path);
        try
        {
            string[] classes = Json.Parse<string[]>(metadata[Classes]);
            return new(Part(Train), Part(Validation), Part(Test), tensors.ContainsKey(Extra) ? Part(Extra) : null);

            KnownImages Part(string name)
            {
                var (hashes, labels) = (tensors[name], tensors[name + Labels]);
                if (hashes.dtype != torch.uint8 || labels.dtype != torch.int32 || hashes.shape is not [var count, HashBytes] || labels.shape is not [var others] || others != count)
                {
                    throw new JsonException();
                }

                // An accessor of nothing throws.
                if (count == 0)
                {
                    return new([], [], classes);
                }

                var (bytes, numbers) = (hashes.data<byte>().ToArray(), labels.data<int>().ToArray());
                return numbers.All(label => label >= 0 && label < classes.Length)
                    ? new([.. Enumerable.Range(0, (int)count).Select(i => BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(HashBytes * i)))], numbers, classes)
                    : throw new JsonException();
            }
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException)
        {
            throw new InputException($"'{path}' is not the list of images that a run keeps: put it back, or delete it (what the network was trained on can't be recognised then).", exception);
        }
        finally
        {
            foreach (var tensor in tensors.Values)
            {
                tensor.Dispose();
            }
        }
    }
}
