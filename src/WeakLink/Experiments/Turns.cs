using System.Runtime.ExceptionServices;

namespace WeakLink.Experiments;

/// <summary>
/// Pieces of work that go on one at a time, each until it passes the turn. What is timed in one turn is next to what is timed in the others', so whatever else the machine does, or
/// however fast it is just then, meets all alike.
/// </summary>
internal sealed class Turns
{
    // Whoever reads or writes any of this has the turn.
    private readonly ManualResetEventSlim[] _may;
    private readonly bool[] _left;
    private ExceptionDispatchInfo? _failed;

    private Turns(int count)
    {
        _may = [.. Enumerable.Range(0, count).Select(which => new ManualResetEventSlim(which == 0))];
        _left = new bool[count];
    }

    /// <summary>Does all of it.</summary>
    /// <param name="count">How many pieces of work there are.</param>
    /// <param name="work">One of them, by its number, on a thread of its own; what it is given passes the turn, and returns when the turn has come back.</param>
    /// <exception cref="Exception">The first that one of them threw; the others ended when their turn came.</exception>
    public static void Take(int count, Action<int, Action> work)
    {
        var turns = new Turns(count);
        Thread[] threads = [.. Enumerable.Range(0, count).Select(which => new Thread(() => turns.Run(which, work)))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Array.ForEach(turns._may, may => may.Dispose());
        turns._failed?.Throw();
    }

    private void Run(int which, Action<int, Action> work)
    {
        try
        {
            Await();
            work(which, () =>
            {
                Pass();
                Await();
            });
        }
        catch (Exception exception)
        {
            _failed ??= ExceptionDispatchInfo.Capture(exception);
        }
        finally
        {
            _left[which] = true;
            Pass();
        }

        void Await()
        {
            _may[which].Wait();
            _may[which].Reset();
            if (_failed is not null)
            {
                throw new OperationCanceledException("Another one failed.");
            }
        }

        void Pass()
        {
            var next = Enumerable.Range(1, _left.Length).Select(after => (which + after) % _left.Length).FirstOrDefault(other => !_left[other], -1);
            if (next >= 0)
            {
                _may[next].Set();
            }
        }
    }
}
