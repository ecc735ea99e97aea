using System.IO.Compression;
using CsCheck;
using TorchSharp;
using WeakLink.Files;
using WeakLink.Interop;
using WeakLink.Runtime;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Files;

public sealed class PyTorchFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PyTorchFileTests() => NativeLibraries.Load();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryType_IsReadToTheBit(bool older)
    {
        using var scope = torch.NewDisposeScope();
        var tensors = new[] { torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.@bool }
            .ToDictionary(type => $"layer.{type}", type => (torch.randn(3, 4) * 5).to(type));
        tensors.Add("scalar", torch.tensor(7L));
        tensors.Add("empty", torch.zeros(0, 5));
        var read = Read(new PickleWriter().State(tensors), older);
        Assert.Equal(tensors.Keys.Order(), read.Keys.Order());
        foreach (var (name, tensor) in tensors)
        {
            Assert.True(read[name].is_contiguous());
            Assert.Equal((tensor.dtype, string.Join(',', tensor.shape)), (read[name].dtype, string.Join(',', read[name].shape)));
            Assert.True(tensor.bytes.SequenceEqual(read[name].bytes), name);
        }
    }

    [Theory]
    [InlineData("state_dict")]
    [InlineData("net")]
    [InlineData("model_state_dict")]
    public void Weights_AreFoundAmongOtherThings(string key)
    {
        using var scope = torch.NewDisposeScope();
        var state = new Dictionary<string, torch.Tensor> { ["fc.bias"] = torch.tensor(new float[] { 1, 2, 3 }) };
        var writer = new PickleWriter();
        writer.Dictionary(
            () =>
            {
                writer.Text("epoch").Number(200).Text("best").Raw((byte)'G', 0x3f, 0xe0, 0, 0, 0, 0, 0, 0).Text("done").Raw(0x88).Text("note").Raw((byte)'N');
                writer.Text("lrs").Raw((byte)']').Mark().Number(1).Number(-70000).Number(1L << 40).Raw((byte)'e');
                writer.Text("optimizer").Dictionary(() => writer.Number(0).Tensor(torch.zeros(2)), ordered: false);
                writer.Text(key).State(state);
            },
            ordered: false);
        Assert.Equal([1f, 2f, 3f], Read(writer)["fc.bias"].data<float>().ToArray());
    }

    [Fact]
    public void Views_AreCopied()
    {
        using var scope = torch.NewDisposeScope();
        var numbers = torch.arange(6, dtype: torch.float32);
        var writer = new PickleWriter().Storage("a", numbers.bytes.ToArray());
        writer.Dictionary(() => writer.Text("part").View("a", "FloatStorage", 6, 1, [2], [2]).Text("turned").View("a", "FloatStorage", 6, 2, [2, 2], [1, 2]));
        var read = Read(writer);
        Assert.Equal([1f, 3f], read["part"].data<float>().ToArray());
        Assert.Equal([2f, 4f, 3f, 5f], read["turned"].data<float>().ToArray());
    }

    // Python 3 writes a frame since protocol 4; protocol 1 writes digits.
    [Theory]
    [InlineData("80038a0a6cfc9c46f9206aa850192e")]
    [InlineData("8004950d000000000000008a0a6cfc9c46f9206aa850192e")]
    [InlineData("8005950d000000000000008a0a6cfc9c46f9206aa850192e")]
    [InlineData("4c3131393534373033373134363033383830313333333335364c0a2e")]
    public void OlderFormat_InAnyProtocol(string magic)
    {
        using var scope = torch.NewDisposeScope();
        File.WriteAllBytes(_folder["x.pt"], new PickleWriter().State(new Dictionary<string, torch.Tensor> { ["fc.bias"] = torch.tensor(new float[] { 1, 2, 3 }) }).Sequence(Convert.FromHexString(magic)));
        Assert.Equal([1f, 2f, 3f], PyTorchFile.Read(_folder["x.pt"])["fc.bias"].data<float>().ToArray());
    }

    // OrderedDict([[key, value], ...]), names as byte strings: what Python 2.7 reduces it to. Protocol 1 adds numbers as digits.
    [Fact]
    public void DictionariesOfPython2_AreRead()
    {
        using var scope = torch.NewDisposeScope();
        var writer = new PickleWriter();
        writer.Global("collections", "OrderedDict").Raw((byte)']').Mark();
        foreach (var (name, value) in new[] { ("fc.bias", 5f), ("fc.weight", 7f) })
        {
            writer.Raw((byte)']').Mark().Raw((byte)'U', (byte)name.Length).Raw([.. name.Select(letter => (byte)letter)]).Tensor(torch.tensor(new[] { value })).Raw((byte)'e');
        }

        writer.Raw((byte)']').Mark().Text("epoch").Raw("I90\n"u8.ToArray()).Raw((byte)'e');
        writer.Raw((byte)']').Mark().Text("step").Raw("L-3L\n"u8.ToArray()).Raw((byte)'e').Raw((byte)'e').Raw(0x85).Reduce();
        Assert.Equal(["fc.bias", "fc.weight"], Read(writer).Keys);
        Assert.Contains("described in an unknown way", Refused(new PickleWriter().Global("collections", "OrderedDict").Raw((byte)']').Mark().Number(1).Raw((byte)'e').Raw(0x85).Reduce().Archive()));
    }

    // One list of many pairs, given a thousand times.
    [Fact]
    public void DictionariesOfPython2_CanNotBeMadeWithoutEnd()
    {
        var writer = new PickleWriter().Raw((byte)']').Mark();
        for (var i = 0; i < 10_000; i++)
        {
            writer.Raw((byte)']').Mark().Number(i).Raw((byte)'N', (byte)'e');
        }

        writer.Raw((byte)'e').Raw((byte)'q', 0);
        for (var i = 0; i < 1_000; i++)
        {
            writer.Global("collections", "OrderedDict").Raw((byte)'h', 0).Raw(0x85).Reduce();
        }

        Assert.Contains("instructions", Refused(writer.Archive()));
    }

    [Fact]
    public void WeightsUnderAnyName_WhereThereIsOneNetwork()
    {
        using var scope = torch.NewDisposeScope();
        var state = new Dictionary<string, torch.Tensor> { ["fc.bias"] = torch.ones(3) };
        var writer = new PickleWriter();
        writer.Dictionary(() => writer.Text("epoch").Number(3).Text("model_ema").State(state), ordered: false);
        Assert.Equal("fc.bias", Assert.Single(Read(writer)).Key);
        writer = new PickleWriter();
        writer.Dictionary(() => writer.Text("generator").State(state).Text("discriminator").State(state), ordered: false);
        Assert.Contains("generator and discriminator", Refused(writer.Archive()));
    }

    // What timm and torchvision save: an argparse.Namespace, NumPy's score, a key that is a tuple.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatStandsBesideTheWeights_IsNotBuilt(bool older)
    {
        using var scope = torch.NewDisposeScope();
        var state = new Dictionary<string, torch.Tensor> { ["fc.bias"] = torch.ones(3) };
        var average = new Dictionary<string, torch.Tensor> { ["fc.bias"] = torch.zeros(3) };
        var writer = new PickleWriter();
        writer.Dictionary(
            () =>
            {
                writer.Text("args").Global("argparse", "Namespace").Raw((byte)')', 0x81).Dictionary(() => writer.Text("lr").Number(1), ordered: false).Raw((byte)'b');
                writer.Text("best").Global("numpy.core.multiarray", "scalar").Mark().Global("numpy", "dtype").Mark().Text("f8").Tuple().Reduce().Text("x").Tuple().Reduce();
                writer.Text("scores").Global("collections", "defaultdict").Raw((byte)')').Reduce().Mark().Text("a").Number(1).Raw((byte)'u');
                writer.Mark().Number(1).Tuple().Text("x");
                writer.Text("state_dict").State(state).Text("state_dict_ema").State(average);
            },
            ordered: false);
        Assert.Equal(1, Assert.Single(Read(writer, older)).Value.sum().ToDouble() / 3);
        using (var weights = ImportedWeights.Read(_folder["x.pt"]))
        {
            Assert.Contains("state_dict_ema", Assert.Single(weights.Notes));
        }

        Assert.Equal(0, PyTorchFile.Read(_folder["x.pt"], "state_dict_ema").Tensors["fc.bias"].sum().ToDouble());
        Assert.Contains("no weights under 'ema' (it has args, best, ", Assert.Throws<InputException>(() => PyTorchFile.Read(_folder["x.pt"], "ema")).Message);
        Assert.Contains("asks to run argparse.Namespace", Assert.Throws<InputException>(() => PyTorchFile.Read(_folder["x.pt"], "args")).Message);
    }

    [Fact]
    public void WhatIsNoTensor_InPlaceOfWeights_IsRefusedByName()
    {
        using var scope = torch.NewDisposeScope();
        var writer = new PickleWriter();
        writer.Dictionary(() => writer.Text("fc.bias").Tensor(torch.ones(3)).Text("fc.weight").Global("numpy", "ndarray").Raw((byte)')').Reduce());
        Assert.Contains("asks to run numpy.ndarray", Refused(writer.Archive()));
        writer = new PickleWriter();
        writer.Dictionary(() => writer.Text("epoch").Number(3).Text("model").Global("models", "Net").Raw((byte)')', 0x81), ordered: false);
        Assert.Contains("asks to run models.Net", Refused(writer.Archive()));
    }

    [Theory]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("torch.storage", "_load_from_bytes")]
    [InlineData("torch._utils", "_rebuild_tensor_v3")]
    public void AnythingThatRuns_IsRefusedByName(string module, string name)
    {
        var writer = new PickleWriter().Global(module, name).Mark().Text("touch /tmp/owned").Tuple().Reduce();
        var message = Refused(writer.Archive());
        Assert.Contains("asks to run", message);
        Assert.Contains(module, message);
    }

    // NEWOBJ, INST, OBJ, EXT1, PERSID of text, GET of text, BUILD of a tensor.
    [Theory]
    [InlineData(0x81)]
    [InlineData('i')]
    [InlineData('o')]
    [InlineData(0x82)]
    [InlineData('P')]
    [InlineData('g')]
    [InlineData('b')]
    public void UnknownInstructions_AreRefused(int code) => Refused(new PickleWriter().Raw((byte)')', (byte)')', (byte)code, 1, (byte)'\n', (byte)'\n').Archive());

    [Theory]
    [InlineData("reaches beyond", 4, 0, new long[] { 5 }, new long[] { 1 })]
    [InlineData("reaches beyond", 4, 2, new long[] { 3 }, new long[] { 1 })]
    [InlineData("reaches beyond", 4, 0, new long[] { 2, 2 }, new long[] { 3, 1 })]
    [InlineData("overlap", 4, 0, new long[] { 100_000 }, new long[] { 0 })]
    [InlineData("absurd shape", 4, 0, new long[] { long.MaxValue, 3 }, new long[] { 1, 1 })]
    [InlineData("absurd shape", 4, 0, new long[] { 0, long.MaxValue, 2 }, new long[] { 1, 1, 1 })]
    [InlineData("absurd shape", 4, 0, new long[] { 2, 2 }, new long[] { long.MaxValue, 1 })]
    [InlineData("impossible shape", 4, 0, new long[] { -1 }, new long[] { 1 })]
    [InlineData("impossible shape", 4, 0, new long[] { 1, 1 }, new long[] { 1 })]
    [InlineData("impossible shape", 4, -1, new long[] { 1 }, new long[] { 1 })]
    [InlineData("cut off or too many", 1L << 60, 0, new long[] { 4 }, new long[] { 1 })]
    [InlineData("cut off or too many", 3, 0, new long[] { 3 }, new long[] { 1 })]
    public void ImpossibleTensors_AreRefused(string reason, long count, long offset, long[] shape, long[] strides)
    {
        var writer = new PickleWriter().Storage("a", new byte[16]);
        writer.Dictionary(() => writer.Text("x").View("a", "FloatStorage", count, offset, shape, strides));
        Assert.Contains(reason, Refused(writer.Archive()));
    }

    // A network, what attacks it, its average before the first step: the same numbers under several names.
    [Fact]
    public void SharedStorage_IsReadOnce()
    {
        using var scope = torch.NewDisposeScope();
        var numbers = torch.arange(10_000, dtype: torch.float32);
        var writer = new PickleWriter().Storage("a", numbers.bytes.ToArray()).Storage("b", numbers[..1].bytes.ToArray());
        writer.Dictionary(() => writer
            .Text("one").View("a", "FloatStorage", 10_000, 0, [10_000], [1])
            .Text("other").View("a", "FloatStorage", 10_000, 0, [100, 100], [100, 1])
            .Text("slice").View("a", "FloatStorage", 10_000, 9_990, [10], [1])
            .Text("expanded").View("b", "FloatStorage", 1, 0, [4], [0]));
        var read = Read(writer);
        Assert.Equal(10_000, read["one"].numel());
        Assert.Equal(101f, read["other"][1, 1].item<float>());
        Assert.Equal(9_999f, read["slice"][9].item<float>());
        Assert.Equal(4, read["expanded"].numel());
        read["one"].fill_(5);
        Assert.Equal(5f, read["slice"][0].item<float>());
    }

    [Theory]
    [InlineData(50, 10_000, 1)]
    [InlineData(1, 1L << 40, 0)]
    public void SharedStorage_CanNotBeLookedAtWithoutEnd(int views, long count, long stride)
    {
        var writer = new PickleWriter().Storage("a", new byte[40_000]);
        writer.Dictionary(() =>
        {
            for (var i = 0; i < views; i++)
            {
                writer.Text($"x{i}").View("a", "FloatStorage", 10_000, 0, [count], [stride]);
            }
        });
        Assert.Contains("overlap", Refused(writer.Archive()));
    }

    [Fact]
    public void BadArchives_AreRefused()
    {
        using var scope = torch.NewDisposeScope();
        var state = new Dictionary<string, torch.Tensor> { ["x"] = torch.zeros(100_000) };
        var good = new PickleWriter().State(state).Archive();
        Assert.Contains("compressed", Refused(new PickleWriter().State(state).Archive(CompressionLevel.Optimal)));
        Assert.Contains("same name", Refused(new PickleWriter().State(state).Archive(more: ("version", [1]))));
        Assert.Contains("big-endian", Refused(new PickleWriter().State(state).Archive(more: ("byteorder", "big"u8.ToArray()))));
        Assert.Contains("TorchScript", Refused(new PickleWriter().State(state).Archive(more: ("constants.pkl", []))));
        // As torch.jit does.
        Assert.Contains("TorchScript", Refused(new PickleWriter().State(state).Archive(CompressionLevel.Optimal, ("x/constants.pkl", []))));
        Assert.Contains("2 times", Refused(new PickleWriter().State(state).Archive(more: ("x/data.pkl", []))));
        Assert.Contains("twice", Refused(new PickleWriter().State([.. state, .. state]).Archive()));
        Assert.Contains("no dictionary of weights", Refused(new PickleWriter().Number(3).Archive()));
        Assert.Contains("no weights by name", Refused(Nested()));
        Refused(good[..^1]);
        Refused(good[..(good.Length / 2)]);
        var damaged = (byte[])good.Clone();
        damaged[good.Length / 2] ^= 1;
        Assert.Contains("checksums", Refused(damaged));
        var older = new PickleWriter().State(state).Sequence();
        Assert.Contains("cut off", Refused(older[..^1]));
        Assert.Contains("cut off", Refused(older[..40]));
        Assert.Contains("not a safetensors file", Refused([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46]));
        Assert.Contains("nowhere.pt", Assert.Throws<InputException>(() => ImportedWeights.Read(_folder["nowhere.pt"])).Message);

        static byte[] Nested()
        {
            var writer = new PickleWriter();
            return writer.Dictionary(() => writer.Text("epoch").Number(3)).Archive();
        }
    }

    // Each instruction makes at most one small object, so the most that a pickle can ask for is bounded; what takes long here would take
    // long for everybody.
    [Theory]
    [InlineData(']')]
    [InlineData('}')]
    [InlineData('(')]
    [InlineData(')')]
    public void EndlessPickles_AreStopped(char code)
    {
        var endless = Enumerable.Repeat((byte)code, 3_000_000).ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<InvalidDataException>(() => new PickleReader(endless).Next());
        Assert.Contains("instructions", error.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000_000);
    }

    [Fact]
    public void AnyPickle_OnlyARefusal()
    {
        byte[] codes = [.. ")(]}lteasuqhQRbcNKJMXUGT"u8, 0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x93, 0x94, 0x95];
        byte[][] known = ["ctorch\nFloatStorage\n"u8.ToArray(), "ctorch._utils\n_rebuild_tensor_v2\n"u8.ToArray(), "ccollections\nOrderedDict\n"u8.ToArray(), "X\x07\0\0\0storage"u8.ToArray()];
        var piece = Gen.Frequency(
            (6, Gen.Int[0, codes.Length - 1].Select(at => new[] { codes[at] })),
            (2, Gen.Byte.Array[0, 4]),
            (1, Gen.Int[0, known.Length - 1].Select(at => known[at])));
        piece.Array[0, 60].Sample(
            pieces =>
            {
                try
                {
                    new PickleReader([.. pieces.SelectMany(bytes => bytes), (byte)'.']).Next();
                }
                catch (InvalidDataException)
                {
                    // What it should give.
                }
            },
            iter: 20_000,
            threads: 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnyDamage_OnlyARefusal(bool older)
    {
        byte[] good;
        using (torch.NewDisposeScope())
        {
            var writer = new PickleWriter().State(new Dictionary<string, torch.Tensor> { ["fc.weight"] = torch.randn(3, 4), ["fc.bias"] = torch.randn(3) });
            good = older ? writer.Sequence() : writer.Archive();
        }

        var before = LiveTensors.Before();
        Gen.Select(Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte).Array[0, 5], Gen.Int[0, good.Length]).Sample(
            (changes, length) =>
            {
                var bad = (byte[])good.Clone();
                foreach (var (at, value) in changes)
                {
                    bad[at] = value;
                }

                // Half of them whole: a zip archive that is cut off is refused at once.
                using var stream = new MemoryStream(bad, 0, length % 2 == 0 ? good.Length : length);
                try
                {
                    foreach (var tensor in PyTorchFile.Read(stream).Tensors.Values)
                    {
                        tensor.Dispose();
                    }
                }
                catch (Exception exception) when (exception is InvalidDataException or IOException)
                {
                    // What Read makes a sentence of.
                }
            },
            iter: 5_000,
            threads: 1);
        Assert.Equal(before, LiveTensors.After());
    }

    private Dictionary<string, torch.Tensor> Read(PickleWriter writer, bool older = false)
    {
        File.WriteAllBytes(_folder["x.pt"], older ? writer.Sequence() : writer.Archive());
        return PyTorchFile.Read(_folder["x.pt"]);
    }

    private string Refused(byte[] file)
    {
        File.WriteAllBytes(_folder["bad.pt"], file);
        var message = Assert.Throws<InputException>(() => ImportedWeights.Read(_folder["bad.pt"])).Message;
        Assert.Contains("bad.pt", message);
        Assert.DoesNotContain('\n', message);
        Assert.True(message.Length < 600, message);
        return message;
    }
}
