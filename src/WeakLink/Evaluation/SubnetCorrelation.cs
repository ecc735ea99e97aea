namespace WeakLink.Evaluation;

/// <summary>Which subnets stand for a network.</summary>
public enum SubnetRole
{
    /// <summary>The mean of its random subnets.</summary>
    RandomMean,

    /// <summary>The weakest that was measured.</summary>
    Weakest,
}

/// <summary>Over several networks: how an accuracy of their subnets goes with that of the full network.</summary>
/// <param name="Accuracy">Which accuracy, of both.</param>
/// <param name="Width">Subnet width ρ.</param>
/// <param name="Subnets">Which subnets.</param>
/// <param name="Pearson">Linear correlation; null where an accuracy does not vary.</param>
/// <param name="Spearman">Rank correlation.</param>
public sealed record SubnetCorrelation(AccuracyKind Accuracy, double Width, SubnetRole Subnets, CorrelationSummary? Pearson, CorrelationSummary? Spearman)
{
    /// <summary>Networks that it takes: three, on a line or not, give a coefficient, but no interval.</summary>
    public const int LeastModels = 4;

    /// <summary>Everything that can be correlated; nothing for fewer than <see cref="LeastModels"/> networks.</summary>
    /// <param name="models">Networks measured on the same images, at the same widths.</param>
    public static IReadOnlyList<SubnetCorrelation> Over(IReadOnlyList<ModelStudy> models) => models.Count < LeastModels ? [] :
    [
        .. from kind in Enum.GetValues<AccuracyKind>()
           where models[0].Full[kind] is not null
           from width in Enumerable.Range(0, models[0].Widths.Count)
           from role in Enum.GetValues<SubnetRole>()
           let subnets = models.Select(model => Of(model, width, kind, role)).ToList()
           let full = models.Select(model => model.Full[kind]!.Value).ToList()
           select new SubnetCorrelation(kind, models[0].Widths[width].Width, role, CorrelationSummary.Pearson(subnets, full), CorrelationSummary.Spearman(subnets, full)),
    ];

    /// <summary>The accuracy that stands for a network's subnets.</summary>
    /// <param name="model">The network.</param>
    /// <param name="width">Index of the width.</param>
    /// <param name="kind">A measured accuracy.</param>
    /// <param name="role">Which subnets.</param>
    public static double Of(ModelStudy model, int width, AccuracyKind kind, SubnetRole role) => role == SubnetRole.RandomMean
        ? model.Widths[width].Random[kind]!.Mean
        : model.Widths[width].Groups.Min(group => group[kind]!.Min);
}
