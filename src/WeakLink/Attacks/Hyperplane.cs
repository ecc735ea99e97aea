using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>The nearest point of a hyperplane w·z = b inside [0, 1] (Croce and Hein, "Minimally distorted adversarial examples", ICML 2020, section 3).</summary>
internal static class Hyperplane
{
    // Halvings of an interval: float32 holds no more.
    private const int Halvings = 32;

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
        var sign = torch.where(missing.ge(0), torch.ones_like(missing), -torch.ones_like(missing)).unsqueeze(1);
        var upward = normals * sign;
        var gap = missing.abs();
        var moved = norm == Norm.L1 ? LargestFirst(points, upward, gap) : AllAtOnce(norm, points, upward, gap);
        return (moved - points).MoveToOuterDisposeScope();
    }

    // L∞ moves all values by the same amount, L2 in proportion to w; the box cuts. The gain is monotone in the amount.
    private static torch.Tensor AllAtOnce(Norm norm, torch.Tensor points, torch.Tensor upward, torch.Tensor gap)
    {
        using var scope = torch.NewDisposeScope();
        var direction = norm == Norm.Linf ? upward.sign() : upward / upward.abs().amax([1], keepdim: true).add_(1e-12);
        // An amount that takes every value of the L∞ move to the box; for L2 small weights may need much more.
        var smallest = torch.where(direction.ne(0), direction.abs(), torch.ones_like(direction)).amin([1]);
        var (low, high) = (torch.zeros_like(gap), norm == Norm.Linf ? torch.ones_like(gap) : (1 / smallest).clamp_max_(1e6));
        if (norm == Norm.L2)
        {
            // The unbounded solution needs t = gap / |w·direction|; the box needs more. Doubling from there keeps the interval short.
            var unbounded = gap / (upward * direction).sum(1).add_(1e-12);
            for (var i = 0; i < Halvings && Gain(unbounded).lt(gap).logical_and(unbounded.lt(high)).any().ToBoolean(); i++)
            {
                unbounded = torch.where(Gain(unbounded).lt(gap), torch.minimum(unbounded * 2, high), unbounded);
            }

            high = unbounded;
        }

        for (var i = 0; i < Halvings; i++)
        {
            using var iteration = torch.NewDisposeScope();
            var middle = (low + high) / 2;
            var enough = Gain(middle).ge(gap);
            (low, high) = (torch.where(enough, low, middle).MoveToOuterDisposeScope(), torch.where(enough, middle, high).MoveToOuterDisposeScope());
        }

        return (points + (direction * high.unsqueeze(1))).clamp_(0, 1).MoveToOuterDisposeScope();

        torch.Tensor Gain(torch.Tensor amount)
        {
            using var inner = torch.NewDisposeScope();
            return (((points + (direction * amount.unsqueeze(1))).clamp_(0, 1) - points) * upward).sum(1).MoveToOuterDisposeScope();
        }
    }

    // L1 moves the values of the largest weights to the end of the box, and one of them part of the way.
    private static torch.Tensor LargestFirst(torch.Tensor points, torch.Tensor upward, torch.Tensor gap)
    {
        using var scope = torch.NewDisposeScope();
        var room = torch.where(upward.gt(0), 1 - points, points);
        var order = upward.abs().argsort(1, descending: true);
        var gains = (upward.abs() * room).gather(1, order);
        var before = gains.cumsum(1) - gains;
        var part = ((gap.unsqueeze(1) - before) / (gains + 1e-12)).clamp_(0, 1);
        var move = torch.zeros_like(points).scatter_(1, order, part * room.gather(1, order)) * upward.sign();
        return (points + move).clamp_(0, 1).MoveToOuterDisposeScope();
    }
}
