using TorchSharp;
using WeakLink.Data;
using WeakLink.Experiments;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Sources;
using WeakLink.Subnets;

namespace WeakLink.Tests.Training;

/// <summary>Runs that take a second.</summary>
internal static class Small
{
    /// <summary>A few embedded images in each part.</summary>
    public static DataSplits Data { get; } = new(Shapes(0, 96), Shapes(1, 20), Shapes(2, 30), []);

    /// <summary>A resolved recipe: a narrow resnet8, three epochs of six steps.</summary>
    public static Recipe Recipe { get; } = new()
    {
        Model = new ModelRecipe { Name = "resnet8", WidthMultiplier = 0.5, Mean = [0.5, 0.5, 0.5], StandardDeviation = [0.25, 0.25, 0.25] },
        Training = new TrainingRecipe { Epochs = 3, Batch = 16, LearningRate = 0.05, Schedule = ScheduleKind.Cosine, Precision = Precision.Fp32, Layout = Layout.Contiguous, Threads = 2, Workers = 2 },
        Ews = new EwsRecipe { PolicyEvery = 2 },
        Evaluation = new EvaluationRecipe { Subnets = 2, SubnetImages = 20, RecalibrationImages = 32, SearchUpdates = 2, Budget = 0 },
    };

    /// <summary>Trains into a folder.</summary>
    public static RunPosition Train(string path, Recipe? recipe = null, IRunObserver? observer = null, DataSplits? data = null, CancellationToken stop = default)
    {
        (recipe, data) = (recipe ?? Recipe, data ?? Data);
        using var folder = RunFolder.Open(path, recipe, data.Train.Classes, new ImageSize(32, 32), new { }, resume: true);
        return TrainingRun.Train(recipe, data, folder, torch.CPU, observer ?? new SilentObserver(), stop: stop);
    }

    /// <summary>The tensors of a run's last checkpoint.</summary>
    public static Dictionary<string, torch.Tensor> Last(string path) =>
        WeakLink.Files.SafeTensors.Read(Path.Combine(path, "checkpoints", "last.safetensors")).Tensors;

    /// <summary>A narrow resnet8, in training mode; always the same.</summary>
    public static ClassifierNetwork Network()
    {
        var network = NetworkCatalogue.Create("resnet8", 10, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], 1, widthMultiplier: 0.5);
        network.train();
        return network;
    }

    /// <summary>A batch of noise.</summary>
    public static Batch Batch(int images, int size = 16, int views = 1)
    {
        using var random = new torch.Generator(4);
        return new Batch(
            torch.randint(0, 256, [views * images, 3, size, size], torch.uint8, generator: random).DetachFromDisposeScope(),
            (torch.arange(images, dtype: torch.int64) % 10).DetachFromDisposeScope(),
            [.. Enumerable.Range(0, images).Select(i => (long)i)]);
    }

    /// <summary>Every weight of a network went a step of the rate along the gradient that another one of the same weights has.</summary>
    public static void RequireMoved(ClassifierNetwork network, ClassifierNetwork expected, double rate)
    {
        using var noGradients = torch.no_grad();
        foreach (var ((name, moved), (_, start)) in network.named_parameters().Zip(expected.named_parameters()))
        {
            var error = (moved - (start - (start.grad! * rate))).abs().max().ToDouble() / (rate * start.grad!.abs().max().ToDouble());
            Assert.True(error < 2e-3, $"{name}: {error:g3}");
        }
    }

    /// <summary>The first embedded images of a split.</summary>
    public static MemoryDataset Shapes(int split, int count) => new(
        "shapes", ShapesDataset.Classes, 32, 32, [.. Enumerable.Range(0, count).Select(i => ShapesDataset.Draw(split, i))], [.. Enumerable.Range(0, count).Select(i => i % 10)]);
}
