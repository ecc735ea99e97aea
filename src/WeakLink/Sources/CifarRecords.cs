using WeakLink.Data;

namespace WeakLink.Sources;

/// <summary>
/// Images in the records of CIFAR's binary files: label bytes, then 3072 bytes of red, green and blue planes of 32×32 (Krizhevsky 2009).
/// The files stay in memory as they are, so opening costs little more than reading them.
/// </summary>
internal sealed class CifarRecords : Dataset
{
    public const int Side = 32;
    private const int ImageBytes = Channels * Side * Side;

    private readonly IReadOnlyList<(string File, byte[] Bytes)> _batches;
    private readonly int[] _starts;
    private readonly int _labelBytes;

    /// <summary>Checks that the files are whole and that every label is a class.</summary>
    /// <param name="name">What to call the data.</param>
    /// <param name="classes">Class names.</param>
    /// <param name="labelBytes">Label bytes before each image, the last of which counts: 1, or 2 where a coarse label precedes the fine one.</param>
    /// <param name="batches">Files in order, with what to call them in messages.</param>
    public CifarRecords(string name, IReadOnlyList<string> classes, int labelBytes, IReadOnlyList<(string File, byte[] Bytes)> batches)
    {
        (Name, Classes, _labelBytes, _batches) = (name, classes, labelBytes, batches);
        _starts = new int[batches.Count];
        for (var i = 0; i < batches.Count; i++)
        {
            _starts[i] = Count;
            Count += CheckedRecords(batches[i].File, batches[i].Bytes);
        }
    }

    public override string Name { get; }

    public override IReadOnlyList<string> Classes { get; }

    public override int Count { get; }

    public override int Height => Side;

    public override int Width => Side;

    private int RecordBytes => _labelBytes + ImageBytes;

    public override int Label(int index) => Record(index)[_labelBytes - 1];

    public override void Read(int index, Span<byte> planes) => Record(index)[_labelBytes..].CopyTo(planes);

    public override string Describe(int index)
    {
        var (batch, record) = Locate(index);
        return $"record {record} of {_batches[batch].File}";
    }

    private ReadOnlySpan<byte> Record(int index)
    {
        var (batch, record) = Locate(index);
        return _batches[batch].Bytes.AsSpan(record * RecordBytes, RecordBytes);
    }

    private (int Batch, int Record) Locate(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        var batch = _starts.Length - 1;
        while (_starts[batch] > index)
        {
            batch--;
        }

        return (batch, index - _starts[batch]);
    }

    private int CheckedRecords(string file, byte[] bytes)
    {
        var (records, rest) = Math.DivRem(bytes.Length, RecordBytes);
        if (rest != 0 || records == 0)
        {
            throw new InputException(
                $"{file} has {bytes.Length:N0} bytes, expected a multiple of {RecordBytes:N0} such as {(records + 1L) * RecordBytes:N0}: it is truncated or not a {Name} batch; copy or fetch it again.");
        }

        for (var record = 0; record < records; record++)
        {
            var label = bytes[(record * RecordBytes) + _labelBytes - 1];
            if (label >= Classes.Count)
            {
                throw new InputException(
                    $"{file} has label {label} in record {record} (counted from 0), expected 0 to {Classes.Count - 1}: it is damaged or not a {Name} batch; copy or fetch it again.");
            }
        }

        return records;
    }
}
