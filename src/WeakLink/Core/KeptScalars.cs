using TorchSharp;

namespace WeakLink;

/// <summary>
/// Numbers as operands of tensor operations, kept alive while libtorch reads them. TorchSharp 0.107 makes a temporary
/// <see cref="Scalar"/> of a number and hands its address to libtorch; a collection during that call lets the finaliser free
/// it, and libtorch reads freed memory ("Expected false to be true ... toFloat at Scalar.h", or a wrong number). Its own
/// <c>a + b</c> does the same with the 1 that it multiplies b by. So WeakLink writes <c>x * Kept(2)</c> and <c>a.Plus(b)</c>;
/// a test reads the assembly and refuses everything else.
/// </summary>
internal static class KeptScalars
{
    // The first numbers, most of which come again and again, stay; a later one is kept until so many more have come, then freed: a thread has
    // one native call in flight, with at most a few scalars. (Left to the finaliser, their small native blocks lie between the tensors' and
    // keep the allocator from joining what is free: 1.1 GB instead of 0.3 for FAB on 128 small images.)
    private const int Constants = 256, Recent = 64;

    [ThreadStatic]
    private static Dictionary<double, Scalar>? _constants;

    [ThreadStatic]
    private static Dictionary<long, Scalar>? _wholeConstants;

    [ThreadStatic]
    private static Scalar?[]? _recent;

    [ThreadStatic]
    private static int _next;

    public static Scalar Kept(double value) =>
        (_constants ??= []).TryGetValue(value, out var known) ? known : Keep(_constants, value, value);

    public static Scalar Kept(long value) =>
        (_wholeConstants ??= []).TryGetValue(value, out var known) ? known : Keep(_wholeConstants, value, value);

    public static torch.Tensor Plus(this torch.Tensor left, torch.Tensor right) => left.add(right, Kept(1));

    public static torch.Tensor Plus(this torch.Tensor left, double right) => left.add(Kept(right), Kept(1));

    /// <summary><paramref name="from"/> - <paramref name="values"/>.</summary>
    public static torch.Tensor SubtractedFrom(this torch.Tensor values, double from) => values.sub(Kept(from)).neg_();

    public static torch.Tensor Squared(this torch.Tensor values) => values * values;

    /// <summary>The only element; like the others below without the temporary that TorchSharp's own ToSingle() reads it from.</summary>
    public static float ReadSingle(this torch.Tensor element)
    {
        using var scalar = element.ToScalar();
        return scalar.ToSingle();
    }

    public static double ReadDouble(this torch.Tensor element)
    {
        using var scalar = element.ToScalar();
        return scalar.ToDouble();
    }

    public static long ReadInt64(this torch.Tensor element)
    {
        using var scalar = element.ToScalar();
        return scalar.ToInt64();
    }

    public static bool ReadBoolean(this torch.Tensor element)
    {
        using var scalar = element.ToScalar();
        return scalar.ToBoolean();
    }

    private static Scalar Keep<T>(Dictionary<T, Scalar> constants, T value, Scalar scalar)
        where T : notnull
    {
        if (constants.Count < Constants)
        {
            constants.Add(value, scalar);
            return scalar;
        }

        var recent = _recent ??= new Scalar?[Recent];
        recent[_next]?.Dispose();
        recent[_next] = scalar;
        _next = (_next + 1) % Recent;
        return scalar;
    }
}
