namespace WeakLink.Tests.Interop;

/// <summary>A Python that has PyTorch, for checks against the original; tests that need it are skipped where there is none.</summary>
internal static class PythonTorch
{
    /// <summary>Runs a script and gives back what it printed; skips the test where there is no PyTorch.</summary>
    public static string Require(string script) => Python.Require("torch, numpy", script);
}
