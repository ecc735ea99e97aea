using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Files;

namespace WeakLink.Evaluation;

/// <summary>
/// Adversarial examples on disk: pictures to look at, and arrays to use (a picture's bytes may round the perturbation away, or out of
/// the ball). Either way the perturbation lies beside them, amplified.
/// </summary>
/// <param name="folder">An existing folder.</param>
/// <param name="arrays">Arrays instead of pictures.</param>
/// <param name="threat">What the attacker was allowed: the largest perturbation is shown at full contrast.</param>
/// <param name="classes">Class names.</param>
public sealed class AdversarialFiles(string folder, bool arrays, ThreatModel threat, IReadOnlyList<string> classes) : IDisposable
{
    private const int LongestPart = 80;
    private static readonly Regex NotForFolders = new($@"[{Regex.Escape(new string(Path.GetInvalidFileNameChars()))}\\]|^\.|%(?=[0-9A-F]{{2}})");
    private readonly List<(int Index, int Label, int Predicted, torch.Tensor Clean, torch.Tensor Adversarial)> _kept = [];
    private readonly List<Entry> _entries = [];

    // A line of attack.json.
    private sealed record Entry(int Index, string Image, string Label, string Predicted, string Attack, string? File);

    /// <summary>Takes an example: a picture is written at once, arrays with <see cref="Finish"/>.</summary>
    /// <param name="example">The example.</param>
    /// <param name="label">Its class.</param>
    /// <param name="image">What the data call the image, such as its file.</param>
    public void Add(AdversarialExample example, int label, string image)
    {
        var (its, taken) = (classes[label], classes[example.Predicted]);
        string? file = null;
        if (arrays)
        {
            _kept.Add((example.Index, label, example.Predicted, example.Image.cpu().clone().DetachFromDisposeScope(), example.Adversarial.cpu().clone().DetachFromDisposeScope()));
        }
        else
        {
            file = WritePictures(example, its, taken);
        }

        _entries.Add(new Entry(example.Index, image, its, taken, example.Attack, file));
    }

    private string WritePictures(AdversarialExample example, string its, string taken)
    {
        // The example itself, in a folder of its class so that it can be given to data.extra, and a picture of what was done to it.
        var name = string.Create(CultureInfo.InvariantCulture, $"{example.Index:000000}-{Short(its)}-as-{Short(taken)}.png");
        var images = Directory.CreateDirectory(Path.Combine(folder, "images", FolderName(its))).FullName;
        var (panel, sheet) = (Panel(example), AdversarialSheet.Draw(example.Image, example.Adversarial, threat));
        AtomicFile.Write(Path.Combine(images, name), stream => stream.Write(panel));
        AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(sheet));
        return name;
    }

    /// <summary>Writes the arrays, in the order of the images, and last of all attack.json: what the examples are of.</summary>
    /// <param name="model">The checkpoint.</param>
    /// <param name="data">Name of the data.</param>
    /// <param name="attack">Name of the attack.</param>
    /// <param name="seed">Seed of its draws.</param>
    /// <param name="metrics">What was measured on the way; null where the attack was stopped.</param>
    public void Finish(string model, string data, string attack, long seed, RobustSummary? metrics)
    {
        if (arrays && _kept.Count > 0)
        {
            WriteArrays();
        }

        AtomicFile.Write(
            Path.Combine(folder, OwnOutput.Attack),
            JsonSerializer.Serialize(
                new
                {
                    model,
                    data,
                    attack,
                    norm = threat.Norm.ToString().ToLowerInvariant(),
                    eps = threat.Epsilon,
                    seed,
                    complete = metrics is not null,
                    metrics?.Images,
                    clean = metrics?.Clean,
                    accuracy = metrics?.Accuracy,
                    metrics?.Warnings,
                    examples = _entries.OrderBy(entry => entry.Index),
                },
                Json.Indented));
    }

    private void WriteArrays()
    {
        var ordered = _kept.OrderBy(example => example.Index).ToList();
        Write("adversarial.npy", "<f4", [ordered.Count, .. ordered[0].Clean.shape], ordered.Select(example => MemoryMarshal.AsBytes<float>(example.Adversarial.data<float>().ToArray()).ToArray()));
        Write("clean.npy", "<f4", [ordered.Count, .. ordered[0].Clean.shape], ordered.Select(example => MemoryMarshal.AsBytes<float>(example.Clean.data<float>().ToArray()).ToArray()));
        Write("amplified.npy", "|u1", [ordered.Count, ordered[0].Clean.shape[1], ordered[0].Clean.shape[2], 3], ordered.Select(example => Amplified(example.Clean, example.Adversarial)));
        Write("labels.npy", "<i8", [ordered.Count], ordered.Select(example => BitConverter.GetBytes((long)example.Label)));
        Write("predictions.npy", "<i8", [ordered.Count], ordered.Select(example => BitConverter.GetBytes((long)example.Predicted)));
        Write("indices.npy", "<i8", [ordered.Count], ordered.Select(example => BitConverter.GetBytes((long)example.Index)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, _, _, clean, adversarial) in _kept)
        {
            clean.Dispose();
            adversarial.Dispose();
        }
    }

    private void Write(string name, string type, long[] shape, IEnumerable<byte[]> items) => AtomicFile.Write(Path.Combine(folder, name), stream =>
    {
        stream.Write(NumpyFile.Header(type, shape));
        foreach (var item in items)
        {
            stream.Write(item);
        }
    });

    // Rows of pixels, as pictures are in arrays.
    private byte[] Amplified(torch.Tensor clean, torch.Tensor adversarial)
    {
        using var scope = torch.NewDisposeScope();
        return AdversarialSheet.Bytes(AdversarialSheet.Change(clean, adversarial, threat).permute(1, 2, 0));
    }

    private static byte[] Panel(AdversarialExample example) =>
        new Picture(AdversarialSheet.Bytes(example.Adversarial), (int)example.Image.shape[1], (int)example.Image.shape[2]).ToPng();

    // Two of them, of whatever length, are part of a file's name, where they need not be told apart.
    private static string Short(string name) =>
        string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' ? letter : '_').Take(LongestPart));

    // Class names come from folders, but a model file may have been made anywhere. One to one: given to --extra-data, two classes must not become one.
    private static string FolderName(string name) => NotForFolders.Replace(name, found => string.Create(CultureInfo.InvariantCulture, $"%{(int)found.Value[0]:X2}"));
}
