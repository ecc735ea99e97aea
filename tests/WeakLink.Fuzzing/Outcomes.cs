namespace WeakLink.Fuzzing;

/// <summary>How many mutations ended how.</summary>
/// <param name="Mutations">Files that were read.</param>
/// <param name="Same">Read to the value of the undamaged file (or of the other one that it was spliced with).</param>
/// <param name="Other">Read to another value, of a format that has no checksum of its own.</param>
/// <param name="Sentences">Refused with a sentence.</param>
/// <param name="Failed">Anything else.</param>
/// <param name="Seconds">Processor time.</param>
internal sealed record Outcomes(long Mutations, long Same, long Other, long Sentences, long Failed, double Seconds)
{
    public static Outcomes operator +(Outcomes a, Outcomes b) =>
        new(a.Mutations + b.Mutations, a.Same + b.Same, a.Other + b.Other, a.Sentences + b.Sentences, a.Failed + b.Failed, a.Seconds + b.Seconds);
}
