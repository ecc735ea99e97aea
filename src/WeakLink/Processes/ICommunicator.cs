namespace WeakLink.Processes;

/// <summary>How processes reach one another. Whatever one of them calls, all must, in the same order.</summary>
internal interface ICommunicator
{
    /// <summary>The number of this process, from 0.</summary>
    int Rank { get; }

    /// <summary>How many processes there are.</summary>
    int Size { get; }

    /// <summary>Waits until all are here.</summary>
    void Barrier();

    /// <summary>Gives all what the process of rank <paramref name="root"/> has.</summary>
    void Broadcast(Span<byte> values, int root);

    /// <summary>Sums over all, in place.</summary>
    void Sum(Span<float> values);

    /// <inheritdoc cref="Sum(Span{float})"/>
    void Sum(Span<double> values);

    /// <inheritdoc cref="Sum(Span{float})"/>
    void Sum(Span<long> values);

    /// <summary>Ends all at once.</summary>
    void Abort(int code);

    /// <summary>Ends when all do.</summary>
    void End();
}
