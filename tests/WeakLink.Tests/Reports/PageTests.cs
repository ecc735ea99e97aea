using WeakLink.Reports;

namespace WeakLink.Tests.Reports;

public class PageTests
{
    [Fact]
    public void WordsOfTheUser_StayWords()
    {
        const string Evil = "<script>alert('x')</script>\"&";
        var page = new Page(Evil, Evil);
        page.Headlines([new Headline(Evil, Evil, Evil)]);
        page.Section(Evil);
        page.Subsection(Evil);
        page.Text(Evil);
        page.Warning(Evil);
        page.Table([Evil, Evil], [[Evil, Evil]]);
        page.HeatMap([Evil, "1"], [(Evil, [0.5])]);
        page.Figure("<svg></svg>", Evil);
        page.Pictures([([1, 2, 3], Evil)]);
        page.Strip([1, 2, 3], Evil);
        page.Details(Evil, Evil);
        page.Code(Evil);
        Assert.DoesNotContain("<script", page.ToHtml());
        Assert.DoesNotContain("alert('", page.ToHtml());
    }

    [Fact]
    public void HeatMap_SaysItsNumbers_AndMarksWhatIsMissing()
    {
        var page = new Page("a", "b");
        page.HeatMap(["corruption", "1", "2"], [("fog", [0.256, null])]);
        Assert.Contains("--heat:0.256\">25.6<", page.ToHtml());
        Assert.Contains("<td>–</td>", page.ToHtml());
    }
}
