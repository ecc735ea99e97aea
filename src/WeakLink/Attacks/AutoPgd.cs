using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>What Auto-PGD maximises.</summary>
public enum AutoPgdLoss
{
    /// <summary>Cross-entropy (apgd-ce).</summary>
    CrossEntropy,

    /// <summary>Difference of logits ratio (apgd-dlr).</summary>
    Dlr,

    /// <summary>Targeted difference of logits ratio, one attempt for each target class (apgd-t).</summary>
    TargetedDlr,
}

/// <summary>
/// Auto-PGD: gradient ascent with momentum whose step size halves where progress stalls (Croce and Hein, "Reliable evaluation of adversarial
/// robustness with an ensemble of diverse parameter-free attacks", ICML 2020, algorithm 1); for L1 with sparse steps whose sparsity adapts
/// (Croce and Hein, "Mind the box", ICML 2021).
/// </summary>
public sealed class AutoPgd : Attack
{
    private const double Momentum = 0.75;
    private const double NeededProgress = 0.75;
    // L1: a step changes so much less than the best point so far does.
    private const double SupportPerStep = 1.5;
    private readonly AutoPgdLoss _loss;
    private readonly int _steps;
    private readonly int _restarts;
    private readonly int _targets;
    private readonly int _samples;

    /// <summary>Configures the attack.</summary>
    /// <param name="threat">What the attacker may do.</param>
    /// <param name="loss">What to maximise.</param>
    /// <param name="steps">Steps of an attempt.</param>
    /// <param name="restarts">Attempts (for each target class).</param>
    /// <param name="targets">Target classes of the targeted loss; at most all wrong ones.</param>
    /// <param name="samples">Gradients that are averaged at each step, for models that randomise ("expectation over transformation").</param>
    public AutoPgd(ThreatModel threat, AutoPgdLoss loss, int steps = 100, int restarts = 1, int targets = 9, int samples = 1)
        : base(loss switch { AutoPgdLoss.CrossEntropy => "apgd-ce", AutoPgdLoss.Dlr => "apgd-dlr", _ => "apgd-t" }, threat)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(restarts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(targets);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samples);
        (_loss, _steps, _restarts, _targets, _samples) = (loss, steps, restarts, targets, samples);
    }

    /// <summary>Whether gradients are averaged over several passes, for models that randomise.</summary>
    public bool Averages => _samples > 1;

    /// <inheritdoc/>
    public override string Settings => FormattableString.Invariant($"{_steps} steps; {_restarts} restarts; {_samples} samples");

    /// <inheritdoc/>
    public override int Passes(int classes) => 3 * _steps * _samples;

    /// <inheritdoc/>
    public override int Attempts(int classes)
    {
        AttackLoss.RequireClasses(classes, _loss switch { AutoPgdLoss.CrossEntropy => 2, AutoPgdLoss.Dlr => 3, _ => 4 }, Name);
        return _restarts * (_loss == AutoPgdLoss.TargetedDlr ? Math.Min(_targets, classes - 1) : 1);
    }

    /// <inheritdoc/>
    protected override torch.Tensor Search(
        int attempt, AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop)
    {
        var rank = attempt / _restarts;
        var target = _loss == AutoPgdLoss.TargetedDlr ? AttackLoss.Targets(model.Logits(images), labels, rank + 1).select(1, rank) : null;
        Func<torch.Tensor, torch.Tensor> loss = _loss switch
        {
            AutoPgdLoss.CrossEntropy => z => AttackLoss.CrossEntropy(z, labels),
            AutoPgdLoss.Dlr => z => AttackLoss.Dlr(z, labels),
            _ => z => AttackLoss.TargetedDlr(z, labels, target!),
        };
        if (Threat.Norm != Norm.L1)
        {
            return Climb(model, Threat, images, labels, Threat.Project(images.Plus(draws.Direction(Threat, images)), images), _steps, loss, stop).Adversarial;
        }

        // L1 begins in larger balls and comes down to the real one (Croce and Hein 2021, section 4.3). The projection makes the start
        // sparse; the authors' code projects it twice by mistake, which leaves nearly the same start every time.
        var wide = (int)Math.Ceiling(0.3 * _steps);
        var (first, second) = (new ThreatModel(Norm.L1, 3 * Threat.Epsilon), new ThreatModel(Norm.L1, 2 * Threat.Epsilon));
        var best = first.Project(images.Plus(draws.Noise(first, images)), images);
        best = Climb(model, first, images, labels, best, wide, loss, stop).Best;
        best = Climb(model, second, images, labels, second.Project(best, images), wide, loss, stop).Best;
        return Climb(model, Threat, images, labels, Threat.Project(best, images), Math.Max(1, _steps - (2 * wide)), loss, stop).Adversarial;
    }

    /// <summary>Climbs.</summary>
    /// <returns>The points of the largest loss, and points that the model gets wrong (or else those of the largest loss).</returns>
    private (torch.Tensor Best, torch.Tensor Adversarial) Climb(
        AttackedModel model,
        ThreatModel threat,
        torch.Tensor clean,
        torch.Tensor labels,
        torch.Tensor start,
        int steps,
        Func<torch.Tensor, torch.Tensor> loss,
        CancellationToken stop)
    {
        using var scope = torch.NewDisposeScope();
        var l1 = threat.Norm == Norm.L1;
        // Checkpoints: first after 22 % of the steps, then sooner and sooner, never before 6 %; every 4 % for L1.
        var (period, shortest, shorter) = (Math.Max((int)((l1 ? 0.04 : 0.22) * steps), 1), Math.Max((int)(0.06 * steps), 1), Math.Max((int)(0.03 * steps), 1));
        var largest = (l1 ? 1 : 2) * threat.Epsilon;
        var pixels = clean.numel() / clean.shape[0];

        var first = start.clone();
        var support = (first - clean).flatten(1).ne(Kept(0)).sum(1).to(torch.float32);
        var state = new State
        {
            X = first,
            Before = first,
            StepSize = torch.full([clean.shape[0]], Kept(largest), device: clean.device),
            Density = support / Kept(pixels) / Kept(SupportPerStep),
            Support = support,
        };
        (var wrong, state.Loss, state.Gradient) = Evaluate(first);
        (state.Best, state.BestLoss, state.BestGradient) = (first, state.Loss, state.Gradient);
        (state.Adversarial, state.Wrong) = (first, wrong);
        state.Rises = torch.zeros_like(state.StepSize);
        state.CheckedLoss = state.BestLoss;
        state.Reduced = torch.ones_like(wrong);
        var held = state.Tensors;
        for (var (step, sinceCheck) = (0, 0); step < steps; step++)
        {
            stop.ThrowIfCancellationRequested();
            using var iteration = torch.NewDisposeScope();
            var next = l1 ? SparseStep(state, threat, clean, pixels) : DenseStep(state, threat, clean, step);
            (state.Before, state.X) = (state.X, next);
            (wrong, var losses, state.Gradient) = Evaluate(next);
            // The first rise is over the start (algorithm 1); the authors' code compares with 0, the end of a list not yet filled.
            state.Rises = state.Rises.Plus(losses.gt(state.Loss).to(torch.float32));
            state.Loss = losses;
            // The loss need not be largest where the model fails: failures are kept apart.
            state.Adversarial = torch.where(ThreatModel.PerImage(wrong), next, state.Adversarial);
            state.Wrong = state.Wrong.logical_or(wrong);
            var better = losses.gt(state.BestLoss);
            state.Best = torch.where(ThreatModel.PerImage(better), next, state.Best);
            state.BestGradient = torch.where(ThreatModel.PerImage(better), state.Gradient, state.BestGradient);
            state.BestLoss = torch.where(better, losses, state.BestLoss);
            if (++sinceCheck == period)
            {
                if (l1)
                {
                    AdaptSparsity(state, clean, pixels, largest);
                }
                else
                {
                    HalveStalled(state, period);
                    period = Math.Max(period - shorter, shortest);
                }

                sinceCheck = 0;
            }

            held = state.KeepBeyond(iteration, held);
        }

        var adversarial = torch.where(ThreatModel.PerImage(state.Wrong), state.Adversarial, state.Best);
        return (state.Best.MoveToOuterDisposeScope(), adversarial.MoveToOuterDisposeScope());

        (torch.Tensor Wrong, torch.Tensor Loss, torch.Tensor Gradient) Evaluate(torch.Tensor point)
        {
            // The authors take the loss of the last sample alone; the mean is less often best by luck.
            var (logits, losses, gradient) = model.Gradient(point, loss);
            for (var sample = 1; sample < _samples; sample++)
            {
                var (_, moreLoss, moreGradient) = model.Gradient(point, loss);
                losses.add_(moreLoss, Kept(1));
                gradient.add_(moreGradient, Kept(1));
            }

            return (logits.argmax(1).ne(labels), losses.div_(Kept(_samples)), gradient.div_(Kept(_samples)));
        }
    }

    private static torch.Tensor DenseStep(State state, ThreatModel threat, torch.Tensor clean, int step)
    {
        using var scope = torch.NewDisposeScope();
        // The nearest point of ball and box; the authors scale L2 into the ball before they clip, which leaves part of it unused.
        var ahead = threat.Project(state.X.Plus(threat.Steepest(state.Gradient) * ThreatModel.PerImage(state.StepSize)), clean);
        var weight = step > 0 ? Momentum : 1;
        return threat.Project(state.X.Plus((ahead - state.X) * Kept(weight)).Plus((state.X - state.Before) * Kept(1 - weight)), clean).MoveToOuterDisposeScope();
    }

    // The largest part of the gradient only, by sign.
    private static torch.Tensor SparseStep(State state, ThreatModel threat, torch.Tensor clean, long pixels)
    {
        using var scope = torch.NewDisposeScope();
        var count = (state.Density * Kept(pixels)).ceil().clamp_(Kept(1), Kept(pixels));
        var size = state.Gradient.abs();
        var direction = size.gt_(ThreatModel.PerImage(BelowLargest(size.flatten(1), count))).mul_(state.Gradient.sign());
        return threat.Project(state.X.Plus(threat.Normalized(direction) * ThreatModel.PerImage(state.StepSize)), clean).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// For each row a number that just so many of its values exceed; more where float32 hardly tells several apart, and for those below 1e-12 of
    /// the largest. Halving takes a third of the time that a partial sort takes.
    /// </summary>
    /// <param name="values">N×D, not negative.</param>
    /// <param name="count">N, from 1 to D.</param>
    internal static torch.Tensor BelowLargest(torch.Tensor values, torch.Tensor count)
    {
        const int Halvings = 40;
        const double Adjacent = 2.5e-7;
        using var scope = torch.NewDisposeScope();
        var high = values.amax([1]);
        var low = torch.zeros_like(high);
        for (var i = 0; i < Halvings; i++)
        {
            using var round = torch.NewDisposeScope();
            var middle = low.Plus(high).div_(Kept(2));
            var above = values.clone().gt_(middle.unsqueeze(1)).sum(1) - count;
            low.copy_(torch.where(above.ge(Kept(0)), middle, low));
            high.copy_(torch.where(above.le(Kept(0)), middle, high));
            if ((high - low).le(high * Kept(Adjacent)).all().ReadBoolean())
            {
                break;
            }
        }

        return low.MoveToOuterDisposeScope();
    }

    // Too few rises since the last checkpoint, or no better best although the step size stayed: halve it and go back to the best.
    private static void HalveStalled(State state, int period)
    {
        var stalled = state.Rises.le(Kept(period * NeededProgress)).logical_or(state.Reduced.logical_not().logical_and(state.CheckedLoss.ge(state.BestLoss)));
        (state.Reduced, state.CheckedLoss, state.Rises) = (stalled, state.BestLoss, torch.zeros_like(state.Rises));
        state.StepSize = torch.where(stalled, state.StepSize / Kept(2), state.StepSize);
        state.GoBack(stalled);
    }

    private static void AdaptSparsity(State state, torch.Tensor clean, long pixels, double largest)
    {
        const double Reduction = 1.5, SmallestPart = 10;
        var support = (state.Best - clean).flatten(1).ne(Kept(0)).sum(1).to(torch.float32);
        var sparser = (support / state.Support).lt(Kept(0.95));
        state.Density = support / Kept(pixels) / Kept(SupportPerStep);
        state.StepSize = torch.where(sparser, torch.full_like(state.StepSize, Kept(largest)), state.StepSize / Kept(Reduction)).clamp(Kept(largest / SmallestPart), Kept(largest));
        state.Support = support;
        state.GoBack(sparser);
    }

    /// <summary>What an attempt knows of each image.</summary>
    private sealed class State
    {
        public required torch.Tensor X { get; set; }

        public required torch.Tensor Before { get; set; }

        public required torch.Tensor StepSize { get; set; }

        /// <summary>L1: the share of values that the next step changes.</summary>
        public required torch.Tensor Density { get; set; }

        /// <summary>L1: how many values the best point changes.</summary>
        public required torch.Tensor Support { get; set; }

        public torch.Tensor Loss { get; set; } = null!;

        public torch.Tensor Gradient { get; set; } = null!;

        public torch.Tensor Best { get; set; } = null!;

        public torch.Tensor BestLoss { get; set; } = null!;

        public torch.Tensor BestGradient { get; set; } = null!;

        public torch.Tensor Adversarial { get; set; } = null!;

        public torch.Tensor Wrong { get; set; } = null!;

        public torch.Tensor Rises { get; set; } = null!;

        public torch.Tensor CheckedLoss { get; set; } = null!;

        public torch.Tensor Reduced { get; set; } = null!;

        public void GoBack(torch.Tensor where)
        {
            X = torch.where(ThreatModel.PerImage(where), Best, X);
            Gradient = torch.where(ThreatModel.PerImage(where), BestGradient, Gradient);
        }

        /// <summary>Everything above, each tensor once.</summary>
        public HashSet<torch.Tensor> Tensors => new(
            [X, Before, StepSize, Density, Support, Loss, Gradient, Best, BestLoss, BestGradient, Adversarial, Wrong, Rises, CheckedLoss, Reduced],
            ReferenceEqualityComparer.Instance);

        /// <summary>Takes what is new out of an iteration's scope, and disposes of what is no longer part of the state.</summary>
        public HashSet<torch.Tensor> KeepBeyond(DisposeScope iteration, HashSet<torch.Tensor> held)
        {
            var tensors = Tensors;
            foreach (var tensor in tensors.Except(held, ReferenceEqualityComparer.Instance).Cast<torch.Tensor>())
            {
                iteration.MoveToOuter(tensor);
            }

            foreach (var tensor in held.Except(tensors, ReferenceEqualityComparer.Instance).Cast<torch.Tensor>())
            {
                tensor.Dispose();
            }

            return tensors;
        }
    }
}
