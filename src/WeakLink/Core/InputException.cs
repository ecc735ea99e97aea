namespace WeakLink;

/// <summary>
/// Something the user gave is wrong: a file, a folder, a recipe key, a value. The message is one sentence for people that
/// names the thing and says what to do, in terms of recipe keys, files and folders; the command prints it and exits with code 2.
/// </summary>
/// <remarks>
/// Names out of a file that anybody may have written are part of messages. So that none of them can break the line, write to the terminal or fill it, control characters are
/// written out (<c>\u001b</c>), and of a message that is longer than any sentence the middle is left out.
/// </remarks>
public sealed class InputException : Exception
{
    private const int Longest = 2000;

    // The remedy stands at the end.
    private const int KeptOfTheEnd = 400;

    /// <summary>Creates the exception.</summary>
    /// <param name="message">One clear sentence: what is wrong with which file, key or value, and the remedy.</param>
    /// <param name="inner">The cause, for a debugger; never shown to the user.</param>
    public InputException(string message, Exception? inner = null)
        : base(Cut(Printable.Of(message)), inner)
    {
    }

    private static string Cut(string message) => message.Length <= Longest ? message : $"{message[..(Longest - KeptOfTheEnd)]} ... {message[^KeptOfTheEnd..]}";
}
