using System.Buffers.Binary;
using System.Text;
using CsCheck;
using TorchSharp;
using WeakLink.Files;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Files;

public class SafeTensorsTests
{
    [Fact]
    public void EveryType_IsReadBackToTheBit()
    {
        using var scope = torch.NewDisposeScope();
        using var folder = new TemporaryFolder();
        var tensors = new[] { torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.@bool }
            .ToDictionary(type => $"layer.{type}", type => (torch.randn(3, 4) * 5).to(type));
        tensors.Add("scalar", torch.tensor(7L));
        tensors.Add("empty", torch.zeros(0, 5));
        tensors.Add("not contiguous", torch.randn(4, 6).t());
        SafeTensors.Write(folder["a.safetensors"], tensors, new Dictionary<string, string> { ["text"] = "\"quoted\"\nline, ρ" });
        var (read, metadata) = SafeTensors.Read(folder["a.safetensors"]);
        Assert.Equal("\"quoted\"\nline, ρ", Assert.Single(metadata).Value);
        Assert.Equal(tensors.Keys.Order(), read.Keys.Order());
        foreach (var (name, tensor) in tensors)
        {
            Assert.Equal(tensor.dtype, read[name].dtype);
            Assert.Equal(tensor.shape, read[name].shape);
            Assert.True(tensor.contiguous().bytes.SequenceEqual(read[name].bytes), name);
        }
    }

    [Fact]
    public void Layout_IsThePublishedOne()
    {
        using var scope = torch.NewDisposeScope();
        using var folder = new TemporaryFolder();
        // Written by hand from the format's description, as any other tool would.
        var header = Encoding.UTF8.GetBytes("""{"__metadata__":{"by":"hand"},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}  """);
        var file = new byte[8 + header.Length + 12];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(8 + header.Length), -5);
        BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(12 + header.Length), 1.5f);
        BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(16 + header.Length), -2f);
        File.WriteAllBytes(folder["hand.safetensors"], file);
        var (read, metadata) = SafeTensors.Read(folder["hand.safetensors"]);
        Assert.Equal("hand", metadata["by"]);
        Assert.Equal(-5, read["a"].item<int>());
        Assert.Equal([1.5f, -2f], read["b"].data<float>().ToArray());
    }

    [Fact]
    public void AnyDamage_IsASentence_NeverACrash()
    {
        using var folder = new TemporaryFolder();
        using (torch.NewDisposeScope())
        {
            SafeTensors.Write(folder["good.safetensors"], new Dictionary<string, torch.Tensor> { ["a"] = torch.randn(40), ["b"] = torch.randn(2, 3) }, new Dictionary<string, string> { ["k"] = "v" });
        }

        var good = File.ReadAllBytes(folder["good.safetensors"]);
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Int[1, 255], Gen.Bool).Sample((at, change, cut) =>
        {
            var bad = cut ? good[..at] : (byte[])good.Clone();
            if (!cut)
            {
                bad[at] ^= (byte)change;
            }

            var path = folder[$"bad-{Guid.NewGuid()}.safetensors"];
            File.WriteAllBytes(path, bad);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                foreach (var tensor in SafeTensors.Read(path).Tensors.Values)
                {
                    tensor.Dispose();
                }

                Assert.Fail($"byte {at} changed unnoticed");
            }
            catch (InputException exception)
            {
                Assert.Contains(path, exception.Message);
            }

            // The reader's buffer is 64 KB, the file less than one.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 18);
            File.Delete(path);
        }, iter: 2000, threads: 1);
    }

    // As version 0.1.0 wrote them: the checksum of the tensors alone.
    [Fact]
    public void FormerFiles_AreRead_AndTheirTensorsChecked()
    {
        using var folder = new TemporaryFolder();
        byte[] data = [0, 0, 128, 63];
        var checksum = System.IO.Hashing.XxHash3.HashToUInt64(data).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
        var header = $$$"""{"__metadata__":{"by":"0.1.0","weaklink.xxh3":"{{{checksum}}}"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""";
        File.WriteAllBytes(folder["x.safetensors"], Raw(header, data));
        using (var read = SafeTensors.Read(folder["x.safetensors"]))
        {
            Assert.Equal((Vouched.Tensors, "by", 1f), (read.Vouched, Assert.Single(read.Metadata).Key, read.Tensors["a"].item<float>()));
        }

        File.WriteAllBytes(folder["x.safetensors"], Raw(header, [1, 0, 128, 63]));
        Assert.Contains("checksum", Assert.Throws<InputException>(() => SafeTensors.Read(folder["x.safetensors"])).Message);
    }

    // Saved again by another program, which keeps the metadata and writes the header in its own way.
    [Theory]
    [InlineData("weaklink.header")]
    [InlineData("weaklink.tensors")]
    public void ChecksumThatNothingWasCheckedBy_IsRefused(string key)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["x.safetensors"], Raw($$$"""{ "__metadata__": {"{{{key}}}": "0123456789abcdef"}, "a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", new byte[4]));
        Assert.Contains("changed after WeakLink wrote it", Assert.Throws<InputException>(() => SafeTensors.Read(folder["x.safetensors"])).Message);
    }

    [Fact]
    public void EndlessTensors_AreRefused()
    {
        using var folder = new TemporaryFolder();
        var entries = string.Join(',', Enumerable.Range(0, 100_001).Select(i => $$"""
            "{{i}}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}
            """));
        File.WriteAllBytes(folder["x.safetensors"], Raw($"{{{entries}}}", []));
        Assert.Contains("more than 100,000 tensors", Assert.Throws<InputException>(() => SafeTensors.Read(folder["x.safetensors"])).Message);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "header")]
    [InlineData("""{"__metadata__":{"a":{"b":"c"}}}""", 0, "header")]
    [InlineData("""{"__metadata__":[[[[[[[[[[]]]]]]]]]]}""", 0, "header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""", 4, "header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "impossible")]
    [InlineData("""{"a":{"dtype":"OBJ","shape":[1],"data_offsets":[0,4]}}""", 4, "does not read")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "longer")]
    public void MaliciousHeader_IsRefused(string header, int data, string reason)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["x.safetensors"], Raw(header, new byte[data]));
        Assert.Contains(reason, Assert.Throws<InputException>(() => SafeTensors.Read(folder["x.safetensors"])).Message);
    }

    [Fact]
    public void ATensorLongerThanMemoryAllows_IsASentence()
    {
        using var folder = new TemporaryFolder();
        var header = Encoding.UTF8.GetBytes("""{"embedding":{"dtype":"F32","shape":[600000000],"data_offsets":[0,2400000000]}}""");
        using (var file = File.Create(folder["a.safetensors"]))
        {
            file.Write(BitConverter.GetBytes((long)header.Length));
            file.Write(header);
            // Holes: the file takes no room.
            file.SetLength(8 + header.Length + 2_400_000_000L);
        }

        Assert.Contains("'embedding' of 2.4 GB", Assert.Throws<InputException>(() => SafeTensors.Read(folder["a.safetensors"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingFile_IsASentence() => Assert.Contains("nowhere", Assert.Throws<InputException>(() => SafeTensors.Read("/nowhere/x.safetensors")).Message);

    private static byte[] Raw(string header, byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        return [.. length, .. text, .. data];
    }
}
