using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>What kind of damage a corruption is (Hendrycks and Dietterich 2019, section 4.1).</summary>
public enum CorruptionGroup
{
    /// <summary>Noise of the sensor.</summary>
    Noise,

    /// <summary>Out of focus, in motion.</summary>
    Blur,

    /// <summary>Snow, frost, fog, light, splashes.</summary>
    Weather,

    /// <summary>What processing and storing does.</summary>
    Digital,
}

/// <summary>
/// A common corruption: a way to damage an image, in five severities (Hendrycks and Dietterich, "Benchmarking Neural Network
/// Robustness to Common Corruptions and Perturbations", ICLR 2019). Stateless: safe to use from several threads.
/// </summary>
/// <param name="name">As in the names of CIFAR-10-C's files: lower case, underscores.</param>
/// <param name="group">What kind of damage it is.</param>
/// <param name="heldOut">Whether it is one of the four that the authors published for validation, not for the benchmark.</param>
public abstract class Corruption(string name, CorruptionGroup group, bool heldOut = false)
{
    /// <summary>The strongest severity; the weakest is 1.</summary>
    public const int Severities = 5;

    /// <summary>1 ... 5.</summary>
    public static IReadOnlyList<int> AllSeverities { get; } = [1, 2, 3, 4, 5];

    /// <summary>As in the names of CIFAR-10-C's files.</summary>
    public string Name => name;

    /// <summary>What kind of damage it is.</summary>
    public CorruptionGroup Group => group;

    /// <summary>Whether it is one of the four for validation.</summary>
    public bool HeldOut => heldOut;

    /// <summary>Corrupts an image.</summary>
    /// <param name="image">The image; any size.</param>
    /// <param name="table">Which severities.</param>
    /// <param name="severity">1 ... 5.</param>
    /// <param name="random">All random draws come from here.</param>
    /// <param name="result">Receives as many bytes as the image has.</param>
    /// <exception cref="ArgumentOutOfRangeException">The severity is not 1 ... 5.</exception>
    /// <exception cref="ArgumentException">The result has another size than the image.</exception>
    public void Apply(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(severity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(severity, Severities);
        if (result.Length != image.Planes.Length)
        {
            throw new ArgumentException($"The result has {result.Length} bytes, the image {image.Planes.Length}.", nameof(result));
        }

        Corrupt(image, table, severity, random, result);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <inheritdoc cref="Apply"/>
    protected abstract void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result);
}
