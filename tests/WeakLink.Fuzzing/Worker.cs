using System.Diagnostics;
using System.Text.Json;

namespace WeakLink.Fuzzing;

/// <summary>Reads one damaged file after the other, in a process that may die of it.</summary>
internal sealed class Worker : IDisposable
{
    /// <summary>No file of a few kilobytes takes longer (seconds of processor time, so that a busy machine changes nothing).</summary>
    private const double MostSeconds = 5;
    private const int LongestMessage = 4000;

    private enum End
    {
        Same,
        Other,
        Sentence,
    }

    private readonly Reader _reader;
    private readonly long _seed;
    private readonly Mutation _mutation;
    private readonly HashSet<ulong> _right;
    private readonly string _folder;
    private readonly Counts _counts;
    private readonly HashSet<string> _known = [];

    /// <summary>Prepares to read in a folder; the samples have to be readable.</summary>
    public Worker(Reader reader, long seed, string folder)
    {
        (_reader, _seed, _folder, _counts) = (reader, seed, Path.Combine(folder, "files"), new Counts(folder));
        Directory.CreateDirectory(_folder);
        reader.Beside(_folder);
        var samples = reader.Samples();
        _mutation = new Mutation(samples, reader.IsText);
        _right = [.. samples.Select(sample => Find(sample).Hash)];
    }

    /// <summary>The damaged file of a number.</summary>
    public byte[] File(long number) => _reader.Seal(_mutation.Create(_reader.Name, _seed, number));

    /// <summary>Reads the files of some numbers. Failures of a kind that is new are reported, all are counted.</summary>
    public void Run(long first, long end, Action<Failure> report)
    {
        var before = _counts.Milliseconds;
        for (var number = first; number < end; number++)
        {
            _counts.Current = number;
            if (Try(number) is { } failure)
            {
                _counts.Failed++;
                if (_known.Add(failure.Kind))
                {
                    report(failure);
                }
            }

            _counts.Milliseconds = before + (long)Environment.CpuUsage.TotalTime.TotalMilliseconds;
        }

        _counts.Current = end;
    }

    public void Dispose() => _counts.Dispose();

    private Failure? Try(long number)
    {
        var file = File(number);
        PeakMemory.Reset();
        var (before, allocated, time) = (PeakMemory.Bytes, GC.GetTotalAllocatedBytes(), Environment.CpuUsage.TotalTime);
        var (end, failure) = Read(file);
        var seconds = (Environment.CpuUsage.TotalTime - time).TotalSeconds;
        var memory = Math.Max(GC.GetTotalAllocatedBytes() - allocated, PeakMemory.Bytes - before);
        failure ??= seconds > MostSeconds ? new Failure(0, "slow", FormattableString.Invariant($"took {seconds:0.0} s of processor time"))
            : memory > _reader.MostMemory ? new Failure(0, "memory", FormattableString.Invariant($"took {memory >> 20} MiB, more than {_reader.MostMemory >> 20}"))
            : null;
        switch (end)
        {
            case null:
                break;
            case End.Same when failure is null:
                _counts.Same++;
                break;
            case End.Other when failure is null:
                _counts.Other++;
                break;
            case End.Sentence when failure is null:
                _counts.Sentences++;
                break;
        }

        return failure is null ? null : failure with { Number = number };
    }

    private (End? End, Failure? Failure) Read(byte[] file)
    {
        try
        {
            return _right.Contains(Find(file).Hash) ? (End.Same, null)
                : _reader.IsChecked ? (null, new Failure(0, "other value", "is read to another value than the right one, although it carries a checksum"))
                : (End.Other, null);
        }
        catch (InputException exception)
        {
            var message = exception.Message;
            return message.Length is > 0 and <= LongestMessage && !message.Any(letter => char.IsControl(letter) || letter is '\u2028' or '\u2029')
                ? (End.Sentence, null)
                : (null, new Failure(0, "message " + Place(exception), "is refused with a message that is empty, has several lines or control characters, or has no end: " + JsonSerializer.Serialize(message[..Math.Min(message.Length, 300)])));
        }
        // Whatever it is: that is what is looked for.
#pragma warning disable CA1031
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return (null, new Failure(0, exception.GetType().Name + " " + Place(exception), exception.ToString()));
        }
    }

    private FoundValue Find(byte[] bytes)
    {
        var path = Path.Combine(_folder, _reader.FileName);
        System.IO.File.WriteAllBytes(path, bytes);
        var value = new FoundValue();
        _reader.Read(new Input(_folder, path, bytes), value);
        return value;
    }

    // Where WeakLink's own code met it.
    private static string Place(Exception exception) => new StackTrace(exception).GetFrames()
        .Select(frame => frame.GetMethod()).FirstOrDefault(method => method?.DeclaringType?.FullName?.StartsWith("WeakLink.", StringComparison.Ordinal) == true) is { } method
        ? $"{method.DeclaringType!.FullName}.{method.Name}"
        : "";
}
