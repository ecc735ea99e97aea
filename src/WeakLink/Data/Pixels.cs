using TorchSharp;

namespace WeakLink.Data;

/// <summary>Between bytes and the [0, 1] units that models take.</summary>
public static class Pixels
{
    /// <summary>0 ... 255 to [0, 1]: 255 is exactly 1.</summary>
    /// <param name="bytes">N×3×H×W, uint8.</param>
    /// <returns>N×3×H×W, float32.</returns>
    public static torch.Tensor ToUnit(torch.Tensor bytes) => bytes.to(torch.float32).div_(Kept(255));

    private const double GreyLevel = 1.0 / 255;

    /// <summary>
    /// Mean and standard deviation of each channel over (at most the first 10,000) images, in [0, 1] units, rounded to 4 digits. A channel that
    /// varies by less than one grey level says nothing, and dividing by so little would make the last bit of an image loud: its deviation
    /// is 1, which scales nothing.
    /// </summary>
    /// <param name="dataset">The training images.</param>
    public static (IReadOnlyList<double> Mean, IReadOnlyList<double> StandardDeviation) Statistics(Dataset dataset)
    {
        using var scope = torch.NewDisposeScope();
        var count = Math.Min(dataset.Count, 10_000);
        var sum = torch.zeros(Dataset.Channels, torch.float64);
        var squares = torch.zeros(Dataset.Channels, torch.float64);
        var image = new byte[dataset.BytesPerImage];
        for (var i = 0; i < count; i++)
        {
            using var imageScope = torch.NewDisposeScope();
            dataset.Read(i, image);
            var planes = torch.tensor(image, [Dataset.Channels, dataset.Height * dataset.Width], torch.uint8).to(torch.float64).div_(Kept(255));
            sum.add_(planes.mean([1]), Kept(1));
            squares.add_(planes.Squared().mean([1]), Kept(1));
        }

        var mean = sum / Kept(count);
        var deviation = ((squares / Kept(count)) - mean.Squared()).clamp_min(Kept(0)).sqrt();
        return ([.. mean.data<double>().Select(Rounded)], [.. deviation.data<double>().Select(value => value < GreyLevel ? 1 : Rounded(value))]);
    }

    private static double Rounded(double value) => Math.Max(Math.Round(value, 4), 0);
}
