using ScottPlot;
using WeakLink.Evaluation;
using WeakLink.Runs;
using WeakLink.Sources;
using WeakLink.Subnets;

namespace WeakLink.Benchmarks;

/// <summary>The README's picture: every measured subnet of some runs as a dot, with the full network as a line above them.</summary>
internal static class SubnetPicture
{
    private const int Subnets = 24;
    private const int Width = 900;
    private const int Height = 440;

    private static readonly Color RandomColour = Color.FromHex("#4878a8");
    private static readonly Color ProposedColour = Color.FromHex("#c8553d");

    public static void Draw(string output, IReadOnlyList<string> runs)
    {
        var plot = new Plot();
        var ticks = new List<Tick>();
        for (var i = 0; i < runs.Count; i++)
        {
            using var trained = TrainedModel.Load(runs[i], TorchSharp.torch.CPU);
            var recipe = trained.Recipe with { Evaluation = trained.Recipe.Evaluation with { Subnets = Subnets } };
            var data = DataSources.Open(recipe.Data.WithoutExtra(), recipe.Seed, new SilentObserver());
            var subnets = new Evaluator(trained.Network, recipe, data.Test, TorchSharp.torch.CPU, new SilentObserver()).Subnets(data.Train)!.Summary;
            var at = 3.0 * i;
            var line = plot.Add.Line(at - 0.5, 100 * subnets.Full, at + 1.5, 100 * subnets.Full);
            (line.LineWidth, line.Color) = (3, Colors.Black);
            Dots(plot, at, subnets.Random, RandomColour);
            Dots(plot, at + 1, subnets.Proposed, ProposedColour);
            ticks.Add(new Tick(at, "random\nsubnets"));
            ticks.Add(new Tick(at + 1, "subnets found\nby search"));
            var name = plot.Add.Text($"{(recipe.Ews.Search == SearchKind.Off ? "without" : "with")} EWS, {recipe.Training.Epochs} epochs", at + 0.5, (100 * subnets.Full) + 1.2);
            (name.LabelFontSize, name.LabelBold, name.LabelAlignment, name.LabelFontColor) = (16, true, Alignment.LowerCenter, Colors.Black);
            Console.WriteLine(FormattableString.Invariant(
                $"{runs[i]}: full network {subnets.Full:p1}, random {subnets.Random.Mean:p1} (weakest {subnets.Random.Min:p1}), found by search {subnets.Proposed.Mean:p1} (weakest {subnets.Proposed.Min:p1})"));
        }

        plot.Axes.Bottom.SetTicks([.. ticks.Select(tick => tick.Position)], [.. ticks.Select(tick => tick.Label)]);
        plot.Axes.Bottom.TickLabelStyle.FontSize = 14;
        plot.Axes.Left.TickLabelStyle.FontSize = 14;
        plot.Axes.Bottom.MinimumSize = 50;
        plot.Grid.XAxisStyle.IsVisible = false;
        plot.YLabel("accuracy on test images, %", 15);
        plot.Axes.AutoScale();
        plot.Axes.SetLimitsX(-1, (3 * runs.Count) - 1);
        var limits = plot.Axes.GetLimits();
        plot.Axes.SetLimitsY(limits.Bottom, Math.Min(limits.Top + 2, 104));
        plot.SavePng(output, Width, Height);
    }

    private static void Dots(Plot plot, double at, SpreadSummary subnets, Color colour)
    {
        for (var i = 0; i < subnets.Count; i++)
        {
            // Beside one another, so that none hides another.
            var dot = plot.Add.Marker(at + (0.6 * ((i + 0.5) / subnets.Count - 0.5)), 100 * subnets.All![i]);
            (dot.MarkerSize, dot.MarkerShape, dot.Color) = (9, MarkerShape.FilledCircle, colour.WithAlpha(0.75));
        }
    }
}
