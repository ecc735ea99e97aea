namespace WeakLink.Tests.Data;

/// <summary>Keeps what an observer is told in sentences.</summary>
internal sealed class Notes : IRunObserver
{
    public List<string> Sentences { get; } = [];

    public void Begin(string name, long total, string unit, long done = 0)
    {
    }

    public void Advance(long done, string detail = "")
    {
    }

    public void Epoch(EpochMetrics metrics)
    {
    }

    public void Note(string sentence) => Sentences.Add(sentence);
}
