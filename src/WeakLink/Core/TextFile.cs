using System.Text;

namespace WeakLink;

/// <summary>Text that somebody else may have written: no more of it is read than could be meant.</summary>
internal static class TextFile
{
    /// <summary>UTF-8 that is nothing else: what another encoding means stands nowhere.</summary>
    public static Encoding StrictUtf8 { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file as UTF-8, or as its byte order mark says.</summary>
    /// <param name="path">The file; a pipe that a shell hands over will do.</param>
    /// <param name="most">Characters that it may hold.</param>
    /// <param name="encoding">What it is written in, where no byte order mark says; null: UTF-8, with marks for what is none.</param>
    /// <exception cref="InputException">It holds more.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="DecoderFallbackException">It is not of the <paramref name="encoding"/>, where that is strict.</exception>
    public static string Read(string path, int most, Encoding? encoding = null)
    {
        using var reader = new StreamReader(InputFile.OpenOnce(path), encoding ?? Encoding.UTF8);
        return Read(reader, path, most);
    }

    /// <summary>Reads all that is left.</summary>
    /// <exception cref="InputException">It is longer than <paramref name="most"/>.</exception>
    public static string Read(TextReader reader, string origin, int most)
    {
        var text = new StringBuilder();
        var part = new char[1 << 14];
        while (reader.ReadBlock(part) is > 0 and var count)
        {
            if (text.Length + count > most)
            {
                throw new InputException(FormattableString.Invariant($"'{origin}' holds more than {most:n0} characters, more than WeakLink reads of such a file: give another one."));
            }

            text.Append(part, 0, count);
        }

        return text.ToString();
    }
}
