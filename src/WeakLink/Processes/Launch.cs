using System.Globalization;

namespace WeakLink.Processes;

/// <summary>What a launcher (mpirun, srun) says in the environment of the processes that it starts.</summary>
/// <param name="Rank">The number of this process among them, from 0.</param>
/// <param name="Size">How many there are; null where the launcher leaves that to the library.</param>
/// <param name="Variable">The variable that says so.</param>
internal sealed record Launch(int Rank, int? Size, string Variable)
{
    // Of a job step alone: a batch script, which Slurm starts once, has the number of the job's tasks in SLURM_NTASKS too.
    private const string SlurmSize = "SLURM_STEP_NUM_TASKS";

    // Open MPI; MPICH, Intel MPI and Slurm's PMI; Slurm without any; PMIx alone.
    private static readonly (string Rank, string? Size)[] Variables =
        [("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE"), ("SLURM_PROCID", SlurmSize), ("PMIX_RANK", null)];

    /// <summary>Whether Open MPI's library is the likelier one: it started the process, or PMIx did, which MPICH seldom uses.</summary>
    public bool IsOpenMpi => !Variable.StartsWith("PMI_", StringComparison.Ordinal);

    /// <summary>The launch of this process; null where it was started alone.</summary>
    /// <param name="variable">Reads a variable of the environment.</param>
    public static Launch? Of(Func<string, string?> variable)
    {
        foreach (var (rank, size) in Variables)
        {
            if (Number(variable(rank)) is { } own && (size is null || Number(variable(size)) is not null))
            {
                return size is null ? new Launch(own, null, rank) : Number(variable(size)) is > 1 and var count ? new Launch(own, count, rank) : null;
            }
        }

        return null;
    }

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
