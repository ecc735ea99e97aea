using System.CommandLine;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace WeakLink.Cli;

/// <summary>How the command ends where it can't do what was asked: with one sentence, whatever happened.</summary>
internal static class Failure
{
    /// <summary>Says on standard error what happened.</summary>
    /// <param name="exception">What happened.</param>
    /// <param name="command">The command that ran; null where none did yet.</param>
    /// <returns>The exit code that belongs to it.</returns>
    public static int Report(Exception exception, Command? command)
    {
        while (exception is AggregateException or TargetInvocationException or TypeInitializationException && exception.InnerException is { } cause)
        {
            exception = cause;
        }

        var (code, sentence) = exception switch
        {
            OperationCanceledException => (ExitCode.Interrupted, null),
            InputException => (ExitCode.BadInput, CommandLanguage.Translate(exception.Message, command)),
            IOException or UnauthorizedAccessException => (ExitCode.BadInput, $"{exception.Message.TrimEnd('.')}: check the path, its permissions and the free space."),
            _ when IsOutOfMemory(exception) => (ExitCode.BadInput, "There is not enough memory for this: a smaller training.batch, evaluation.batch, data.size or model.width-multiplier needs less."),
            _ => (ExitCode.Fault, $"This is a fault of WeakLink, not of what you gave it: please report it with the command and this line ({exception.GetType().Name} in {Place(exception)}: {FirstLine(exception.Message)}). What was saved before is intact."),
        };
        if (sentence is not null)
        {
            Console.Error.WriteLine($"weaklink: {sentence}");
        }

        return code;
    }

    // libtorch's comes as ExternalException with these words.
    private static bool IsOutOfMemory(Exception exception) => exception is OutOfMemoryException
        || (exception is ExternalException && (exception.Message.Contains("not enough memory", StringComparison.OrdinalIgnoreCase)
            || exception.Message.Contains("can't allocate memory", StringComparison.OrdinalIgnoreCase)
            || exception.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)));

    private static string Place(Exception exception)
    {
        var methods = new StackTrace(exception).GetFrames().Select(frame => frame.GetMethod()).OfType<MethodBase>().ToList();
        var method = methods.Find(method => method.DeclaringType?.Namespace?.StartsWith(nameof(WeakLink), StringComparison.Ordinal) == true) ?? methods.FirstOrDefault();
        return method is null ? "an unknown place" : $"{method.DeclaringType?.Name}.{method.Name}";
    }

    private static string FirstLine(string text) => text.Split('\n')[0].Trim().TrimEnd('.');
}
