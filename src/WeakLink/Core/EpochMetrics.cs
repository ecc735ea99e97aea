namespace WeakLink;

/// <summary>One line of metrics.jsonl: what an epoch of training brought.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Step">Steps of the run so far.</param>
/// <param name="LearningRate">Learning rate of the last step.</param>
/// <param name="Loss">Mean of the objective over the epoch.</param>
/// <param name="Divergence">Mean distillation divergence of the taught subnets in nats; null where none was taught.</param>
/// <param name="TrainTop1">Accuracy on the (augmented) training images while they were trained on.</param>
/// <param name="ValidationTop1">Accuracy on the held-out images; null in epochs that were not validated.</param>
/// <param name="ValidationNll">Negative log-likelihood on the held-out images; null likewise.</param>
/// <param name="ValidationRobustTop1">Accuracy on (at most 512 of) them under a PGD attack; null where the objective is not adversarial.</param>
/// <param name="Seconds">Training time of the epoch, without validation.</param>
/// <param name="ImagesPerSecond">Training images per second.</param>
/// <param name="WaitedForData">Part of the training time in which the step waited for data, in [0, 1].</param>
public sealed record EpochMetrics(
    [property: Limits(1, int.MaxValue)] int Epoch,
    [property: Limits(1, long.MaxValue)] long Step,
    double LearningRate,
    double Loss,
    double? Divergence,
    [property: Limits(0, 1)] double TrainTop1,
    [property: Limits(0, 1)] double? ValidationTop1,
    double? ValidationNll,
    [property: Limits(0, 1)] double? ValidationRobustTop1,
    double Seconds,
    double ImagesPerSecond,
    double WaitedForData);
