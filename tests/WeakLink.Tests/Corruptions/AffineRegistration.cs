namespace WeakLink.Tests.Corruptions;

/// <summary>
/// Finds the affine map that turns one image into another, by Gauss and Newton's method (Lucas and Kanade 1981): how far an image was
/// stretched, whatever else was done to it.
/// </summary>
internal sealed class AffineRegistration
{
    private const int Unknowns = 6;
    private const int Steps = 30;

    // x' = x + p0 + p1 x + p2 y, y' = y + p3 + p4 x + p5 y, from the moved image's pixels to the still one's, counted from the middle.
    private readonly double[] _map = new double[Unknowns];
    private readonly int _size;

    public AffineRegistration(byte[] still, byte[] moved, int size)
    {
        _size = size;
        Residual = new double[moved.Length];
        for (var step = 0; step < Steps; step++)
        {
            Improve(still, moved);
        }
    }

    /// <summary>What the map does not explain: moved − still at the mapped places.</summary>
    public double[] Residual { get; }

    /// <summary>Where the still image's point, counted from the top left pixel, went to: by how much.</summary>
    public (double Right, double Down) Shift(double x, double y)
    {
        var middle = (_size - 1) / 2.0;
        var (u, v) = (x - middle - _map[0], y - middle - _map[3]);
        var (a, b, d, e) = (1 + _map[1], _map[2], _map[4], 1 + _map[5]);
        var determinant = (a * e) - (b * d);
        return ((((e * u) - (b * v)) / determinant) + middle - x, (((a * v) - (d * u)) / determinant) + middle - y);
    }

    private void Improve(byte[] still, byte[] moved)
    {
        var (normal, right) = (new double[Unknowns, Unknowns], new double[Unknowns]);
        var middle = (_size - 1) / 2.0;
        var row = new double[Unknowns];
        for (var i = 0; i < moved.Length; i++)
        {
            var (x, y) = ((i % _size) - middle, (i / _size % _size) - middle);
            var (fromX, fromY) = (x + _map[0] + (_map[1] * x) + (_map[2] * y) + middle, y + _map[3] + (_map[4] * x) + (_map[5] * y) + middle);
            var plane = i / (_size * _size) * _size * _size;
            var value = At(still, plane, fromX, fromY);
            Residual[i] = moved[i] - value;
            var isInside = fromX > 0.5 && fromX < _size - 1.5 && fromY > 0.5 && fromY < _size - 1.5;
            if (!isInside)
            {
                continue;
            }

            var across = At(still, plane, fromX + 0.5, fromY) - At(still, plane, fromX - 0.5, fromY);
            var down = At(still, plane, fromX, fromY + 0.5) - At(still, plane, fromX, fromY - 0.5);
            (row[0], row[1], row[2], row[3], row[4], row[5]) = (across, across * x, across * y, down, down * x, down * y);
            // Pixels that fit badly (noise, what came in from outside) count less.
            var weight = 1 / (1 + Math.Abs(Residual[i] / 10));
            for (var j = 0; j < Unknowns; j++)
            {
                right[j] += weight * row[j] * Residual[i];
                for (var k = 0; k < Unknowns; k++)
                {
                    normal[j, k] += weight * row[j] * row[k];
                }
            }
        }

        var change = Solve(normal, right);
        for (var j = 0; j < Unknowns; j++)
        {
            _map[j] += change[j];
        }
    }

    private double At(byte[] image, int plane, double x, double y)
    {
        (x, y) = (Math.Clamp(x, 0, _size - 1.001), Math.Clamp(y, 0, _size - 1.001));
        var (left, top) = ((int)x, (int)y);
        var at = plane + (top * _size) + left;
        var upper = image[at] + ((x - left) * (image[at + 1] - image[at]));
        var lower = image[at + _size] + ((x - left) * (image[at + _size + 1] - image[at + _size]));
        return upper + ((y - top) * (lower - upper));
    }

    // Gauss's elimination; the matrix is positive, up to the small ridge that keeps it so for images of one colour.
    private static double[] Solve(double[,] matrix, double[] right)
    {
        for (var i = 0; i < Unknowns; i++)
        {
            matrix[i, i] += 1e-3 * (1 + matrix[i, i]);
        }

        for (var i = 0; i < Unknowns; i++)
        {
            for (var j = i + 1; j < Unknowns; j++)
            {
                var factor = matrix[j, i] / matrix[i, i];
                for (var k = i; k < Unknowns; k++)
                {
                    matrix[j, k] -= factor * matrix[i, k];
                }

                right[j] -= factor * right[i];
            }
        }

        for (var i = Unknowns - 1; i >= 0; i--)
        {
            for (var k = i + 1; k < Unknowns; k++)
            {
                right[i] -= matrix[i, k] * right[k];
            }

            right[i] /= matrix[i, i];
        }

        return right;
    }
}
