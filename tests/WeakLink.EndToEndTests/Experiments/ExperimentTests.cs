using TorchSharp;
using WeakLink.Experiments;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Experiments;

public class ExperimentTests
{
    private static readonly string[] Tiny =
    [
        "data.limit=64", "training.epochs=1", "training.batch=16", "training.precision=fp32", "training.layout=contiguous", "model.name=resnet8",
        "model.width-multiplier=0.25", "evaluation.corruptions=none", "evaluation.subnets=0", "ews.search=off", "evaluation.attack-images=40",
    ];

    [Fact]
    public void AnAttackThatTheClassesRuleOut_IsRefusedBeforeTraining()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["data"], 10);
        var recipe = RecipeFile.Load("adversarial-small", [.. Tiny, $"data.source={folder["data"]}", "evaluation.attack=pgd,autoattack"]);
        Assert.Contains("at least 4 classes", Assert.Throws<InputException>(() => Experiment.Run(recipe, folder["run"], false, new Listener())).Message);
        Assert.False(Directory.Exists(folder["run"]));
    }

    // A value alone has no variance: PyTorch refuses these in the step.
    [Theory]
    [InlineData("resnet18-imagenet", 32, 1, true)]
    [InlineData("resnet8", 4, 1, true)]
    [InlineData("resnet8", 4, 2, false)]
    [InlineData("resnet18", 8, 1, true)]
    [InlineData("preact-resnet18", 8, 1, true)]
    [InlineData("wide-resnet-10-1", 4, 1, true)]
    [InlineData("wide-resnet-10-1", 5, 1, false)]
    public void BatchNormOfOneValue_IsRefusedBeforeTraining(string model, int size, int batch, bool refused)
    {
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        var recipe = RecipeFile.Load("small", [.. Tiny, $"model.name={model}", $"augmentation.crop={size}", "augmentation.padding=0", $"training.batch={batch}", "evaluation.attack=none"]);
        // The same rule where the layer itself meets it.
        using var network = NetworkCatalogue.Create(model, 10, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], widthMultiplier: 0.25);
        network.train();
        using var images = torch.rand([batch, 3, size, size]);
        if (refused)
        {
            Assert.Contains("no variance", Assert.Throws<InputException>(() => Experiment.Run(recipe, folder["run"], false, new Listener())).Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(folder["run"]));
            Assert.Contains("no variance", Assert.Throws<InputException>(() => network.call(images)).Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Throws<OperationCanceledException>(() => Experiment.Run(recipe, folder["run"], false, new Listener { Stop = (stop, "training") }, stop: stop.Token));
            using var logits = network.call(images);
            Assert.True(logits.isfinite().all().ToBoolean());
        }
    }

    [Fact]
    public void ABestCheckpointOfAnotherRun_IsNoticedBeforeItIsMeasured()
    {
        using var folder = new TemporaryFolder();
        string[] recipe = [.. Tiny, "training.epochs=2", "training.threads=1"];
        var threads = torch.get_num_threads();
        Experiment.Run(RecipeFile.Load("small", [.. recipe, "data.source=shapes"]), folder["run"], false, new Listener());
        // They are the process's, and a run only borrows them.
        Assert.Equal((1, threads), (RunFolder.RecipeOf(folder["run"]).Training.Threads, torch.get_num_threads()));
        Experiment.Run(RecipeFile.Load("small", [.. recipe, "data.source=shapes", "seed=1"]), folder["other"], false, new Listener());
        Assert.NotNull(Summary.Read(folder["run"]).Files);
        File.Delete(folder["run/summary.json"]);
        File.Copy(folder["other/checkpoints/best.safetensors"], folder["run/checkpoints/best.safetensors"], overwrite: true);
        Assert.Contains("has seed 0", Assert.Throws<InputException>(() => Experiment.Run(new Recipe(), folder["run"], true, new Listener())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data.validation=0", "No images are held out for validation", -1)]
    [InlineData("data.validation=0.1", "4 validation images of 2 classes are too few", 0)]
    public void WithoutEnoughValidationImages_TheLastWeightsAreMeasured_AndThatIsSaidAndKept(string setting, string note, int leastTop1)
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["data"], 20);
        var listener = new Listener();
        var summary = Experiment.Run(RecipeFile.Load("small", [.. Tiny, $"data.source={folder["data"]}", "training.epochs=2", setting]), folder["run"], false, listener);
        Assert.Single(listener.Notes, sentence => sentence.StartsWith(note, StringComparison.Ordinal));
        Assert.Equal((2, false), (summary.Validation!.Epoch, summary.Validation.Chosen));
        Assert.InRange(summary.Validation.Top1, leastTop1, leastTop1 < 0 ? -1 : 1);
        Assert.Equal(summary.Validation, Summary.Read(folder["run"]).Validation);
        Assert.Contains("is the last one: ", File.ReadAllText(folder["run/report.html"]), StringComparison.Ordinal);
        Assert.NotNull(RunImages.Of(folder["run"], RunFolder.RecipeOf(folder["run"])));
    }

    [Fact]
    public void AttacksStoppedAfterTraining_GoOnWithTheRun()
    {
        using var folder = new TemporaryFolder();
        var recipe = RecipeFile.Load("adversarial-small", [.. Tiny, "evaluation.attack=fgsm,apgd-ce", "evaluation.attack-eps=1/255"]);
        var whole = Experiment.Run(recipe, folder["whole"], false, new Listener());

        using var stop = new CancellationTokenSource();
        var first = new Listener { Stop = (stop, "apgd-ce") };
        Assert.Throws<OperationCanceledException>(() => Experiment.Run(recipe, folder["parts"], false, first, stop: stop.Token));
        Assert.Contains("fgsm", first.Begun);
        Assert.False(RunFolder.IsFinished(folder["parts"]));
        var second = new Listener();
        var resumed = Experiment.Run(new Recipe(), folder["parts"], true, second);
        Assert.DoesNotContain("fgsm", second.Begun);
        Assert.Contains("apgd-ce", second.Begun);
        foreach (var name in new[] { "fgsm", "apgd-ce" })
        {
            Assert.Equal(whole.Attacks![name]["linf"].Accuracy, resumed.Attacks![name]["linf"].Accuracy);
        }

        Assert.Equal(Directory.EnumerateFileSystemEntries(folder["whole"]).Select(Path.GetFileName).Order(), Directory.EnumerateFileSystemEntries(folder["parts"]).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("objective.steps=3", true)]
    [InlineData("objective.steps=4", false)]
    [InlineData("objective.step-size=auto", false)]
    public void AnAttackThatCannotReachEpsilon_IsPointedOut(string setting, bool weak)
    {
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        var listener = new Listener { Stop = (stop, "training") };
        var recipe = RecipeFile.Load("adversarial-small", [.. Tiny, "objective.step-size=2/255", setting]);
        Assert.Throws<OperationCanceledException>(() => Experiment.Run(recipe, folder["run"], false, listener, stop: stop.Token));
        Assert.Equal(weak, listener.Notes.Any(note => note.Contains("moves an image by at most", StringComparison.Ordinal)));
    }

    [Fact]
    public void ASizeLargerThanImagesAre_IsRefusedBeforeTraining()
    {
        using var folder = new TemporaryFolder();
        var recipe = RecipeFile.Load("adversarial-small", [.. Tiny, "objective.norm=l2", "objective.eps=128", "objective.step-size=auto"]);
        var message = Assert.Throws<InputException>(() => Experiment.Run(recipe, folder["run"], false, new Listener())).Message;
        Assert.StartsWith("objective.eps: ", message, StringComparison.Ordinal);
        Assert.Contains("128/255", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["run"]));
    }

    [Fact]
    public void AMeasurementUnderAnotherThreatThanTheTrainings_IsPointedOut()
    {
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        var listener = new Listener { Stop = (stop, "training") };
        var recipe = RecipeFile.Load("adversarial-small", [.. Tiny, "objective.norm=l2", "objective.eps=0.5", "objective.step-size=auto"]);
        Assert.Throws<OperationCanceledException>(() => Experiment.Run(recipe, folder["run"], false, listener, stop: stop.Token));
        Assert.Contains(listener.Notes, note => note.Contains("Trained against L2 0.5, measured under Linf 8/255", StringComparison.Ordinal));
    }

    private sealed class Listener : IRunObserver
    {
        public (CancellationTokenSource Source, string When)? Stop { get; init; }

        public List<string> Begun { get; } = [];

        public List<string> Notes { get; } = [];

        public void Begin(string name, long total, string unit, long done = 0)
        {
            Begun.Add(name);
            if (Stop is var (source, when) && name == when)
            {
                source.Cancel();
            }
        }

        public void Advance(long done, string detail = "")
        {
        }

        public void Epoch(EpochMetrics metrics)
        {
        }

        public void Note(string sentence) => Notes.Add(sentence);
    }
}
