using System.Collections.Concurrent;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Runs;
using WeakLink.Sources;
using WeakLink.Tests.Augmentations;
using WeakLink.Tests.Data;
using WeakLink.Tests.Interop;

namespace WeakLink.Tests.Runs;

public class PredictorTests
{
    [Theory]
    [InlineData(32, 32, 0)]
    [InlineData(40, 40, 32)]
    [InlineData(24, 40, 17)]
    public void FilesAndStreamsAndPixels_AreOneAndTheSame(int height, int width, int crop)
    {
        using var folder = new TemporaryFolder();
        var files = Pictures.WriteEveryKind(folder["pets"], height, width);
        using var predictor = Predictor.Load(Networks.Save(folder["run.safetensors"], "resnet8", "shapes", height, width, crop, ["cat", "dog", "hen"]));
        Assert.Equal(["cat", "dog", "hen"], predictor.Classes);
        var together = predictor.Predict([.. files.Select(predictor.Prepare)]);
        Assert.True(together.Select(found => found.Confidence).Distinct().Count() > 3);
        foreach (var (file, found) in files.Zip(together))
        {
            using var stream = File.OpenRead(file);
            var pixels = predictor.Prepare(ImageFile.DecodeTo(file, width, height), file);
            Same(found, predictor.Predict(file));
            Same(found, predictor.Predict(stream, file));
            Same(found, predictor.Predict([pixels])[0]);
            Assert.Equal(1, found.Probabilities.Sum(one => one.Probability), 5);
            Assert.Equal(found.Probabilities.Max(one => one.Probability), found.Confidence);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void AnAnswerForOtherClasses_IsRefused(int answers)
    {
        using var nothing = new MemoryStream();
        using var predictor = new Predictor(["cat", "dog", "hen"], new ImagePreparation(8, 8), 4, images => torch.zeros(images.shape[0], answers), nothing);
        var picture = predictor.Prepare(new byte[3 * 8 * 8], "picture");
        Assert.Contains($"the shape 1x{answers}, but it names 3 classes", Assert.Throws<InputException>(() => predictor.Predict([picture])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EightThreads_GetWhatOneGets_AndLeaveNothing()
    {
        using var folder = new TemporaryFolder();
        var files = Pictures.WriteEveryKind(folder["pets"], 32, 32);
        using var predictor = Predictor.Load(Networks.Save(folder["run.safetensors"], "resnet8", "shapes", 32, ["cat", "dog", "hen"]));
        var alone = files.Select(predictor.Predict).ToList();
        var before = LiveTensors.Before();
        var faults = new ConcurrentBag<Exception>();
        var threads = Enumerable.Range(0, 8).Select(first => new Thread(() =>
        {
            try
            {
                for (var i = 0; i < files.Count; i++)
                {
                    var at = (i + (first * 3)) % files.Count;
                    Same(alone[at], predictor.Predict(files[at]));
                }
            }
            catch (Exception fault)
            {
                faults.Add(fault);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Empty(faults);
        Assert.Equal(before, LiveTensors.After());
    }

    [Fact]
    public void WhatIsTooLarge_IsRefusedBeforeItIsUnpacked()
    {
        using var folder = new TemporaryFolder();
        var file = Pictures.Write(folder["a.png"], Samples.Image(60, 80), 60, 80);
        using var predictor = Predictor.Load(Networks.Save(folder["run.safetensors"], "resnet8", "shapes", 32, ["cat", "dog"]));
        Assert.Contains("80x60 pixels, more than the 4,799", Refusal(new ImageLimits(100_000, 4_799)), StringComparison.Ordinal);
        Assert.Contains("more than the 200 bytes", Refusal(new ImageLimits(200, 4_800)), StringComparison.Ordinal);
        Assert.Contains("'upload' is not a readable image", Assert.Throws<InputException>(() => predictor.Predict(new MemoryStream([1, 2, 3]), "upload")).Message, StringComparison.Ordinal);
        Assert.Contains("'upload' is not a readable image", Assert.Throws<InputException>(() => predictor.Predict(new MemoryStream(), "upload")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => predictor.Prepare(new byte[5], "pixels"));

        string Refusal(ImageLimits limits)
        {
            using var stream = File.OpenRead(file);
            return Assert.Throws<InputException>(() => predictor.Predict(stream, "upload", limits)).Message;
        }
    }

    private static void Same(Classification expected, Classification found)
    {
        Assert.Equal(expected.Name, found.Name);
        Assert.Equal(expected.Class, found.Class);
        // A batch of another size may be added up in another order.
        Assert.All(expected.Probabilities.Zip(found.Probabilities), pair => Assert.Equal(pair.First.Probability, pair.Second.Probability, 1e-5f));
    }
}
