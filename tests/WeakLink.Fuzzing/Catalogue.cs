namespace WeakLink.Fuzzing;

/// <summary>Every reader of foreign bytes.</summary>
internal static class Catalogue
{
    public static IReadOnlyList<Reader> All { get; } = [.. NetworkReaders.All, .. ArrayReaders.All, .. ArchiveReaders.All, .. ImageReaders.All, .. TextReaders.All];

    /// <summary>The reader of that name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Reader Named(string name) => All.FirstOrDefault(reader => reader.Name == name)
        ?? throw new ArgumentException($"There is no reader '{name}'; choose {string.Join(", ", All.Select(reader => reader.Name))}.");
}
