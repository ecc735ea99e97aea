using WeakLink.Evaluation;

namespace WeakLink.Cli;

/// <summary>What was measured, as tables.</summary>
internal static class Results
{
    public static void Show(Screen screen, Summary summary)
    {
        var rows = new List<IReadOnlyList<string>>
        {
            Row($"clean, {summary.Images:n0} test images", summary.Clean),
        };
        if (summary is { Last: { } last, Validation: { } validation } && validation.Epoch != summary.Epochs)
        {
            rows[0] = Row($"clean, best checkpoint (epoch {validation.Epoch})", summary.Clean);
            rows.Add(Row("clean, last epoch", last));
        }

        screen.Table(["", "top-1", "top-5", "NLL", "ECE"], rows);
        if (summary.Subnets is { } subnets)
        {
            screen.Table(
                [FormattableString.Invariant($"subnets of width {subnets.Width}, {subnets.Images:n0} test images"), "mean top-1", "weakest"],
                [
                    ["full network", Screen.Percent(subnets.Full), ""],
                    [$"{subnets.Random.Count} random", Screen.Percent(subnets.Random.Mean), Screen.Percent(subnets.Random.Min)],
                    [$"{subnets.Proposed.Count} proposed by a search", Screen.Percent(subnets.Proposed.Mean), Screen.Percent(subnets.Proposed.Min)],
                ]);
        }
    }

    private static IReadOnlyList<string> Row(string name, CleanSummary clean) =>
        [name, Screen.Percent(clean.Top1), Screen.Percent(clean.Top5), FormattableString.Invariant($"{clean.Nll:0.000}"), FormattableString.Invariant($"{clean.Ece:0.000}")];
}
