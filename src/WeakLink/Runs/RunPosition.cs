using WeakLink.Training;

namespace WeakLink.Runs;

/// <summary>
/// How far a run is. Together with the seed this is the whole random state: every draw follows from (seed, epoch, index) or (seed, step).
/// </summary>
public sealed record RunPosition
{
    /// <summary>Epochs completed.</summary>
    [Limits(0, int.MaxValue)]
    public int Epoch { get; init; }

    /// <summary>Steps completed of the current epoch.</summary>
    [Limits(0, int.MaxValue)]
    public int StepInEpoch { get; init; }

    /// <summary>Sum over the current epoch's images of the objective.</summary>
    public double LossSum { get; init; }

    /// <summary>Sum over the current epoch's images of the distillation divergence, in steps that taught a subnet.</summary>
    public double DivergenceSum { get; init; }

    /// <summary>Images of the current epoch's steps that taught none.</summary>
    [Limits(0, long.MaxValue)]
    public long UntaughtImages { get; init; }

    /// <summary>Images of the current epoch classified correctly.</summary>
    [Limits(0, long.MaxValue)]
    public long Correct { get; init; }

    /// <summary>Images of the current epoch.</summary>
    [Limits(0, long.MaxValue)]
    public long Images { get; init; }

    /// <summary>Training seconds of the current epoch.</summary>
    [Limits(0, double.MaxValue)]
    public double EpochSeconds { get; init; }

    /// <summary>Seconds of the current epoch in which the step waited for data.</summary>
    [Limits(0, double.MaxValue)]
    public double EpochSecondsWaited { get; init; }

    /// <summary>Training seconds of the run, without validation.</summary>
    [Limits(0, double.MaxValue)]
    public double Seconds { get; init; }

    /// <summary>Processor seconds of the run's training, over all cores.</summary>
    [Limits(0, double.MaxValue)]
    public double ProcessorSeconds { get; init; }

    /// <summary>Best validation accuracy so far; negative before the first validation.</summary>
    [Limits(-1, 1)]
    public double BestTop1 { get; init; } = -1;

    /// <summary>Negative log-likelihood on the validation images at that accuracy: it decides between equal accuracies.</summary>
    public double BestNll { get; init; } = double.MaxValue;

    /// <summary>Epochs completed when it was reached.</summary>
    [Limits(0, int.MaxValue)]
    public int BestEpoch { get; init; }

    /// <summary>Whether weights are better than the best so far: by accuracy, and by likelihood where few validation images give the same accuracy again.</summary>
    /// <param name="top1">Their accuracy on the validation images.</param>
    /// <param name="nll">Their negative log-likelihood there.</param>
    public bool IsBeatenBy(double top1, double nll) => top1 > BestTop1 || (top1 == BestTop1 && nll < BestNll);

    /// <summary>The position one step later.</summary>
    public RunPosition After(StepResult step, double seconds, double waited, double processorSeconds) => this with
    {
        StepInEpoch = StepInEpoch + 1,
        LossSum = LossSum + (step.Loss * step.Images),
        DivergenceSum = DivergenceSum + ((step.Divergence ?? 0) * step.Images),
        UntaughtImages = UntaughtImages + (step.Divergence is null ? step.Images : 0),
        Correct = Correct + step.Correct,
        Images = Images + step.Images,
        EpochSeconds = EpochSeconds + seconds,
        EpochSecondsWaited = EpochSecondsWaited + waited,
        Seconds = Seconds + seconds,
        ProcessorSeconds = ProcessorSeconds + processorSeconds,
    };

    /// <summary>The start of the next epoch.</summary>
    public RunPosition NextEpoch() => new()
    {
        Epoch = Epoch + 1,
        Seconds = Seconds,
        ProcessorSeconds = ProcessorSeconds,
        BestTop1 = BestTop1,
        BestNll = BestNll,
        BestEpoch = BestEpoch,
    };
}
