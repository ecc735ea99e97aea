using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace WeakLink;

/// <summary>What a random number is for. The numbers are part of every result: append, never renumber.</summary>
public enum RandomUse
{
    /// <summary>Initial weights of a network.</summary>
    Weights = 1,

    /// <summary>The order of the training samples in an epoch.</summary>
    Shuffle = 2,

    /// <summary>Crop, flip and further augmentations of one sample.</summary>
    Augmentation = 3,

    /// <summary>The split of a data set into training, validation and test samples.</summary>
    Split = 4,

    /// <summary>The pictures of the embedded data set.</summary>
    Shapes = 5,

    /// <summary>The subnet proposed for a training step.</summary>
    Proposal = 6,

    /// <summary>The subnets measured in an evaluation.</summary>
    SubnetEvaluation = 8,

    /// <summary>The training images on which a subnet's statistics are re-estimated.</summary>
    Recalibration = 9,

    /// <summary>Initial weights of the search policy.</summary>
    Policy = 10,

    /// <summary>Draws of an objective (attack starts, mixing weights).</summary>
    Objective = 11,

    /// <summary>What libtorch draws by itself in a training step (dropout).</summary>
    Libtorch = 12,

    /// <summary>The draws of a corruption of one image.</summary>
    Corruption = 13,

    /// <summary>The generated textures of frost.</summary>
    Frost = 14,

    /// <summary>The draws of a perturbation sequence of one image.</summary>
    Perturbation = 15,

    /// <summary>The draws of an attack on one image.</summary>
    Attack = 16,

    /// <summary>The extra images of one training step.</summary>
    ExtraImages = 17,

    /// <summary>How the images of one training step are mixed.</summary>
    Mixing = 18,

    /// <summary>The images of one training step that the subnet is taught on.</summary>
    Lesson = 19,

    /// <summary>The start of the attack on the subnet of one training step.</summary>
    SubnetAttack = 20,

    /// <summary>Which images of each class an epoch holds where all classes come equally often, and the draws of those that come again.</summary>
    ClassBalance = 21,

    /// <summary>Which test images come together where batch-norm statistics are those of the test images.</summary>
    TestTime = 22,
}

/// <summary>
/// Random numbers that follow from (seed, use, epoch, index) alone, so that results don't depend on the number of worker
/// threads and a resumed run equals an uninterrupted one. SplitMix64 (Steele, Lea, Flood 2014), started at a hash of the four numbers.
/// </summary>
public sealed class SeededRandom
{
    private const ulong Step = 0x9E3779B97F4A7C15UL;

    // Values that are filled together, of half as many 64 bits.
    private const int AtATime = 32;

    private ulong _state;

    /// <summary>Starts the sequence that belongs to these four numbers.</summary>
    public SeededRandom(long seed, RandomUse use, long epoch = 0, long index = 0)
    {
        _state = Mix((ulong)seed + Step);
        _state = Mix(_state ^ ((ulong)use * 0xD1B54A32D192ED03UL));
        _state = Mix(_state ^ ((ulong)epoch * 0xAEF17502108EF2D9UL));
        _state = Mix(_state ^ ((ulong)index * 0xF1357AEA2E62A9C5UL));
    }

    private SeededRandom(ulong state) => _state = state;

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        _state += Step;
        return Mix(_state);
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public double NextDouble(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>Uniform in 0 ... <paramref name="bound"/> − 1 (bias below 2^-32 for any 32-bit bound).</summary>
    public int Next(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)Math.BigMul(NextBits(), (ulong)bound, out _);
    }

    /// <summary>Uniform in <paramref name="low"/> ... <paramref name="high"/> − 1.</summary>
    public int Next(int low, int high) => low + Next(high - low);

    /// <summary>True with probability <paramref name="probability"/>.</summary>
    public bool NextBool(double probability = 0.5) => NextDouble() < probability;

    /// <summary>Standard normal (Box and Muller 1958).</summary>
    public double NextNormal()
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        return radius * Math.Cos(2 * Math.PI * NextDouble());
    }

    /// <summary>Standard Gumbel, −log(−log u); the top-k of log-probabilities plus Gumbel noise is a sample without replacement.</summary>
    public double NextGumbel() => -Math.Log(-Math.Log(((NextBits() >> 11) + 0.5) * (1.0 / (1UL << 53))));

    /// <summary>Beta distributed, in [0, 1]: how large the first of two Gamma draws is among both.</summary>
    /// <param name="first">Its shape, above 0.</param>
    /// <param name="second">The other's shape, above 0; 1 and 1 is uniform.</param>
    public double NextBeta(double first, double second) => 1 / (1 + Math.Exp(-NextLogGamma(first) + NextLogGamma(second)));

    /// <summary>Draws random shares of 1, of Gamma draws among one another: the symmetric Dirichlet distribution.</summary>
    /// <param name="concentration">Above 0; 1 is uniform, less favours few large shares.</param>
    /// <param name="shares">Receives the shares.</param>
    public void NextDirichlet(double concentration, Span<double> shares)
    {
        foreach (ref var share in shares)
        {
            share = NextLogGamma(concentration);
        }

        // Below the largest, as even that may be too small for a number.
        TensorPrimitives.Subtract(shares, TensorPrimitives.Max<double>(shares), shares);
        TensorPrimitives.SoftMax<double>(shares, shares);
    }

    /// <summary>Permutes in place, every order equally likely (Fisher-Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>Fills with 32 random bits each: the halves of <see cref="NextBits"/>' sequence, high ones first, sixteen by sixteen.</summary>
    public void FillBits(Span<uint> values) => Fill(values, static (high, low) => (high, low));

    /// <summary>Fills with numbers that are uniform in [0, 1), 24 bits.</summary>
    public void FillUniform(Span<float> values) => Fill(values, static (high, low) => (Unit(high), Unit(low)));

    /// <summary>Fills with standard normal numbers (Box and Muller 1958, from 24 bits: none is farther out than 5.9).</summary>
    public void FillNormal(Span<float> values) => Fill(values, static (high, low) =>
    {
        // Half a step up, because the logarithm of 0 is infinite.
        var radius = Vector512.Sqrt(Vector512.Create(-2f) * Vector512.Log(Unit(high) + Vector512.Create(0.5f / (1 << 24))));
        var (sine, cosine) = Vector512.SinCos(Unit(low) * Vector512.Create(2 * MathF.PI));
        return (radius * cosine, radius * sine);
    });

    /// <summary>Fills with what <see cref="FillNormal"/> would have put at some place and behind it; no number is used up.</summary>
    /// <param name="first">The place, from 0.</param>
    /// <param name="values">Receives the numbers.</param>
    public void FillNormalFrom(long first, Span<float> values)
    {
        var (blocks, inside) = Math.DivRem(first, AtATime);
        var later = new SeededRandom(_state + unchecked((ulong)blocks * (AtATime / 2) * Step));
        if (inside == 0)
        {
            later.FillNormal(values);
            return;
        }

        var all = new float[inside + values.Length];
        later.FillNormal(all);
        all.AsSpan((int)inside).CopyTo(values);
    }

    // The logarithm, as Gamma draws of small shapes are too small for a number. Marsaglia and Tsang 2000; shape 1 is exponential.
    private double NextLogGamma(double shape)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shape);
        if (shape == 1)
        {
            return -NextGumbel();
        }

        if (shape < 1)
        {
            // The logarithm of a uniform number is an exponential one with its sign changed.
            return NextLogGamma(shape + 1) - (Math.Exp(-NextGumbel()) / shape);
        }

        var d = shape - (1.0 / 3);
        while (true)
        {
            var normal = NextNormal();
            var root = 1 + (normal / Math.Sqrt(9 * d));
            var (cube, limit) = (root * root * root, Math.Log(1 - NextDouble()));
            if (root > 0 && limit < (normal * normal / 2) + (d * (1 - cube + Math.Log(cube))))
            {
                return Math.Log(d * cube);
            }
        }
    }

    private static Vector512<float> Unit(Vector512<uint> bits) =>
        Vector512.ConvertToSingle((bits >> 8).AsInt32()) * Vector512.Create(1f / (1 << 24));

    // Takes sixteen of NextBits at a time: their high and low halves become two vectors of values.
    private void Fill<T>(Span<T> values, Func<Vector512<uint>, Vector512<uint>, (Vector512<T>, Vector512<T>)> convert)
        where T : unmanaged
    {
        Span<T> rest = stackalloc T[AtATime];
        var steps = Vector512.Create(1UL, 2, 3, 4, 5, 6, 7, 8) * Step;
        var half = Vector512.Create(8UL) * Step;
        for (var done = 0; done < values.Length; done += AtATime)
        {
            var first = Vector512.Create(_state) + steps;
            var a = Mix(first);
            var b = Mix(first + half);
            _state += unchecked((AtATime / 2) * Step);
            var (x, y) = convert(Vector512.Narrow(a >> 32, b >> 32), Vector512.Narrow(a & Vector512.Create(0xFFFFFFFFUL), b & Vector512.Create(0xFFFFFFFFUL)));
            var whole = values.Length - done >= AtATime;
            var target = whole ? values.Slice(done, AtATime) : rest;
            x.StoreUnsafe(ref MemoryMarshal.GetReference(target));
            y.StoreUnsafe(ref MemoryMarshal.GetReference(target), AtATime / 2);
            if (!whole)
            {
                rest[..(values.Length - done)].CopyTo(values[done..]);
            }
        }
    }

    private static Vector512<ulong> Mix(Vector512<ulong> z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
