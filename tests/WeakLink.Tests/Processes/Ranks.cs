using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.ExceptionServices;
using WeakLink.Processes;

namespace WeakLink.Tests.Processes;

/// <summary>Processes that are threads of this one.</summary>
internal static class Ranks
{
    /// <summary>Does something in so many processes at once; the first failure is thrown.</summary>
    /// <returns>What each gave, by rank.</returns>
    public static T[] Run<T>(int size, Func<ProcessGroup, T> work)
    {
        using var meeting = new Meeting(size);
        var (results, failures) = (new T[size], new Exception?[size]);
        Thread[] threads = [.. Enumerable.Range(0, size).Select(rank => new Thread(() =>
        {
            try
            {
                results[rank] = work(size == 1 ? ProcessGroup.Alone : new ProcessGroup(new Member(rank, meeting)));
            }
            catch (Exception exception)
            {
                failures[rank] = exception;
                meeting.Break();
            }
        }) { IsBackground = true })];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        if (failures.OfType<Exception>().OrderBy(failure => failure is OperationCanceledException).FirstOrDefault() is { } first)
        {
            ExceptionDispatchInfo.Throw(first);
        }

        return results;
    }

    private sealed class Meeting(int size) : IDisposable
    {
        private readonly Barrier _barrier = new(size);
        private readonly CancellationTokenSource _broken = new();

        public Array[] Said { get; } = new Array[size];

        public void Wait() => _barrier.SignalAndWait(_broken.Token);

        public void Break() => _broken.Cancel();

        public void Dispose()
        {
            _barrier.Dispose();
            _broken.Dispose();
        }
    }

    private sealed class Member(int rank, Meeting meeting) : ICommunicator
    {
        public int Rank => rank;

        public int Size => meeting.Said.Length;

        public void Barrier() => meeting.Wait();

        public void Broadcast(Span<byte> values, int root)
        {
            var all = Exchange<byte>(values);
            all[root].CopyTo(values);
            meeting.Wait();
        }

        public void Sum(Span<float> values) => Sum<float>(values);

        public void Sum(Span<double> values) => Sum<double>(values);

        public void Sum(Span<long> values) => Sum<long>(values);

        public void Abort(int code) => meeting.Break();

        public void End()
        {
        }

        private void Sum<T>(Span<T> values)
            where T : unmanaged, INumber<T>
        {
            var all = Exchange<T>(values);
            values.Clear();
            foreach (var one in all)
            {
                TensorPrimitives.Add(values, one, values);
            }

            meeting.Wait();
        }

        private T[][] Exchange<T>(ReadOnlySpan<T> own)
        {
            meeting.Said[rank] = own.ToArray();
            meeting.Wait();
            return [.. meeting.Said.Cast<T[]>()];
        }
    }
}
