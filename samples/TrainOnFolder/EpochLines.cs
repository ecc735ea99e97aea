using WeakLink;

/// <summary>A line for every epoch; a program with a window would move its progress bar in <c>Advance</c>.</summary>
internal sealed class EpochLines : IRunObserver
{
    public void Begin(string name, long total, string unit, long done = 0) => Console.WriteLine($"{name} ...");

    public void Advance(long done, string detail = "")
    {
    }

    public void Epoch(EpochMetrics metrics) => Console.WriteLine($"epoch {metrics.Epoch}: loss {metrics.Loss:F3}, validation accuracy {metrics.ValidationTop1:P1}");

    public void Note(string sentence) => Console.WriteLine(sentence);
}
