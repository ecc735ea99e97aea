using System.Globalization;
using System.Text;
using WeakLink.Data;
using WeakLink.Evaluation;

namespace WeakLink.Runs;

/// <summary>
/// What a measurement leaves beside its summary, in a folder: predictions.csv, a line an image, and the pictures of its examples. A picture
/// is read only if it is the one that the summary tells of.
/// </summary>
public static class ResultFiles
{
    /// <summary>The predictions' file name.</summary>
    public const string PredictionsName = "predictions.csv";

    private const int LargestPicture = 1 << 24;

    /// <summary>Writes them.</summary>
    /// <param name="folder">Where to; made where it is missing.</param>
    /// <param name="measurement">What was measured.</param>
    /// <param name="images">The images that it was measured on.</param>
    /// <exception cref="InputException">They can't be written.</exception>
    internal static void Write(string folder, Measurement measurement, Dataset images)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.Write(Path.Combine(folder, PredictionsName), Table(measurement.Predictions, images));
        foreach (var (name, picture) in measurement.Pictures)
        {
            AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(picture));
        }
    }

    /// <summary>Whether all pictures of a summary are in a folder.</summary>
    public static bool HasPictures(string folder, Summary summary) =>
        summary.Examples is { } examples && examples.All.All(example => File.Exists(PathOf(folder, example)));

    /// <summary>The picture of an example.</summary>
    /// <param name="folder">Where it is.</param>
    /// <param name="example">What the summary tells of it.</param>
    /// <returns>A PNG file, as it was written.</returns>
    /// <exception cref="InputException">The file was changed, or can't be read.</exception>
    public static byte[] Picture(string folder, Example example)
    {
        var path = PathOf(folder, example);
        try
        {
            using var stream = InputFile.Open(path);
            var picture = new byte[Math.Min(stream.Length, LargestPicture)];
            stream.ReadExactly(picture);
            return ExampleDrawing.ChecksumOf(picture) == example.Checksum
                ? picture
                : throw new InputException($"'{path}' is not the picture that the summary tells of: put it back as it was, or delete '{folder}' and evaluate the run again.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The picture '{path}' can't be read ({exception.Message.TrimEnd('.')}): put it back, or delete '{folder}' and evaluate the run again.", exception);
        }
    }

    // A summary may have been made anywhere: no way out of the folder.
    private static string PathOf(string folder, Example example) => Path.Combine(folder, Path.GetFileName(example.Picture));

    private static string Table(IReadOnlyList<Prediction> predictions, Dataset images)
    {
        var lines = new StringBuilder("index,name,label,prediction,confidence\n");
        foreach (var prediction in predictions)
        {
            lines.Append(
                CultureInfo.InvariantCulture,
                $"{prediction.Index},{Csv.Cell(images.Describe(prediction.Index))},{Csv.Cell(images.Classes[prediction.Label])},{Csv.Cell(images.Classes[prediction.Predicted])},{prediction.Confidence:0.000000}\n");
        }

        return lines.ToString();
    }
}
