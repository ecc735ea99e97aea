namespace WeakLink.Interop;

/// <summary>Published weights whose file does not say itself what its images are like. They are known by their checksum, and found by name where their package was restored.</summary>
/// <param name="Name">What to call them: the network that they are of.</param>
/// <param name="Sha256">Checksum of the file.</param>
/// <param name="Package">The NuGet package that brings them, with its version.</param>
/// <param name="File">The file, within a folder of packages.</param>
/// <param name="Mean">Mean of red, green and blue in [0, 1].</param>
/// <param name="StandardDeviation">What the differences are divided by.</param>
/// <param name="BlueFirst">Whether the first convolution reads blue, green and red in this order.</param>
internal sealed record KnownWeights(
    string Name, string Sha256, string Package, string File, IReadOnlyList<double> Mean, IReadOnlyList<double> StandardDeviation, bool BlueFirst)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<KnownWeights> All { get; } =
    [
        // Its images are levels of 0 to 255, in the order blue, green, red, less a mean image (ResNetPreprocess.onnx in the same package), whose means over its pixels these are.
        new(
            "resnet20-imagenet",
            "e2552f19db2dfdb01b3669537b6a0f1b44da38d18279535492ed5dfc2ef1ff8f",
            "Microsoft.ML.DnnImageFeaturizer.ResNet18 0.23.1",
            "microsoft.ml.dnnimagefeaturizer.resnet18/0.23.1/tools/DnnImageModels/ResNet18Onnx/ResNet18.onnx",
            [0.48294757, 0.45452111, 0.40416715],
            [1 / 255.0, 1 / 255.0, 1 / 255.0],
            BlueFirst: true),
    ];

    /// <summary>Where the file is.</summary>
    /// <exception cref="InputException">Its package was not restored on this machine.</exception>
    public string Find()
    {
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var file = Path.Combine([packages, .. File.Split('/')]);
        return System.IO.File.Exists(file) ? file
            : throw new InputException($"The weights {Name} are those of the NuGet package {Package}, which is not in '{packages}': restore it (samples/FineTune does, by PackageDownload), or give a file.");
    }
}
