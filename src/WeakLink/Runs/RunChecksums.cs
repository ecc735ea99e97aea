namespace WeakLink.Runs;

/// <summary>Checksums (XXH64) of files of a run.</summary>
/// <param name="Recipe">Of recipe.yaml.</param>
/// <param name="Checkpoint">Of checkpoints/best.safetensors.</param>
public sealed record RunChecksums(string Recipe, string Checkpoint);
