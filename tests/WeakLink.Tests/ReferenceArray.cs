using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using TorchSharp;
using WeakLink.Runtime;

namespace WeakLink.Tests;

/// <summary>Reads the .npy files of the reference vectors (NumPy format specification, version 1.0).</summary>
internal static partial class ReferenceArray
{
    public static torch.Tensor Read(string path)
    {
        NativeLibraries.Load();
        var file = File.ReadAllBytes(path);
        var headerLength = BitConverter.ToUInt16(file, 8);
        var header = Encoding.ASCII.GetString(file, 10, headerLength);
        Assert.Contains("'fortran_order': False", header, StringComparison.Ordinal);
        var shape = Shape().Match(header).Groups[1].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(size => long.Parse(size, CultureInfo.InvariantCulture)).ToArray();
        var data = file.AsSpan(10 + headerLength);
        return Kind().Match(header).Groups[1].Value switch
        {
            "<f4" => torch.tensor(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(data).ToArray(), shape),
            "<f8" => torch.tensor(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(data).ToArray(), shape),
            "<i8" => torch.tensor(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(data).ToArray(), shape),
            "|u1" => torch.tensor(data.ToArray(), shape),
            var other => throw new NotSupportedException($"{path}: {other}"),
        };
    }

    [GeneratedRegex(@"'shape': \(([^)]*)\)")]
    private static partial Regex Shape();

    [GeneratedRegex("'descr': '([^']*)'")]
    private static partial Regex Kind();
}
