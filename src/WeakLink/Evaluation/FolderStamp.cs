using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace WeakLink.Evaluation;

/// <summary>Tells a folder from the same one after a change, by the names, sizes and times of its files: none of them is opened.</summary>
internal static class FolderStamp
{
    /// <summary>16 hexadecimal digits, whatever the order in which the files are found.</summary>
    /// <param name="folder">A folder, or a file (an archive).</param>
    /// <exception cref="InputException">It can't be read.</exception>
    public static string Of(string folder)
    {
        try
        {
            var files = Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories) : [new FileInfo(folder)];
            var sum = 0UL;
            foreach (var file in files.Where(file => file.Exists))
            {
                sum += XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{Path.GetRelativePath(folder, file.FullName)}\n{file.Length}\n{file.LastWriteTimeUtc.Ticks}")));
            }

            return sum.ToString("x16", CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"'{folder}' can't be read ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
        }
    }
}
