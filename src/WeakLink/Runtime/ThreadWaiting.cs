using System.Runtime.InteropServices;

namespace WeakLink.Runtime;

/// <summary>
/// Lets libtorch's threads wait for one another without holding their cores. By default (libgomp) a thread that has finished its share
/// spins for about a second of processor time: on a machine that does something else too, it keeps the very thread it waits for from running
/// (measured on two cores with four busy processes: an epoch of 47 s took 7.6; on a quiet machine there is no difference). For
/// programs to call at their start, before anything of libtorch; a library must not decide this for its host.
/// </summary>
public static partial class ThreadWaiting
{
    private const string Variable = "GOMP_SPINCOUNT";

    // A few microseconds: longer than the gap between two parallel loops, shorter than a time slice by far.
    private const string Spins = "1000";

    /// <summary>Spins briefly, then sleeps. Does nothing where the user has decided (GOMP_SPINCOUNT, OMP_WAIT_POLICY), or on other systems than Linux.</summary>
    public static void KeepBrief()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable(Variable) is not null || Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is not null)
        {
            return;
        }

        try
        {
            // .NET keeps an environment of its own, which native code does not see.
            _ = SetVariable(Variable, Spins, 0);
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or DllNotFoundException)
        {
            // Not glibc: its threads wait as they do.
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
