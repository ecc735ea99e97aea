namespace WeakLink;

/// <summary>
/// Something the user gave is wrong: a file, a folder, a recipe key, a value. The message is one sentence for people that
/// names the thing and says what to do; the command line prints it as it is and exits with code 2.
/// </summary>
public sealed class InputException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">One clear sentence: what is wrong with which file, key or value, and the remedy.</param>
    /// <param name="inner">The cause, for a debugger; never shown to the user.</param>
    public InputException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
