using WeakLink.Processes;
using WeakLink.Tests.Cli;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Processes;

public class LaunchTests
{
    // What else each launcher wants of a test: root may start nothing by Open MPI otherwise, nor two processes on one core.
    private static readonly Dictionary<string, string> Allowing = new()
    {
        ["OMPI_ALLOW_RUN_AS_ROOT"] = "1",
        ["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1",
        ["OMPI_MCA_rmaps_base_oversubscribe"] = "1",
    };

    [Theory]
    [InlineData("", null)]
    [InlineData("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 PMIX_RANK=1", "1 of 4")]
    [InlineData("PMI_RANK=0 PMI_SIZE=2", "0 of 2")]
    [InlineData("PMI_RANK=0 PMI_SIZE=1", null)]
    [InlineData("SLURM_PROCID=3 SLURM_STEP_NUM_TASKS=8", "3 of 8")]
    [InlineData("SLURM_PROCID=0 SLURM_NTASKS=8", null)]
    [InlineData("PMIX_RANK=5", "5 of ")]
    public void ALauncher_IsKnownByWhatItSets(string environment, string? expected)
    {
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.Equal(expected, Launch.Of(variables.GetValueOrDefault) is { } launch ? $"{launch.Rank} of {launch.Size}" : null);
    }

    [Fact]
    public void OneOfSeveralWithoutMpi_SaysSoAndDoesNothing()
    {
        using var folder = new TemporaryFolder();
        var outcome = Weaklink.RunBy(
            [], folder.Path, new Dictionary<string, string> { ["PMI_RANK"] = "0", ["PMI_SIZE"] = "2", ["WEAKLINK_MPI"] = folder["libmpi.so"] }, "train", "--out", folder["run"]);
        Assert.Contains("process 0 of 2", outcome.Sentence);
        Assert.False(Directory.Exists(folder["run"]));
    }

    [Theory]
    [InlineData("mpirun.openmpi")]
    [InlineData("mpirun.mpich")]
    public void TwoProcesses_WriteWhatOneWrites(string launcher)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(path => File.Exists(Path.Combine(path, launcher))), $"There is no {launcher} here.");
        using var folder = new TemporaryFolder();
        string[] command = ["corrupt", "shapes", "--limit", "4", "--corruptions", "brightness,contrast,saturate", "--severities", "1", "--out"];
        var outcome = Weaklink.RunBy([launcher, "-n", "2"], folder.Path, Allowing, [.. command, "two"]);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.Single(outcome.Output.Split('\n'), line => line.StartsWith("Everything is in two", StringComparison.Ordinal));
        Assert.Equal(0, Weaklink.Run(folder.Path, [.. command, "one"]).ExitCode);
        string[] files = [.. Directory.EnumerateFiles(folder["one"]).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];
        Assert.Equal(files, Directory.EnumerateFiles(folder["two"]).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.Equal(File.ReadAllBytes(folder[$"one/{file}"]), File.ReadAllBytes(folder[$"two/{file}"])));
    }
}
