namespace WeakLink.Tests.Corruptions;

/// <summary>
/// What a random corruption does to an image, as numbers that don't depend on the draws but for chance: how strong, where, in which
/// colours, how smooth. Clean and corrupted images are planes of 32×32 pixels.
/// </summary>
internal static class CorruptionStructure
{
    /// <summary>By what a corruption multiplies the image.</summary>
    public const string Kept = "kept";

    private const int Size = 32;
    private const int Area = Size * Size;

    /// <summary>The numbers of an image, by name.</summary>
    public static IReadOnlyDictionary<string, double> Of(string corruption, byte[] clean, byte[] corrupted) => corruption switch
    {
        "gaussian_noise" or "shot_noise" or "speckle_noise" or "impulse_noise" => Noise(clean, corrupted),
        "glass_blur" => Glass(clean, corrupted),
        "elastic_transform" => Elastic(clean, corrupted),
        "spatter" => Spatter(clean, corrupted),
        _ => Weather(clean, corrupted),
    };

    // Strength where it is dark, middling and bright; salt and pepper; whiteness.
    private static Dictionary<string, double> Noise(byte[] clean, byte[] corrupted)
    {
        var added = Added(clean, corrupted);
        double Energy(int from, int to) => Enumerable.Range(0, added.Length).Where(i => clean[i] >= from && clean[i] < to).Sum(i => added[i] * added[i]);
        return new()
        {
            ["energy in the dark"] = Energy(20, 90),
            ["energy in the middle"] = Energy(90, 160),
            ["energy in the light"] = Energy(160, 220),
            ["values changed"] = added.Count(value => value != 0),
            ["salt"] = Enumerable.Range(0, added.Length).Count(i => corrupted[i] == 255 && clean[i] < 128),
            ["pepper"] = Enumerable.Range(0, added.Length).Count(i => corrupted[i] == 0 && clean[i] > 128),
            ["product of neighbours"] = Product(added, 1, 0),
            ["product over rows"] = Product(added, 0, 1),
            ["product of red and green"] = Enumerable.Range(0, Area).Sum(i => added[i] * added[Area + i]),
        };
    }

    // Which way pixels were taken from, how far, and how much blur there is.
    private static Dictionary<string, double> Glass(byte[] clean, byte[] corrupted) => new()
    {
        ["difference from the pixel up and left"] = Difference(clean, corrupted, -1, -1),
        ["difference from the pixel down and right"] = Difference(clean, corrupted, 1, 1),
        ["difference from two up and left"] = Difference(clean, corrupted, -2, -2),
        ["difference from the pixel itself"] = Difference(clean, corrupted, 0, 0),
        ["pixels taken as they are"] = Enumerable.Range(0, Area).Count(i => Math.Abs(clean[i] - corrupted[i]) <= 1),
        ["steps between neighbours"] = Steps(corrupted, 1, 0),
        ["steps over rows"] = Steps(corrupted, 0, 1),
        ["changes at the border"] = Enumerable.Range(0, Size).Count(i => Math.Abs(corrupted[i] - clean[i]) > 1) + Enumerable.Range(0, Size).Count(i => Math.Abs(corrupted[i * Size] - clean[i * Size]) > 1),
    };

    // How far the whole was stretched, and how strong and how smooth the stretching beyond that is.
    private static Dictionary<string, double> Elastic(byte[] clean, byte[] corrupted)
    {
        var registration = new AffineRegistration(clean, corrupted, Size);
        const int Centre = Size / 2, Reach = Size / 3;
        var shifts = new[] { registration.Shift(Centre + Reach, Centre + Reach), registration.Shift(Centre + Reach, Centre - Reach), registration.Shift(Centre - Reach, Centre - Reach) };
        var rest = registration.Residual;
        return new()
        {
            ["shift of the corners"] = shifts.Average(shift => Math.Min(4, Math.Abs(shift.Right)) + Math.Min(4, Math.Abs(shift.Down))),
            ["rest"] = rest.Sum(Math.Abs),
            ["product of the rest's neighbours"] = Product(rest, 1, 0) / Size,
            ["product of the rest two apart"] = Product(rest, 2, 0) / Size,
            ["steps between neighbours"] = Steps(corrupted, 1, 0),
        };
    }

    // How much is covered by how much, in which colour, in patches of which size.
    private static Dictionary<string, double> Spatter(byte[] clean, byte[] corrupted)
    {
        var added = Added(clean, corrupted);
        double Sum(int plane) => Enumerable.Range(plane * Area, Area).Sum(i => added[i]);
        double Covered(int x, int y) => Pairs(x, y).Count(pair => Math.Abs(added[pair.From]) > 8 && Math.Abs(added[pair.To]) > 8);
        return new()
        {
            ["covered"] = Covered(0, 0),
            ["covered with the neighbour"] = Covered(1, 0),
            ["covered with three below"] = Covered(0, 3),
            ["red added"] = Sum(0),
            ["green added"] = Sum(1),
            ["blue added"] = Sum(2),
            ["most added"] = added.Max(),
            ["change"] = added.Sum(Math.Abs),
        };
    }

    // How much of the image is left, what lies on it in which colour, and how smooth that is.
    private static Dictionary<string, double> Weather(byte[] clean, byte[] corrupted)
    {
        var kept = KeptOf(clean, corrupted, Size);
        var lying = clean.Zip(corrupted, (from, to) => to - (kept * from)).ToArray();
        double Mean(int plane) => Enumerable.Range(plane * Area, Area).Average(i => lying[i]);
        return new()
        {
            [Kept] = kept,
            ["red lying"] = Mean(0),
            ["green lying"] = Mean(1),
            ["blue lying"] = Mean(2),
            ["steps between neighbours of what lies"] = Steps(lying, 1, 0),
            ["steps over rows of what lies"] = Steps(lying, 0, 1),
            ["steps of eight columns of what lies"] = Steps(lying, 8, 0),
        };
    }

    /// <summary>
    /// By what the image is multiplied, where nothing was cut off. Found from steps between neighbours: what lies on the image is
    /// smooth, or knows nothing of the image's edges.
    /// </summary>
    public static double KeptOf(byte[] clean, byte[] corrupted, int size)
    {
        var (products, squares) = (0.0, 1.0);
        for (var i = 0; i < clean.Length - 1; i++)
        {
            if (i % size < size - 1 && corrupted[i] is > 0 and < 255 && corrupted[i + 1] is > 0 and < 255)
            {
                products += (clean[i] - clean[i + 1]) * (corrupted[i] - corrupted[i + 1]);
                squares += (clean[i] - clean[i + 1]) * (clean[i] - clean[i + 1]);
            }
        }

        return products / squares;
    }

    private static double[] Added(byte[] clean, byte[] corrupted) => [.. clean.Zip(corrupted, (from, to) => (double)to - from)];

    private static double Difference(byte[] clean, byte[] corrupted, int x, int y) => Pairs(x, y).Average(pair => (double)Math.Abs(corrupted[pair.From] - clean[pair.To]));

    private static double Steps(byte[] image, int x, int y) => Pairs(x, y).Average(pair => (double)Math.Abs(image[pair.From] - image[pair.To]));

    private static double Steps(double[] image, int x, int y) => Pairs(x, y).Average(pair => Math.Abs(image[pair.From] - image[pair.To]));

    private static double Product(double[] image, int x, int y) => Pairs(x, y).Sum(pair => image[pair.From] * image[pair.To]);

    // Pixels of all planes, and those that lie x to the right and y below.
    private static IEnumerable<(int From, int To)> Pairs(int x, int y)
    {
        for (var i = 0; i < 3 * Area; i++)
        {
            var (column, row) = (i % Size, i / Size % Size);
            if (column + x is >= 0 and < Size && row + y is >= 0 and < Size)
            {
                yield return (i, i + (y * Size) + x);
            }
        }
    }
}
