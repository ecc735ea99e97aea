namespace WeakLink.Imaging;

/// <summary>
/// Scaling by the mean of the pixels that a new one covers, as Pillow defines its box filter: pixels count whole, by where their
/// middle lies, and rows are rounded to bytes before columns. Enlarging repeats pixels.
/// </summary>
internal static class BoxScale
{
    /// <summary>Scales an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="height">New height.</param>
    /// <param name="width">New width.</param>
    /// <param name="result">Receives 3 × height × width bytes.</param>
    public static void Apply(ImageView image, int height, int width, Span<byte> result)
    {
        var columns = Boxes(image.Width, width);
        var rows = Boxes(image.Height, height);
        var narrow = new byte[image.Height * width];
        for (var channel = 0; channel < ImageView.Channels; channel++)
        {
            var plane = image.Plane(channel);
            for (var y = 0; y < image.Height; y++)
            {
                Across(plane.Slice(y * image.Width, image.Width), columns, narrow.AsSpan(y * width, width));
            }

            var target = result.Slice(channel * height * width, height * width);
            for (var y = 0; y < height; y++)
            {
                Down(narrow, rows[y], target.Slice(y * width, width));
            }
        }
    }

    /// <summary>First pixel and number of pixels that each new pixel is the mean of.</summary>
    internal static (int First, int Count)[] Boxes(int from, int to)
    {
        var scale = (double)from / to;
        var support = 0.5 * Math.Max(scale, 1);
        var boxes = new (int, int)[to];
        for (var i = 0; i < to; i++)
        {
            var centre = (i + 0.5) * scale;
            var low = Math.Max((int)(centre - support + 0.5), 0);
            var high = Math.Min((int)(centre + support + 0.5), from);
            // Of those, the ones with their middle inside (the upper end included).
            while (low < high - 1 && !(((low - centre + 0.5) / Math.Max(scale, 1)) > -0.5))
            {
                low++;
            }

            while (high > low + 1 && !(((high - 1 - centre + 0.5) / Math.Max(scale, 1)) <= 0.5))
            {
                high--;
            }

            boxes[i] = (low, high - low);
        }

        return boxes;
    }

    private static void Across(ReadOnlySpan<byte> row, (int First, int Count)[] boxes, Span<byte> result)
    {
        for (var x = 0; x < result.Length; x++)
        {
            var (first, count) = boxes[x];
            if (count == 1)
            {
                result[x] = row[first];
                continue;
            }

            var sum = 0;
            foreach (var value in row.Slice(first, count))
            {
                sum += value;
            }

            result[x] = Mean(sum, Weight(count));
        }
    }

    private static void Down(ReadOnlySpan<byte> plane, (int First, int Count) box, Span<byte> result)
    {
        var first = plane.Slice(box.First * result.Length, box.Count * result.Length);
        if (box.Count == 1)
        {
            first.CopyTo(result);
            return;
        }

        var weight = Weight(box.Count);
        for (var x = 0; x < result.Length; x++)
        {
            var sum = 0;
            for (var i = x; i < first.Length; i += result.Length)
            {
                sum += first[i];
            }

            result[x] = Mean(sum, weight);
        }
    }

    // Pillow's fixed point: 22 bits after the point.
    private static int Weight(int count) => (int)((1.0 / count * (1 << 22)) + 0.5);

    private static byte Mean(int sum, int weight) => (byte)Math.Min(((sum * weight) + (1 << 21)) >> 22, 255);
}
