namespace WeakLink.Runtime;

/// <summary>
/// Keeps libtorch's own warnings (lines such as "[W... NNPACK.cpp:56]") off standard error, where a command's one sentence stands. For programs to call at their
/// start, before anything of libtorch; a library must not decide this for its host. <c>TORCH_CPP_LOG_LEVEL=INFO</c> shows them.
/// </summary>
public static class LibtorchMessages
{
    /// <summary>Errors alone are written, unless the user has decided (TORCH_CPP_LOG_LEVEL).</summary>
    public static void KeepQuiet() => NativeEnvironment.SetDefault("TORCH_CPP_LOG_LEVEL", "ERROR");
}
