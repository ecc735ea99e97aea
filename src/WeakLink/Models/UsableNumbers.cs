using System.Globalization;
using TorchSharp;

namespace WeakLink.Models;

/// <summary>
/// What no network computes with: numbers that are not finite, negative variances, a normalisation that images in [0, 1] were not meant for.
/// A network of NaN would be measured as one that no attack changes.
/// </summary>
internal static class UsableNumbers
{
    private const string Variance = "running_var";

    // The least that four digits can write; one grey level is 0.004.
    private const float LeastDeviation = 1e-4f;

    /// <summary>What is wrong with tensors, as a part of a sentence that names the first; null: nothing.</summary>
    /// <param name="tensors">Tensors by name, on any device.</param>
    public static string? Problem(IEnumerable<KeyValuePair<string, torch.Tensor>> tensors)
    {
        using var noGradients = torch.no_grad();
        foreach (var (name, tensor) in tensors)
        {
            using var scope = torch.NewDisposeScope();
            if (!tensor.is_floating_point() || tensor.numel() == 0)
            {
                continue;
            }

            var finite = tensor.isfinite();
            if (!finite.all().ReadBoolean())
            {
                var wrong = finite.logical_not().sum().ReadInt64();
                return string.Create(CultureInfo.InvariantCulture, $"{wrong:N0} of the {tensor.numel():N0} numbers of '{name}' {(wrong == 1 ? "is" : "are")} {(tensor.isnan().any().ReadBoolean() ? "NaN" : "infinite")}");
            }

            if (name.EndsWith(Variance, StringComparison.Ordinal) && tensor.min().to(torch.float64).ReadDouble() is < 0 and var least)
            {
                return string.Create(CultureInfo.InvariantCulture, $"'{name}' holds the negative variance {least:R}");
            }

            if (name == ClassifierNetwork.MeanName && !MeansFit(Values(tensor)))
            {
                return $"'{name}' is outside of {MeanRange}";
            }

            if (name == ClassifierNetwork.DeviationName && !DeviationsFit(Values(tensor)))
            {
                return $"'{name}' is outside of {DeviationRange}";
            }
        }

        return null;
    }

    /// <summary>Which means there are, for a message.</summary>
    public const string MeanRange = "[0, 1], as images are: divide means of images in 0 to 255 by 255";

    /// <summary>Which standard deviations there are, for a message.</summary>
    public const string DeviationRange = "[0.0001, 1], as images are in [0, 1]: divide deviations of images in 0 to 255 by 255";

    /// <summary>Whether images in [0, 1] can have these means.</summary>
    public static bool MeansFit(IReadOnlyList<double> means) => means.All(value => value is >= 0 and <= 1);

    /// <summary>Whether these are standard deviations of images in [0, 1], or the 1 that leaves them as they are.</summary>
    public static bool DeviationsFit(IReadOnlyList<double> deviations) => deviations.All(value => (float)value is >= LeastDeviation and <= 1);

    private static double[] Values(torch.Tensor tensor) => tensor.to(torch.float64).cpu().reshape(-1).data<double>().ToArray();
}
