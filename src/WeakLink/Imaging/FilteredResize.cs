using System.Buffers;
using System.Runtime.Intrinsics;

namespace WeakLink.Imaging;

/// <summary>
/// Scaling as by Pillow's <c>resize</c> (torchvision's <c>Resize</c>): a filter that, when the image shrinks, is as much wider as the new
/// pixels are larger, so that nothing is skipped. Weights are whole 4,194,304ths; rows are rounded to bytes before columns. Rows come one
/// by one, so that the image need not lie in memory as planes.
/// </summary>
internal readonly struct FilteredResize : IDisposable
{
    private const int FractionBits = 22;

    private readonly Taps _columns;
    private readonly Taps _rows;
    private readonly byte[] _narrow;
    private readonly uint[] _scaled;

    /// <summary>Begins to scale an image.</summary>
    /// <param name="columns">How its rows become narrower or wider.</param>
    /// <param name="rows">How its columns do.</param>
    /// <param name="filter">What a new pixel is made of.</param>
    public FilteredResize(ScaledLine columns, ScaledLine rows, ResizeFilter filter)
    {
        (_columns, _rows) = (new Taps(columns, filter), new Taps(rows, filter));
        FirstRow = _rows.First(0);
        RowCount = _rows.First(rows.Count - 1) + _rows.Weights(rows.Count - 1).Length - FirstRow;
        _narrow = ArrayPool<byte>.Shared.Rent(checked(ImageView.Channels * RowCount * columns.Count));
        _scaled = ArrayPool<uint>.Shared.Rent(columns.Count);
    }

    /// <summary>The first row of the image that the result is made of.</summary>
    public int FirstRow { get; }

    /// <summary>How many rows of the image the result is made of.</summary>
    public int RowCount { get; }

    /// <summary>Scales a part of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="top">First row of the part.</param>
    /// <param name="left">First column of the part.</param>
    /// <param name="partHeight">Its rows.</param>
    /// <param name="partWidth">Its columns.</param>
    /// <param name="height">New height.</param>
    /// <param name="width">New width.</param>
    /// <param name="result">Receives 3 × height × width bytes.</param>
    /// <param name="filter">What a new pixel is made of.</param>
    public static void Apply(ImageView image, int top, int left, int partHeight, int partWidth, int height, int width, Span<byte> result, ResizeFilter filter = ResizeFilter.Bilinear)
    {
        using var resize = new FilteredResize(new ScaledLine(partWidth, width), new ScaledLine(partHeight, height), filter);
        var packed = ArrayPool<uint>.Shared.Rent(partWidth);
        var row = packed.AsSpan(0, partWidth);
        for (var y = 0; y < partHeight; y++)
        {
            PackedPixels.Pack(image, ((top + y) * image.Width) + left, row);
            resize.Add(y, row);
        }

        resize.Finish(result);
        ArrayPool<uint>.Shared.Return(packed);
    }

    /// <summary>Takes a row of the image; those that the result is not made of may be left out.</summary>
    /// <param name="y">Which, from <see cref="FirstRow"/> on.</param>
    /// <param name="row">Its packed pixels.</param>
    public void Add(int y, ReadOnlySpan<uint> row)
    {
        var width = _columns.Count;
        Across(row, _columns, _scaled.AsSpan(0, width));
        PackedPixels.Unpack(_scaled.AsSpan(0, width), _narrow.AsSpan(0, ImageView.Channels * RowCount * width), (y - FirstRow) * width);
    }

    /// <summary>Writes the result.</summary>
    /// <param name="result">Receives three planes.</param>
    public void Finish(Span<byte> result)
    {
        var width = _columns.Count;
        for (var channel = 0; channel < ImageView.Channels; channel++)
        {
            var plane = _narrow.AsSpan(channel * RowCount * width, RowCount * width);
            var target = ImageView.Plane(result, channel);
            for (var y = 0; y < _rows.Count; y++)
            {
                Down(plane[((_rows.First(y) - FirstRow) * width)..], _rows.Weights(y), target.Slice(y * width, width));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _columns.Return();
        _rows.Return();
        ArrayPool<byte>.Shared.Return(_narrow);
        ArrayPool<uint>.Shared.Return(_scaled);
    }

    private static void Across(ReadOnlySpan<uint> row, Taps taps, Span<uint> result)
    {
        for (var x = 0; x < result.Length; x++)
        {
            var weights = taps.Weights(x);
            var pixels = row.Slice(taps.First(x), weights.Length);
            var sum = Vector128.Create(1 << (FractionBits - 1));
            for (var i = 0; i < pixels.Length; i++)
            {
                var channels = Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(pixels[i]).AsByte())).AsInt32();
                sum += channels * weights[i];
            }

            var levels = Vector128.Clamp(sum >> FractionBits, Vector128<int>.Zero, Vector128.Create(255)).AsUInt32();
            result[x] = levels[0] | (levels[1] << 8) | (levels[2] << 16);
        }
    }

    private static void Down(ReadOnlySpan<byte> rows, ReadOnlySpan<int> weights, Span<byte> result)
    {
        for (var x = 0; x < result.Length; x += ByteLanes.Count)
        {
            var sum = Vector512.Create(1 << (FractionBits - 1));
            for (var i = 0; i < weights.Length; i++)
            {
                sum += ByteLanes.Load(rows, (i * result.Length) + x) * weights[i];
            }

            ByteLanes.Store(Vector512.Clamp(sum >> FractionBits, Vector512<int>.Zero, Vector512.Create(255)), result, x);
        }
    }

    /// <summary>Which pixels every new pixel of a row or column is made of, and how much of each.</summary>
    private readonly struct Taps
    {
        private readonly int[] _numbers;
        private readonly int _perPixel;

        public Taps(ScaledLine line, ResizeFilter filter)
        {
            Count = line.Count;
            var scale = line.From / (double)line.To;
            var wider = Math.Max(scale, 1);
            var support = wider * (filter == ResizeFilter.Bicubic ? 2 : 1);
            // For each new pixel: the first pixel, how many, and their weights.
            _perPixel = 2 + (2 * (int)Math.Ceiling(support)) + 1;
            _numbers = ArrayPool<int>.Shared.Rent(checked(Count * _perPixel));
            var exact = ArrayPool<double>.Shared.Rent(_perPixel);
            for (var i = 0; i < Count; i++)
            {
                var centre = (line.First + i + 0.5) * scale;
                var first = Math.Max((int)(centre - support + 0.5), 0);
                var count = Math.Min((int)(centre + support + 0.5), line.From) - first;
                var sum = 0.0;
                for (var tap = 0; tap < count; tap++)
                {
                    exact[tap] = Weight(filter, Math.Abs((first + tap - centre + 0.5) * (1 / wider)));
                    sum += exact[tap];
                }

                var numbers = _numbers.AsSpan(i * _perPixel, _perPixel);
                (numbers[0], numbers[1]) = (first, count);
                for (var tap = 0; tap < count; tap++)
                {
                    var weight = exact[tap] / sum * (1 << FractionBits);
                    numbers[2 + tap] = (int)(weight + (weight < 0 ? -0.5 : 0.5));
                }
            }

            ArrayPool<double>.Shared.Return(exact);
        }

        public int Count { get; }

        public int First(int pixel) => _numbers[pixel * _perPixel];

        public ReadOnlySpan<int> Weights(int pixel) => _numbers.AsSpan((pixel * _perPixel) + 2, _numbers[(pixel * _perPixel) + 1]);

        // The cubic: R. Keys, "Cubic convolution interpolation for digital image processing", 1981, equation 15.
        private static double Weight(ResizeFilter filter, double distance) =>
            filter == ResizeFilter.Bilinear ? Math.Max(1 - distance, 0)
            : distance < 1 ? (((1.5 * distance) - 2.5) * distance * distance) + 1
            : distance < 2 ? (((((-0.5 * distance) + 2.5) * distance) - 4) * distance) + 2
            : 0;

        public void Return() => ArrayPool<int>.Shared.Return(_numbers);
    }
}
