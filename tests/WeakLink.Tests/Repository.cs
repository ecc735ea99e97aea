namespace WeakLink.Tests;

/// <summary>The repository that the tests were built in.</summary>
internal static class Repository
{
    public static string Path
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(System.IO.Path.Combine(folder.FullName, "WeakLink.slnx")))
            {
                folder = folder.Parent!;
            }

            return folder.FullName;
        }
    }
}
