using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Salt and pepper: single values become 255 or 0, as from bit errors.</summary>
internal sealed class ImpulseNoise() : Corruption("impulse_noise", CorruptionGroup.Noise)
{
    // Fraction of the values that change.
    private static readonly Levels<double> Amount = new(
        cifar: [0.01, 0.02, 0.03, 0.05, 0.07],
        tinyImageNet: [0.01, 0.02, 0.05, 0.08, 0.14],
        imageNet: [0.03, 0.06, 0.09, 0.17, 0.27]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        const int AtATime = 1024;
        Span<uint> draws = stackalloc uint[AtATime];
        var changed = (uint)(Amount[table, severity] * uint.MaxValue);
        var salted = changed / 2;
        for (var start = 0; start < result.Length; start += AtATime)
        {
            var count = Math.Min(AtATime, result.Length - start);
            random.FillBits(draws[..count]);
            for (var i = 0; i < count; i++)
            {
                var draw = draws[i];
                result[start + i] = draw >= changed ? image.Planes[start + i] : draw < salted ? byte.MaxValue : byte.MinValue;
            }
        }
    }
}
