using System.Buffers.Binary;
using System.Text;
using CsCheck;
using TorchSharp;
using WeakLink.Interop;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Interop;

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

                // Only a name, a text or the padding can change unnoticed.
                Assert.False(cut);
                Assert.InRange(at, 8, good.Length - 1 - (46 * 4));
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

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""", 4, "header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "impossible")]
    [InlineData("""{"a":{"dtype":"OBJ","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown type")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "longer")]
    public void MaliciousHeader_IsRefused(string header, int data, string reason)
    {
        using var folder = new TemporaryFolder();
        var text = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + text.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(file, text.Length);
        text.CopyTo(file, 8);
        File.WriteAllBytes(folder["x.safetensors"], file);
        Assert.Contains(reason, Assert.Throws<InputException>(() => SafeTensors.Read(folder["x.safetensors"])).Message);
    }

    [Fact]
    public void MissingFile_IsASentence() => Assert.Contains("nowhere", Assert.Throws<InputException>(() => SafeTensors.Read("/nowhere/x.safetensors")).Message);
}
