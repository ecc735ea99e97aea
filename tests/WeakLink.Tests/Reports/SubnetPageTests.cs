using System.Text.Json;
using WeakLink.Evaluation;
using WeakLink.Reports;
using WeakLink.Tests.Data;
using WeakLink.Tests.Evaluation;

namespace WeakLink.Tests.Reports;

public class SubnetPageTests
{
    [Fact]
    public void ThePage_NamesEverything_AndSaysWhoseStatisticsWereUsed()
    {
        var study = Studies.Of(Studies.Model("plain <1>", 0.7, [0.5, 0.6], [0.4, 0.3]));
        var page = SubnetPage.Create(study).ToHtml();
        Assert.All(new[] { "plain &lt;1&gt;", "pets &amp; friends", "re-estimated on 1,024 training images", "That matters", "fog", "weaklink subnets runs/pets", "full network 70.0 %", ">0.7 random<", ">0.7 policy<", "30.0 %", "55.0 (50.0)" }, text => Assert.Contains(text, page));
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotContain("<1>", page);
        Assert.DoesNotContain("Pearson", page);
        Assert.DoesNotContain("lag behind", page);
        var model = study.Models[0];
        Assert.Contains("lag behind", SubnetPage.Create(study with { Models = [model with { FullReestimated = new Accuracies(0.9, 0.4, null) }] }).ToHtml());

        var averages = SubnetPage.Create(study with { Recalibrated = 0 }).ToHtml();
        Assert.Contains("measured with the full network's running averages", System.Net.WebUtility.HtmlDecode(averages));
        Assert.Contains("That matters", averages);
    }

    [Fact]
    public void SeveralNetworks_AreCorrelated_FewAreNot()
    {
        var models = Enumerable.Range(0, 4).Select(i => Studies.Model($"m{i}", 0.5 + (0.1 * i), [0.3 + (0.1 * i)], [0.2 + (0.01 * i)])).ToArray();
        var page = SubnetPage.Create(Studies.Of(models)).ToHtml();
        Assert.Contains("r = 1.00", page);
        Assert.Contains("Pearson", page);
        Assert.All(models, model => Assert.Contains($">{model.Name}<", page));
        Assert.DoesNotContain("Pearson", SubnetPage.Create(Studies.Of(models[..2])).ToHtml());
    }

    [Fact]
    public void TheFiles_HoldTheRatesAsFractions()
    {
        using var folder = new TemporaryFolder();
        SubnetPage.Write(Studies.Of(Studies.Model("plain", 0.7, [0.5, 0.6], [0.4, 0.3])), folder.Path);
        Assert.Contains("<svg", File.ReadAllText(folder["subnets.html"]));
        using var document = JsonDocument.Parse(File.ReadAllText(folder["subnets.json"]));
        var model = document.RootElement.GetProperty("models")[0];
        Assert.Equal(0.7, model.GetProperty("full").GetProperty("clean").GetDouble());
        var random = model.GetProperty("widths")[0].GetProperty("random").GetProperty("clean");
        Assert.Equal((0.55, 0.5, 2), (random.GetProperty("mean").GetDouble(), random.GetProperty("min").GetDouble(), random.GetProperty("all").GetArrayLength()));
        Assert.Equal(0.3, model.GetProperty("widths")[0].GetProperty("search").GetProperty("policy")[0][1].GetDouble());
    }
}
