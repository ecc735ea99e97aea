using System.Globalization;
using System.Text;
using System.Text.Json;
using TorchSharp;
using WeakLink.Runtime;

namespace WeakLink.Models;

/// <summary>
/// Which <see cref="ComputeFormat"/> a timing chose for a network on this machine, kept in a folder of the cache: two timings may differ, and the same command and seed are to give the
/// same weights.
/// </summary>
internal static class FormatChoice
{
    /// <summary>Where choices are kept.</summary>
    public static string Folder => Path.Combine(CacheFolder.Default, "formats");

    private sealed record Kept(string Of, Precision Precision, Layout Layout);

    /// <summary>Chooses as it was chosen before, or else by a timing (see <see cref="ComputeFormat.Choose"/>) that is kept.</summary>
    /// <remarks>In <c>folder</c>, for a network whose name and settings are <c>network</c>; the observer is told of a choice that was made before. The other arguments are those of Choose.</remarks>
    public static ComputeFormat Of(
        string folder, string network, EnvironmentReport environment, IRunObserver observer,
        Func<ClassifierNetwork> create, Precision precision, Layout layout, bool nativeBf16, int batch, int height, int width, torch.Device device)
    {
        if (precision != Precision.Auto && layout != Layout.Auto)
        {
            return new(precision, layout);
        }

        return Once(
            folder,
            Machine($"{network}, {batch} images of {height}x{width}, precision {precision}, layout {layout}", environment, device),
            observer,
            () => ComputeFormat.Choose(create, precision, layout, nativeBf16, batch, height, width, device))!;
    }

    /// <summary>The same for measuring, by the network itself (see <see cref="ComputeFormat.ChooseFrozen"/>).</summary>
    /// <returns>Null where the network can't be frozen.</returns>
    public static ComputeFormat? OfFrozen(string folder, EnvironmentReport environment, ClassifierNetwork network, IReadOnlyList<Precision> precisions, int height, int width, torch.Device device) => Once(
        folder,
        Machine($"{network.Name} of {network.ParameterCount} parameters, frozen, images of {height}x{width}, {string.Join(" or ", precisions)}", environment, device),
        new SilentObserver(),
        () => ComputeFormat.ChooseFrozen(network, precisions, height, width, device));

    private static string Machine(FormattableString what, EnvironmentReport environment, torch.Device device) => string.Create(
        CultureInfo.InvariantCulture,
        $"{what.ToString(CultureInfo.InvariantCulture)}, {environment.Processor}, {environment.Simd}, {device.type}, {torch.get_num_threads()} threads, libtorch {environment.Libtorch}");

    private static ComputeFormat? Once(string folder, string of, IRunObserver observer, Func<ComputeFormat?> choose)
    {
        var path = Path.Combine(folder, ShortHash.Of(of) + ".json");
        if (Read(path, of) is { } before)
        {
            observer.Note($"Number format and layout are {before}, as a timing chose for this network on this machine before ('{path}'; without that file they are timed again).");
            return before;
        }

        if (choose() is not { } chosen)
        {
            return null;
        }

        AtomicFile.WriteCache(path, stream => stream.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new Kept(of, chosen.Precision, chosen.Layout), Json.Named))));
        return chosen;
    }

    // A damaged file is timed anew.
    private static ComputeFormat? Read(string path, string of)
    {
        try
        {
            return File.Exists(path) && Json.Read<Kept>(path) is { Precision: not Precision.Auto, Layout: not Layout.Auto } kept && kept.Of == of ? new(kept.Precision, kept.Layout) : null;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
