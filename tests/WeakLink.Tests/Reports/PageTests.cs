using System.Reflection;
using WeakLink.Reports;

namespace WeakLink.Tests.Reports;

public class PageTests
{
    private const string Evil = "<script>alert('x')</script>\"&";
    private const string Harmless = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;";

    // Each part of a page, and how often it says one of its words.
    private static readonly Dictionary<string, (Action<Page> Add, int Times)> Parts = new()
    {
        [nameof(Page.Headlines)] = (page => page.Headlines([new Headline(Evil, Evil, Evil)]), 3),
        // Also in the page's contents.
        [nameof(Page.Section)] = (page => page.Section(Evil), 2),
        [nameof(Page.Subsection)] = (page => page.Subsection(Evil), 1),
        [nameof(Page.Text)] = (page => page.Text(Evil), 1),
        [nameof(Page.Warning)] = (page => page.Warning(Evil), 1),
        [nameof(Page.Table)] = (page => page.Table([Evil, Evil], [[Evil, Evil]]), 4),
        [nameof(Page.HeatMap)] = (page => page.HeatMap([Evil, "1"], [(Evil, [0.5])]), 2),
        [nameof(Page.Figure)] = (page => page.Figure("<svg></svg>", Evil), 1),
        // Also for those who can't see them.
        [nameof(Page.Pictures)] = (page => page.Pictures([([1, 2, 3], Evil)]), 2),
        [nameof(Page.Strip)] = (page => page.Strip([1, 2, 3], Evil), 2),
        [nameof(Page.Details)] = (page => page.Details(Evil, Evil), 2),
        // Also in the page's contents.
        [nameof(Page.Folded)] = (page => page.Folded(Evil, () => page.Text(Evil)), 3),
        [nameof(Page.Links)] = (page => page.Links(Evil, [(Evil, Evil)]), 3),
        [nameof(Page.Code)] = (page => page.Code(Evil), 1),
    };

    public static TheoryData<string> PartNames => [.. Parts.Keys];

    [Theory]
    [MemberData(nameof(PartNames))]
    public void WordsOfTheUser_AreShown_AndStayWords(string part)
    {
        var page = new Page("a", "b");
        var (add, times) = Parts[part];
        add(page);
        var html = page.ToHtml();
        Assert.Equal(times, Count(html, Harmless));
        Assert.DoesNotContain("<script", html);
        Assert.DoesNotContain("alert('", html);
    }

    [Fact]
    public void ThePagesOwnWords_StayWords()
    {
        var html = new Page(Evil, Evil).ToHtml();
        // The window's name, the heading, and the line below it.
        Assert.Equal(3, Count(html, Harmless));
        Assert.DoesNotContain("<script", html);
    }

    [Fact]
    public void EveryPart_IsTried() => Assert.Equal(
        typeof(Page).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(method => method.Name).Where(name => name is not (nameof(Page.ToHtml) or nameof(Page.Write))).Order(),
        Parts.Keys.Order());

    [Fact]
    public void HeatMap_SaysItsNumbers_AndMarksWhatIsMissing()
    {
        var page = new Page("a", "b");
        page.HeatMap(["corruption", "1", "2"], [("fog", [0.256, null])]);
        Assert.Contains("--heat:0.256\">25.6<", page.ToHtml());
        Assert.Contains("<td>–</td>", page.ToHtml());
    }

    private static int Count(string text, string word) => text.Split(word).Length - 1;
}
