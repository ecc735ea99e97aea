namespace WeakLink.Runtime;

/// <summary>The command that runs, as results say how they were made.</summary>
public static class CommandLine
{
    /// <summary>Program and arguments, quoted so that they can be pasted into a shell again.</summary>
    public static string Current
    {
        get
        {
            var (program, arguments) = (Environment.GetCommandLineArgs()[0], Environment.GetCommandLineArgs()[1..]);
            var name = Path.GetFileNameWithoutExtension(program);
            return string.Join(' ', arguments.Select(Quoted).Prepend(name == "WeakLink.Cli" ? "weaklink" : name));
        }
    }

    /// <summary>A word as a shell reads it back.</summary>
    public static string Quoted(string argument) => argument.All(letter => char.IsLetterOrDigit(letter) || "-_./=:,+~@%".Contains(letter, StringComparison.Ordinal)) && argument.Length > 0
        ? argument
        : argument.Any(char.IsControl)
        // What Bash and Zsh, and POSIX since 2024, read back.
        ? $"$'{string.Concat(argument.Select(letter => letter is '\'' or '\\' ? $"\\{letter}" : char.IsControl(letter) ? FormattableString.Invariant($"\\u{(int)letter:x4}") : letter.ToString()))}'"
        : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
