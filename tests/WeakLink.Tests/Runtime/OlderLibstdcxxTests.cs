using System.Runtime.InteropServices;
using WeakLink.Runtime;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Runtime;

public class OlderLibstdcxxTests
{
    private const string Missing = "GLIBCXX_3.4.32";

    [Fact]
    public void NewEnoughSystem_TakesThePlainPath()
    {
        var library = Library();
        var needed = library.Needs().Where(need => need.Library == "libstdc++.so.6").Select(need => need.Name).ToHashSet();
        Assert.Contains(Missing, needed);
        AssertDecides(LoadPath.Plain, [], library, needed);
    }

    [Fact]
    public void SystemThatLacksTheNoOpAlone_TakesThePrivateCopy()
    {
        var library = Library();
        var offered = library.Needs().Select(need => need.Name).Where(name => name != Missing).ToHashSet();
        AssertDecides(LoadPath.PrivateCopy, [Missing], library, offered);
        Assert.Equal("_ZSt21ios_base_library_initv", Assert.Single(library.SymbolsOf(library.Needs().Single(need => need.Name == Missing))).Name);
    }

    [Fact]
    public void SystemThatLacksMore_IsToldWhat()
    {
        var library = Library();
        var offered = library.Needs().Select(need => need.Name).Where(name => name != Missing && name != "GLIBCXX_3.4.21").ToHashSet();
        AssertDecides(LoadPath.Impossible, [Missing, "GLIBCXX_3.4.21"], library, offered);
    }

    [Fact]
    public void RewrittenLibrary_LoadsHere_AndDiffersOnlyWhereItMust()
    {
        var original = File.ReadAllBytes(Path());
        var offered = new ElfLibrary(original).Needs().Select(need => need.Name).Where(name => name != Missing).ToHashSet();
        var copy = OlderLibstdcxx.Rewrite(original, offered);
        // The flag, the name with its end, the version index.
        Assert.InRange(original.Zip(copy).Count(pair => pair.First != pair.Second), 3, 12);
        Assert.DoesNotContain(new ElfLibrary(copy).Needs(), need => need.Name == Missing && new ElfLibrary(copy).SymbolsOf(need).Count > 0);

        NativeLibraries.Load();
        using var folder = new TemporaryFolder();
        var kept = NativeLibraries.Keep(copy, folder.Path);
        Assert.True(NativeLibrary.TryLoad(kept, out var handle));
        Assert.True(NativeLibrary.TryGetExport(handle, "THSTensor_zeros", out _));
        Assert.Equal(kept, NativeLibraries.Keep(copy, folder.Path));
    }

    [Fact]
    public void DamagedCopyInTheCache_IsReplaced()
    {
        using var folder = new TemporaryFolder();
        byte[] library = [1, 2, 3];
        var path = NativeLibraries.Keep(library, folder.Path);
        File.WriteAllBytes(path, [9]);
        Assert.Equal(path, NativeLibraries.Keep(library, folder.Path));
        Assert.Equal(library, File.ReadAllBytes(path));
    }

    [Fact]
    public void ThisProcess_UsesTheCopyExactlyWhereItsSystemNeedsIt()
    {
        var offered = new ElfLibrary(File.ReadAllBytes(SystemLibstdcxx())).Offers();
        NativeLibraries.Load();
        Assert.Equal(!offered.Contains(Missing), NativeLibraries.PrivateCopy is not null);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(5000)]
    public void CutOffLibrary_IsInvalidData(int length) =>
        Assert.Throws<InvalidDataException>(() => new ElfLibrary(File.ReadAllBytes(Path())[..length]).Needs());

    private static void AssertDecides(LoadPath expected, string[] expectedMissing, ElfLibrary library, HashSet<string> offered)
    {
        var (path, missing) = OlderLibstdcxx.Decide(library, offered);
        Assert.Equal(expected, path);
        Assert.Equal(expectedMissing, missing.OrderDescending());
    }

    private static ElfLibrary Library() => new(File.ReadAllBytes(Path()));

    private static string Path()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "the native library of 64-bit Linux");
        return NativeLibraries.OriginalPath()!;
    }

    private static string SystemLibstdcxx()
    {
        Path();
        return NativeLibraries.LibstdcxxPath()!;
    }
}
