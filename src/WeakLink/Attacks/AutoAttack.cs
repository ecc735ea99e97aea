namespace WeakLink.Attacks;

/// <summary>
/// The ensembles of Croce and Hein 2020 (L1: 2021), with the order, budgets and step-size rules of the authors' code
/// (fra31/auto-attack): each attack gets the images that the ones before it left.
/// </summary>
public static class AutoAttack
{
    /// <summary>apgd-ce, apgd-t, fab-t, square: the version that published robust accuracies are of.</summary>
    public static IReadOnlyList<Attack> Standard(ThreatModel threat) =>
    [
        new AutoPgd(threat, AutoPgdLoss.CrossEntropy, restarts: threat.Norm == Norm.L1 ? 5 : 1),
        new AutoPgd(threat, AutoPgdLoss.TargetedDlr, targets: threat.Norm == Norm.L1 ? 5 : 9),
        new FastAdaptiveBoundary(threat),
        new SquareAttack(threat),
    ];

    // The authors define neither this nor the next for L1: their L1 steps, with the numbers of the other norms.
    /// <summary>More restarts, and the untargeted attacks too: for models that the standard version might overrate.</summary>
    public static IReadOnlyList<Attack> Plus(ThreatModel threat) =>
    [
        new AutoPgd(threat, AutoPgdLoss.CrossEntropy, restarts: 5),
        new AutoPgd(threat, AutoPgdLoss.Dlr, restarts: 5),
        new FastAdaptiveBoundary(threat, targeted: false, restarts: 5),
        new SquareAttack(threat),
        new AutoPgd(threat, AutoPgdLoss.TargetedDlr),
        new FastAdaptiveBoundary(threat),
    ];

    /// <summary>Gradients averaged over 20 passes: for models that randomise.</summary>
    public static IReadOnlyList<Attack> Rand(ThreatModel threat) =>
    [
        new AutoPgd(threat, AutoPgdLoss.CrossEntropy, samples: 20),
        new AutoPgd(threat, AutoPgdLoss.Dlr, samples: 20),
    ];
}
