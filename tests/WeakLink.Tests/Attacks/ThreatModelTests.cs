using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Runtime;

namespace WeakLink.Tests.Attacks;

public sealed class ThreatModelTests
{
    public ThreatModelTests() => NativeLibraries.Load();

    [Theory]
    [InlineData(Norm.Linf, 0.1)]
    [InlineData(Norm.L2, 0.3)]
    [InlineData(Norm.L2, 1.5)]
    [InlineData(Norm.L1, 0.4)]
    [InlineData(Norm.L1, 3)]
    public void Projection_IsTheNearestPoint(Norm norm, double epsilon)
    {
        using var scope = torch.NewDisposeScope();
        var random = new SeededRandom(1, RandomUse.Split);
        for (var trial = 0; trial < 20; trial++)
        {
            var clean = Enumerable.Range(0, 12).Select(_ => random.NextBool(0.3) ? Math.Round(random.NextDouble()) : random.NextDouble()).ToArray();
            var point = clean.Select(value => value + (random.NextNormal() * (trial % 2 == 0 ? 0.7 : 0.05))).ToArray();
            var projected = new ThreatModel(norm, epsilon).Project(Images(point), Images(clean)).flatten().data<float>().ToArray();
            var expected = Dykstra(norm, epsilon, point, clean);
            Assert.All(expected.Zip(projected), pair => Assert.Equal(pair.First, pair.Second, 2e-4));
        }
    }

    [Theory]
    [InlineData(Norm.Linf)]
    [InlineData(Norm.L2)]
    [InlineData(Norm.L1)]
    public void HyperplaneProjection_IsOnThePlane_AndNoShorterMoveIs(Norm norm)
    {
        using var scope = torch.NewDisposeScope();
        var random = new SeededRandom(2, RandomUse.Split);
        for (var trial = 0; trial < 40; trial++)
        {
            const int Dimensions = 20;
            var point = Enumerable.Range(0, Dimensions).Select(_ => (float)random.NextDouble()).ToArray();
            var normal = Enumerable.Range(0, Dimensions).Select(_ => (float)random.NextNormal()).ToArray();
            var value = point.Zip(normal, (x, w) => x * w).Sum();
            // Sometimes near, sometimes far, on either side, always reachable.
            var side = trial % 2 == 0 ? 1 : -1;
            var reach = point.Zip(normal, (x, w) => Math.Abs(w) * (w * side > 0 ? 1 - x : x)).Sum();
            var gap = reach * (trial % 5 == 4 ? 0.9 : 0.2) * random.NextDouble();
            var offset = (float)(value + (side * gap));
            var move = Hyperplane.Project(norm, torch.tensor(point, [1, Dimensions]), torch.tensor(normal, [1, Dimensions]), torch.tensor(new[] { offset })).flatten().data<float>().ToArray();

            var after = point.Zip(move, (x, d) => x + d).ToArray();
            Assert.All(after, x => Assert.InRange(x, -1e-6, 1 + 1e-6));
            Assert.Equal(offset, after.Zip(normal, (x, w) => x * w).Sum(), 1e-3);
            var size = norm switch
            {
                Norm.Linf => move.Max(Math.Abs),
                Norm.L2 => Math.Sqrt(move.Sum(d => d * d)),
                _ => move.Sum(Math.Abs),
            };
            // The most that a slightly shorter move gains must be too little: a linear model tells.
            Assert.True(MostGain(norm, size * 0.995, point, normal, side) < gap + 1e-4, $"{size} is not the shortest");
        }
    }

    [Theory]
    [InlineData(Norm.Linf)]
    [InlineData(Norm.L2)]
    [InlineData(Norm.L1)]
    public void HyperplaneProjection_OfABatch_IsThatOfEachImage(Norm norm)
    {
        using var scope = torch.NewDisposeScope();
        const int Images = 6, Dimensions = 50;
        var points = torch.rand([Images, Dimensions], generator: new torch.Generator(1));
        var normals = torch.randn([Images, Dimensions], generator: new torch.Generator(2));
        // Equal weights, no weights but one, and a plane out of reach.
        normals[1] = torch.ones(Dimensions);
        normals[2] = torch.zeros(Dimensions);
        normals[2, 7] = 3;
        var offsets = (points * normals).sum(1) + torch.tensor(new[] { 1.5f, -2, 0.1f, 1000, 0.02f, -1 });
        var together = Hyperplane.Project(norm, points, normals, offsets);
        for (var i = 0; i < Images; i++)
        {
            var alone = Hyperplane.Project(norm, points.narrow(0, i, 1), normals.narrow(0, i, 1), offsets.narrow(0, i, 1));
            Assert.True((alone - together[i]).abs().max().ToSingle() < 1e-3, $"image {i}");
        }

        var farthest = torch.where(normals[3].gt(0), 1 - points[3], -points[3]);
        Assert.True((together[3] - farthest).abs().max().ToSingle() < 1e-5, "all that the box allows");
    }

    [Fact]
    public void BelowLargest_IsExceededByAsManyValuesAsAskedFor()
    {
        using var scope = torch.NewDisposeScope();
        var values = torch.rand([5, 400], generator: new torch.Generator(3)).pow(4);
        values[3] = torch.where(torch.arange(400).lt(30), 0.25f, 0f);
        values[4] = torch.where(torch.arange(400).lt(30), 1e-30f, 1e-36f);
        var counts = new[] { 1f, 7, 400, 12, 30 };
        var exceeding = values.gt(AutoPgd.BelowLargest(values, torch.tensor(counts)).unsqueeze(1)).sum(1).data<long>().ToArray();
        // Of equal values, all or none.
        Assert.Equal([1, 7, 400, 30, 30], exceeding);
    }

    [Fact]
    public void Epsilon_OfPixelUnits_IsExplained()
    {
        Assert.Contains("write 8/255", Assert.Throws<InputException>(() => new ThreatModel(Norm.Linf, 8)).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => new ThreatModel(Norm.L2, 0));
        Assert.Throws<InputException>(() => new ThreatModel(Norm.L2, double.NaN));
        Assert.Equal(8.0 / 255, ThreatModel.ParseEpsilon("8/255"));
        Assert.Equal(0.5, ThreatModel.ParseEpsilon("0.5"));
        Assert.Throws<InputException>(() => ThreatModel.ParseEpsilon("8/255/2"));
        Assert.Throws<InputException>(() => ThreatModel.ParseEpsilon("eight"));
        Assert.Equal("Linf 8/255", new ThreatModel(Norm.Linf, 8.0 / 255).ToString());
        Assert.Equal("L2 0.5", new ThreatModel(Norm.L2, 0.5).ToString());
    }

    private static torch.Tensor Images(double[] values) => torch.tensor(values.Select(value => (float)value).ToArray(), [1, 3, 2, 2]);

    private static double MostGain(Norm norm, double size, float[] point, float[] normal, int side)
    {
        var model = new LinearModel(2, point.Length, 0);
        for (var i = 0; i < point.Length; i++)
        {
            (model.Weight[0, i], model.Weight[1, i]) = (0, side * normal[i]);
        }

        (model.Bias[0], model.Bias[1]) = (0, 0);
        return model.Worst(norm, size, point, 0) - (side * point.Zip(normal, (x, w) => (double)x * w).Sum());
    }

    /// <summary>Dykstra's alternating projections onto ball and box: slow, simple, in float64.</summary>
    private static double[] Dykstra(Norm norm, double epsilon, double[] point, double[] clean)
    {
        var x = point.ToArray();
        var (p, q) = (new double[x.Length], new double[x.Length]);
        for (var iteration = 0; iteration < 20_000; iteration++)
        {
            var y = Ball(norm, epsilon, x.Zip(p, (a, b) => a + b).ToArray(), clean);
            p = [.. x.Zip(p, (a, b) => a + b).Zip(y, (a, b) => a - b)];
            var z = y.Zip(q, (a, b) => Math.Clamp(a + b, 0, 1)).ToArray();
            q = [.. y.Zip(q, (a, b) => a + b).Zip(z, (a, b) => a - b)];
            x = z;
        }

        return x;
    }

    private static double[] Ball(Norm norm, double epsilon, double[] point, double[] clean)
    {
        var change = point.Zip(clean, (a, b) => a - b).ToArray();
        switch (norm)
        {
            case Norm.Linf:
                return [.. clean.Zip(change, (c, d) => c + Math.Clamp(d, -epsilon, epsilon))];
            case Norm.L2:
                var length = Math.Sqrt(change.Sum(d => d * d));
                return length <= epsilon ? point : [.. clean.Zip(change, (c, d) => c + (d * epsilon / length))];
            default:
                if (change.Sum(Math.Abs) <= epsilon)
                {
                    return point;
                }

                // Duchi et al. 2008: the threshold from the sorted sizes.
                var sorted = change.Select(Math.Abs).OrderDescending().ToArray();
                var (sum, threshold) = (0.0, 0.0);
                for (var i = 0; i < sorted.Length; i++)
                {
                    sum += sorted[i];
                    var candidate = (sum - epsilon) / (i + 1);
                    threshold = sorted[i] > candidate ? candidate : threshold;
                }

                return [.. clean.Zip(change, (c, d) => c + (Math.Sign(d) * Math.Max(Math.Abs(d) - threshold, 0)))];
        }
    }
}
