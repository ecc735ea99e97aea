using WeakLink.Recipes;
using WeakLink.Runs;

namespace WeakLink.Comparisons;

/// <summary>A run to compare.</summary>
/// <param name="Name">The arm that it belongs to; null: that of the runs with the same recipe.</param>
/// <param name="Folder">Its run folder.</param>
public sealed record NamedRun(string? Name, string Folder)
{
    /// <summary>A run as text: <c>[NAME=]FOLDER</c>.</summary>
    /// <returns>Null where it means something else: a recipe.</returns>
    /// <exception cref="InputException">It names a folder that holds no run.</exception>
    public static NamedRun? Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var run = equals > 0 && !Directory.Exists(text) ? new NamedRun(text[..equals].Trim(), text[(equals + 1)..].Trim()) : new(null, text);
        return RunFolder.IsRun(run.Folder) ? run
            : Directory.Exists(run.Folder) && !RecipeFile.Names.Contains(run.Folder) ? throw new InputException($"The folder '{run.Folder}' holds no run: give the folder of a run, or a recipe.")
            : null;
    }
}
