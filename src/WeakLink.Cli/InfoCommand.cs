using System.CommandLine;
using System.Text.Json;
using TorchSharp;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Cli;

/// <summary><c>weaklink info</c>: what WeakLink runs on.</summary>
internal static class InfoCommand
{
    private const string Network = "resnet8";

    public static Command Create()
    {
        var json = CommonOptions.Json();
        var command = new Command("info", "Say what WeakLink found on this machine.") { json };
        command.SetAction(parsed =>
        {
            var found = EnvironmentReport.Create();
            var arithmetic = Check(found.NativeBf16);
            if (parsed.GetValue(json))
            {
                var document = JsonSerializer.SerializeToNode(found, Json.Indented)!;
                document["arithmetic"] = JsonSerializer.SerializeToNode(arithmetic, Json.Indented);
                Console.Out.WriteLine(document.ToJsonString(Json.Indented));
                return ExitCode.Success;
            }

            var screen = new Screen(json: false);
            foreach (var (name, value) in new[]
            {
                ("WeakLink", found.WeakLink),
                (".NET", found.Dotnet),
                ("system", found.System),
                ("processor", $"{found.Processor}, {Count(found.Cores, "core")}"),
                ("SIMD", $"{found.Simd}{(found.NativeBf16 ? ": bf16 training is fast here" : "")}"),
                ("libtorch", $"{found.Libtorch}, {Count(found.Threads, "thread")}"),
                ("device", found.Device),
                ("libLibTorchSharp.so", found.PrivateCopy is { } copy ? $"private copy for this system's older libstdc++: {copy}" : "as packaged"),
                ("arithmetic", $"{arithmetic.Verdict}: {arithmetic.Layers} layers of {Network} and its subnets checked against float64{(arithmetic.Caches is { } caches ? $"; the processor's caches are {caches}" : "")}"),
                ("cache folder", CacheFolder.Default),
            })
            {
                screen.Line($"{name,-20} {value}");
            }

            return ExitCode.Success;
        });
        return command;
    }

    // The network of the main job, whole and as a subnet, in every format that a training may choose.
    private static ArithmeticReport Check(bool bf16)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        using var network = NetworkCatalogue.Create(Network, 10, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]);
        using var search = new RandomSearch(network.Space, 0.7);
        var subnet = search.Propose(new SearchContext(new SeededRandom(0, RandomUse.SubnetEvaluation)));
        var images = torch.rand(2, 3, 32, 32);
        foreach (var precision in bf16 ? new[] { Precision.Fp32, Precision.Bf16 } : [Precision.Fp32])
        {
            foreach (var layout in new[] { Layout.Contiguous, Layout.ChannelsLast })
            {
                network.Format = new ComputeFormat(precision, layout);
                network.forward(images);
                network.forward(images, subnet);
            }
        }

        return Arithmetic.Report;
    }

    private static string Count(int number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";
}
