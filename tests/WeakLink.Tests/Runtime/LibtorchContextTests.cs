using WeakLink.Runtime;

namespace WeakLink.Tests.Runtime;

public class LibtorchContextTests
{
    [Fact]
    public void Version_IsThatOfTheLibraryItself()
    {
        NativeLibraries.Load();
        if (!OperatingSystem.IsLinux())
        {
            Assert.Null(LibtorchContext.Version());
            return;
        }

        var version = LibtorchContext.Version();
        Assert.Equal(NativeLibraries.LibtorchVersion, version);
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(NativeLibraries.LibtorchVariable)))
        {
            // That of the package.
            Assert.Equal("2.10.0", version);
        }
    }
}
