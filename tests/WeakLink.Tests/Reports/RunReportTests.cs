using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using TorchSharp;
using WeakLink.Evaluation;
using WeakLink.Reports;
using WeakLink.Runs;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Reports;

public sealed partial class RunReportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weaklink-report").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Page_HoldsWhatWasMeasured_AndReferencesNothingOutside()
    {
        var html = File.ReadAllText(Report());
        Assert.All(
            new[] { "Learning curves", "Common corruptions", "Subnets", "Attacks", "Stability", "Calibration", "Classes", "Where this comes from" },
            section => Assert.Contains($">{section}</h2>", html));
        // The summary's numbers, in the page's form.
        Assert.Contains("<dt>clean accuracy</dt><dd>43.2 %", html);
        Assert.Contains("<td class=\"heat\" style=\"--heat:0.111\">11.1</td>", html);
        Assert.Contains("<td>gaussian noise</td><td>12.5 %</td><td>1.50</td>", html);
        Assert.Contains("<dt>accuracy under pgd</dt><dd>21.0 %<small>l2, ε = 0.5, 30 images (clean 43.0 %), 95 % interval 10.2 % to 38.4 %</small>", html);
        Assert.Contains("gradients vanish", html);
        Assert.Contains("weaklink train --recipe RUN/recipe.yaml", html);
        Assert.Contains("epochs: 3", html);
        // Pictures, plots and links are in the file: the name of SVG's language is no address.
        Assert.All(References().Matches(html), reference => Assert.Matches("^(#|data:)", reference.Groups[1].Value));
        Assert.Empty(Addresses().Matches(html.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal).Replace("http://www.w3.org/1999/xlink", "", StringComparison.Ordinal)));
        Assert.DoesNotContain("<script", html);
        Assert.DoesNotContain("@import", html);
    }

    [Fact]
    public void SameRun_GivesTheSamePage_WhateverTheProgramsLanguage()
    {
        var (page, before) = (File.ReadAllText(Report()), CultureInfo.CurrentCulture);
        var other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (other.NumberFormat.NumberDecimalSeparator, other.NumberFormat.NumberGroupSeparator) = (",", ".");
        try
        {
            CultureInfo.CurrentCulture = other;
            Assert.Equal(page, File.ReadAllText(Report()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void APage_NeedsNeitherDataNorNetwork_ButThePicturesThatTheSummaryTellsOf()
    {
        var page = Report();
        var (run, html) = (Path.GetDirectoryName(page)!, File.ReadAllText(page));
        Directory.Delete(Path.Combine(run, "checkpoints"), recursive: true);
        RunReport.Write(run, page);
        Assert.Equal(html, File.ReadAllText(page));
        Assert.Contains("<h3>Hardest images</h3>", html);
        var hardest = Summary.Read(run).Examples!.Hardest;
        Assert.All(hardest, example => Assert.Contains($"% sure; {example.Name}</figcaption>", html));
        Assert.All(hardest, example => Assert.Contains($",{example.Name},{example.Label},{example.Predicted},", File.ReadAllText(Path.Combine(run, "results", "predictions.csv"))));
        Assert.Equal(Summary.Read(run).Examples!.All.Count(), PngImages().Count(html));

        var picture = Path.Combine(run, "results", "corrupted-01.png");
        var bytes = File.ReadAllBytes(picture);
        bytes[^20] ^= 1;
        File.WriteAllBytes(picture, bytes);
        Assert.Contains($"'{picture}' is not the picture", Assert.Throws<InputException>(() => RunReport.Write(run, page)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ARunOfAnOlderVersion_IsDrawn_AndAnEvaluationBringsTheRest()
    {
        var run = Path.GetDirectoryName(Report())!;
        Directory.Delete(RunFolder.ResultsOf(run), recursive: true);
        var measured = Measured(run);
        var older = Summary.Read(run) with { Version = null, Calibration = null, Classes = null, Curve = null, Examples = null };
        File.WriteAllText(RunFolder.SummaryOf(run), older.ToJson());
        var html = RunReport.CreatePage(run, Summary.Read(run)).ToHtml();
        Assert.Contains("&#39;weaklink evaluate RUN&#39; measures and keeps them", html);
        Assert.Contains("<dt>clean accuracy</dt><dd>43.2 %", html);
        Assert.DoesNotContain("<img", html);
        Assert.DoesNotContain(">Calibration</h2>", html);

        // One of other images brings its numbers, and nothing to look at.
        var numbers = measured with { Summary = measured.Summary with { Examples = null, Curve = null, Command = "weaklink evaluate other" }, Pictures = new Dictionary<string, byte[]>() };
        Assert.EndsWith("1", RunFolder.KeepEvaluation(run, numbers, Small.Data.Test), StringComparison.Ordinal);
        Assert.DoesNotContain("<img", RunReport.CreatePage(run, older).ToHtml());
        Assert.EndsWith("2", RunFolder.KeepEvaluation(run, measured with { Summary = measured.Summary with { Command = "weaklink evaluate run" } }, Small.Data.Test), StringComparison.Ordinal);
        Assert.Equal(["1", "2"], Directory.EnumerateDirectories(Path.Combine(run, "results", "evaluations")).Select(Path.GetFileName).Order());
        html = RunReport.CreatePage(run, older).ToHtml();
        Assert.DoesNotContain("measures and keeps them", html);
        Assert.Equal(measured.Summary.Examples!.All.Count(), PngImages().Count(html));
        Assert.Contains(">Later evaluations</h2>", html);
        Assert.Contains("1: weaklink evaluate other\n2: weaklink evaluate run", html);
        Assert.Contains("<dt>clean accuracy</dt><dd>43.2 %", html);
    }

    [Fact]
    public void ALaterEvaluation_SaysWhatIsDoubtfulInIt()
    {
        var run = Path.GetDirectoryName(Report())!;
        var (measured, summary) = (Measured(run), Summary.Read(run));
        var later = measured.Summary with { Examples = null, Curve = null, Attacks = summary.Attacks, Corruptions = summary.Corruptions };
        RunFolder.KeepEvaluation(run, measured with { Summary = later, Pictures = new Dictionary<string, byte[]>() }, Small.Data.Test);
        var html = WebUtility.HtmlDecode(RunReport.CreatePage(run, summary with { Attacks = null, Corruptions = null }).ToHtml());
        Assert.Contains("1: gradients vanish", html, StringComparison.Ordinal);
        Assert.Contains($"1: {summary.Corruptions!.Lacks}", html, StringComparison.Ordinal);
    }

    [Fact]
    public void WhereAllImagesAreRight_SomethingIsUncertainStill()
    {
        var run = Path.GetDirectoryName(Report())!;
        var summary = Summary.Read(run) with { Images = 2000 };
        string Page(double top1) => WebUtility.HtmlDecode(RunReport.CreatePage(run, summary with { Clean = summary.Clean with { Top1 = top1 } }).ToHtml());
        // Wilson's, from 2000 / (2000 + 1.96²).
        Assert.Contains("<dd>100.0 %<small>95 % interval 99.8 % to 100.0 %", Page(1), StringComparison.Ordinal);
        Assert.Contains("<dd>0.0 %<small>95 % interval 0.0 % to 0.2 %", Page(0), StringComparison.Ordinal);
        Assert.Contains("<dd>90.0 %<small>± 0.7 (standard error)", Page(0.9), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsKeptOfAnImage_IsWhatTheSummaryCounts()
    {
        var run = Path.GetDirectoryName(Report())!;
        var lines = File.ReadAllLines(Path.Combine(RunFolder.ResultsOf(run), ResultFiles.PredictionsName));
        Assert.Equal("index,name,label,prediction,confidence", lines[0]);
        var cells = lines.Skip(1).Select(line => line.Split(',')).ToList();
        Assert.Equal(Small.Data.Test.Count, cells.Count);
        Assert.Equal("image 3 of shapes", cells[3][1]);
        var summary = Summary.Read(run);
        Assert.All(summary.Classes!, one =>
        {
            var its = cells.Where(cell => cell[2] == one.Key).ToList();
            Assert.Equal(one.Value.Images, its.Count);
            Assert.Equal(one.Value.Accuracy, its.Average(cell => cell[3] == one.Key ? 1.0 : 0), 12);
            Assert.Equal(one.Value.TakenFor.OrderBy(other => other.Key), its.Where(cell => cell[3] != one.Key).CountBy(cell => cell[3]).OrderBy(other => other.Key));
        });
        Assert.Equal(cells.Count, summary.Calibration!.Sum(bin => bin.Images));
    }

    [Fact]
    public void UnequalClasses_AreMeasuredByTheirBalance()
    {
        var run = Path.GetDirectoryName(Report())!;
        var uneven = new Dictionary<string, ClassAccuracy>
        {
            ["cat"] = new(24, 1, new Dictionary<string, int>()),
            ["dog"] = new(6, 1 / 3.0, new Dictionary<string, int> { ["cat"] = 3, ["owl"] = 1 }),
        };
        var html = RunReport.CreatePage(run, Summary.Read(run) with { Classes = uneven }).ToHtml();
        Assert.Contains("<dt>balanced accuracy</dt><dd>66.7 %<small>mean of the classes; always answering &#39;cat&#39; is 80.0 % right, 50.0 % balanced</small>", html);
        Assert.Contains("<td>cat</td><td>100.0 %</td><td>88.9 %</td><td>94.1 %</td>", html);
        Assert.Contains("<h3>Confusion matrix</h3>", html);
        // An owl is in no test image.
        Assert.Contains("<tr><th>class</th><th>cat</th><th>dog</th><th>owl</th></tr>", html);
        Assert.Contains("<tr><td>dog</td><td class=\"heat\" style=\"--heat:0.5\">50.0</td><td class=\"heat\" style=\"--heat:0.333\">33.3</td><td class=\"heat\" style=\"--heat:0.167\">16.7</td></tr>", html);
        // Of a file its class folder and its name.
        var summary = Summary.Read(run);
        var photo = summary.Examples!.Hardest[0] with { Name = "/home/me/photos/cat/IMG_1.jpg" };
        Assert.Contains("% sure; cat/IMG_1.jpg</figcaption>", RunReport.CreatePage(run, summary with { Examples = summary.Examples with { Hardest = [photo] } }).ToHtml(), StringComparison.Ordinal);
        Assert.DoesNotContain("balanced accuracy</dt>", RunReport.CreatePage(run, Summary.Read(run)).ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void ASummaryOfANewerVersion_IsNotGuessedAt()
    {
        var run = Path.GetDirectoryName(Report())!;
        File.WriteAllText(RunFolder.SummaryOf(run), (Summary.Read(run) with { Version = Summary.CurrentVersion + 1 }).ToJson());
        Assert.Contains("use a newer WeakLink", Assert.Throws<InputException>(() => Summary.Read(run)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Browser_ShowsThePage_AndMakesNoRequest()
    {
        var browser = new[] { "chromium", "chromium-browser", "google-chrome" }
            .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        Assert.SkipWhen(browser is null, "no chromium on this machine");
        var page = Report();
        // That the trap works: the same page with a picture from elsewhere, and without the policy that forbids it.
        var leaky = Path.Combine(_folder, "leaky.html");
        File.WriteAllText(leaky, Policy().Replace(File.ReadAllText(page), "").Replace("<h1>", "<img src=\"http://elsewhere.test/x.png\"><h1>", StringComparison.Ordinal));
        var forbidden = Path.Combine(_folder, "forbidden.html");
        File.WriteAllText(forbidden, File.ReadAllText(page).Replace("<h1>", "<img src=\"http://elsewhere.test/x.png\"><h1>", StringComparison.Ordinal));
        Assert.Contains("elsewhere.test", (await Open(browser!, leaky)).Requests);
        Assert.DoesNotContain("elsewhere.test", (await Open(browser!, forbidden)).Requests);
        var (requests, document, picture) = await Open(browser!, page);
        Assert.Equal("", requests);
        Assert.Contains(">Calibration</h2>", document);
        // A page that is there: not one colour.
        Assert.True(picture > 20_000, $"the picture of the page has only {picture} bytes");
    }

    // The browser asks a listener of ours for everything; the picture's size tells a drawn page from an empty one.
    private async Task<(string Requests, string Document, long Picture)> Open(string browser, string page)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var done = new CancellationTokenSource();
        var asked = Task.Run(async () =>
        {
            var requests = "";
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync(done.Token);
                    using var reader = new StreamReader(client.GetStream());
                    var request = await reader.ReadLineAsync(done.Token);
                    // What the browser asks its maker, whatever it shows; that the page names no address the first test sees.
                    requests += request is null || Maker().IsMatch(request) ? "" : request + "\n";
                }
            }
            catch (OperationCanceledException)
            {
            }

            return requests;
        });
        var screenshot = Path.Combine(_folder, "page.png");
        var common = new[]
        {
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-default-apps",
            $"--user-data-dir={Path.Combine(_folder, "profile")}", $"--proxy-server=127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}",
        };
        var document = await Run(browser, [.. common, "--dump-dom", new Uri(page).AbsoluteUri]);
        await Run(browser, [.. common, "--window-size=1000,1400", $"--screenshot={screenshot}", new Uri(page).AbsoluteUri]);
        await done.CancelAsync();
        return (await asked, document, new FileInfo(screenshot).Length);
    }

    private static async Task<string> Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return output;
    }

    private string Report()
    {
        var run = Path.Combine(_folder, "run");
        if (!Directory.Exists(run))
        {
            Small.Train(run);
        }

        var measurement = Measured(run);
        ResultFiles.Write(RunFolder.ResultsOf(run), measurement, Small.Data.Test);
        var classes = measurement.Summary.Classes!.Keys.ToDictionary(name => name, _ => new ClassSummary(0.5, 0.25));
        var summary = measurement.Summary with
        {
            Clean = new CleanSummary(0.432, 0.9, 1.5, 0.05),
            Validation = new ValidationSummary(0.4, 3),
            Corruptions = new CorruptionSummary(30, "generated", "cifar", null, 0.5, null, null, null, new Dictionary<string, IReadOnlyList<double>> { ["fog"] = [0.111, 0.2, 0.3, 0.4, 0.5] }, 1, 0),
            Perturbations = new PerturbationSummary(30, "generated", 0.125, 1.5, null, null, null, new Dictionary<string, double> { ["gaussian_noise"] = 0.125 }, new Dictionary<string, double> { ["gaussian_noise"] = 1.5 }, 1, 0),
            Attacks = new Dictionary<string, IReadOnlyDictionary<string, RobustSummary>>
            {
                ["pgd"] = new Dictionary<string, RobustSummary> { ["l2"] = new(0.5, 30, 0.43, 0.21, 0, [new AttackStage("pgd", 13, 6, 1, 100, 100)], classes, ["gradients vanish"]) },
            },
            Subnets = new SubnetSummary(0.7, 20, 32, 0.43, new SpreadSummary(0.4, 0.3, 2, [0.3, 0.5]), new SpreadSummary(0.3, 0.2, 2, [0.2, 0.4])),
            Seconds = new SecondsSummary(61, 5, 100),
        };
        var page = Path.Combine(run, "report.html");
        File.WriteAllText(RunFolder.SummaryOf(run), summary.ToJson());
        RunReport.Write(run, page);
        return page;
    }

    private static Measurement Measured(string run)
    {
        using var trained = TrainedModel.Load(run, torch.CPU);
        var recipe = trained.Recipe with { Evaluation = trained.Recipe.Evaluation with { Corruptions = "none", Subnets = 0 } };
        return Measurement.Of(trained, new Evaluator(trained.Network, recipe, Small.Data.Test, torch.CPU, new SilentObserver()), Small.Data.Train, examples: true);
    }

    [GeneratedRegex("<img alt=\"[^\"]+\" src=\"data:image/png;base64,")]
    private static partial Regex PngImages();

    [GeneratedRegex("(?:src|href)=\"([^\"]*)\"")]
    private static partial Regex References();

    [GeneratedRegex("(?:https?:)?//[a-z0-9.]+\\.[a-z]+|url\\((?!#)")]
    private static partial Regex Addresses();

    [GeneratedRegex("[./](google|googleapis|gvt1)\\.com[:/]")]
    private static partial Regex Maker();

    [GeneratedRegex("<meta http-equiv=\"Content-Security-Policy\"[^>]*>")]
    private static partial Regex Policy();
}
