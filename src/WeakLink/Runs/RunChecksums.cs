namespace WeakLink.Runs;

/// <summary>Checksums (XXH64) of files of a run.</summary>
/// <param name="Recipe">Of recipe.yaml.</param>
/// <param name="Checkpoint">Of checkpoints/best.safetensors.</param>
/// <param name="Last">Of checkpoints/last.safetensors; null in summaries of older versions.</param>
/// <param name="Metrics">Of metrics.jsonl; null in summaries of older versions.</param>
/// <param name="Predictions">Of results/predictions.csv; null in summaries of older versions.</param>
public sealed record RunChecksums(string Recipe, string Checkpoint, string? Last = null, string? Metrics = null, string? Predictions = null);
