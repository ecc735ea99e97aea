using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>
/// Projected gradient descent on cross-entropy (Madry et al. 2018). One step without a random start is FGSM (Goodfellow et al. 2015),
/// with one it is the "fast" variant of Wong et al. 2020. L∞ and L2.
/// </summary>
public sealed class ProjectedGradientDescent : Attack
{
    private readonly int _steps;
    private readonly double _stepSize;
    private readonly bool _randomStart;
    private readonly int _restarts;

    /// <summary>Configures the attack.</summary>
    /// <param name="threat">What the attacker may do.</param>
    /// <param name="steps">Steps.</param>
    /// <param name="stepSize">Size of a step, in units of [0, 1].</param>
    /// <param name="randomStart">Start anywhere in the ball instead of at the image.</param>
    /// <param name="restarts">How often to try.</param>
    /// <param name="name">What to call it.</param>
    /// <exception cref="InputException">The norm is L1.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are no steps or restarts, or a step is not above 0.</exception>
    public ProjectedGradientDescent(ThreatModel threat, int steps, double stepSize, bool randomStart = true, int restarts = 1, string name = "pgd")
        : base(name, threat)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(restarts);
        if (!(stepSize > 0 && double.IsFinite(stepSize)))
        {
            throw new ArgumentOutOfRangeException(nameof(stepSize), stepSize, "A step is above 0: another would leave the image where it is, or help the model.");
        }

        if (threat.Norm == Norm.L1)
        {
            throw new InputException($"The attack {name} is defined for the norms linf and l2: for l1 use apgd-ce or autoattack.");
        }

        (_steps, _stepSize, _randomStart, _restarts) = (steps, stepSize, randomStart, restarts);
    }

    /// <summary>The fast gradient sign method, a single step of size ε.</summary>
    public static ProjectedGradientDescent Fgsm(ThreatModel threat) => new(threat, 1, threat.Epsilon, randomStart: false, name: "fgsm");

    /// <summary>Climbs.</summary>
    /// <param name="threat">What the attacker may do.</param>
    /// <param name="start">Where to begin.</param>
    /// <param name="images">The clean images.</param>
    /// <param name="steps">Steps.</param>
    /// <param name="stepSize">Size of a step.</param>
    /// <param name="gradient">Gradient of what is to be maximised.</param>
    /// <returns>Where it ends.</returns>
    internal static torch.Tensor Climb(ThreatModel threat, torch.Tensor start, torch.Tensor images, int steps, double stepSize, Func<torch.Tensor, torch.Tensor> gradient)
    {
        var x = start;
        for (var step = 0; step < steps; step++)
        {
            using var scope = torch.NewDisposeScope();
            var next = threat.Project(x.Plus(threat.Steepest(gradient(x)).mul_(Kept(stepSize))), images).MoveToOuterDisposeScope();
            if (step > 0)
            {
                x.Dispose();
            }

            x = next;
        }

        return x;
    }

    /// <inheritdoc/>
    public override string Settings => FormattableString.Invariant($"{_steps} steps of {_stepSize:R} from {(_randomStart ? "anywhere" : "the image")}");

    /// <inheritdoc/>
    public override int Passes(int classes) => 3 * _steps;

    /// <inheritdoc/>
    public override int Attempts(int classes) => _restarts;

    /// <inheritdoc/>
    protected override torch.Tensor Search(
        int attempt, AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop) =>
        // The last point counts, as published: not the best on the way.
        Climb(Threat, _randomStart ? draws.Start(Threat, images) : images, images, _steps, _stepSize, point =>
        {
            stop.ThrowIfCancellationRequested();
            return model.Gradient(point, logits => AttackLoss.CrossEntropy(logits, labels)).Gradient;
        });
}
