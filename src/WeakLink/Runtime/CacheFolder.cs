namespace WeakLink.Runtime;

/// <summary>Where downloads and extracted archives are kept between runs.</summary>
public static class CacheFolder
{
    /// <summary>The environment variable that overrides <see cref="Default"/>.</summary>
    public const string Variable = "WEAKLINK_CACHE";

    /// <summary>
    /// <c>WEAKLINK_CACHE</c>; else <c>weaklink</c> under <c>XDG_CACHE_HOME</c> (the XDG base directory specification) or <c>~/.cache</c>;
    /// on Windows under the local application data. A full path; the folder need not exist.
    /// </summary>
    public static string Default => Resolve(Environment.GetEnvironmentVariable);

    internal static string Resolve(Func<string, string?> variable)
    {
        if (variable(Variable) is { Length: > 0 } chosen)
        {
            return Path.GetFullPath(chosen);
        }

        if (OperatingSystem.IsWindows())
        {
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "weaklink");
        }

        // The specification: a relative path is invalid and must be ignored.
        if (variable("XDG_CACHE_HOME") is { } cache && Path.IsPathFullyQualified(cache))
        {
            return Path.Combine(cache, "weaklink");
        }

        // Services and containers may run without a home.
        return variable("HOME") is { Length: > 0 } home
            ? Path.Combine(Path.GetFullPath(home), ".cache", "weaklink")
            : Path.Combine(Path.GetTempPath(), "weaklink");
    }
}
