using System.Runtime.InteropServices;

namespace WeakLink.Runtime;

/// <summary>Environment variables as native libraries see them: .NET keeps an environment of its own.</summary>
internal static partial class NativeEnvironment
{
    /// <summary>Sets a variable that the user has not set. Does nothing on other systems than Linux with glibc.</summary>
    public static void SetDefault(string name, string value)
    {
        if (Environment.GetEnvironmentVariable(name) is null)
        {
            Set(name, value);
        }
    }

    /// <summary>Sets a variable. Does nothing on other systems than Linux with glibc.</summary>
    public static void Set(string name, string value)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = Set(name, value, 1);
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or DllNotFoundException)
        {
            // Not glibc: the default stays what it is.
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Set(string name, string value, int overwrite);
}
