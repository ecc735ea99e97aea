using System.Xml.Linq;
using WeakLink.Reports;

namespace WeakLink.Tests.Reports;

public class ChartTests
{
    [Fact]
    public void Svg_IsXmlInThePagesInk_WithEverySeriesAndLabel()
    {
        var plot = Chart.Create("epo\u001bch", "accuracy, %");
        plot.Line(0, "train & <valid>", [(1, 10), (2, 20)]);
        plot.Dots(1, "subnets", [(1, 5)]);
        plot.Intervals(2, "mea\u0001ns", [(1.5, 12, 2)]);
        plot.Rule("full", (1, 15), (2, 15));
        plot.Label("here", 1, 15);
        var text = string.Concat(XDocument.Parse(plot.Svg()).Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value + "|"));
        Assert.All(new[] { "epo\\u001bch", "accuracy, %", "train & <valid>", "subnets", "mea\\u0001ns", "full", "here" }, word => Assert.Contains(word, text));
        Assert.DoesNotContain("rgb(1,1,1)", plot.Svg());
        Assert.Contains("currentColor", plot.Svg());
    }

    [Fact]
    public void TwoPlotsOfAPage_ShareNoIdentifier()
    {
        var (first, second) = (Chart.Create("a", "b"), Chart.Create("a", "b"));
        first.Line(0, "one", [(1, 10), (2, 20)]);
        second.Line(0, "one", [(1, 10), (2, 21)]);
        Assert.Empty(Identifiers(first.Svg()).Intersect(Identifiers(second.Svg())));

        static IEnumerable<string> Identifiers(string svg) => XDocument.Parse(svg).Descendants().Select(element => element.Attribute("id")?.Value).OfType<string>();
    }

    [Fact]
    public void TwelveSeries_AreAllSeen_AndAllDiffer()
    {
        // Each alone in a plot, at one place.
        var drawn = Enumerable.Range(0, 12).Select(style =>
        {
            var plot = Chart.Create("a", "b");
            plot.Intervals(style, "one", [(1, 1, 0.5)]);
            return XDocument.Parse(plot.Svg()).Descendants().Where(element => !element.HasElements).Select(element => element.ToString()).Where(text => text.Contains("rgb(", StringComparison.Ordinal)).ToList();
        }).ToList();
        // The interval and its two ends, and at least one more: a mark of lines has no inside, and would not be seen without a stroke.
        Assert.All(drawn, elements => Assert.InRange(elements.Count, 4, 7));
        Assert.Equal(12, drawn.Select(elements => string.Concat(elements)).Distinct().Count());
    }

    [Fact]
    public void ALongName_IsShortenedInTheLegend_WhereItsEndTells()
    {
        var plot = Chart.Create("a", "b");
        plot.Line(0, "augmentation-of-many-words-first", [(1, 1)]);
        plot.Line(1, "augmentation-of-many-words-second", [(1, 1)]);
        Assert.Contains("-words-first<", plot.Svg(), StringComparison.Ordinal);
        Assert.DoesNotContain("augmentation-of-many", plot.Svg(), StringComparison.Ordinal);
    }

    [Fact]
    public void NameAcross_PutsNamesForNumbers()
    {
        var plot = Chart.Create("", "b");
        plot.NameAcross(["random", "searched"]);
        plot.Dots(0, "subnets", [(0, 1), (1, 2)]);
        Assert.Contains(">searched<", plot.Svg());
        (plot = Chart.Create("b", "")).NameDown(["random", "searched"]);
        plot.Dots(0, "subnets", [(1, 0), (2, 1)]);
        var names = XDocument.Parse(plot.Svg()).Descendants().Where(element => element.Name.LocalName == "text" && element.Value is "random" or "searched").ToList();
        Assert.Equal(["random", "searched"], names.OrderBy(Height).Select(element => element.Value));

        // However long the names are, the plot has room.
        (plot = Chart.Create("b", "")).NameDown([new string('a', 80) + "first", new string('a', 80) + "second"]);
        plot.Dots(0, "subnets", [(1, 0), (2, 1)]);
        Assert.Matches(">aaaaaaaaa\\.\\.\\.a+first<", plot.Svg());
        Assert.DoesNotContain("width=\"0\"", plot.Svg(), StringComparison.Ordinal);

        // In "translate(x,y)".
        static double Height(XElement text) => double.Parse(text.Attribute("transform")!.Value.Split('(', ',', ' ', ')')[2], System.Globalization.CultureInfo.InvariantCulture);
    }
}
