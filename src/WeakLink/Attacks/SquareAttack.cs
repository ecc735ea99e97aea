using System.Collections.Concurrent;
using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>
/// Square attack: random search with square patches, which needs only the model's scores (Andriushchenko, Croce, Flammarion and Hein, ECCV
/// 2020); for L1 as in Croce and Hein 2021. Every image has its own random numbers, so results don't depend on the batch.
/// </summary>
public sealed class SquareAttack : Attack
{
    // The first patch covers this part of the image. The schedule is for 10,000 queries, and AutoAttack does not rescale it to its 5,000.
    private const double FirstPart = 0.8;
    private static readonly (int Until, int Divisor)[] Schedule =
        [(10, 1), (50, 2), (200, 4), (500, 8), (1000, 16), (2000, 32), (4000, 64), (6000, 128), (8000, 256), (int.MaxValue, 512)];

    private readonly int _queries;
    private readonly int _restarts;

    // A few sides, thousands of queries.
    private readonly ConcurrentDictionary<(int Side, bool Turned), float[]> _bumps = new();

    /// <summary>Configures the attack.</summary>
    /// <param name="threat">What the attacker may do.</param>
    /// <param name="queries">Patches that it tries, for each image and attempt.</param>
    /// <param name="restarts">Attempts.</param>
    public SquareAttack(ThreatModel threat, int queries = 5000, int restarts = 1)
        : base("square", threat)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(queries);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(restarts);
        (_queries, _restarts) = (queries, restarts);
    }

    /// <inheritdoc/>
    public override bool UsesGradients => false;

    /// <inheritdoc/>
    public override string Settings => FormattableString.Invariant($"{_queries} queries");

    /// <inheritdoc/>
    public override int Passes(int classes) => _queries;

    /// <inheritdoc/>
    public override int Attempts(int classes) => _restarts;

    /// <inheritdoc/>
    protected override torch.Tensor Search(
        int attempt, AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop)
    {
        var random = draws.Generators();
        var best = Threat.Norm == Norm.Linf ? Stripes(images, random) : Tiles(images, random);
        var margin = AttackLoss.Margin(model.Logits(best), labels);
        for (var query = 0; query < _queries; query++)
        {
            stop.ThrowIfCancellationRequested();
            using var iteration = torch.NewDisposeScope();
            // A tie is not broken yet: the largest logit may still be taken to be the label's.
            var left = margin.ge(Kept(0)).nonzero().squeeze(1);
            if (left.shape[0] == 0)
            {
                break;
            }

            var own = left.cpu().data<long>().ToArray().Select(image => random[image]).ToArray();
            var (x, current) = left.shape[0] == images.shape[0] ? (images, best) : (images.index_select(0, left), best.index_select(0, left));
            var part = FirstPart / Schedule.First(stage => query <= stage.Until).Divisor;
            var side = Math.Sqrt(part * images.shape[2] * images.shape[3]);
            var tried = Threat.Norm == Norm.Linf ? PaintSquare(x, current, side, own) : MoveMass(x, current, side, own);
            var now = AttackLoss.Margin(model.Logits(tried), labels.index_select(0, left));
            var better = now.lt(margin.index_select(0, left));
            var improved = left[better];
            best.index_copy_(0, improved, tried[better]);
            margin.index_copy_(0, improved, now[better]);
        }

        return best;
    }

    private static float Sign(SeededRandom random) => random.NextBool() ? 1 : -1;

    private static void FillSigns(Span<float> signs, SeededRandom random)
    {
        foreach (ref var sign in signs)
        {
            sign = Sign(random);
        }
    }

    // Any place where the square fits, as the index of its first value; the authors' L∞ never reaches the last row and column.
    private static long Corner(SeededRandom random, int side, int height, int width)
    {
        var (top, left) = (random.Next(height - side + 1), random.Next(width - side + 1));
        return (top * width) + left;
    }

    private torch.Tensor Stripes(torch.Tensor clean, SeededRandom[] random)
    {
        using var scope = torch.NewDisposeScope();
        var (channels, width) = ((int)clean.shape[1], (int)clean.shape[3]);
        var signs = random.SelectMany(own => Enumerable.Range(0, channels * width).Select(_ => Sign(own)).ToArray()).ToArray();
        var stripes = torch.tensor(signs, [clean.shape[0], channels, 1, width], device: clean.device);
        return Threat.Project(clean.Plus(stripes * Kept(Threat.Epsilon)), clean).MoveToOuterDisposeScope();
    }

    private torch.Tensor PaintSquare(torch.Tensor clean, torch.Tensor current, double wanted, SeededRandom[] random)
    {
        using var scope = torch.NewDisposeScope();
        var (channels, height, width) = ((int)clean.shape[1], (int)clean.shape[2], (int)clean.shape[3]);
        var side = Math.Clamp((int)Math.Round(wanted), 1, Math.Min(height, width));
        var (corners, signs) = (new long[random.Length], new float[random.Length * channels]);
        for (var i = 0; i < random.Length; i++)
        {
            corners[i] = Corner(random[i], side, height, width);
            FillSigns(signs.AsSpan(i * channels, channels), random[i]);
        }

        var window = Window(corners, side, clean);
        var colours = torch.tensor(signs, [random.Length, channels, 1], device: clean.device) * Kept(Threat.Epsilon);
        var inside = clean.flatten(2).gather(2, window);
        return current.clone().flatten(2).scatter_(2, window, Threat.Project(inside.Plus(colours), inside)).view_as(clean).MoveToOuterDisposeScope();
    }

    // L2 and L1: the whole image is tiled with bumps at first.
    private torch.Tensor Tiles(torch.Tensor clean, SeededRandom[] random)
    {
        using var scope = torch.NewDisposeScope();
        var (channels, height, width) = ((int)clean.shape[1], (int)clean.shape[2], (int)clean.shape[3]);
        var side = Math.Max(height / 5, 1);
        var values = new float[clean.numel()];
        for (var i = 0; i < random.Length; i++)
        {
            for (var top = (height % side) / 2; top + side <= height; top += side)
            {
                for (var left = (width % side) / 2; left + side <= width; left += side)
                {
                    var bump = Bump(side, random[i].NextBool());
                    for (var channel = 0; channel < channels; channel++)
                    {
                        var sign = Sign(random[i]);
                        for (var at = 0; at < bump.Length; at++)
                        {
                            values[(((((i * channels) + channel) * height) + top + (at / side)) * width) + left + (at % side)] = sign * bump[at];
                        }
                    }
                }
            }
        }

        var tiles = torch.tensor(values, clean.shape, device: clean.device);
        // L1 leaves the choice to the projection, which keeps the peaks.
        return Threat.Project(clean.Plus(Threat.Norm == Norm.L2 ? Threat.Largest(tiles) : tiles), clean).MoveToOuterDisposeScope();
    }

    // Takes the perturbation out of one window and puts it, with what is left of ε, into another, as a bump added to what is there.
    private torch.Tensor MoveMass(torch.Tensor clean, torch.Tensor current, double wanted, SeededRandom[] random)
    {
        using var scope = torch.NewDisposeScope();
        var (channels, height, width) = ((int)clean.shape[1], (int)clean.shape[2], (int)clean.shape[3]);
        var side = Math.Max((int)Math.Round(wanted), 3);
        side = Math.Min(side + (side % 2 == 0 ? 1 : 0), Math.Min(height, width));
        var (to, from, turned, signs) = (new long[random.Length], new long[random.Length], new long[random.Length], new float[random.Length * channels]);
        for (var i = 0; i < random.Length; i++)
        {
            (to[i], from[i]) = (Corner(random[i], side, height, width), Corner(random[i], side, height, width));
            turned[i] = random[i].NextBool() ? 1 : 0;
            FillSigns(signs.AsSpan(i * channels, channels), random[i]);
        }

        var change = (current - clean).flatten(2);
        // Sizes by channel, so that what is taken from a channel comes back to it.
        var free = Power(change).sum(1, keepdim: true).SubtractedFrom(Math.Pow(Threat.Epsilon, Threat.Norm == Norm.L2 ? 2 : 1)).clamp_min_(Kept(0)) / Kept(channels);
        var (target, source) = (Window(to, side, clean), Window(from, side, clean));
        var there = Take(target);
        // Where the two overlap, nothing is left to take.
        var held = Power(there).Plus(Power(Take(source)));
        var bumps = torch.tensor((float[])[.. Bump(side, turned: false), .. Bump(side, turned: true)], [2, 1, side * side], device: clean.device);
        var added = bumps.index_select(0, torch.tensor(turned, device: clean.device)) * torch.tensor(signs, [random.Length, channels, 1], device: clean.device);
        added = added.Plus(there / Root(Power(there)).Plus(1e-12));
        added = added / Root(Power(added)).Plus(1e-12) * Root(free.Plus(held));
        // L1, as published: too much by intention, of which the projection keeps the peaks.
        change.scatter_(2, target, Threat.Norm == Norm.L1 ? added * Kept(channels) : added);
        var moved = change.view_as(clean);
        // L2 uses all of epsilon: in the ball, so that the box alone has to cut.
        return (Threat.Norm == Norm.L2 ? Threat.Largest(moved).add_(clean, Kept(1)).clamp_(Kept(0), Kept(1)) : Threat.Project(moved.add_(clean, Kept(1)), clean)).MoveToOuterDisposeScope();

        torch.Tensor Take(torch.Tensor window)
        {
            var taken = change.gather(2, window);
            change.scatter_(2, window, torch.zeros_like(taken));
            return taken;
        }

        torch.Tensor Power(torch.Tensor values) => (Threat.Norm == Norm.L2 ? values.Squared() : values.abs()).sum(2, keepdim: true);
        torch.Tensor Root(torch.Tensor powers) => Threat.Norm == Norm.L2 ? powers.sqrt() : powers;
    }

    // Where the values of a square lie: N×channels×side², for gather and scatter over flattened images.
    private static torch.Tensor Window(long[] corners, int side, torch.Tensor images)
    {
        using var scope = torch.NewDisposeScope();
        var (channels, width) = (images.shape[1], images.shape[3]);
        var within = Enumerable.Range(0, side * side).Select(at => (at / side * width) + (at % side)).ToArray();
        return torch.tensor(corners, [corners.Length, 1, 1], device: images.device).Plus(torch.tensor(within, device: images.device))
            .expand(corners.Length, channels, side * side).MoveToOuterDisposeScope();
    }

    /// <summary>Two opposite pyramids, one beside or above the other, together of size 1 (section 3.4 of the paper); steeper for L1.</summary>
    private float[] Bump(int side, bool turned) => _bumps.GetOrAdd((side, turned), _ => MakeBump(side, turned));

    private float[] MakeBump(int side, bool turned)
    {
        var values = new float[side * side];
        var upper = side / 2;
        Pyramid(values, 0, upper, side, 1);
        Pyramid(values, upper, side - upper, side, -1);
        var size = Size(values);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] /= size;
        }

        return turned ? [.. Enumerable.Range(0, values.Length).Select(i => values[(i % side * side) + (i / side)])] : values;
    }

    private void Pyramid(float[] values, int firstRow, int rows, int columns, float sign)
    {
        var (centreRow, centreColumn) = ((rows / 2) + 1, (columns / 2) + 1);
        var bump = new float[rows * columns];
        for (var ring = 0; ring < Math.Max(centreRow, centreColumn); ring++)
        {
            var (top, left) = (centreRow - 1 - ring, centreColumn - 1 - ring);
            for (var y = Math.Max(top, 0); y < Math.Min(top + (2 * ring) + 1, rows); y++)
            {
                for (var x = Math.Max(left, 0); x < Math.Min(left + (2 * ring) + 1, columns); x++)
                {
                    bump[(y * columns) + x] += MathF.Pow(ring + 1, Threat.Norm == Norm.L2 ? -2 : -4);
                }
            }
        }

        var size = Size(bump);
        for (var i = 0; i < bump.Length; i++)
        {
            values[(firstRow * columns) + i] = sign * bump[i] / size;
        }
    }

    private float Size(float[] values) => Math.Max(Threat.Norm == Norm.L2 ? MathF.Sqrt(values.Sum(value => value * value)) : values.Sum(MathF.Abs), 1e-12f);
}
