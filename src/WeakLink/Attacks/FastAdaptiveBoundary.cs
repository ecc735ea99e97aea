using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>
/// Fast adaptive boundary attack: looks for the nearest point across the decision boundary, by projecting onto its linear approximation
/// (Croce and Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML 2020). Targeted: towards one
/// class after another; otherwise towards the nearest boundary, at the price of a gradient for every class.
/// </summary>
public sealed class FastAdaptiveBoundary : Attack
{
    // The authors' values: how far beyond the boundary to step, how much to go back towards the image, how much to shrink what is found.
    private const double Overshoot = 1.05, LargestBias = 0.1, Shrink = 0.9;
    private readonly int _steps;
    private readonly int _restarts;
    private readonly int _targets;

    /// <summary>Configures the attack.</summary>
    /// <param name="threat">What the attacker may do; farther points are not returned.</param>
    /// <param name="targeted">Towards one class after another.</param>
    /// <param name="steps">Steps of an attempt.</param>
    /// <param name="restarts">Attempts (for each target class); the first starts at the image.</param>
    /// <param name="targets">Target classes; at most all wrong ones.</param>
    public FastAdaptiveBoundary(ThreatModel threat, bool targeted = true, int steps = 100, int restarts = 1, int targets = 9)
        : base(targeted ? "fab-t" : "fab", threat)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(restarts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(targets);
        (_steps, _restarts, _targets) = (steps, restarts, targeted ? targets : 0);
    }

    /// <inheritdoc/>
    public override string Settings => FormattableString.Invariant($"{_steps} steps; {_restarts} restarts");

    /// <inheritdoc/>
    public override int Passes(int classes) => _steps * (2 + (2 * (_targets > 0 ? 1 : classes - 1)));

    /// <inheritdoc/>
    public override int Attempts(int classes)
    {
        AttackLoss.RequireClasses(classes, _targets > 0 ? 3 : 2, Name);
        return _restarts * (_targets > 0 ? Math.Min(_targets, classes - 1) : 1);
    }

    /// <inheritdoc/>
    protected override torch.Tensor Search(
        int attempt, AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop)
    {
        var logits = model.Logits(images);
        var ranked = AttackLoss.Targets(logits, labels, (int)logits.shape[1] - 1);
        return Approach(model, images, labels, _targets > 0 ? ranked.narrow(1, attempt / _restarts, 1) : ranked, attempt % _restarts > 0 ? draws : null, stop);
    }

    /// <param name="model">The model.</param>
    /// <param name="clean">N×3×H×W.</param>
    /// <param name="labels">N.</param>
    /// <param name="classes">N×K: the classes whose boundaries are approached.</param>
    /// <param name="draws">Where to start; null starts at the image.</param>
    /// <param name="stop">Stops between two steps.</param>
    private torch.Tensor Approach(
        AttackedModel model, torch.Tensor clean, torch.Tensor labels, torch.Tensor classes, AttackDraws? draws, CancellationToken stop)
    {
        using var scope = torch.NewDisposeScope();
        var origin = clean.flatten(1);
        var found = clean.clone();
        var size = torch.full([clean.shape[0]], Kept(double.PositiveInfinity), device: clean.device);
        var x = (draws is null ? clean : clean.Plus(draws.Direction(Threat, clean) / Kept(2)).clamp_(Kept(0), Kept(1))).clone();
        for (var step = 0; step < _steps; step++)
        {
            stop.ThrowIfCancellationRequested();
            using var iteration = torch.NewDisposeScope();
            var flat = x.flatten(1);
            var (difference, normal) = NearestBoundary(model, x, labels, classes);
            var offset = (normal * flat).sum(1) - difference;
            // From where we are, and from the image: between the two lies the next point.
            var here = Hyperplane.Project(Threat.Norm, flat, normal, offset);
            var there = Hyperplane.Project(Threat.Norm, origin, normal, offset);
            var (sizeHere, sizeThere) = (Size(here).clamp_min_(Kept(1e-8)), Size(there).clamp_min_(Kept(1e-8)));
            var bias = (sizeHere / sizeHere.Plus(sizeThere)).clamp_(Kept(0), Kept(LargestBias)).unsqueeze(1);
            var (beyondHere, beyondThere) = (here.mul_(Kept(Overshoot)).add_(flat, Kept(1)), there.mul_(Kept(Overshoot)).add_(origin, Kept(1)));
            var next = torch.lerp(beyondHere, beyondThere, bias).clamp_(Kept(0), Kept(1)).view_as(clean);

            var fooled = model.Correct(next, labels).logical_not();
            var now = Size((next - clean).flatten(1));
            var better = fooled.logical_and(now.lt(size)).nonzero().squeeze(1);
            found.index_copy_(0, better, next.index_select(0, better));
            size.index_copy_(0, better, now.index_select(0, better));
            // Back towards the image where the model is fooled.
            x.copy_(torch.lerp(next, clean, ThreatModel.PerImage(fooled.to(torch.float32) * Kept(1 - Shrink))));
        }

        // No final search along the line to the image: AutoAttack has none. Only what the threat model allows; a little too far by rounding is projected, and judged again by whoever asks.
        var allowed = ThreatModel.PerImage(size.le(Kept(Threat.Epsilon * (1 + 1e-5))));
        return torch.where(allowed, Threat.Project(found, clean), clean).MoveToOuterDisposeScope();

        torch.Tensor Size(torch.Tensor moves) => Threat.Size(moves.unsqueeze(2).unsqueeze(3));
    }

    /// <summary>How far the nearest of the boundaries is: the difference of two logits (class minus label) and its gradient.</summary>
    private (torch.Tensor Difference, torch.Tensor Normal) NearestBoundary(AttackedModel model, torch.Tensor x, torch.Tensor labels, torch.Tensor classes)
    {
        var (difference, normal) = (torch.zeros(x.shape[0], device: x.device), torch.zeros_like(x).flatten(1));
        var distance = torch.full_like(difference, Kept(double.PositiveInfinity));
        model.Gradients(
            x,
            logits => logits.gather(1, classes) - AttackLoss.Of(logits, labels).unsqueeze(1),
            (value, gradient) =>
            {
                var flat = gradient.flatten(1);
                // The dual norm turns a difference of logits into a distance.
                var steepness = Threat.Norm switch
                {
                    Norm.Linf => flat.abs().sum(1),
                    Norm.L2 => flat.Squared().sum(1).sqrt(),
                    _ => flat.abs().amax([1]),
                };
                var away = value.abs() / steepness.Plus(1e-12);
                var nearer = away.lt(distance).nonzero().squeeze(1);
                difference.index_copy_(0, nearer, value.index_select(0, nearer));
                normal.index_copy_(0, nearer, flat.index_select(0, nearer));
                distance.index_copy_(0, nearer, away.index_select(0, nearer));
            });
        return (difference, normal);
    }
}
