namespace WeakLink.Attacks;

/// <summary>Attacks by name.</summary>
public static class KnownAttacks
{
    // PGD as the field tests with it: 20 steps of a quarter of epsilon (8/255 in steps of 2/255).
    private const int PgdSteps = 20;

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["fgsm", "pgd", "apgd-ce", "apgd-dlr", "apgd-t", "fab", "fab-t", "square", "autoattack", "autoattack-plus", "autoattack-rand"];

    /// <summary>One attack, or the attacks of an ensemble, in their order.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="threat">What the attacker may do.</param>
    /// <exception cref="InputException">No such attack, or not for this norm.</exception>
    public static IReadOnlyList<Attack> Named(string name, ThreatModel threat) => name switch
    {
        "fgsm" => [ProjectedGradientDescent.Fgsm(threat)],
        "pgd" => [new ProjectedGradientDescent(threat, PgdSteps, threat.Epsilon / 4)],
        "apgd-ce" => [new AutoPgd(threat, AutoPgdLoss.CrossEntropy)],
        "apgd-dlr" => [new AutoPgd(threat, AutoPgdLoss.Dlr)],
        "apgd-t" => [new AutoPgd(threat, AutoPgdLoss.TargetedDlr)],
        "fab" => [new FastAdaptiveBoundary(threat, targeted: false)],
        "fab-t" => [new FastAdaptiveBoundary(threat)],
        "square" => [new SquareAttack(threat)],
        "autoattack" => AutoAttack.Standard(threat),
        "autoattack-plus" => AutoAttack.Plus(threat),
        "autoattack-rand" => AutoAttack.Rand(threat),
        _ => throw new InputException($"There is no attack '{name}'; did you mean '{Nearest.To(name, Names)}'? All: {string.Join(", ", Names)}."),
    };

    /// <summary>A norm by name.</summary>
    /// <param name="name">linf, l2 or l1.</param>
    /// <exception cref="InputException">No such norm.</exception>
    public static Norm NormNamed(string name) => Enum.TryParse<Norm>(name, ignoreCase: true, out var norm) && Enum.IsDefined(norm) && !char.IsDigit(name[0])
        ? norm
        : throw new InputException($"There is no norm '{name}': choose linf, l2 or l1.");
}
