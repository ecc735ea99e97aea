namespace WeakLink.Tests;

/// <summary>Reference data that lie outside of the repository; tests that use them are skipped where they are absent.</summary>
internal static class Shared
{
    private static readonly string? Folder = FindFolder();

    /// <summary>The full path of a shared file or folder; skips the test where there is none.</summary>
    public static string Require(string relative)
    {
        var path = Folder is null ? null : Path.Combine(Folder, relative);
        Assert.SkipUnless(path is not null && Path.Exists(path), $"shared/{relative} is not on this machine");
        return path!;
    }

    private static string? FindFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "shared", "design.md")))
            {
                return Path.Combine(folder.FullName, "shared");
            }
        }

        return null;
    }
}
