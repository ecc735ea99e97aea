namespace WeakLink.Files;

/// <summary>A published file that WeakLink can fetch by name.</summary>
/// <param name="Name">What the user calls it: <c>cifar10</c>.</param>
/// <param name="Source">Where its authors publish it.</param>
/// <param name="Length">Published length in bytes.</param>
/// <param name="Checksum">Published checksum in hexadecimal: MD5 (32 digits) or SHA-256 (64 digits).</param>
public sealed record KnownDownload(string Name, Uri Source, long Length, string Checksum)
{
    /// <summary>Its file name, on the server and in the cache folder.</summary>
    public string FileName => Path.GetFileName(Source.LocalPath);

    /// <summary>Where it lies once fetched, or where to put it by hand.</summary>
    public string PathIn(string cacheFolder) => Path.Combine(Path.GetFullPath(cacheFolder), FileName);

    /// <summary>Fetches it into the cache folder, from <c>WEAKLINK_MIRROR</c> where that is set; checks and keeps a file that is there already.</summary>
    /// <returns>The path of the file.</returns>
    /// <exception cref="InputException">It can't be fetched, or a different file has its place.</exception>
    public async Task<string> FetchAsync(string cacheFolder, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        var path = PathIn(cacheFolder);
        var source = SourceOn(Environment.GetEnvironmentVariable(KnownDownloads.MirrorVariable));
        await new Download().FetchAsync(source, path, Length, Checksum, progress, cancellation).ConfigureAwait(false);
        return path;
    }

    internal Uri SourceOn(string? mirror)
    {
        if (string.IsNullOrEmpty(mirror))
        {
            return Source;
        }

        return Uri.TryCreate(mirror.TrimEnd('/') + "/" + FileName, UriKind.Absolute, out var source) && source.Scheme is "http" or "https"
            ? source
            : throw new InputException($"{KnownDownloads.MirrorVariable} is \"{mirror}\": set it to an http or https address under which {FileName} lies, or unset it.");
    }
}

/// <summary>The files that WeakLink can fetch by name.</summary>
public static class KnownDownloads
{
    /// <summary>The environment variable that names a base address to fetch from instead of the authors' servers.</summary>
    public const string MirrorVariable = "WEAKLINK_MIRROR";

    // Lengths and MD5 checksums: https://www.cs.toronto.edu/~kriz/cifar.html (Krizhevsky 2009), "binary version".

    /// <summary>CIFAR-10, binary version.</summary>
    public static KnownDownload Cifar10 { get; } =
        new("cifar10", new Uri("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"), 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530");

    /// <summary>CIFAR-100, binary version.</summary>
    public static KnownDownload Cifar100 { get; } =
        new("cifar100", new Uri("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"), 168_513_733, "03b5dce01913d631647c71ecec9e9cb8");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<KnownDownload> All { get; } = [Cifar10, Cifar100];

    /// <summary>The download of that name; null where there is none.</summary>
    public static KnownDownload? Find(string name) => All.FirstOrDefault(known => known.Name == name);

    /// <summary>Checks the length and checksum of a fetched file.</summary>
    /// <param name="nameOrPath">A name (<c>cifar10</c>: the file in the cache folder), or the path of a file with the published file name.</param>
    /// <param name="cacheFolder">Where fetched files lie.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <returns>The path of the file that was checked, and what it is.</returns>
    /// <exception cref="InputException">The file is missing, unknown, or not the published one.</exception>
    public static async Task<(string Path, KnownDownload Download)> VerifyAsync(string nameOrPath, string cacheFolder, CancellationToken cancellation = default)
    {
        var known = Find(nameOrPath) ?? All.FirstOrDefault(known => known.FileName == Path.GetFileName(nameOrPath)) ?? throw new InputException(
            $"No checksum is known for {nameOrPath}: give {string.Join(" or ", All.Select(known => known.Name))}, or a file named {string.Join(" or ", All.Select(known => known.FileName))}.");
        var path = Find(nameOrPath) is null ? Path.GetFullPath(nameOrPath) : known.PathIn(cacheFolder);
        return await Download.IsThereAsync(path, known.Length, known.Checksum, cancellation).ConfigureAwait(false)
            ? (path, known)
            : throw new InputException($"{path} does not exist: fetch {known.Name} first.");
    }
}
