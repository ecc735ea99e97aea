using WeakLink.Runtime;

namespace WeakLink.Tests.Runtime;

public sealed class OneDnnCachesTests
{
    private const int KiB = 1024;

    [Theory]
    [InlineData("AuthenticAMD", 0, true)]
    [InlineData("HygonGenuine", 0, true)]
    [InlineData("AuthenticAMD", 0x121, false)]
    [InlineData("GenuineIntel", 0, false)]
    public void Empty_leaf_of_an_AMD_processor_is_what_oneDNN_misreads(string vendor, int firstCache, bool hidden) =>
        Assert.Equal(hidden, OneDnnCaches.AreHidden(Processor(vendor, firstCache)));

    [Fact]
    public void Leaf_that_an_old_AMD_processor_lacks_is_empty() =>
        Assert.True(OneDnnCaches.AreHidden(Processor("AuthenticAMD", firstCache: 0x121, lastLeaf: 0x8000000A)));

    [Fact]
    public void Older_leaves_are_believed_where_they_can_be()
    {
        // AMD EPYC of family 25: 32 KiB, 512 KiB, 256 MiB for the package.
        var told = Processor("AuthenticAMD", 0, (32 << 24, 512 << 16, 512 << 18));
        Assert.Equal(new OneDnnCaches.Sizes(32 * KiB, 512 * KiB, 4096 * KiB), OneDnnCaches.OfOlderLeaves(told, cores: 64));
        Assert.Equal(new OneDnnCaches.Sizes(32 * KiB, 512 * KiB, 4096 * KiB), OneDnnCaches.OfOlderLeaves(told, cores: 2));
        Assert.Equal(new OneDnnCaches.Sizes(32 * KiB, 512 * KiB, 2048 * KiB), OneDnnCaches.OfOlderLeaves(told, cores: 128));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(255, 65535, 0)]
    [InlineData(1, 1, 0)]
    public void What_cannot_be_believed_is_replaced(int first, int second, int third) => Assert.Equal(
        new OneDnnCaches.Sizes(32 * KiB, 512 * KiB, 1024 * KiB),
        OneDnnCaches.OfOlderLeaves(Processor("AuthenticAMD", 0, (first << 24, second << 16, third << 18)), cores: 2));

    private static Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> Processor(
        string vendor, int firstCache, (int First, int Second, int Third) older = default, uint lastLeaf = 0x80000022) => (leaf, _) => (uint)leaf switch
    {
        0 => (16, Letters(vendor, 0), Letters(vendor, 8), Letters(vendor, 4)),
        0x80000000 => ((int)lastLeaf, 0, 0, 0),
        0x80000005 => (0, 0, older.First, 0),
        0x80000006 => (0, 0, older.Second, older.Third),
        0x8000001D => (firstCache, 0, 0, 0),
        _ => default,
    };

    private static int Letters(string vendor, int at) => BitConverter.ToInt32(System.Text.Encoding.ASCII.GetBytes(vendor), at);
}
