using System.Collections.Concurrent;
using System.Runtime.InteropServices;
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
    /// <param name="queries">Patches that it tries, for each image and run.</param>
    /// <param name="restarts">Runs.</param>
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
    public override int Runs(int classes) => _restarts;

    /// <inheritdoc/>
    protected override torch.Tensor Search(
        int run, AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop)
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

            var positions = left.cpu().data<long>().ToArray();
            var (x, current) = (images.index_select(0, left), best.index_select(0, left));
            var part = FirstPart / Schedule.First(stage => query <= stage.Until).Divisor;
            var side = Math.Sqrt(part * images.shape[2] * images.shape[3]);
            var tried = Threat.Norm == Norm.Linf
                ? PaintSquare(x, current, side, positions, random)
                : MoveMass(x, current, side, positions, random);
            var now = AttackLoss.Margin(model.Logits(tried), labels.index_select(0, left));
            var better = now.lt(margin.index_select(0, left));
            var improved = left[better];
            best.index_copy_(0, improved, tried[better]);
            margin.index_copy_(0, improved, now[better]);
        }

        return best;
    }

    // Written in place: a managed array for every query would keep the collector busy.
    private static Span<float> Values(torch.Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    private static float Sign(SeededRandom random) => random.NextBool() ? 1 : -1;

    private torch.Tensor Stripes(torch.Tensor clean, SeededRandom[] random)
    {
        using var scope = torch.NewDisposeScope();
        var (channels, width) = ((int)clean.shape[1], (int)clean.shape[3]);
        var signs = random.SelectMany(own => Enumerable.Range(0, channels * width).Select(_ => Sign(own)).ToArray()).ToArray();
        var stripes = torch.tensor(signs, [clean.shape[0], channels, 1, width], device: clean.device);
        return Threat.Project(clean.Plus(stripes * Kept(Threat.Epsilon)), clean).MoveToOuterDisposeScope();
    }

    private torch.Tensor PaintSquare(torch.Tensor clean, torch.Tensor current, double wanted, long[] positions, SeededRandom[] random)
    {
        using var scope = torch.NewDisposeScope();
        var (channels, height, width) = ((int)clean.shape[1], (int)clean.shape[2], (int)clean.shape[3]);
        var side = Math.Clamp((int)Math.Round(wanted), 1, Math.Min(height, width));
        var squares = torch.zeros(current.shape);
        var paint = Values(squares);
        for (var i = 0; i < positions.Length; i++)
        {
            // Any place; the authors never reach the last row and column.
            var own = random[positions[i]];
            var (top, left) = (own.Next(height - side + 1), own.Next(width - side + 1));
            for (var channel = 0; channel < channels; channel++)
            {
                var value = Sign(own) * (float)(2 * Threat.Epsilon);
                for (var y = top; y < top + side; y++)
                {
                    paint.Slice((((((i * channels) + channel) * height) + y) * width) + left, side).Fill(value);
                }
            }
        }

        return Threat.Project(current.Plus(squares.to(current.device)), clean).MoveToOuterDisposeScope();
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
        return Threat.Project(clean.Plus(Threat.Norm == Norm.L2 ? Threat.Normalized(tiles) * Kept(Threat.Epsilon) : tiles), clean).MoveToOuterDisposeScope();
    }

    // Takes the perturbation out of one window and puts it, with what is left of ε, into another, as a bump added to what is there.
    private torch.Tensor MoveMass(torch.Tensor clean, torch.Tensor current, double wanted, long[] positions, SeededRandom[] random)
    {
        using var scope = torch.NewDisposeScope();
        var (channels, height, width) = ((int)clean.shape[1], (int)clean.shape[2], (int)clean.shape[3]);
        var side = Math.Max((int)Math.Round(wanted), 3);
        side = Math.Min(side + (side % 2 == 0 ? 1 : 0), Math.Min(height, width));
        var (window, source, added) = (torch.zeros(positions.Length, 1, height, width), torch.zeros(positions.Length, 1, height, width), torch.zeros(clean.shape));
        var first = Values(window);
        var second = Values(source);
        var bumps = Values(added);
        for (var i = 0; i < positions.Length; i++)
        {
            var own = random[positions[i]];
            var (top, left) = (own.Next(height - side + 1), own.Next(width - side + 1));
            var (otherTop, otherLeft) = (own.Next(height - side + 1), own.Next(width - side + 1));
            var bump = Bump(side, own.NextBool());
            for (var y = 0; y < side; y++)
            {
                first.Slice((((i * height) + top + y) * width) + left, side).Fill(1);
                second.Slice((((i * height) + otherTop + y) * width) + otherLeft, side).Fill(1);
            }

            for (var channel = 0; channel < channels; channel++)
            {
                var sign = Sign(own);
                for (var at = 0; at < bump.Length; at++)
                {
                    bumps[(((((i * channels) + channel) * height) + top + (at / side)) * width) + left + (at % side)] = sign * bump[at];
                }
            }
        }

        (window, source, added) = (window.to(clean.device), source.to(clean.device), added.to(clean.device));
        var change = current - clean;
        // Sizes by channel, so that what is taken from a channel comes back to it.
        var free = Power(torch.full([positions.Length, 1, 1, 1], Kept(Threat.Epsilon), device: clean.device)) - Power(ThreatModel.PerImage(Threat.Size(change)));
        var held = ChannelPower(change * torch.maximum(window, source));
        added = added.Plus(change * window / Root(ChannelPower(change * window)).Plus(1e-12));
        added = added * window / Root(ChannelPower(added * window)).Plus(1e-12) * Root((free.clamp_min_(Kept(0)) / Kept(channels)).Plus(held));
        // L1, as published: too much by intention, of which the projection keeps the peaks.
        added = Threat.Norm == Norm.L1 ? added * Kept(channels) : added;
        var moved = (change * window.SubtractedFrom(1) * source.SubtractedFrom(1)).Plus(added);
        // L2 uses all of epsilon.
        var next = Threat.Norm == Norm.L2 ? Threat.Normalized(moved) * Kept(Threat.Epsilon) : moved;
        return Threat.Project(clean.Plus(next), clean).MoveToOuterDisposeScope();

        torch.Tensor Power(torch.Tensor sizes) => Threat.Norm == Norm.L2 ? sizes.Squared() : sizes;
        torch.Tensor Root(torch.Tensor powers) => Threat.Norm == Norm.L2 ? powers.sqrt() : powers;
        torch.Tensor ChannelPower(torch.Tensor values) => (Threat.Norm == Norm.L2 ? values.Squared() : values.abs()).sum([2, 3], keepdim: true);
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
