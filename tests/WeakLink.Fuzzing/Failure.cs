namespace WeakLink.Fuzzing;

/// <summary>A mutation that did not end as it should.</summary>
/// <param name="Number">Which one.</param>
/// <param name="Kind">The same for failures that probably have one cause.</param>
/// <param name="Detail">What happened.</param>
internal sealed record Failure(long Number, string Kind, string Detail);
