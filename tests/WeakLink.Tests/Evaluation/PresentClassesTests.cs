using System.Text.Json;
using SkiaSharp;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Recipes;
using WeakLink.Tests.Cli;
using WeakLink.Tests.Data;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Evaluation;

public class PresentClassesTests
{
    [Fact]
    public void AreMeasuredAmongThemselves()
    {
        int[] chosen = [1, 4, 7, 8];
        var all = Small.Data.Test;
        var test = new SubsetDataset(all, [.. Enumerable.Range(0, all.Count).Where(i => chosen.Contains(all.Label(i)))]);
        Assert.Equal(chosen, PresentClasses.Of(test));
        torch.manual_seed(3);
        using var network = Small.Recipe.CreateNetwork(10);
        // As the network is: folded, an untrained one's large logits differ by rounding, by more on some processors.
        var recipe = Small.Recipe with { Evaluation = Small.Recipe.Evaluation with { Exact = true } };
        var evaluator = new Evaluator(network, recipe, test, torch.CPU, new SilentObserver());
        var measured = PresentClasses.Measure(evaluator, chosen);

        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        network.eval();
        var (right, nll) = (0, 0.0);
        foreach (var batch in Loaders.Measuring(Small.Recipe, test).InOrder())
        {
            var logits = network.call(Pixels.ToUnit(batch.Images)).to(torch.float64);
            for (var i = 0; i < logits.shape[0]; i++)
            {
                var own = chosen.Select(label => Math.Exp(logits[i, label].item<double>())).ToArray();
                var place = Array.IndexOf(chosen, (int)batch.Labels[i].item<long>());
                right += own[place] == own.Max() ? 1 : 0;
                nll -= Math.Log(own[place] / own.Sum());
            }
        }

        Assert.Equal((double)right / test.Count, measured.Top1, 1e-12);
        Assert.Equal(nll / test.Count, measured.Nll, 1e-6);
        // Any other class would be a wrong answer.
        Assert.True(measured.Top1 >= evaluator.Clean().Summary.Top1);
        Assert.Equal(1, measured.Top5);
    }

    [Fact]
    public void TheCommand_MeasuresThemApart_AndSaysSo()
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, red) in new[] { ("cat", 220), ("dog", 120), ("owl", 20) })
        {
            for (var i = 0; i < 10; i++)
            {
                Pictures.Write(folder[$"pets/{name}/{i}.png"], new SKColor((byte)red, (byte)(5 * i), 0), 16, 16);
                Pictures.Write(folder[$"some/test/{name}/{i}.png"], new SKColor((byte)red, (byte)(5 * i), 9), 16, 16);
            }
        }

        Directory.Delete(folder["some/test/owl"], recursive: true);
        Weaklink.Run(folder.Path, ["train", "--data", "pets", "--out", "run", "--ews", "off", "--set", "model.name=resnet8", "--set", "training.epochs=1", "--set", "evaluation.subnets=0", "--set", "evaluation.corruptions=none"]);
        using var plain = JsonDocument.Parse(Weaklink.Run(folder.Path, "evaluate", "run", "--data", "some", "--json").Output);
        using var present = JsonDocument.Parse(Weaklink.Run(folder.Path, "evaluate", "run", "--data", "some", "--classes", "present", "--limit", "15", "--json").Output);
        Assert.Equal(JsonValueKind.Null, plain.RootElement.GetProperty("presentClasses").ValueKind);
        Assert.Equal(2, present.RootElement.GetProperty("presentClasses").GetProperty("classes").GetInt32());
        Assert.True(present.RootElement.GetProperty("presentClasses").GetProperty("clean").GetProperty("top1").GetDouble() >= present.RootElement.GetProperty("clean").GetProperty("top1").GetDouble());
        using var adapted = JsonDocument.Parse(Weaklink.Run(folder.Path, "evaluate", "run", "--data", "some", "--test-time-statistics", "4", "--set", "evaluation.test-time-prior=2", "--corruptions", "fog", "--json").Output);
        Assert.Equal(JsonValueKind.Null, plain.RootElement.GetProperty("testTime").ValueKind);
        var testTime = adapted.RootElement.GetProperty("testTime");
        Assert.Equal((4, 1, 2), (testTime.GetProperty("batch").GetInt32(), testTime.GetProperty("window").GetInt32(), testTime.GetProperty("prior").GetInt32()));
        Assert.Equal(5, testTime.GetProperty("corruptions").GetProperty("error").GetProperty("fog").GetArrayLength());
        Assert.Equal(plain.RootElement.GetProperty("clean").ToString(), adapted.RootElement.GetProperty("clean").ToString());
        Weaklink.Run(folder.Path, "report", "run", "--out", "page.html");
        Assert.Contains("with test-time statistics", File.ReadAllText(folder["page.html"]), StringComparison.Ordinal);
        Assert.Contains("among the 2 classes of the test set", Weaklink.Run(folder.Path, "evaluate", "run", "--data", "some", "--classes", "present").Output, StringComparison.Ordinal);
        Assert.Contains("neither all nor present", Weaklink.Run(folder.Path, "evaluate", "run", "--classes", "some").Sentence, StringComparison.Ordinal);
        Directory.Delete(folder["some/test/dog"], recursive: true);
        Assert.Contains("all of one class", Weaklink.Run(folder.Path, "evaluate", "run", "--data", "some", "--classes", "present").Sentence, StringComparison.Ordinal);
    }
}
