using TorchSharp;
using WeakLink.Models;

namespace WeakLink.Evaluation;

/// <summary>
/// How steady a classifier is over the frames of sequences: flip probability and top-5 distance (Hendrycks and Dietterich 2019, section
/// 4.2, as computed by the authors' <c>test.py</c>).
/// </summary>
/// <param name="isNoise">Compare every frame with the first, not with the one before.</param>
public sealed class StabilityMeter(bool isNoise)
{
    private const int Best = 5;
    private double _flips;
    private double _distance;

    /// <summary>Sequences seen.</summary>
    public int Sequences { get; private set; }

    /// <summary>Mean over sequences of the share of frames whose predicted class differs from that of the frame it is compared with.</summary>
    public double FlipProbability => _flips / Sequences;

    /// <summary>
    /// Mean over sequences and frames of Σ |r − min(r', 5)| over the five best classes, where r = 0 ... 4 is a class's rank in the frame
    /// compared with and r' its rank in this one.
    /// </summary>
    public double Top5Distance => _distance / Sequences;

    /// <summary>Adds whole sequences.</summary>
    /// <param name="logits">(sequences × frames)×classes, the frames of a sequence one after the other.</param>
    /// <param name="frames">Frames in a sequence, at least 2.</param>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public void Add(torch.Tensor logits, int frames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 2);
        var best = (int)Math.Min(Best, logits.shape[1]);
        using var scope = torch.NewDisposeScope();
        FiniteLogits.Require(logits, position => $"frame {position % frames} of sequence {Sequences + (position / frames)}");
        var ranks = logits.topk(best).indexes.cpu().data<long>().ToArray();
        var sequence = frames * best;
        for (var start = 0; start < ranks.Length; start += sequence)
        {
            var (flips, distance) = (0, 0);
            for (var frame = 1; frame < frames; frame++)
            {
                var now = ranks.AsSpan(start + (frame * best), best);
                var before = ranks.AsSpan(start + (isNoise ? 0 : (frame - 1) * best), best);
                flips += now[0] == before[0] ? 0 : 1;
                for (var rank = 0; rank < best; rank++)
                {
                    var place = now.IndexOf(before[rank]);
                    distance += Math.Abs(rank - (place < 0 ? Best : place));
                }
            }

            _flips += flips / (frames - 1.0);
            _distance += distance / (frames - 1.0);
            Sequences++;
        }
    }
}
