namespace WeakLink;

/// <summary>Told of the progress of long work, in order, on the thread that does it. A program shows it as it likes.</summary>
public interface IRunObserver
{
    /// <summary>A piece of work begins.</summary>
    /// <param name="name">What it is, such as "training".</param>
    /// <param name="total">How much there is to do, in <paramref name="unit"/>; 0 where unknown.</param>
    /// <param name="done">How much of it was done before (a resumed run).</param>
    /// <param name="unit">What is counted, in the plural, such as "images".</param>
    void Begin(string name, long total, string unit, long done = 0);

    /// <summary>More of it is done.</summary>
    /// <param name="done">How much so far.</param>
    /// <param name="detail">The current state in a few words; empty where there is nothing to say.</param>
    void Advance(long done, string detail = "");

    /// <summary>An epoch of training ended.</summary>
    void Epoch(EpochMetrics metrics);

    /// <summary>Something that the user should know.</summary>
    void Note(string sentence);
}

/// <summary>Listens to nothing.</summary>
public sealed class SilentObserver : IRunObserver
{
    /// <inheritdoc/>
    public void Begin(string name, long total, string unit, long done = 0)
    {
    }

    /// <inheritdoc/>
    public void Advance(long done, string detail = "")
    {
    }

    /// <inheritdoc/>
    public void Epoch(EpochMetrics metrics)
    {
    }

    /// <inheritdoc/>
    public void Note(string sentence)
    {
    }
}
