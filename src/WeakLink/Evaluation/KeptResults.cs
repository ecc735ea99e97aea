using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace WeakLink.Evaluation;

/// <summary>
/// What an evaluation has measured so far, in a file, a line a result: measured again after an interruption, it goes on from there. Each line has a checksum of itself and of what it rests
/// on (network, images, recipe), so that one that was cut off, changed or put there measures nothing: it is measured again.
/// </summary>
internal sealed class KeptResults
{
    // The predictions of some million images.
    private const int MostCharacters = 1 << 29;

    private readonly string _path;
    private readonly string _of;
    private readonly Dictionary<string, Line> _before;

    private KeptResults(string path, string of, Dictionary<string, Line> before) => (_path, _of, _before) = (path, of, before);

    private sealed record Line(string Name, double Seconds, JsonElement Value, string Checksum);

    /// <summary>Seconds that measuring took what was kept before.</summary>
    public double SecondsBefore => _before.Values.Sum(line => line.Seconds);

    /// <summary>Opens what an evaluation has kept in a folder, where there is something.</summary>
    /// <param name="folder">The folder; others may keep their results there, too.</param>
    /// <param name="of">What the results rest on.</param>
    /// <exception cref="InputException">The folder can't be written to.</exception>
    public static KeptResults Open(string folder, string of)
    {
        var path = Path.Combine(folder, $"results-{ShortHash.Of(of)}.jsonl");
        try
        {
            Directory.CreateDirectory(folder);
            var lines = File.Exists(path) ? TextFile.Read(path, MostCharacters).Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];
            var kept = new KeptResults(path, of, []);
            foreach (var line in lines.Select(kept.Parse).OfType<Line>())
            {
                kept._before[line.Name] = line;
            }

            // Nothing is to be added to a line that was cut off.
            if (kept._before.Count < lines.Length)
            {
                AtomicFile.Write(path, string.Concat(kept._before.Values.Select(Text)));
            }

            return kept;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The progress of measuring can't be kept in '{folder}' ({exception.Message.TrimEnd('.')}): check its permissions.", exception);
        }
    }

    /// <summary>How many results were kept before whose names begin so.</summary>
    public int CountBefore(string prefix) => _before.Keys.Count(name => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>A result that was kept before.</summary>
    public bool TryFind<T>(string name, out T value)
    {
        if (_before.TryGetValue(name, out var line))
        {
            value = Json.Parse<T>(line.Value.GetRawText());
            return true;
        }

        value = default!;
        return false;
    }

    /// <summary>A result, measured unless it was before.</summary>
    public T Get<T>(string name, Func<T> measure)
    {
        if (TryFind<T>(name, out var before))
        {
            return before;
        }

        var clock = Stopwatch.GetTimestamp();
        var value = measure();
        Add(name, value, Stopwatch.GetElapsedTime(clock).TotalSeconds);
        return value;
    }

    /// <summary>Keeps a result.</summary>
    /// <exception cref="InputException">The disk is full.</exception>
    public void Add<T>(string name, T value, double seconds)
    {
        var line = new Line(name, seconds, JsonSerializer.SerializeToElement(value, Json.Line), "");
        try
        {
            File.AppendAllText(_path, Text(line with { Checksum = ChecksumOf(line) }));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"What was measured could not be written to '{_path}' ({exception.Message.TrimEnd('.')}): free some space, and go on from what is kept there.", exception);
        }
    }

    private static string Text(Line line) => JsonSerializer.Serialize(line, Json.Line) + "\n";

    private string ChecksumOf(Line line) => ShortHash.Of(string.Create(CultureInfo.InvariantCulture, $"{_of}\n{line.Name}\n{line.Seconds:R}\n{line.Value.GetRawText()}"));

    private Line? Parse(string text)
    {
        try
        {
            var line = Json.Parse<Line>(text);
            return line.Checksum == ChecksumOf(line) ? line : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
