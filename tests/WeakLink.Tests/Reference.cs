namespace WeakLink.Tests;

/// <summary>Outputs of published code, beside the tests; Reference/README.md says where they come from and what lies elsewhere.</summary>
internal static class Reference
{
    /// <summary>The full path of a file or folder.</summary>
    public static string Path(string relative) => System.IO.Path.Combine(Repository.Path, "tests/WeakLink.Tests/Reference", relative);
}
