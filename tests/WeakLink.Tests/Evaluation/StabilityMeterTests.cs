using TorchSharp;
using WeakLink.Evaluation;
using WeakLink.Runtime;

namespace WeakLink.Tests.Evaluation;

public sealed class StabilityMeterTests
{
    public StabilityMeterTests() => NativeLibraries.Load();

    [Theory]
    [InlineData(true, 10)]
    [InlineData(false, 10)]
    [InlineData(false, 100)]
    [InlineData(true, 3)]
    public void EqualsTheDefinition(bool isNoise, int classes)
    {
        const int Sequences = 7, Frames = 6;
        using var scope = torch.NewDisposeScope();
        var random = new SeededRandom(3, RandomUse.Split);
        var logits = new float[Sequences, Frames, classes];
        for (var s = 0; s < Sequences; s++)
        {
            for (var c = 0; c < classes; c++)
            {
                // Frames of a sequence resemble each other, so that ranks move by a few places.
                var common = random.NextNormal();
                for (var f = 0; f < Frames; f++)
                {
                    logits[s, f, c] = (float)(common + (0.4 * random.NextNormal()));
                }
            }
        }

        var meter = new StabilityMeter(isNoise);
        meter.Add(torch.tensor(logits).reshape(-1, classes), Frames);

        // As the authors' test.py has it: ranks of all classes, cumulated counts of the first five.
        var (flips, distance) = (0.0, 0.0);
        for (var s = 0; s < Sequences; s++)
        {
            for (var f = 1; f < Frames; f++)
            {
                var (before, now) = (Order(logits, s, isNoise ? 0 : f - 1, classes), Order(logits, s, f, classes));
                flips += before[0] == now[0] ? 0 : 1;
                for (var rank = 0; rank < Math.Min(5, classes); rank++)
                {
                    distance += Math.Abs(rank - Math.Min(Array.IndexOf(now, before[rank]), 5));
                }
            }
        }

        Assert.Equal(Sequences, meter.Sequences);
        Assert.Equal(flips / (Sequences * (Frames - 1)), meter.FlipProbability, 1e-9);
        Assert.Equal(distance / (Sequences * (Frames - 1)), meter.Top5Distance, 1e-9);
        Assert.True(meter.Top5Distance > 0);
    }

    // By hand: the prediction changes once and stays. Against the frame before that is one flip of three, against the first all three
    // frames after it are flipped.
    [Theory]
    [InlineData(true, 1.0)]
    [InlineData(false, 1.0 / 3)]
    public void Noise_IsComparedWithTheFirstFrame_OthersWithTheOneBefore(bool isNoise, double flips)
    {
        using var scope = torch.NewDisposeScope();
        var meter = new StabilityMeter(isNoise);
        meter.Add(torch.tensor(new float[,] { { 2, 1, 0, -1, -2, -3 }, { 1, 2, 0, -1, -2, -3 }, { 1, 2, 0, -1, -2, -3 }, { 1, 2, 0, -1, -2, -3 } }), frames: 4);
        Assert.Equal(flips, meter.FlipProbability, 1e-12);
        // Two classes change places: two ranks in all.
        Assert.Equal(2 * flips, meter.Top5Distance, 1e-12);
    }

    private static int[] Order(float[,,] logits, int sequence, int frame, int classes) =>
        [.. Enumerable.Range(0, classes).OrderByDescending(c => logits[sequence, frame, c])];
}
