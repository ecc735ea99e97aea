using System.Text.Json;
using TorchSharp;
using WeakLink.Runs;
using WeakLink.Subnets;
using WeakLink.Tests.Augmentations;
using WeakLink.Tests.Data;
using WeakLink.Tests.Interop;

namespace WeakLink.Tests.Cli;

public class InteropCommandTests
{
    [Fact]
    public void Export_Import_Predict()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 12, 16);
        var run = Networks.Save(folder["run.safetensors"], "resnet8", folder["pets"], 16, ["cat", "dog"]);
        var whole = Weaklink.Run(folder.Path, "export", run, "--out", "model.safetensors");
        Assert.True(whole.ExitCode == 0, whole.Error);
        Assert.Contains("resnet8", whole.Output);
        var imported = Weaklink.Run(folder.Path, "import", "model.safetensors", "--set", "model.width-multiplier=0.5", "--data", "pets", "--out", "again.safetensors");
        Assert.True(imported.ExitCode == 0, imported.Error);

        var predictions = new[] { "run.safetensors", "again.safetensors" }.Select(model => Weaklink.Run(folder.Path, "predict", model, "pets", "--json").Output).ToList();
        Assert.Contains("\"confidence\"", predictions[0]);
        Assert.Equal(predictions[0], predictions[1]);
        var evaluated = Weaklink.Run(folder.Path, "evaluate", "again.safetensors", "--json", "--set", "evaluation.corruptions=none", "--set", "evaluation.subnets=1", "--set", "evaluation.search-updates=1");
        Assert.True(evaluated.ExitCode == 0, evaluated.Error);

        var onnx = Weaklink.Run(folder.Path, "export", "again.safetensors", "--out", "part.onnx", "--subnet-width", "0.7", "--seed", "3", "--set", "evaluation.recalibration-images=16");
        Assert.True(onnx.ExitCode == 0, onnx.Error);
        Assert.Contains("a subnet of resnet8", onnx.Output);
        Assert.Contains("opset 17", onnx.Output);
        Assert.True(new FileInfo(folder["part.onnx"]).Length > 10_000);

        // A subnet from a file: exported and measured, with statistics of its own.
        using (var trained = TrainedModel.Load(run, torch.CPU))
        {
            SubnetFile.Write(folder["weak.json"], trained.Network.Name, trained.Network.Space, Networks.Random(trained.Network, 0.5));
        }

        var kept = Weaklink.Run(folder.Path, "export", "run.safetensors", "--out", "weak.onnx", "--subnet", "weak.json", "--data", "pets", "--set", "evaluation.recalibration-images=16");
        Assert.True(kept.ExitCode == 0, kept.Error);
        Assert.Contains("a subnet of resnet8", kept.Output);
        var weak = Weaklink.Run(folder.Path, "evaluate", "run.safetensors", "--subnet", "weak.json", "--json", "--attack", "fgsm", "--set", "evaluation.corruptions=none", "--set", "evaluation.recalibration-images=16");
        Assert.True(weak.ExitCode == 0, weak.Error);
        using (var document = JsonDocument.Parse(weak.Output))
        {
            Assert.Equal("weak.json", document.RootElement.GetProperty("subnet").GetString());
            Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("subnets").ValueKind);
            Assert.NotEqual(JsonValueKind.Null, document.RootElement.GetProperty("attacks").ValueKind);
        }

        Assert.Contains("leave out one", Weaklink.Run(folder.Path, "export", "run.safetensors", "--out", "x.onnx", "--subnet", "weak.json", "--subnet-width", "0.5").Sentence);
        Assert.Contains("There is no subnet file 'absent.json'", Weaklink.Run(folder.Path, "evaluate", "run.safetensors", "--subnet", "absent.json").Sentence);
    }

    // The sample of samples/OnnxClassify, compiled into these tests, knows only what the export says; so does a network that comes back from one.
    [Theory]
    [InlineData(32, 32, 0)]
    [InlineData(40, 40, 32)]
    [InlineData(33, 33, 20)]
    [InlineData(24, 40, 0)]
    [InlineData(40, 24, 17)]
    public void WhatComesBeforeTheNetwork_TravelsWithIt(int height, int width, int crop)
    {
        using var folder = new TemporaryFolder();
        var files = Pictures.WriteEveryKind(folder["pets"], height, width);
        var run = Networks.Save(folder["run.safetensors"], "resnet8", "shapes", height, width, crop, ["cat", "dog", "hen"]);
        foreach (var (from, to) in ((string, string)[])[("run.safetensors", "model.onnx"), ("run.safetensors", "model.safetensors")])
        {
            Assert.Equal(0, Weaklink.Run(folder.Path, "export", from, "--out", to).ExitCode);
        }

        var predictions = Weaklink.Run(folder.Path, "predict", run, "pets", "--json").Output;
        using var predicted = JsonDocument.Parse(predictions);
        Assert.Equal(files.Count, predicted.RootElement.GetArrayLength());
        using var byOnnx = JsonDocument.Parse(Weaklink.Run(folder.Path, "predict", "model.onnx", "pets", "--json").Output);
        foreach (var (one, other) in predicted.RootElement.EnumerateArray().Zip(byOnnx.RootElement.EnumerateArray()))
        {
            Assert.Equal((one.GetProperty("file").GetString(), one.GetProperty("class").GetString()), (other.GetProperty("file").GetString(), other.GetProperty("class").GetString()));
            Assert.Equal(one.GetProperty("confidence").GetDouble(), other.GetProperty("confidence").GetDouble(), 1e-4);
        }

        using var classifier = new OnnxClassify.Classifier(folder["model.onnx"]);
        foreach (var prediction in predicted.RootElement.EnumerateArray())
        {
            var file = prediction.GetProperty("file").GetString()!;
            var (name, confidence) = classifier.Classify(folder[file]);
            Assert.Equal((file, prediction.GetProperty("class").GetString()), (file, name));
            Assert.Equal(prediction.GetProperty("confidence").GetDouble(), confidence, 1e-4);
        }

        var whole = File.ReadAllBytes(files.First(file => file.EndsWith(".jpg", StringComparison.Ordinal)));
        File.WriteAllBytes(folder["half.jpg"], whole[..(whole.Length / 2)]);
        Assert.Contains("truncated", Assert.Throws<InvalidDataException>(() => classifier.Classify(folder["half.jpg"])).Message, StringComparison.Ordinal);
        Assert.Equal(0, Weaklink.Run(folder.Path, "import", "model.safetensors", "--set", "model.width-multiplier=0.5", "--out", "again.safetensors").ExitCode);
        Assert.Equal(predictions, Weaklink.Run(folder.Path, "predict", "again.safetensors", "pets", "--json").Output);

        Pictures.Write(folder["other.png"], Samples.Image(50, 60), 50, 60);
        if (height != width)
        {
            Assert.Contains("60x50", Weaklink.Run(folder.Path, "predict", "again.safetensors", "other.png").Sentence);
            Assert.Contains("60x50", Assert.Throws<InvalidDataException>(() => classifier.Classify(folder["other.png"])).Message);
        }
    }

    [Fact]
    public void CheckpointThatSaysMoreThanItsWeights_IsTakenAsItIs()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets/val"], 12, 48);
        File.WriteAllLines(folder["names.txt"], ["cat", "dog"]);
        using (torch.NewDisposeScope())
        {
            using var network = Networks.Create("resnet8", 1, 2);
            var state = network.state_dict().Where(pair => pair.Key is not ("mean" or "standard_deviation")).ToDictionary(pair => "model." + pair.Key, pair => pair.Value);
            state.Add("normalize.mean", torch.tensor(new[] { 0.5f, 0.25f, 0.1f }));
            state.Add("normalize.std", torch.tensor(new[] { 0.25f, 0.5f, 1f }));
            File.WriteAllBytes(folder["model.pt"], new PickleWriter().State(state).Archive());
        }

        string[] import = ["import", "model.pt", "--classes", "names.txt", "--data", "pets", "--out", "model.safetensors"];
        Refused("normalises its input itself, by the mean 0.5,0.25,0.1", [.. import, "--mean", "0,0,0", "--std", "1,1,1"]);
        Refused("leave the name 'x' out", "import", "names.txt", "--key", "x", "--out", "model.safetensors");
        var imported = Weaklink.Run(folder.Path, [.. import, "--mean", "0.5,0.25,0.1", "--std", "0.25,0.5,1"]);
        Assert.True(imported.ExitCode == 0, imported.Error);
        Assert.Contains("The tensors are those of resnet8", imported.Output + imported.Error, StringComparison.Ordinal);
        // The data's, not CIFAR's.
        Assert.Contains("images of 48x48 pixels", imported.Output, StringComparison.Ordinal);
        Assert.Equal(0, Weaklink.Run(folder.Path, "export", "model.safetensors", "--out", "weights.safetensors").ExitCode);
        Refused("is no checkpoint: what was exported", "predict", "weights.safetensors", "pets/val/cat");

        void Refused(string reason, params string[] command) => Assert.Contains(reason, Weaklink.Run(folder.Path, command).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void CheckpointOfPyTorch_IsEvaluatedAndAttacked()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 12, 16);
        using (torch.NewDisposeScope())
        {
            using var network = Networks.Create("preact-resnet18", 0.125, 2);
            var state = network.state_dict().Where(pair => pair.Key is not ("mean" or "standard_deviation")).ToDictionary(pair => "module." + pair.Key, pair => pair.Value);
            File.WriteAllBytes(folder["model.pt"], new PickleWriter().State(state).Archive());
        }

        string[] import = ["import", "model.pt", "--model", "preact-resnet18", "--set", "model.width-multiplier=0.125", "--set", "data.size=16", "--set", "evaluation.attack-norm=l2", "--set", "evaluation.attack-eps=0.5", "--out", "model.safetensors"];
        Assert.Contains("--mean", Weaklink.Run(folder.Path, import).Sentence);
        Assert.Contains("2 classes", Weaklink.Run(folder.Path, [.. import, "--mean", "0,0,0", "--std", "1,1,1", "--classes", "cifar10"]).Sentence);
        var imported = Weaklink.Run(folder.Path, [.. import, "--mean", "0,0,0", "--std", "1,1,1", "--data", "pets"]);
        Assert.True(imported.ExitCode == 0, imported.Error);
        var evaluated = Weaklink.Run(
            folder.Path, "evaluate", "model.safetensors", "--json", "--attack", "fgsm", "--norm", "linf", "--set", "evaluation.corruptions=none", "--set", "evaluation.subnets=1", "--set", "evaluation.search-updates=1");
        Assert.True(evaluated.ExitCode == 0, evaluated.Error);
        var measured = JsonDocument.Parse(evaluated.Output).RootElement;
        Assert.Equal("preact-resnet18", measured.GetProperty("model").GetString());
        // The size of its l2 is none of linf.
        Assert.Equal(8.0 / 255, measured.GetProperty("attacks").GetProperty("fgsm").GetProperty("linf").GetProperty("eps").GetDouble(), 1e-12);
        Refused("evaluation.attack-eps is", "evaluate", "model.safetensors", "--attack", "fgsm", "--set", "evaluation.attack-norm=linf");
        Refused("needs --eps", "evaluate", "model.safetensors", "--attack", "apgd-ce", "--norm", "l1");
        var attacked = Weaklink.Run(folder.Path, "attack", "model.safetensors", "--out", "examples", "--limit", "2");
        Assert.True(attacked.ExitCode == 0, attacked.Error);
        Assert.True(File.Exists(folder["examples/attack.json"]));
        Refused("holds other files", "attack", "model.safetensors", "--out", "examples", "--limit", "2");
        Refused("--attack pgd", "evaluate", "model.safetensors", "--eps", "8/255");
        Refused("needs --eps", "attack", "model.safetensors", "--out", "more", "--norm", "l2");

        void Refused(string reason, params string[] arguments)
        {
            var result = Weaklink.Run(folder.Path, arguments);
            Assert.Equal(2, result.ExitCode);
            Assert.Contains(reason, result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void BadInput_IsOneSentence()
    {
        using var folder = new TemporaryFolder();
        var run = Networks.Save(folder["run.safetensors"], "resnet8", "shapes", 16, ["cat", "dog"]);
        string Refused(params string[] arguments) => Weaklink.Run(folder.Path, arguments).Sentence;
        Assert.Contains(".onnx", Refused("export", run, "--out", "model.bin"));
        Assert.Contains("onnx or safetensors", Refused("export", run, "--out", "model.onnx", "--format", "tflite"));
        Assert.Contains("at most 1", Refused("export", run, "--out", "model.onnx", "--subnet-width", "1.5"));
        // What training has settled, and what is about a subnet where there is none.
        foreach (var setting in new[] { "model.mean=0,0,0", "augmentation.crop=8", " model.name=resnet14", "data.size=8", "evaluation.batch=3", "name=other" })
        {
            Assert.Contains(setting.Trim(), Refused("export", run, "--out", "model.onnx", "--subnet-width", "0.5", "--set", setting));
        }

        Assert.Contains("--subnet-width", Refused("export", run, "--out", "model.onnx", "--set", "evaluation.recalibration-images=0"));
        Assert.Contains("--subnet-width", Refused("export", run, "--out", "model.onnx", "--data", "shapes"));
        Assert.Contains("--subnet-width", Refused("export", run, "--out", "model.onnx", "--seed", "0"));
        Assert.False(File.Exists(folder["model.onnx"]));
        Assert.Contains("24x24", Refused("import", run, "--model", "resnet8", "--set", "model.width-multiplier=0.5", "--set", "data.size=16", "--set", "augmentation.crop=24", "--out", "x.safetensors"));
        Assert.Contains("nowhere", Refused("export", run, "--out", "nowhere/model.onnx"));
        Assert.Contains("--model", Refused("import", run, "--out", "x.safetensors"));
        Assert.Contains("divide means of images in 0 to 255 by 255 (--mean R,G,B)", Refused("import", run, "--model", "resnet8", "--mean", "123.675,116.28,103.53", "--std", "58.395,57.12,57.375", "--out", "x.safetensors"));
        File.WriteAllText(folder["names.txt"], "cat\ncat\n");
        Assert.Contains("the same name 'cat'", Refused("import", run, "--model", "resnet8", "--classes", "names.txt", "--out", "x.safetensors"));
        Assert.Contains("layer1.0.conv3.weight", Refused("import", run, "--model", "resnet50", "--out", "x.safetensors"));
        File.WriteAllBytes(folder["trap.pt"], new PickleWriter().Global("os", "system").Mark().Text("ls").Tuple().Reduce().Archive());
        Assert.Contains("os.system", Refused("import", "trap.pt", "--model", "resnet50", "--out", "x.safetensors"));
        // A file that asks for a network of 10 billion parameters, and one that asks for a million blocks.
        Assert.Contains("the network more than", Refused("import", run, "--model", "wide-resnet-124-64", "--out", "x.safetensors"));
        Assert.Contains("wide-resnet-6000004-1", Refused("import", run, "--model", "wide-resnet-6000004-1", "--out", "x.safetensors"));
        Assert.False(File.Exists(folder["x.safetensors"]));
    }

    [Theory]
    [InlineData("export")]
    [InlineData("import")]
    [InlineData("predict")]
    public void Help_NeedsNoArguments(string command)
    {
        using var folder = new TemporaryFolder();
        var help = Weaklink.Run(folder.Path, command, "--help");
        Assert.Equal((0, ""), (help.ExitCode, help.Error));
        Assert.Contains($"weaklink {command} ", help.Output);
    }
}
