using System.Text;
using CsCheck;
using WeakLink.Files;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Files;

public sealed class NumpyFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatIsWritten_IsRead()
    {
        byte[] data = [1, 2, 3, 4, 5, 6];
        using var file = NumpyFile.Open(Write([.. NumpyFile.Header("|u1", [2, 3]), .. data]));
        var read = new byte[4];
        file.Read(2, read);
        Assert.Equal([2L, 3L], file.Shape);
        Assert.Equal("|u1", file.Type);
        Assert.Equal([3, 4, 5, 6], read);
        Assert.Equal([1, 2, 3, 4, 5, 6], file.ReadIntegers());
    }

    // The layout of NEP 1: the numbers begin at a multiple of 64, the header ends with a line feed.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Header_IsAsNumpyWritesIt(int dimensions)
    {
        var header = NumpyFile.Header("<i8", [.. Enumerable.Repeat(7L, dimensions)]);
        Assert.Equal(0, header.Length % 64);
        Assert.Equal((byte)'\n', header[^1]);
        Assert.Contains(dimensions == 1 ? "'shape': (7,), }" : "'shape': (7, 7", Encoding.ASCII.GetString(header), StringComparison.Ordinal);
        Assert.Equal(header.Length - 10, BitConverter.ToUInt16(header, 8));
    }

    [Fact]
    public void PublishedArrays_AreRead()
    {
        using var channels = NumpyFile.Open(Reference.Path("ews-blocks/wide_s1/active_channels.npy"));
        Assert.Equal("<i8", channels.Type);
        var read = channels.ReadIntegers();
        Assert.Equal(channels.Shape[0], read.Length);
        Assert.Equal(read.Distinct(), read);
        Assert.All(read, channel => Assert.InRange(channel, 0, 15));
    }

    [Fact]
    public void BadFiles_OneSentenceWithTheName()
    {
        byte[] header = NumpyFile.Header("|u1", [4, 4]);
        Fails("not a NumPy array", [1, 2, 3]);
        Fails("not a NumPy array", []);
        Fails("truncated", [.. header, 1, 2, 3]);
        Fails("header", header[..40]);
        Fails("absurd shape", NumpyFile.Header("<f8", [long.MaxValue / 4, 8]));
        Fails("Python objects", Said("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"));
        Fails("Fortran order", Said("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }"));
        Fails("type <c8", Said("{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }"));
        Fails("type <U8", Said("{'descr': '<U8', 'fortran_order': False, 'shape': (2,), }"));
        Fails("records", Said("{'descr': [('a', '<i8'), ('b', '<i8')], 'fortran_order': False, 'shape': (2,), }"));
        Fails("damaged", Said("{'descr': '|u1', 'shape': (2,), }"));
        Fails("damaged", Said("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'shape': (1,), }"));
        Fails("absurd shape", Said("{'descr': '|u1', 'fortran_order': False, 'shape': (2.5,), }"));
        Fails("absurd shape", Said("{'descr': '|u1', 'fortran_order': False, 'shape': (-2,), }"));
        Assert.Contains("nowhere.npy", Assert.Throws<InputException>(() => NumpyFile.Open(Path.Combine(_folder.Path, "nowhere.npy"))).Message, StringComparison.Ordinal);
    }

    // As NumPy reads them: either order of bytes, an order of sides that makes no difference, keys and spaces in any order, Python 2's long integers.
    [Theory]
    [InlineData("{'descr': '>i4', 'fortran_order': False, 'shape': (3,), }", new byte[] { 0, 0, 0, 1, 255, 255, 255, 254, 0, 0, 1, 0 }, new long[] { 1, -2, 256 })]
    [InlineData("{'descr': '>u2', 'fortran_order': False, 'shape': (2,), }", new byte[] { 255, 254, 0, 7 }, new long[] { 65534, 7 })]
    [InlineData("{'descr': '>i8', 'fortran_order': False, 'shape': (1,), }", new byte[] { 0, 0, 0, 0, 0, 0, 2, 1 }, new long[] { 513 })]
    [InlineData("{'descr': '<i2', 'fortran_order': True, 'shape': (2,), }", new byte[] { 1, 0, 2, 0 }, new long[] { 1, 2 })]
    [InlineData("{'descr': '|i1', 'fortran_order': True, 'shape': (1, 3, 1), }", new byte[] { 1, 254, 3 }, new long[] { 1, -2, 3 })]
    [InlineData("{'descr': '<u1', 'fortran_order': False, 'shape': (3L,), }", new byte[] { 1, 2, 3 }, new long[] { 1, 2, 3 })]
    [InlineData("{\"shape\":(2,1),\"fortran_order\":False,\"descr\":\"|u1\"}", new byte[] { 1, 2 }, new long[] { 1, 2 })]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", new byte[] { 9 }, new long[] { 9 })]
    public void EveryForm_IsRead(string header, byte[] data, long[] numbers)
    {
        using var file = NumpyFile.Open(Write([.. Said(header), .. data]));
        Assert.Equal(numbers, file.ReadIntegers());
        Assert.True(file.Type[2] != '1' || file.Type[0] == '|', file.Type);
    }

    [Fact]
    public void AnyBytes_NoOtherException()
    {
        byte[] valid = [.. NumpyFile.Header("|u1", [2, 3]), 1, 2, 3, 4, 5, 6];
        var changes = Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte).Array[1, 6];
        Gen.Select(changes, Gen.Int[0, valid.Length]).Sample(
            (edits, length) =>
            {
                var bytes = valid.ToArray();
                foreach (var (at, value) in edits)
                {
                    bytes[at] = value;
                }

                var path = Write(bytes[..length]);
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    using var file = NumpyFile.Open(path);
                    _ = file.ReadIntegers();
                }
                catch (InputException)
                {
                    // What a damaged file should give.
                }

                // A header of at most 64 KB as bytes, as text and as what is found in it.
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 18);
            },
            iter: 2_000,
            threads: 1);
    }

    private void Fails(string part, byte[] bytes)
    {
        var error = Assert.Throws<InputException>(() => NumpyFile.Open(Write(bytes)));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Contains("array.npy", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Said(string header) => [0x93, .. "NUMPY"u8, 1, 0, (byte)(header.Length + 1), 0, .. Encoding.ASCII.GetBytes(header + "\n")];

    private string Write(byte[] bytes)
    {
        var path = Path.Combine(_folder.Path, "array.npy");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
