using TorchSharp;

namespace WeakLink.Tests;

/// <summary>Counts tensors that nobody has disposed of.</summary>
internal static class LiveTensors
{
    /// <summary>The count before what is tested, after what other tests left to the finaliser is gone.</summary>
    public static long Before()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }

    /// <summary>The count after it, without help from the finaliser.</summary>
    public static long After() => torch.Tensor.TotalCount;
}
