using OxyPlot;
using WeakLink.Attacks;
using WeakLink.Evaluation;

namespace WeakLink.Reports;

/// <summary>The page of a subnet study: subnets.html, and subnets.json beside it.</summary>
public static class SubnetPage
{
    // Where in a row of height 1 the subnets of a kind are, and how far they are spread, in the order in which they were drawn.
    private const double Drawn = -0.12, DrawnSpread = 0.4, Found = 0.3, FoundSpread = 0.12, BesideOther = 0.22, BesideSpread = 0.28;

    private const int RowHeight = 44;

    // More can't be told apart.
    private const int MostRows = 24;

    // Of an axis' length: for words above the highest dot.
    private const double NameRoom = 0.12;

    // Of the images: more than statistics of finished networks differ by.
    private const double NoticeableLag = 0.03;

    private const int RandomStyle = 0, ProposedStyle = 1, WeakestStyle = 2, SaliencyStyle = 2;

    /// <summary>Writes both files, each whole or not at all.</summary>
    /// <param name="study">What was measured, of at least one network.</param>
    /// <param name="folder">An existing folder.</param>
    /// <exception cref="InputException">They can't be written.</exception>
    public static void Write(SubnetStudy study, string folder)
    {
        var page = Create(study);
        AtomicFile.Write(Path.Combine(folder, "subnets.json"), study.ToJson() + "\n");
        page.Write(Path.Combine(folder, "subnets.html"));
    }

    /// <summary>The page.</summary>
    /// <param name="study">What was measured, of at least one network.</param>
    public static Page Create(SubnetStudy study)
    {
        var page = new Page(
            study.Models.Count == 1 ? $"Subnets of {study.Models[0].Name}" : $"Subnets of {study.Models.Count} networks",
            FormattableString.Invariant($"{study.Data}, {study.Images:n0} test images, seed {study.Seed}"));
        if (Headlines(study).ToList() is { Count: > 0 } numbers)
        {
            page.Headlines(numbers);
        }

        foreach (var warning in study.Warnings)
        {
            page.Warning(warning);
        }

        if (study.Models.Count > 1)
        {
            Together(page, study);
            foreach (var model in study.Models)
            {
                page.Folded(model.Name, () => Network(page, study, model));
            }
        }
        else
        {
            page.Section("The network");
            Network(page, study, study.Models[0]);
        }

        page.Folded("What was measured", () => Conditions(page, study));
        page.Section("Command");
        page.Code(study.Command);
        return page;
    }

    private static IEnumerable<Headline> Headlines(SubnetStudy study)
    {
        if (study.Models.Count > 1)
        {
            var width = study.Models[0].Widths[Middle(study.Models[0])].Width;
            return study.Correlations
                .Where(one => one.Accuracy != AccuracyKind.Clean && one.Width == width && one.Pearson is not null)
                .Select(one => new Headline(
                    $"{Name(one.Accuracy)}: {Role(one.Subnets)} against full network",
                    FormattableString.Invariant($"r = {one.Pearson!.Value:0.00}").Replace('-', '−'),
                    FormattableString.Invariant($"width {width}, {study.Models.Count} networks")));
        }

        var model = study.Models[0];
        var middle = model.Widths[Middle(model)];
        return study.Kinds.Select(kind => new Headline(
            $"{Name(kind)}, weakest subnet",
            Percent(middle.Groups.Min(group => group[kind]!.Min)),
            FormattableString.Invariant($"of {middle.Groups.Sum(group => group[kind]!.Count)} of width {middle.Width}; full network {Percent(model.Full[kind]!.Value)}")));
    }

    private static void Conditions(Page page, SubnetStudy study)
    {
        var searched = study.Models[0].Widths[0].Proposed is not null;
        page.Text("A subnet keeps a part of the inner channels of every block, the width, and the network's own weights. Random subnets are drawn with equal chances."
            + (searched ? " Proposed ones are drawn by a policy that learned, against this very network, to find subnets that do badly. The weakest found are those that a search came across, judged by training images." : ""));
        if (study.Models.SelectMany(model => model.Widths).Any(width => width.Width <= 0.5))
        {
            page.Text("Up to width 0.5 a subnet also keeps only one of the two paths of a block, residual branch or shortcut: it is another kind of subnet than a wider one, and far weaker.");
        }

        page.Text(study.Recalibrated > 0
            ? FormattableString.Invariant($"Each subnet has batch-norm statistics of its own, re-estimated on {study.Recalibrated:n0} training images. That matters: without some of the channels the activations have another mean and variance, and with the full network's running averages a subnet is normalised wrongly and looks far weaker than its weights are. The line for running averages in the tables says how much.")
            : "Each subnet is measured with the full network's running averages of batch-norm statistics. That matters: without some of the channels the activations have another mean and variance, so subnets are normalised wrongly here and look far weaker than with statistics of their own.");
        if (study.Corruptions.Count > 0)
        {
            page.Text($"Corrupted: mean over {string.Join(", ", study.Corruptions)}; severity {string.Join(", ", study.Severities)}.");
        }

        if (study.Attack is { } attack)
        {
            page.Text(FormattableString.Invariant($"Attacked: {attack.Images:n0} of the images, {attack.Name}{(attack.Steps is { } steps ? $" of {steps} steps" : "")}, {Threat(attack)}. Each subnet is attacked itself, through its own gradients."));
        }

        page.Text(FormattableString.Invariant($"All see the same images. An accuracy on {study.Images:n0} of them has a standard error of up to {StandardError(study.Images)} points{(study.Attack is null ? "" : FormattableString.Invariant($", one under attack of {StandardError(study.Attack.Images)}"))}; on the same images differences are surer than that. ")
            + "The weakest of several is partly the one with the worst luck in this"
            + (searched ? "; the mean of those that a search found is not, because other images chose them." : "."));
    }

    private static void Network(Page page, SubnetStudy study, ModelStudy model)
    {
        page.Text($"{model.Network}, {(model.Ews == "off" ? "trained without EWS" : $"trained with EWS ({model.Ews} subnets)")}, epoch {model.Epoch}.");
        if (model.FullReestimated is { } alike && Math.Abs(alike.Clean - model.Full.Clean) > NoticeableLag)
        {
            page.Warning($"With re-estimated statistics the full network has {Percent(alike.Clean)} instead of {Percent(model.Full.Clean)}: its running averages lag behind its weights, as they do in the middle of a training. Its subnets, whose statistics are re-estimated, compare with the first number.");
        }

        var searched = model.Widths.Any(width => width.Proposed is not null);
        foreach (var kind in study.Kinds)
        {
            page.Figure(
                Distribution(model, kind),
                $"{Name(kind)} accuracy of single subnets of {model.Name}, by width; the line is the full network{(model.FullReestimated is null ? "" : ", the dashed one with re-estimated statistics")}."
                + (searched && kind == study.Kinds[0] ? " Side by side for each width: random subnets (circles) and those proposed by a policy (squares). Triangles are the weakest that random and policy searches came across." : ""));
        }

        page.Table(["mean (weakest), %", .. study.Kinds.Select(Name)], Rows(study, model));
        if (model.Widths.Any(width => width.Search is not null))
        {
            Search(page, model);
        }
    }

    private static string Distribution(ModelStudy model, AccuracyKind kind)
    {
        var plot = Chart.Create($"{Name(kind).ToLowerInvariant()} accuracy (%)", "");
        var rows = model.Widths.SelectMany(width => new Row[]
        {
            new(FormattableString.Invariant($"{width.Width} random"), width.Random, null, width.WeakestOfRandom),
            new(FormattableString.Invariant($"{width.Width} policy"), null, width.Proposed, width.WeakestOfPolicy),
        }).Where(row => (row.Random ?? row.Proposed) is not null).ToList();
        var full = 100 * model.Full[kind]!.Value;
        plot.Rule($"full network {Percent(model.Full[kind]!.Value)}", (full, -0.5), (full, rows.Count - 0.5));
        if (model.FullReestimated is { } reestimated)
        {
            var alike = 100 * reestimated[kind]!.Value;
            plot.Rule("re-estimated", (alike, -0.5), (alike, rows.Count - 0.5), dashed: true);
        }

        Fill(plot, rows, kind);
        return plot.Svg(height: Height(rows.Count));
    }

    /// <summary>Subnets beside one name of the vertical axis.</summary>
    private sealed record Row(string Name, AccuracyGroup? Random, AccuracyGroup? Proposed, AccuracyGroup? Found);

    private static int Height(int rows) => 150 + (rows * RowHeight);

    private static void Fill(PlotModel plot, List<Row> rows, AccuracyKind kind)
    {
        plot.NameDown([.. rows.Select(row => row.Name)]);
        var both = rows.Any(row => row is { Random: not null, Proposed: not null });
        foreach (var (style, name, group, at, spread) in new (int, string, Func<Row, AccuracyGroup?>, double, double)[]
        {
            (RandomStyle, "random", row => row.Random, both ? -BesideOther : Drawn, both ? BesideSpread : DrawnSpread),
            (ProposedStyle, "proposed", row => row.Proposed, both ? BesideOther : Drawn, both ? BesideSpread : DrawnSpread),
            (WeakestStyle, "weakest found", row => row.Found, Found, FoundSpread),
        })
        {
            var points = rows.SelectMany((row, i) => (group(row)?[kind]?.All ?? []).Select((accuracy, n) => (100 * accuracy, i + at + (spread * Place(n, group(row)![kind]!.Count))))).ToList();
            if (points.Count > 0)
            {
                plot.Dots(style, name, points);
            }
        }

        // From -1/2 to 1/2.
        static double Place(int number, int count) => count == 1 ? 0 : ((double)number / (count - 1)) - 0.5;
    }

    private static IEnumerable<IReadOnlyList<string>> Rows(SubnetStudy study, ModelStudy model)
    {
        yield return ["full network", .. study.Kinds.Select(kind => Number(model.Full[kind]!.Value))];
        if (model.FullReestimated is { } reestimated)
        {
            yield return ["full network, statistics re-estimated", .. study.Kinds.Select(kind => Number(reestimated[kind]!.Value))];
        }

        foreach (var width in model.Widths)
        {
            foreach (var (name, group) in new[] { ("random", width.Random), ("proposed by a policy", width.Proposed), ("found by random searches", width.WeakestOfRandom), ("found by searches by gradients", width.WeakestOfSaliency), ("found by policy searches", width.WeakestOfPolicy) })
            {
                if (group is not null)
                {
                    yield return [FormattableString.Invariant($"width {width.Width}, {group.Clean.Count} {name}"), .. study.Kinds.Select(kind => Both(group[kind]!))];
                }
            }

            if (width.RunningAverages is { } averages)
            {
                yield return [FormattableString.Invariant($"width {width.Width}, the random ones with running averages"), Both(averages), .. study.Kinds.Skip(1).Select(_ => "–")];
            }
        }
    }

    private static void Search(Page page, ModelStudy model)
    {
        page.Subsection("Strength of the search");
        var first = model.Widths.First(width => width.Search is not null).Search!;
        page.Text(FormattableString.Invariant($"Each search has {first.Policy[0].Count:n0} forward passes, one for a subnet, over always the same {first.Images:n0} training images; the random one draws with equal chances, saliency by the gradients at the gates (one forward and backward pass more), the policy learns from each pass. ")
            + $"All have {first.Policy.Count} seeds. Lower is stronger.{Times(first)}");
        foreach (var width in model.Widths)
        {
            if (width.Search is not { } search)
            {
                continue;
            }

            var plot = Chart.Create("forward passes", "lowest accuracy so far (%)");
            foreach (var (style, (name, courses)) in new[] { RandomStyle, SaliencyStyle, ProposedStyle }.Zip(search.Kinds))
            {
                plot.Line(style, name, Course(courses, values => values.Average()));
                plot.Band(style, Course(courses, values => values.Min()), Course(courses, values => values.Max()));
            }

            page.Figure(plot.Svg(height: 300), FormattableString.Invariant($"Width {width.Width}: lowest accuracy that a search found, by the forward passes that it had; lines are the mean of {search.Policy.Count} searches, bands their range. At the end: {string.Join(", ", search.Kinds.Select(kind => $"{kind.Name} {End(kind.Courses)}"))}."));
        }
    }

    private static string Times(SearchStrength search) => search.Seconds is { } seconds
        ? $" A search took {string.Join(", ", search.Kinds.Where(kind => seconds.ContainsKey(kind.Name)).Select(kind => FormattableString.Invariant($"{seconds[kind.Name]:0.0} s ({kind.Name})")))}."
        : "";

    private static List<(double X, double Y)> Course(IReadOnlyList<IReadOnlyList<double>> courses, Func<IEnumerable<double>, double> of) =>
        [.. Enumerable.Range(0, courses[0].Count).Select(pass => ((double)pass + 1, 100 * of(courses.Select(course => course[pass]))))];

    private static string End(IReadOnlyList<IReadOnlyList<double>> courses)
    {
        var last = courses.Select(course => course[^1]).ToList();
        return FormattableString.Invariant($"{100 * last.Average():0.0} % ({100 * last.Min():0.0} to {100 * last.Max():0.0})");
    }

    private static void Together(Page page, SubnetStudy study)
    {
        page.Section("Over the networks");
        var middle = Middle(study.Models[0]);
        var shown = study.Models[0].Widths[middle].Width;
        foreach (var kind in study.Kinds)
        {
            if (study.Models.Count <= MostRows)
            {
                page.Figure(Beside(study, kind, middle), FormattableString.Invariant($"{Name(kind)} accuracy of the networks (lines) and of their subnets of width {shown} (dots)."));
            }

            if (study.Correlations.Count > 0 && kind != AccuracyKind.Clean)
            {
                foreach (var role in Enum.GetValues<SubnetRole>())
                {
                    page.Figure(Scatter(study, kind, role, middle), FormattableString.Invariant($"{Name(kind)} accuracy: {Role(role)} of width {shown} against the full network, a dot for each network."));
                }
            }
        }

        if (study.Correlations.Count > 0)
        {
            page.Text("Does a network with weak subnets fall more easily itself? Each dot is a network. The intervals are of 95 % (Fisher's transformation) and take the networks as independent: the checkpoints of one run are not, and all of them become "
                + "better at everything as they train. Clean accuracy stands beside the others for comparison: a correlation that is no higher than that of clean accuracy says little about robustness. The full network is taken as it is used, with its running averages.");
            page.Table(["accuracy, width, subnets", "Pearson", "Spearman"], study.Correlations.Select(one => (IReadOnlyList<string>)[
                FormattableString.Invariant($"{Name(one.Accuracy)}, {one.Width}, {Role(one.Subnets)}"), Shown(one.Pearson), Shown(one.Spearman)]));
        }

        else
        {
            page.Text($"Whether weak subnets go with a weak network can't be told from {study.Models.Count} networks: {SubnetCorrelation.LeastModels} and more have a correlation with an interval.");
        }

        page.Table(
            ["mean (weakest), %", .. study.Kinds.Select(kind => $"{Name(kind)}, full"), .. study.Models[0].Widths.SelectMany(width => study.Kinds.Select(kind => FormattableString.Invariant($"{Name(kind)}, {width.Width}")))],
            study.Models.Select(model => (IReadOnlyList<string>)[
                model.Name,
                .. study.Kinds.Select(kind => Number(model.Full[kind]!.Value)),
                .. Enumerable.Range(0, model.Widths.Count).SelectMany(width => study.Kinds.Select(kind =>
                    $"{Number(SubnetCorrelation.Of(model, width, kind, SubnetRole.RandomMean))} ({Number(SubnetCorrelation.Of(model, width, kind, SubnetRole.Weakest))})"))]));
    }

    private static string Beside(SubnetStudy study, AccuracyKind kind, int width)
    {
        var plot = Chart.Create($"{Name(kind).ToLowerInvariant()} accuracy (%)", "");
        Fill(plot, [.. study.Models.Select(model => new Row(model.Name, model.Widths[width].Random, model.Widths[width].Proposed, null))], kind);
        for (var i = 0; i < study.Models.Count; i++)
        {
            var full = 100 * study.Models[i].Full[kind]!.Value;
            plot.Rule(i == 0 ? "full network" : null, (full, i - 0.42), (full, i + 0.42));
            if (study.Models[i].FullReestimated is { } reestimated)
            {
                var alike = 100 * reestimated[kind]!.Value;
                plot.Rule(i == 0 ? "re-estimated" : null, (alike, i - 0.42), (alike, i + 0.42), dashed: true);
            }
        }

        return plot.Svg(height: Height(study.Models.Count));
    }

    // What all names begin with tells none from another.
    private static int Shared(IReadOnlyList<ModelStudy> models)
    {
        var first = models[0].Name;
        var length = Enumerable.Range(0, first.Length).TakeWhile(i => models.All(model => i < model.Name.Length - 1 && model.Name[i] == first[i])).Count();
        return first[..length].LastIndexOfAny(['-', '/', '_', ' ']) + 1;
    }

    private static string Scatter(SubnetStudy study, AccuracyKind kind, SubnetRole role, int width)
    {
        var plot = Chart.Create($"{Role(role)}, {Name(kind).ToLowerInvariant()} accuracy (%)", $"full network, {Name(kind).ToLowerInvariant()} accuracy (%)");
        var points = study.Models.Select(model => (X: 100 * SubnetCorrelation.Of(model, width, kind, role), Y: 100 * model.Full[kind]!.Value)).ToList();
        plot.Dots(RandomStyle, "", points);
        var shared = Shared(study.Models);
        foreach (var (model, point) in study.Models.Zip(points))
        {
            plot.Label(model.Name[shared..], point.X, point.Y);
        }

        (plot.Axes[0].MinimumPadding, plot.Axes[0].MaximumPadding, plot.Axes[1].MaximumPadding) = (NameRoom, NameRoom, NameRoom);
        return plot.Svg();
    }

    private static ThreatModel Threat(StudiedAttack attack) => new(KnownAttacks.NormNamed(attack.Norm), attack.Eps);

    // The width that headlines and plots over several networks show.
    private static int Middle(ModelStudy model) => (model.Widths.Count - 1) / 2;

    private static string Name(AccuracyKind kind) => kind.ToString();

    private static string Shown(CorrelationSummary? correlation) => correlation?.ToString().Replace('-', '−') ?? "–";

    private static string Role(SubnetRole role) => role == SubnetRole.RandomMean ? "mean of random subnets" : "weakest subnet";

    private static string Percent(double fraction) => Number(fraction) + " %";

    private static string Number(double fraction) => FormattableString.Invariant($"{100 * fraction:0.0}");

    private static string Both(SpreadSummary spread) => $"{Number(spread.Mean)} ({Number(spread.Min)})";

    // Of a rate of one half, which has the largest.
    private static string StandardError(int images) => FormattableString.Invariant($"{50 / Math.Sqrt(images):0.0}");
}
