using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Interop;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Sources;

namespace WeakLink.Benchmarks;

/// <summary>The attacks of standard AutoAttack, each alone, against the authors' own code on PyTorch: the same network, the same images, one thread, in turns.</summary>
internal static class PeerAttackBenchmark
{
    private static readonly ThreatModel[] Threats = [new(Norm.Linf, 8.0 / 255), new(Norm.L2, 0.5), new(Norm.L1, 12)];

    private sealed record Outcome(int Robust, double Seconds, string Torch);

    /// <summary>Prints how many images each leaves, and in what time.</summary>
    /// <param name="run">A run folder; its network is a ResNet of basic blocks with a 3x3 stem.</param>
    /// <param name="autoattack">A checkout of github.com/fra31/auto-attack.</param>
    /// <param name="count">Test images, every class in its share; those that are classified correctly are attacked.</param>
    public static void Run(string run, string autoattack, int count)
    {
        var python = Python();
        torch.set_num_threads(1);
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        using var trained = TrainedModel.Load(run, torch.CPU);
        trained.Network.eval();
        var test = StratifiedSplit.Limit(
            DataSources.Open(trained.Recipe.Data.WithoutExtra(), trained.Recipe.Seed, new SilentObserver()).Test, count, trained.Recipe.Seed);
        var (images, labels) = Correct(trained, test);
        var folder = Directory.CreateTempSubdirectory("weaklink-peer-");
        try
        {
            Write(folder.FullName, "images.npy", "<f4", images.shape, MemoryMarshal.AsBytes<float>(images.data<float>().ToArray()).ToArray());
            Write(folder.FullName, "labels.npy", "<i8", labels.shape, MemoryMarshal.AsBytes<long>(labels.data<long>().ToArray()).ToArray());
            new NetworkExport(trained.Network, trained.Classes, new ImagePreparation((int)images.shape[2], (int)images.shape[3])).WriteSafeTensors(Path.Combine(folder.FullName, "model.safetensors"));
            Console.WriteLine($"{trained.Recipe.Model.Name}, {labels.shape[0]} correctly classified of {test.Count} test images of {test.Name}, one thread\n");
            Console.WriteLine("| attack | left by the authors' | left by WeakLink's | authors' seconds | WeakLink's | authors' / WeakLink's |");
            Console.WriteLine("|---|---|---|---|---|---|");
            var version = "";
            foreach (var threat in Threats)
            {
                foreach (var attack in AutoAttack.Standard(threat))
                {
                    var (its, ours) = (Theirs(python, autoattack, folder.FullName, attack), Ours(trained, attack, images, labels));
                    version = its.Torch;
                    Console.WriteLine(FormattableString.Invariant(
                        $"| {attack.Name}, {threat} | {its.Robust} | {ours.Robust} | {its.Seconds:0.0} | {ours.Seconds:0.0} | {its.Seconds / ours.Seconds:0.00} |"));
                }
            }

            Console.WriteLine($"\nPyTorch {version}; libtorch here as above.");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static (torch.Tensor Images, torch.Tensor Labels) Correct(TrainedModel trained, Dataset test)
    {
        var batches = Loaders.Measuring(trained.Recipe, test).InOrder().Select(batch => (Images: Pixels.ToUnit(batch.Images), batch.Labels)).ToList();
        var (images, labels) = (torch.cat([.. batches.Select(batch => batch.Images)]), torch.cat([.. batches.Select(batch => batch.Labels)]));
        var correct = new AttackedModel(trained.Network).Correct(images, labels);
        return (images[correct], labels[correct]);
    }

    // Run by run, each on the images that are left, as in an evaluation.
    private static Outcome Ours(TrainedModel trained, Attack attack, torch.Tensor images, torch.Tensor labels)
    {
        var model = new AttackedModel(trained.Network);
        var left = Enumerable.Range(0, (int)labels.shape[0]).Select(i => (long)i).ToList();
        var runs = attack.Attempts((int)trained.Network.Classes);
        var clock = Stopwatch.GetTimestamp();
        for (var run = 0; run < runs && left.Count > 0; run++)
        {
            using var scope = torch.NewDisposeScope();
            var at = torch.tensor(left.ToArray());
            var (x, y) = (images.index_select(0, at), labels.index_select(0, at));
            var right = model.Correct(attack.Run(run, model, x, y, 0, left), y).data<bool>().ToArray();
            left = [.. left.Where((_, i) => right[i])];
        }

        return new Outcome(left.Count, Stopwatch.GetElapsedTime(clock).TotalSeconds, "");
    }

    private static Outcome Theirs(string python, string autoattack, string folder, Attack attack)
    {
        var threat = attack.Threat;
        var script = Path.Combine(AppContext.BaseDirectory, "autoattack_peer.py");
        string[] arguments = [script, Path.GetFullPath(autoattack), folder, attack.Name, threat.Norm.ToString(), threat.Epsilon.ToString(CultureInfo.InvariantCulture)];
        var (exitCode, output, errors) = Execute(python, arguments);
        return exitCode == 0
            ? JsonSerializer.Deserialize<Outcome>(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1], JsonSerializerOptions.Web)!
            : throw new InputException($"The authors' {attack.Name} failed: {errors}");
    }

    // Debian's Python has its PyTorch, another one that comes first may have none.
    private static string Python() =>
        new[] { "python3", "/usr/bin/python3" }.FirstOrDefault(python => Execute(python, ["-c", "import torch, numpy"]).ExitCode == 0)
        ?? throw new InputException("No python3 here has PyTorch and NumPy (Debian: python3-torch).");

    private static (int ExitCode, string Output, string Errors) Execute(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OMP_NUM_THREADS"] = "1";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    private static void Write(string folder, string name, string type, long[] shape, byte[] numbers) => File.WriteAllBytes(Path.Combine(folder, name), [.. NumpyFile.Header(type, shape), .. numbers]);
}
