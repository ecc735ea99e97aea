using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.RegularExpressions;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace WeakLink.Reports;

/// <summary>
/// Plots in one style: SVG that takes its ink from the page, so that it is right in light and dark, with series that differ by marker
/// and line as well as by colour. (OxyPlot rather than ScottPlot: it needs no fonts where it draws, and a container has none.)
/// </summary>
public static partial class Chart
{
    // Stands for the page's own text colour until the plot is text itself.
    private static readonly OxyColor Ink = OxyColor.FromRgb(1, 1, 1);

    // OxyPlot measures text in Helvetica; the reader's font may be wider, and must find the room. A legend is cut off where it has none.
    private const int LongestName = 27, MeasuredFontSize = 15, MeasuredLegendSize = 20, FontSize = 13;

    // Apart for colour-blind eyes (Okabe and Ito 2008); the blue is lighter, for black paper.
    private static readonly OxyColor[] Colours = [.. new[] { "#2b8cc4", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9" }.Select(OxyColor.Parse)];
    private static readonly MarkerType[] Markers = [MarkerType.Circle, MarkerType.Square, MarkerType.Triangle, MarkerType.Diamond, MarkerType.Cross, MarkerType.Plus];
    private static readonly LineStyle[] Lines = [LineStyle.Solid, LineStyle.Dash, LineStyle.Dot, LineStyle.DashDot, LineStyle.LongDash, LineStyle.DashDotDot];

    // With more series than there are of each, a colour comes again with another marker and line.
    private static OxyColor Colour(int style) => Colours[style % Colours.Length];

    private static MarkerType Marker(int style) => Markers[(style + (style / Colours.Length)) % Markers.Length];

    private static LineStyle Dashes(int style) => Lines[(style + (style / Colours.Length)) % Lines.Length];

    /// <summary>An empty plot with two axes.</summary>
    /// <param name="across">Title of the horizontal axis.</param>
    /// <param name="up">Title of the vertical axis.</param>
    public static PlotModel Create(string across, string up)
    {
        var plot = new PlotModel
        {
            Background = OxyColors.Transparent,
            Culture = CultureInfo.InvariantCulture,
            TextColor = Ink,
            DefaultFont = "system-ui, sans-serif",
            DefaultFontSize = MeasuredFontSize,
            PlotAreaBorderThickness = new OxyThickness(1, 0, 0, 1),
            PlotAreaBorderColor = Ink,
        };
        plot.Axes.Add(Axis(AxisPosition.Bottom, across));
        plot.Axes.Add(Axis(AxisPosition.Left, up));
        return plot;
    }

    /// <summary>Names at 0, 1, 2, ... of the horizontal axis instead of numbers.</summary>
    public static void NameAcross(this PlotModel plot, IReadOnlyList<string> names)
    {
        var axis = plot.Axes[0];
        (axis.Minimum, axis.Maximum, axis.MajorStep, axis.MajorGridlineStyle) = (-0.6, names.Count - 0.4, 1, LineStyle.None);
        axis.LabelFormatter = at => at >= 0 && at < names.Count && at == Math.Floor(at) ? Printable.Of(names[(int)at]) : "";
    }

    /// <summary>Names at 0, 1, 2, ... of the vertical axis instead of numbers, from the top: long ones have room there on a phone, too.</summary>
    public static void NameDown(this PlotModel plot, IReadOnlyList<string> names)
    {
        var axis = plot.Axes[1];
        (axis.Minimum, axis.Maximum, axis.MajorStep, axis.MajorGridlineStyle) = (-0.6, names.Count - 0.4, 1, LineStyle.None);
        (axis.StartPosition, axis.EndPosition) = (1, 0);
        List<string> labels = [.. names.Select(name => Shortened(Printable.Of(name)))];
        // OxyPlot leaves too little: about 7 pixels a letter.
        plot.PlotMargins = new OxyThickness(24 + (7 * labels.Max(label => label.Length)), double.NaN, double.NaN, double.NaN);
        axis.LabelFormatter = at => at >= 0 && at < labels.Count && at == Math.Floor(at) ? labels[(int)at] : "";
    }

    // More than half of the plot would be names; what tells paths and long names apart stands at their ends. (OxyPlot gives the character of three dots no width.)
    private static string Shortened(string name) => name.Length <= LongestName ? name : $"{name[..(LongestName / 3)]}...{name[^(LongestName - (LongestName / 3) - 3)..]}";

    /// <summary>Only whole numbers on the horizontal axis, such as epochs.</summary>
    public static void CountAcross(this PlotModel plot) => plot.Axes[0].MinimumMajorStep = 1;

    /// <summary>Limits of the vertical axis.</summary>
    public static void Limit(this PlotModel plot, double from, double to) => (plot.Axes[1].Minimum, plot.Axes[1].Maximum) = (from, to);

    /// <summary>A line with markers.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="style">Which of the series it is: decides colour, marker and line.</param>
    /// <param name="name">Its name in the legend.</param>
    /// <param name="points">Where it goes; more than forty are not marked.</param>
    public static void Line(this PlotModel plot, int style, string name, IReadOnlyCollection<(double X, double Y)> points)
    {
        var series = new LineSeries
        {
            // XML has no way to write control characters, here and below.
            Title = Shortened(Printable.Of(name)),
            Color = Colour(style),
            LineStyle = Dashes(style),
            StrokeThickness = 2,
            MarkerType = points.Count <= 40 ? Marker(style) : MarkerType.None,
            MarkerSize = 4,
            MarkerFill = Colour(style),
            MarkerStroke = Colour(style),
        };
        series.Points.AddRange(points.Select(point => new DataPoint(point.X, point.Y)));
        plot.Series.Add(series);
    }

    /// <summary>A pale band around a line of the same style.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="style">Which of the series it belongs to.</param>
    /// <param name="low">Its lower edge.</param>
    /// <param name="high">Its upper edge.</param>
    public static void Band(this PlotModel plot, int style, IEnumerable<(double X, double Y)> low, IEnumerable<(double X, double Y)> high)
    {
        var series = new AreaSeries { Color = OxyColors.Transparent, Color2 = OxyColors.Transparent, Fill = OxyColor.FromAColor(50, Colour(style)), RenderInLegend = false };
        series.Points.AddRange(low.Select(point => new DataPoint(point.X, point.Y)));
        series.Points2.AddRange(high.Select(point => new DataPoint(point.X, point.Y)));
        plot.Series.Add(series);
    }

    /// <summary>Dots.</summary>
    /// <inheritdoc cref="Line"/>
    public static void Dots(this PlotModel plot, int style, string name, IEnumerable<(double X, double Y)> points)
    {
        var colour = Colour(style);
        var series = new ScatterSeries { Title = Shortened(Printable.Of(name)), MarkerType = Marker(style), MarkerSize = 4.5, MarkerFill = OxyColor.FromAColor(190, colour), MarkerStroke = colour, MarkerStrokeThickness = 1 };
        series.Points.AddRange(points.Select(point => new ScatterPoint(point.X, point.Y)));
        plot.Series.Add(series);
    }

    /// <summary>Dots with an interval to the left and right.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="style">Which of the series it is.</param>
    /// <param name="name">Its name in the legend.</param>
    /// <param name="points">Where the dots are, and half the length of their intervals.</param>
    public static void Intervals(this PlotModel plot, int style, string name, IEnumerable<(double X, double Y, double Half)> points)
    {
        var colour = Colour(style);
        var series = new ScatterErrorSeries { Title = Shortened(Printable.Of(name)), MarkerType = Marker(style), MarkerSize = 5, MarkerFill = colour, MarkerStroke = colour, MarkerStrokeThickness = 2, ErrorBarColor = colour, ErrorBarStrokeThickness = 2, ErrorBarStopWidth = 5 };
        series.Points.AddRange(points.Select(point => new ScatterErrorPoint(point.X, point.Y, 2 * point.Half, 0)));
        plot.Series.Add(series);
    }

    /// <summary>A straight line in ink, such as the full network above its subnets.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="name">Its name in the legend; null: none.</param>
    /// <param name="from">One end.</param>
    /// <param name="to">The other.</param>
    /// <param name="dashed">A line to compare with, rather than one of the data.</param>
    public static void Rule(this PlotModel plot, string? name, (double X, double Y) from, (double X, double Y) to, bool dashed = false)
    {
        var series = new LineSeries { Title = name is null ? null : Printable.Of(name), RenderInLegend = name is not null, Color = Ink, StrokeThickness = dashed ? 1 : 2.5, LineStyle = dashed ? LineStyle.Dash : LineStyle.Solid };
        series.Points.AddRange([new DataPoint(from.X, from.Y), new DataPoint(to.X, to.Y)]);
        plot.Series.Add(series);
    }

    /// <summary>Words in the plot.</summary>
    public static void Label(this PlotModel plot, string text, double x, double y) => plot.Annotations.Add(new OxyPlot.Annotations.TextAnnotation
    {
        Text = Printable.Of(text),
        TextPosition = new DataPoint(x, y),
        TextHorizontalAlignment = HorizontalAlignment.Center,
        TextVerticalAlignment = VerticalAlignment.Bottom,
        StrokeThickness = 0,
        // Above a dot there, not through it.
        Offset = new ScreenVector(0, -6),
    });

    /// <summary>The plot as an element of a page.</summary>
    /// <param name="plot">The plot; a legend is added above it where more than one series has a name.</param>
    /// <param name="width">Width in pixels where there is room. On a phone it is 360, and the words are smaller in proportion.</param>
    /// <param name="height">Height in pixels.</param>
    public static string Svg(this PlotModel plot, int width = 480, int height = 320)
    {
        if (plot.Series.Count(series => series is { Title.Length: > 0, RenderInLegend: true }) > 1)
        {
            plot.Legends.Add(new Legend
            {
                LegendPlacement = LegendPlacement.Outside,
                LegendPosition = LegendPosition.TopLeft,
                LegendOrientation = LegendOrientation.Horizontal,
                LegendTextColor = Ink,
                LegendFontSize = MeasuredLegendSize,
                LegendSymbolLength = 32,
            });
        }

        var svg = new SvgExporter { Width = width, Height = height, IsDocument = false }.ExportToString(plot);
        svg = svg[svg.IndexOf("<svg", StringComparison.Ordinal)..];
        svg = Size().Replace(svg, string.Create(CultureInfo.InvariantCulture, $"<svg role=\"img\" style=\"max-width:{width}px\" viewBox=\"0 0 {width} {height}\" "), 1)
            .Replace("rgb(1,1,1)", "currentColor", StringComparison.Ordinal)
            .Replace($"font-size=\"{MeasuredFontSize}\"", $"font-size=\"{FontSize}\"", StringComparison.Ordinal)
            .Replace($"font-size=\"{MeasuredLegendSize}\"", $"font-size=\"{FontSize}\"", StringComparison.Ordinal);
        // Identifiers are the whole page's.
        var id = string.Create(CultureInfo.InvariantCulture, $"c{XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(svg)):x8}-");
        return svg.Replace("\"clipPath", $"\"{id}", StringComparison.Ordinal).Replace("#clipPath", $"#{id}", StringComparison.Ordinal);
    }

    private static LinearAxis Axis(AxisPosition position, string title) => new()
    {
        Position = position,
        Title = Printable.Of(title),
        TextColor = Ink,
        TitleColor = Ink,
        TicklineColor = Ink,
        AxislineColor = Ink,
        MinorTickSize = 0,
        MajorGridlineStyle = LineStyle.Solid,
        MajorGridlineColor = OxyColor.FromAColor(36, Ink),
        AxisTitleDistance = 12,
        IntervalLength = position == AxisPosition.Left ? 45 : 60,
        MaximumPadding = 0.04,
        MinimumPadding = 0.04,
    };

    [GeneratedRegex("<svg width=\"[0-9.]+\" height=\"[0-9.]+\" ")]
    private static partial Regex Size();
}
