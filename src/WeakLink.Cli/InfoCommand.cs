using System.CommandLine;
using System.Text.Json;
using WeakLink.Runtime;

namespace WeakLink.Cli;

/// <summary><c>weaklink info</c>: what WeakLink runs on.</summary>
internal static class InfoCommand
{
    public static Command Create()
    {
        var json = CommonOptions.Json();
        var command = new Command("info", "Say what WeakLink found on this machine.") { json };
        command.SetAction(parsed =>
        {
            var found = EnvironmentReport.Create();
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(found, Json.Indented));
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
                ("cache folder", CacheFolder.Default),
            })
            {
                screen.Line($"{name,-20} {value}");
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static string Count(int number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";
}
