using WeakLink.Runtime;

namespace WeakLink.Tests.Runtime;

public class SkiaLibraryTests
{
    [Fact]
    public void TheOneOfThePackages_GoesWithSkiaSharp() => SkiaLibrary.Require();

    [Fact]
    public void OneThatDoesNotGoWithSkiaSharp_IsOneSentence() =>
        Assert.Matches(@"^The native library of SkiaSharp is of version 155\.0, which does not go with SkiaSharp 3\.\d+: give the package .+ the version of SkiaSharp, or leave it out\.$", SkiaLibrary.Explain(() => false, () => new Version(155, 0)));

    [Fact]
    public void OneThatIsMissing_IsOneSentence() =>
        Assert.Contains("can't be loaded: build for this platform", SkiaLibrary.Explain(() => throw new TypeInitializationException("SkiaApi", new DllNotFoundException()), () => new Version()), StringComparison.Ordinal);
}
