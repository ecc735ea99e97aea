using System.Globalization;
using TorchSharp;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Models;

namespace WeakLink.Evaluation;

/// <summary>Chooses <see cref="Examples"/> of a measured network, and draws them.</summary>
internal static class ExampleDrawing
{
    private const int MostHardest = 14, MostPairs = 7, LargestPicture = 112, Severity = 3;

    /// <summary>XXH64 of a picture, 16 hexadecimal digits.</summary>
    public static string ChecksumOf(ReadOnlySpan<byte> picture) => ShortHash.Of(picture);

    /// <summary>Draws.</summary>
    /// <param name="evaluator">The network, and the images that <paramref name="predictions"/> are of.</param>
    /// <param name="predictions">What the network takes the images for; at least one.</param>
    /// <param name="broken">What attacks broke.</param>
    /// <returns>The examples, and their PNG files by name.</returns>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public static (Examples Examples, IReadOnlyDictionary<string, byte[]> Pictures) Draw(Evaluator evaluator, IReadOnlyList<Prediction> predictions, IReadOnlyList<BrokenImage> broken)
    {
        var (images, crop, classes, pictures) = (evaluator.Images, evaluator.Crop, evaluator.Images.Classes, new Dictionary<string, byte[]>());
        var wrong = predictions.Where(prediction => !prediction.IsCorrect).ToList();
        var pairs = wrong.GroupBy(prediction => (prediction.Label, prediction.Predicted)).OrderByDescending(pair => pair.Count()).Take(MostPairs).ToList();
        var examples = new Examples(
            Severity,
            [.. Corrupted(evaluator, predictions).Select((one, i) => Kept("corrupted", i, one.Predicted, one.Png) with { Confidence = one.Confidence, Corruption = one.Corruption })],
            [.. broken.Select((image, i) => Kept("attacked", i, (image.Label, image.Predicted), Sheet(image)) with { Eps = image.Threat.Epsilon })],
            [.. pairs.Select((pair, i) => Seen("confused", i, pair.MaxBy(prediction => prediction.Confidence)) with { Times = pair.Count() })],
            [.. wrong.OrderBy(prediction => prediction.LabelProbability).Take(MostHardest).Select((prediction, i) => Seen("hardest", i, prediction))]);
        return (examples, pictures);

        Example Kept(string kind, int number, (int Label, int Predicted) what, byte[] png)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{kind}-{number + 1:00}.png");
            pictures.Add(name, png);
            return new Example(classes[what.Label], classes[what.Predicted], name, ChecksumOf(png));
        }

        Example Seen(string kind, int number, Prediction prediction) =>
            Kept(kind, number, (prediction.Label, prediction.Predicted), Shown(Picture.Of(images, prediction.Index).Centre(crop))) with { Confidence = prediction.Confidence, Name = images.Describe(prediction.Index) };

        byte[] Sheet(BrokenImage image)
        {
            using var scope = torch.NewDisposeScope();
            long[] shape = [Dataset.Channels, crop.Height, crop.Width];
            return AdversarialSheet.Draw(torch.tensor(image.Image, shape), torch.tensor(image.Adversarial, shape), image.Threat);
        }
    }

    // One image as it is, and under each corruption of the benchmark.
    private static List<((int Label, int Class) Predicted, double Confidence, string? Corruption, byte[] Png)> Corrupted(Evaluator evaluator, IReadOnlyList<Prediction> predictions)
    {
        var (recipe, images, crop) = (evaluator.Recipe, evaluator.Images, evaluator.Crop);
        // One that the network is sure of, where there is one.
        var chosen = predictions.OrderByDescending(prediction => prediction.IsCorrect).ThenByDescending(prediction => prediction.Confidence > 0.9).First();
        var corruptions = CommonCorruptions.Named("benchmark", recipe.Evaluation.FrostTextures.Length > 0 ? recipe.Evaluation.FrostTextures : null);
        var pictures = corruptions.Select(corruption => Picture.Of(new CorruptedDataset(images, crop, corruption, Severity, recipe.Seed), chosen.Index)).Prepend(Picture.Of(images, chosen.Index).Centre(crop)).ToList();
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        using var network = evaluator.Measured();
        var logits = network.Classify(Pixels.ToUnit(torch.tensor(pictures.SelectMany(picture => picture.Planes).ToArray(), [pictures.Count, Dataset.Channels, crop.Height, crop.Width], torch.uint8).to(evaluator.Device)));
        var (confidence, predicted) = FiniteLogits.Require(logits, position => position == 0 ? images.Describe(chosen.Index) : $"{images.Describe(chosen.Index)} under {corruptions[position - 1].Name}").to(torch.float64).softmax(1).max(1);
        var (confidences, classes) = (confidence.cpu().data<double>().ToArray(), predicted.cpu().data<long>().ToArray());
        return [.. pictures.Select((picture, i) => ((chosen.Label, (int)classes[i]), confidences[i], i == 0 ? null : corruptions[i - 1].Name, Shown(picture)))];
    }

    // To look at: a folder of them is no data.
    private static byte[] Shown(Picture picture) => OwnOutput.Marked(picture.Within(LargestPicture).ToPng());
}
