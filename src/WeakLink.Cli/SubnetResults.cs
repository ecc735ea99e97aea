using WeakLink.Evaluation;

namespace WeakLink.Cli;

/// <summary>A subnet study, as tables.</summary>
internal static class SubnetResults
{
    // Passes at which the searches are compared, as parts of all of them.
    private static readonly double[] Stages = [0.25, 0.5, 1];

    public static void ShowModel(Screen screen, SubnetStudy study, ModelStudy model)
    {
        screen.Line();
        screen.Line($"  {model.Name}: {model.Network}, EWS {model.Ews}, epoch {model.Epoch}, in {Screen.Duration(TimeSpan.FromSeconds(model.Seconds))}");
        screen.Line($"  {study.Images:n0} test images; {study.StatisticsInWords}");
        var kinds = study.Kinds;
        IReadOnlyList<string> Row(string name, AccuracyGroup group) => [name, .. kinds.Select(kind => $"{Screen.Percent(group[kind]!.Mean)} ({100 * group[kind]!.Min:0.0})")];
        var rows = new List<IReadOnlyList<string>> { (string[])["full network", .. kinds.Select(kind => Screen.Percent(model.Full[kind]!.Value) + "       ")] };
        if (model.FullReestimated is { } reestimated)
        {
            rows.Add(["  statistics re-estimated", .. kinds.Select(kind => Screen.Percent(reestimated[kind]!.Value) + "       ")]);
        }

        foreach (var width in model.Widths)
        {
            rows.Add([FormattableString.Invariant($"width {width.Width}"), .. kinds.Select(_ => "")]);
            rows.Add(Row($"  {width.Random.Clean.Count} random", width.Random));
            if (width is { Proposed: { } proposed, WeakestOfPolicy: { } policy, WeakestOfRandom: { } random, WeakestOfSaliency: { } saliency })
            {
                rows.Add(Row($"  {proposed.Clean.Count} proposed", proposed));
                rows.Add(Row($"  {random.Clean.Count} found at random", random));
                rows.Add(Row($"  {saliency.Clean.Count} found by gradients", saliency));
                rows.Add(Row($"  {policy.Clean.Count} found by the policy", policy));
            }
        }

        screen.Table(["mean (weakest)", .. kinds.Select(kind => kind.ToString().ToLowerInvariant())], rows);
        foreach (var width in model.Widths)
        {
            if (width.RunningAverages is { } averages)
            {
                screen.Line(FormattableString.Invariant($"  Width {width.Width}: with the full network's running averages the same random subnets have {Screen.Percent(averages.Mean)} instead of {Screen.Percent(width.Random.Clean.Mean)} (clean)."));
            }
        }

        ShowSearch(screen, model);
    }

    public static void ShowCorrelations(Screen screen, SubnetStudy study)
    {
        foreach (var warning in study.Warnings)
        {
            screen.Line("  Warning: " + warning);
        }

        if (study.Correlations.Count == 0)
        {
            if (study.Models.Count > 1)
            {
                screen.Line($"  {study.Models.Count} networks are too few to say whether weak subnets go with a weak network: {SubnetCorrelation.LeastModels} and more have a correlation with an interval.");
            }

            return;
        }

        screen.Line();
        screen.Line($"  Accuracy of the subnets against that of the full network, over {study.Models.Count} models (95 % intervals):");
        screen.Table(
            ["accuracy", "width", "subnets", "Pearson", "Spearman"],
            study.Correlations.Select(one => (IReadOnlyList<string>)[
                one.Accuracy.ToString().ToLowerInvariant(),
                FormattableString.Invariant($"{one.Width}"),
                one.Subnets == SubnetRole.RandomMean ? "random, mean" : "weakest",
                one.Pearson?.ToString() ?? "-",
                one.Spearman?.ToString() ?? "-"]));
    }

    private static void ShowSearch(Screen screen, ModelStudy model)
    {
        var found = model.Widths.Where(width => width.Search is not null).ToList();
        if (found.Count == 0)
        {
            return;
        }

        var search = found[0].Search!;
        var total = search.Policy[0].Count;
        var passes = Stages.Select(part => Math.Max(1, (int)Math.Round(part * total))).Distinct().ToList();
        screen.Line($"  Lowest accuracy found after so many forward passes (percent of {search.Images:n0} training images, {(search.Policy.Count == 1 ? "one search each" : $"mean and range of {search.Policy.Count} searches each")}):");
        screen.Table(
            ["", .. passes.Select(pass => $"{pass:n0}"), "time"],
            found.SelectMany(width => width.Search!.Kinds.Select(one =>
                (IReadOnlyList<string>)[
                    FormattableString.Invariant($"width {width.Width}, {one.Name}"),
                    .. passes.Select(pass => one.Courses.Select(course => course[pass - 1]).ToList()).Select(values =>
                        $"{100 * values.Average():0.0} ({100 * values.Min():0.0}-{100 * values.Max():0.0})"),
                    width.Search.Seconds is { } seconds ? FormattableString.Invariant($"{seconds[one.Name]:0.0} s") : ""])));
    }
}
