using System.Globalization;
using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>How the size of a perturbation is measured.</summary>
public enum Norm
{
    /// <summary>The largest change of a value.</summary>
    Linf,

    /// <summary>The Euclidean length of the change.</summary>
    L2,

    /// <summary>The sum of the changes.</summary>
    L1,
}

/// <summary>What an attacker may do: move an image by at most ε, and never out of [0, 1].</summary>
public sealed record ThreatModel
{
    /// <summary>The least size: what is smaller is lost where float32 rounds the values of an image.</summary>
    internal const double LeastEpsilon = 1e-6;

    // Projections aim so much below ε that rounding does not leave the ball, in at most so many rounds (about six is usual).
    private const double Slack = 1e-6;
    private const int Rounds = 50;

    // L1 sums thousands of float32 numbers, which differ by more from one threshold to the next; and every value of an image in [0, 1] is rounded
    // by up to 2^-25, which need not cancel: all values lose the same.
    private const double SumSlack = 1e-5, Adjacent = 2.5e-7, ValueRounding = 1.0 / (1 << 25);

    /// <summary>States a threat.</summary>
    /// <param name="norm">How a perturbation is measured.</param>
    /// <param name="epsilon">The largest size ε, in units of images in [0, 1].</param>
    /// <exception cref="InputException">ε is not positive, or meant for images in 0 ... 255.</exception>
    public ThreatModel(Norm norm, double epsilon)
    {
        if (!(epsilon > 0) || !double.IsFinite(epsilon))
        {
            throw new InputException($"The perturbation size (eps) is {epsilon.ToString(CultureInfo.InvariantCulture)}: give a positive number, such as 8/255.");
        }

        if (epsilon < LeastEpsilon)
        {
            throw new InputException($"The perturbation size (eps) is {epsilon.ToString(CultureInfo.InvariantCulture)}, which float32 rounds away: give at least a millionth, such as 8/255.");
        }

        if (norm == Norm.Linf && epsilon > 1)
        {
            throw new InputException($"The perturbation size (eps) is {epsilon.ToString(CultureInfo.InvariantCulture)}, but images are in [0, 1]: write {epsilon.ToString(CultureInfo.InvariantCulture)}/255.");
        }

        (Norm, Epsilon) = (norm, epsilon);
    }

    /// <summary>How a perturbation is measured.</summary>
    public Norm Norm { get; }

    /// <summary>The largest size ε, in units of images in [0, 1].</summary>
    public double Epsilon { get; }

    /// <summary>Reads a size, such as 8/255 or 0.5.</summary>
    /// <exception cref="InputException">It is neither a number nor a fraction.</exception>
    public static double ParseEpsilon(string text)
    {
        var parts = text.Split('/');
        var numbers = parts.Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN).ToArray();
        var size = numbers.Length switch
        {
            1 => numbers[0],
            2 => numbers[0] / numbers[1],
            _ => double.NaN,
        };
        return double.IsFinite(size) ? size : throw new InputException($"'{text}' is not a perturbation size: write a number or a fraction, such as 8/255 or 0.5.");
    }

    /// <summary>Checks that ε is no larger than images are.</summary>
    /// <param name="values">Values of an image: 3 × height × width.</param>
    /// <exception cref="InputException">Any image could become any other: ε is meant for images in 0 ... 255.</exception>
    public void RequireLimit(long values)
    {
        var whole = Norm switch
        {
            Norm.Linf => 1,
            Norm.L2 => Math.Sqrt(values),
            _ => values,
        };
        if (Epsilon > whole)
        {
            var size = Epsilon.ToString(CultureInfo.InvariantCulture);
            throw new InputException(string.Create(
                CultureInfo.InvariantCulture, $"The perturbation size (eps) is {size}, but images are in [0, 1], where {whole:g4} turns any of them into any other (norm {Norm.ToString().ToLowerInvariant()}): write {size}/255, or a smaller number."));
        }
    }

    /// <summary>The size of every image's perturbation.</summary>
    /// <param name="perturbation">N×3×H×W.</param>
    /// <returns>N sizes.</returns>
    public torch.Tensor Size(torch.Tensor perturbation)
    {
        using var scope = torch.NewDisposeScope();
        var flat = perturbation.flatten(1);
        return (Norm switch
        {
            Norm.Linf => flat.abs().amax([1]),
            Norm.L2 => flat.Squared().sum(1).sqrt(),
            _ => flat.abs().sum(1),
        }).MoveToOuterDisposeScope();
    }

    /// <summary>The nearest points (in the Euclidean sense) that the attacker may reach.</summary>
    /// <param name="points">N×3×H×W.</param>
    /// <param name="images">The clean images, in [0, 1].</param>
    public torch.Tensor Project(torch.Tensor points, torch.Tensor images)
    {
        using var scope = torch.NewDisposeScope();
        if (Norm == Norm.Linf)
        {
            return torch.minimum(torch.maximum(points, images - Kept(Epsilon)), images.Plus(Epsilon)).clamp_(Kept(0), Kept(1)).MoveToOuterDisposeScope();
        }

        var inBox = points.clamp(Kept(0), Kept(1));
        var outside = Size(inBox - images).gt(Kept(Epsilon));
        if (!outside.any().ReadBoolean())
        {
            return inBox.MoveToOuterDisposeScope();
        }

        // By duality one number for each image decides: L2 shortens the change to a part of its length, L1 shortens every value by as much;
        // then the box cuts.
        var change = points - images;
        var (length, room) = (change.abs(), Room(images, change));
        if (Norm == Norm.L2)
        {
            var part = Part(length, room);
            change.mul_(PerImage(torch.where(outside, part, torch.ones_like(part))));
        }
        else
        {
            var less = Threshold(length, room, outside);
            less = PerImage(torch.where(outside, less, torch.zeros_like(less)));
            change.sub_(change.clamp(less.neg(), less));
        }

        return change.add_(images, Kept(1)).clamp_(Kept(0), Kept(1)).MoveToOuterDisposeScope();
    }

    // On processors a comparison that yields booleans, and torch.where on whole images, take four times as long as arithmetic: here and in
    // the attacks clone().gt_() gives the same as numbers.

    /// <summary>How far each value may go in its direction before it leaves [0, 1].</summary>
    internal static torch.Tensor Room(torch.Tensor values, torch.Tensor directions) =>
        directions.clone().gt_(Kept(0)).sub_(values).abs_();

    // L2: Σ min(t·length, room)² = ε². Where the box cuts is known for a t that is too small, and solving for the rest gives a larger t that
    // is still not too large: this reaches the solution in a few rounds.
    private torch.Tensor Part(torch.Tensor length, torch.Tensor room)
    {
        using var scope = torch.NewDisposeScope();
        var wanted = Math.Pow(Epsilon * (1 - Slack), 2);
        var (lengths, rooms) = (length.Squared(), room.Squared());
        var t = (Kept(wanted) / lengths.flatten(1).sum(1)).sqrt_();
        for (var i = 0; i < Rounds; i++)
        {
            using var round = torch.NewDisposeScope();
            var cut = (length * PerImage(t)).gt_(room);
            var rest = (rooms * cut).flatten(1).sum(1).SubtractedFrom(wanted);
            var free = cut.sub_(Kept(1)).mul_(lengths).flatten(1).sum(1).neg_();
            var next = torch.maximum((rest.clamp_min_(Kept(0)) / free.clamp_min_(Kept(1e-30))).sqrt_().clamp_max_(Kept(1)), t);
            var done = next.le(t * Kept(1 + Slack)).all().ReadBoolean();
            t.copy_(next);
            if (done)
            {
                break;
            }
        }

        return t.MoveToOuterDisposeScope();
    }

    // L1: Σ min(max(length − t, 0), room) = ε. Newton's steps along the pieces of this function, or halving where they leave the interval.
    private torch.Tensor Threshold(torch.Tensor length, torch.Tensor room, torch.Tensor wanted)
    {
        using var scope = torch.NewDisposeScope();
        var high = length.flatten(1).amax([1]);
        var (low, t) = (torch.zeros_like(high), torch.zeros_like(high));
        var none = torch.zeros(1, device: length.device);
        var aim = Math.Max((Epsilon * (1 - SumSlack)) - (length.numel() / length.shape[0] * ValueRounding), Epsilon / 2);
        for (var i = 0; i < Rounds; i++)
        {
            using var round = torch.NewDisposeScope();
            var left = (length - PerImage(t)).clamp_(none, room);
            var excess = left.flatten(1).sum(1) - Kept(aim);
            var small = excess.le(Kept(Epsilon * SumSlack / 2));
            high.copy_(torch.where(small, t, high));
            low.copy_(torch.where(small, low, t));
            var close = small.logical_and(excess.ge(Kept(-Epsilon * SumSlack / 2))).logical_or((high - low).le(high * Kept(Adjacent)));
            if (close.logical_or(wanted.logical_not()).all().ReadBoolean())
            {
                break;
            }

            // Values that neither 0 nor the box holds.
            var moving = (room - left).mul_(left).gt_(Kept(0)).flatten(1).sum(1).clamp_min_(Kept(1));
            var next = t.Plus(excess / moving);
            t.copy_(torch.where(close, t, torch.where(next.gt(low).logical_and(next.lt(high)), next, low.Plus(high) / Kept(2))));
        }

        return high.MoveToOuterDisposeScope();
    }

    /// <summary>The direction in which a linear loss rises fastest for a step of size 1: signs (L∞) or the gradient's own direction (L2).</summary>
    /// <param name="gradient">N×3×H×W.</param>
    /// <exception cref="NotSupportedException">L1: a step along a single value leads nowhere; use Auto-PGD.</exception>
    public torch.Tensor Steepest(torch.Tensor gradient) => Norm switch
    {
        Norm.Linf => gradient.sign(),
        Norm.L2 => Normalized(gradient),
        _ => throw new NotSupportedException("L1 has no useful steepest direction: use Auto-PGD."),
    };

    /// <summary>Perturbations scaled to size 1.</summary>
    public torch.Tensor Normalized(torch.Tensor perturbation)
    {
        using var scope = torch.NewDisposeScope();
        return (perturbation / PerImage(Size(perturbation)).add_(Kept(1e-12), Kept(1))).MoveToOuterDisposeScope();
    }

    /// <summary>Perturbations scaled to size ε, or to a little less, so that rounding does not leave the ball by more than a few millionths of ε.</summary>
    internal torch.Tensor Largest(torch.Tensor perturbation)
    {
        using var scope = torch.NewDisposeScope();
        return Normalized(perturbation).mul_(Kept(Epsilon * (1 - Slack))).MoveToOuterDisposeScope();
    }

    /// <summary>"Linf 8/255"-like text.</summary>
    public override string ToString() => Norm + " " + (Norm == Norm.Linf ? SizeText(Epsilon) : Epsilon.ToString("g6", CultureInfo.InvariantCulture));

    /// <summary>What <see cref="ParseEpsilon"/> reads as this size: 255ths where they have at most two decimals.</summary>
    internal static string SizeText(double size)
    {
        var levels = size * 255;
        return Math.Abs(levels - Math.Round(levels, 2)) < 1e-9
            ? Math.Round(levels, 2).ToString(CultureInfo.InvariantCulture) + "/255"
            : size.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>N numbers, shaped to be combined with images.</summary>
    internal static torch.Tensor PerImage(torch.Tensor numbers) => numbers.view(-1, 1, 1, 1);
}
