namespace WeakLink.Fuzzing;

/// <summary>How many mutations ended how.</summary>
/// <param name="Mutations">Files that were read.</param>
/// <param name="Same">Read to the value of the undamaged file (or of the other one that it was spliced with).</param>
/// <param name="Other">Read to another value, of a format that has no checksum of its own.</param>
/// <param name="Sentences">Refused with a sentence.</param>
/// <param name="Failed">Anything else.</param>
internal sealed record Outcomes(long Mutations, long Same, long Other, long Sentences, long Failed);

/// <summary>A mutation that did not end as it should.</summary>
/// <param name="Number">Which one.</param>
/// <param name="Kind">The same for failures that probably have one cause.</param>
/// <param name="Detail">What happened.</param>
internal sealed record Failure(long Number, string Kind, string Detail);
