namespace WeakLink.Models;

/// <summary>Number format of the convolutions of a training step. Weights, batch-norm statistics, softmax and losses are always float32.</summary>
public enum Precision
{
    /// <summary>Measure on this machine at start, take the faster.</summary>
    Auto,

    /// <summary>float32.</summary>
    Fp32,

    /// <summary>bfloat16.</summary>
    Bf16,
}
