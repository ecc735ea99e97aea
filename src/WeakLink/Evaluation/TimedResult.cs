namespace WeakLink.Evaluation;

/// <summary>What the process that measured it tells the others.</summary>
/// <param name="Result">What was measured.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record TimedResult<T>(T Result, double Seconds);
