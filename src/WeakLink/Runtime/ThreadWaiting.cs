namespace WeakLink.Runtime;

/// <summary>
/// Lets libtorch's threads wait for one another without holding their cores. By default (libgomp) a thread that has finished its share
/// spins for about a second of processor time: on a machine that does something else too, it keeps the very thread it waits for from running
/// (measured on two cores with four busy processes: an epoch of 47 s took 7.6; on a quiet machine there is no difference). For
/// programs to call at their start, before anything of libtorch; a library must not decide this for its host.
/// </summary>
public static class ThreadWaiting
{
    private const string Variable = "GOMP_SPINCOUNT";

    // A few microseconds: longer than the gap between two parallel loops, shorter than a time slice by far.
    private const string Spins = "1000";

    /// <summary>Spins briefly, then sleeps. Does nothing where the user has decided (GOMP_SPINCOUNT, OMP_WAIT_POLICY), or on other systems than Linux.</summary>
    public static void KeepBrief()
    {
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
        {
            NativeEnvironment.SetDefault(Variable, Spins);
        }
    }
}
