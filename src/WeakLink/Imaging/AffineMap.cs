namespace WeakLink.Imaging;

/// <summary>
/// Where each pixel of a result lies in the image: x' = A x + B y + C, y' = D x + E y + F, in pixels whose middles are at halves (the
/// coefficients of Pillow's <c>Image.AFFINE</c>).
/// </summary>
internal readonly record struct AffineMap(double A, double B, double C, double D, double E, double F)
{
    /// <summary>
    /// Turns, moves, scales and shears around the middle of an image, as torchvision's <c>affine</c> did until version 0.6 — with the
    /// middle half a pixel too far to the right and below, which the published perturbation sequences have too.
    /// </summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="angle">Degrees, clockwise.</param>
    /// <param name="right">Pixels to the right.</param>
    /// <param name="scale">Above 1 enlarges.</param>
    /// <param name="shear">Degrees.</param>
    public static AffineMap Around(int height, int width, double angle = 0, double right = 0, double scale = 1, double shear = 0)
    {
        var (turn, lean) = (angle * Math.PI / 180, shear * Math.PI / 180);
        var (x, y) = ((width * 0.5) + 0.5, (height * 0.5) + 0.5);
        var determinant = (Math.Cos(turn + lean) * Math.Cos(turn)) + (Math.Sin(turn + lean) * Math.Sin(turn));
        var factor = 1 / (scale * determinant);
        var (a, b) = (factor * Math.Cos(turn + lean), factor * Math.Sin(turn + lean));
        var (d, e) = (-factor * Math.Sin(turn), factor * Math.Cos(turn));
        return new AffineMap(a, b, x - (a * (x + right)) - (b * y), d, e, y - (d * (x + right)) - (e * y));
    }

    /// <summary>Turns around the middle of an image, as Pillow's <c>rotate</c> does.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="degrees">Counter-clockwise.</param>
    public static AffineMap Turned(int height, int width, double degrees)
    {
        // A quarter turn is exactly that by rounding; which way half a quarter is rounded depends on counting from 0 on.
        var turn = degrees - (360 * Math.Floor(degrees / 360));
        var (sine, cosine) = Math.SinCos(-turn * (Math.PI / 180));
        var (a, b) = (Rounded(cosine), Rounded(sine));
        var (x, y) = (width / 2.0, height / 2.0);
        return new AffineMap(a, b, (a * -x) + (b * -y) + x, -b, a, (-b * -x) + (a * -y) + y);
    }

    /// <summary>The same for a result that begins at another pixel.</summary>
    public AffineMap From(int top, int left) => this with { C = C + (A * left) + (B * top), F = F + (D * left) + (E * top) };

    // To 15 decimals, as Python does it: Math.Round decides by a product that is itself rounded.
    private static double Rounded(double value)
    {
        const double Scale = 1e15;
        var scaled = value * Scale;
        var lost = Math.FusedMultiplyAdd(value, Scale, -scaled);
        var below = Math.Floor(scaled);
        return (scaled - below - 0.5 + lost > 0 ? below + 1 : below) / Scale;
    }
}
