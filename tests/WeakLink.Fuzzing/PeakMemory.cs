using System.Globalization;
using System.Text;

namespace WeakLink.Fuzzing;

/// <summary>The most memory that this process has held at once, native memory too. Linux alone tells; elsewhere it is 0.</summary>
internal static class PeakMemory
{
    private const string Field = "VmHWM:";

    /// <summary>The peak since the last <see cref="Reset"/>, in bytes.</summary>
    public static long Bytes
    {
        get
        {
            if (!OperatingSystem.IsLinux())
            {
                return 0;
            }

            using var file = File.OpenHandle("/proc/self/status");
            Span<byte> buffer = stackalloc byte[2048];
            var text = Encoding.ASCII.GetString(buffer[..RandomAccess.Read(file, buffer, 0)]);
            var start = text.IndexOf(Field, StringComparison.Ordinal) + Field.Length;
            return 1024 * long.Parse(text.AsSpan(start, text.IndexOf("kB", start, StringComparison.Ordinal) - start), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Begins again with what is held now.</summary>
    public static void Reset()
    {
        if (OperatingSystem.IsLinux())
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
    }
}
