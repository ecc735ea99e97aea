namespace WeakLink.Imaging;

/// <summary>Edges of a grey image, and how far each pixel is from them.</summary>
internal static class Edges
{
    private const byte Weak = 1;
    private const byte Strong = 2;

    /// <summary>
    /// Canny's edges (1986) as OpenCV finds them: Sobel gradients of 3×3 pixels, their size |dx| + |dy|, the largest across the edge,
    /// followed from where they are above <paramref name="high"/> to where they are above <paramref name="low"/>.
    /// </summary>
    /// <returns>True on an edge, row by row.</returns>
    public static bool[] Canny(ReadOnlySpan<byte> image, int height, int width, int low, int high)
    {
        // A margin of zeros spares the size at the border a case of its own.
        var stride = width + 2;
        var dx = new int[(height + 2) * stride];
        var dy = new int[dx.Length];
        var size = new int[dx.Length];
        for (var y = 0; y < height; y++)
        {
            var above = image.Slice(Math.Max(y - 1, 0) * width, width);
            var row = image.Slice(y * width, width);
            var below = image.Slice(Math.Min(y + 1, height - 1) * width, width);
            for (var x = 0; x < width; x++)
            {
                var (left, right) = (Math.Max(x - 1, 0), Math.Min(x + 1, width - 1));
                var at = ((y + 1) * stride) + x + 1;
                dx[at] = above[right] - above[left] + (2 * (row[right] - row[left])) + below[right] - below[left];
                dy[at] = below[left] - above[left] + (2 * (below[x] - above[x])) + below[right] - above[right];
                size[at] = Math.Abs(dx[at]) + Math.Abs(dy[at]);
            }
        }

        var marks = new byte[size.Length];
        var follow = new Stack<int>();
        for (var y = 1; y <= height; y++)
        {
            for (var at = (y * stride) + 1; at <= (y * stride) + width; at++)
            {
                if (size[at] > low && IsLargest(size, dx[at], dy[at], at, stride))
                {
                    marks[at] = size[at] > high ? Strong : Weak;
                    if (marks[at] == Strong)
                    {
                        follow.Push(at);
                    }
                }
            }
        }

        ReadOnlySpan<int> neighbours = [-stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1];
        while (follow.TryPop(out var at))
        {
            foreach (var step in neighbours)
            {
                if (marks[at + step] == Weak)
                {
                    marks[at + step] = Strong;
                    follow.Push(at + step);
                }
            }
        }

        var edges = new bool[height * width];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                edges[(y * width) + x] = marks[((y + 1) * stride) + x + 1] == Strong;
            }
        }

        return edges;
    }

    /// <summary>
    /// The distance of every pixel to the nearest edge, in pixels: steps of 1, 1.4 and 2.1969 to the sides, diagonally and as the
    /// knight moves (Borgefors 1986, OpenCV's 5×5 mask), in two passes. Very large where there is no edge.
    /// </summary>
    public static float[] Distance(bool[] edges, int height, int width)
    {
        const float Side = 1, Diagonal = 1.4f, Knight = 2.1969f, Far = 1e6f;
        const int Margin = 2;
        var stride = width + (2 * Margin);
        var distance = new float[(height + (2 * Margin)) * stride];
        Array.Fill(distance, Far);
        ReadOnlySpan<(int Step, float Cost)> before =
        [
            (-(2 * stride) - 1, Knight), (-(2 * stride) + 1, Knight), (-stride - 2, Knight), (-stride + 2, Knight),
            (-stride - 1, Diagonal), (-stride + 1, Diagonal), (-stride, Side), (-1, Side),
        ];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var at = ((y + Margin) * stride) + x + Margin;
                distance[at] = edges[(y * width) + x] ? 0 : Nearest(distance, at, before, 1);
            }
        }

        var result = new float[height * width];
        for (var y = height - 1; y >= 0; y--)
        {
            for (var x = width - 1; x >= 0; x--)
            {
                var at = ((y + Margin) * stride) + x + Margin;
                distance[at] = Math.Min(distance[at], Nearest(distance, at, before, -1));
                result[(y * width) + x] = distance[at];
            }
        }

        return result;
    }

    private static float Nearest(float[] distance, int at, ReadOnlySpan<(int Step, float Cost)> steps, int direction)
    {
        var least = float.MaxValue;
        foreach (var (step, cost) in steps)
        {
            least = Math.Min(least, distance[at + (direction * step)] + cost);
        }

        return least;
    }

    // Whether no pixel across the edge has a larger gradient; the directions are those at 22.5° and 67.5°.
    private static bool IsLargest(int[] size, int dx, int dy, int at, int stride)
    {
        var tangent = Math.Abs(dy) / (double)Math.Max(Math.Abs(dx), 1e-9);
        if (tangent < 0.41421356)
        {
            return size[at] > size[at - 1] && size[at] >= size[at + 1];
        }

        if (tangent > 2.41421356)
        {
            return size[at] > size[at - stride] && size[at] >= size[at + stride];
        }

        var slant = (dx ^ dy) < 0 ? -1 : 1;
        return size[at] > size[at - stride - slant] && size[at] > size[at + stride + slant];
    }
}
