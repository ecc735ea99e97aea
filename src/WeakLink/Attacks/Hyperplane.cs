using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>The nearest point of a hyperplane w·z = b inside [0, 1] (Croce and Hein, "Minimally distorted adversarial examples", ICML 2020, section 3).</summary>
internal static class Hyperplane
{
    private const double Precision = 1e-6;
    private const int Rounds = 50;

    // L1: by how much the move may be longer than the shortest, in parts of its length, as far as float32 tells the two apart; and where no
    // weight lies between two others.
    private const double Leftover = 1e-4, Adjacent = 2.5e-7;

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
        var (upward, gap) = (normals * sign, missing.abs());
        var room = ThreatModel.Room(points, upward);
        return (norm == Norm.L1 ? LargestFirst(upward, gap, room) : AllAtOnce(norm, upward, gap, room)).MoveToOuterDisposeScope();
    }

    // L∞ moves all values by the same amount t, L2 in proportion to w; the box cuts. The gain is concave in t and made of straight pieces:
    // Newton's steps from 0 never overshoot, and reach the solution in a few rounds.
    private static torch.Tensor AllAtOnce(Norm norm, torch.Tensor upward, torch.Tensor gap, torch.Tensor room)
    {
        using var scope = torch.NewDisposeScope();
        var direction = norm == Norm.Linf ? upward.sign() : upward / upward.abs().amax([1], keepdim: true).add_(Kept(1e-12), Kept(1));
        // What a value gains for each unit of t, and the t at which the box stops it.
        var rate = direction * upward;
        var last = norm == Norm.Linf ? room : room / direction.abs().add_(Kept(1e-30), Kept(1));
        var t = torch.zeros_like(gap).unsqueeze(1);
        for (var i = 0; i < Rounds; i++)
        {
            using var round = torch.NewDisposeScope();
            var missing = gap - torch.minimum(last, t).mul_(rate).sum(1);
            var slope = last.clone().gt_(t).mul_(rate).sum(1);
            var going = missing.gt(gap * Kept(Precision)).logical_and(slope.gt(Kept(0)));
            if (!going.any().ReadBoolean())
            {
                break;
            }

            t.add_(torch.where(going, missing / slope, torch.zeros_like(slope)).unsqueeze(1), Kept(1));
        }

        return torch.minimum(last, t).mul_(direction).MoveToOuterDisposeScope();
    }

    // L1 moves the values of the largest weights to the end of the box, and what lies at the last weight part of the way. That weight is
    // found by halving: sorting, as the authors do, takes ten times as long.
    private static torch.Tensor LargestFirst(torch.Tensor upward, torch.Tensor gap, torch.Tensor room)
    {
        using var scope = torch.NewDisposeScope();
        var weight = upward.abs();
        var gains = weight * room;
        var (low, high) = (torch.zeros_like(gap), weight.amax([1]));
        var (gainOfLow, gainOfHigh) = (gains.sum(1), torch.zeros_like(gap));
        for (var i = 0; i < Rounds; i++)
        {
            using var round = torch.NewDisposeScope();
            // What lies between the two is not moved in the best order, which matters less and less.
            var loss = (high - low) * (gainOfLow - gainOfHigh);
            if (loss.le(low * gap * Kept(Leftover)).logical_or(gainOfLow.le(gap)).logical_or((high - low).le(high * Kept(Adjacent))).all().ReadBoolean())
            {
                break;
            }

            var middle = low.Plus(high).div_(Kept(2));
            var gain = weight.clone().gt_(middle.unsqueeze(1)).mul_(gains).sum(1);
            var enough = gain.ge(gap);
            low.copy_(torch.where(enough, middle, low));
            gainOfLow.copy_(torch.where(enough, gain, gainOfLow));
            high.copy_(torch.where(enough, high, middle));
            gainOfHigh.copy_(torch.where(enough, gainOfHigh, gain));
        }

        var part = ((gap - gainOfHigh) / (gainOfLow - gainOfHigh).Plus(1e-12)).clamp_(Kept(0), Kept(1)).unsqueeze(1);
        var (all, some) = (weight.clone().gt_(high.unsqueeze(1)), weight.clone().gt_(low.unsqueeze(1)));
        return torch.lerp(all, some, part).mul_(room).mul_(upward.sign()).MoveToOuterDisposeScope();
    }
}
