using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>The nearest point of a hyperplane w·z = b inside [0, 1] (Croce and Hein, "Minimally distorted adversarial examples", ICML 2020, section 3).</summary>
internal static class Hyperplane
{
    private const double Precision = 1e-6;
    private const int Rounds = 50;

    /// <summary>Moves points onto their hyperplanes, or as near as the box allows.</summary>
    /// <param name="norm">What "nearest" means.</param>
    /// <param name="points">N×D, in [0, 1].</param>
    /// <param name="normals">w, N×D.</param>
    /// <param name="offsets">b, N.</param>
    /// <returns>The moves, N×D.</returns>
    public static torch.Tensor Project(Norm norm, torch.Tensor points, torch.Tensor normals, torch.Tensor offsets)
    {
        using var scope = torch.NewDisposeScope();
        // Towards larger w·z, whichever side the point is on.
        var missing = offsets - (normals * points).sum(1);
        var sign = torch.where(missing.ge(Kept(0)), torch.ones_like(missing), -torch.ones_like(missing)).unsqueeze(1);
        var upward = normals * sign;
        var gap = missing.abs();
        var moved = norm == Norm.L1 ? LargestFirst(points, upward, gap) : AllAtOnce(norm, points, upward, gap);
        return (moved - points).MoveToOuterDisposeScope();
    }

    // L∞ moves all values by the same amount t, L2 in proportion to w; the box cuts. The gain is concave in t and made of straight pieces:
    // Newton's steps from 0 never overshoot, and reach the solution in a few rounds.
    private static torch.Tensor AllAtOnce(Norm norm, torch.Tensor points, torch.Tensor upward, torch.Tensor gap)
    {
        using var scope = torch.NewDisposeScope();
        var weight = upward.abs();
        var speed = norm == Norm.Linf ? upward.sign().abs_() : weight / weight.amax([1], keepdim: true).add_(Kept(1e-12), Kept(1));
        var room = torch.where(upward.gt(Kept(0)), points.SubtractedFrom(1), points);
        var t = torch.zeros_like(gap);
        for (var i = 0; i < Rounds; i++)
        {
            using var round = torch.NewDisposeScope();
            var moves = speed * t.unsqueeze(1);
            var missing = gap - (torch.minimum(moves, room) * weight).sum(1);
            var slope = (weight * speed * moves.lt(room).to(torch.float32)).sum(1);
            var going = missing.gt(gap * Kept(Precision)).logical_and(slope.gt(Kept(0)));
            if (!going.any().ReadBoolean())
            {
                break;
            }

            t.add_(torch.where(going, missing / slope, torch.zeros_like(t)), Kept(1));
        }

        return points.Plus(torch.minimum(speed * t.unsqueeze(1), room) * upward.sign()).clamp_(Kept(0), Kept(1)).MoveToOuterDisposeScope();
    }

    // L1 moves the values of the largest weights to the end of the box, and one of them part of the way.
    private static torch.Tensor LargestFirst(torch.Tensor points, torch.Tensor upward, torch.Tensor gap)
    {
        using var scope = torch.NewDisposeScope();
        var room = torch.where(upward.gt(Kept(0)), points.SubtractedFrom(1), points);
        var order = upward.abs().argsort(1, descending: true);
        var gains = (upward.abs() * room).gather(1, order);
        var before = gains.cumsum(1) - gains;
        var part = ((gap.unsqueeze(1) - before) / gains.Plus(1e-12)).clamp_(Kept(0), Kept(1));
        var move = torch.zeros_like(points).scatter_(1, order, part * room.gather(1, order)) * upward.sign();
        return points.Plus(move).clamp_(Kept(0), Kept(1)).MoveToOuterDisposeScope();
    }
}
