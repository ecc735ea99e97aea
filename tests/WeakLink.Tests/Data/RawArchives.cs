using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace WeakLink.Tests.Data;

/// <summary>Archives byte for byte, as programs of all sorts have written them.</summary>
internal static class RawArchives
{
    /// <summary>A zip of stored files.</summary>
    public static byte[] Zip(params IEnumerable<(byte[] Name, byte[] Extra, byte[] Content)> entries)
    {
        using var file = new MemoryStream();
        using var directory = new MemoryStream();
        var count = 0;
        foreach (var (name, extra, content) in entries)
        {
            var offset = (uint)file.Length;
            byte[] common = [.. Short(20), .. Short(0), .. Short(0), .. Int(0), .. Int(Crc32.HashToUInt32(content)), .. Int((uint)content.Length), .. Int((uint)content.Length), .. Short(name.Length), .. Short(extra.Length)];
            file.Write([.. "PK\x3\x4"u8, .. common, .. name, .. extra, .. content]);
            directory.Write([.. "PK\x1\x2"u8, .. Short(20), .. common, .. Short(0), .. Short(0), .. Short(0), .. Int(0), .. Int(offset), .. name, .. extra]);
            count++;
        }

        var start = (uint)file.Length;
        file.Write(directory.ToArray());
        file.Write([.. "PK\x5\x6"u8, .. Int(0), .. Short(count), .. Short(count), .. Int((uint)directory.Length), .. Int(start), .. Short(0)]);
        return file.ToArray();
    }

    /// <summary>Info-ZIP's Unicode path field.</summary>
    public static byte[] UnicodePath(byte[] name, string path)
    {
        var utf8 = Encoding.UTF8.GetBytes(path);
        return [.. Short(0x7075), .. Short(utf8.Length + 5), 1, .. Int(Crc32.HashToUInt32(name)), .. utf8];
    }

    /// <summary>A tar of entries with a type: 0 for files, x for pax records, L for GNU's long names.</summary>
    public static byte[] Tar(params IEnumerable<(byte[] Name, char Type, byte[] Content)> entries)
    {
        using var file = new MemoryStream();
        foreach (var (name, type, content) in entries)
        {
            var header = new byte[512];
            name.CopyTo(header, 0);
            Encoding.ASCII.GetBytes($"0000644\00000000\00000000\0{Convert.ToString(content.Length, 8).PadLeft(11, '0')}\000000000000\0        {type}").CopyTo(header, 100);
            Encoding.ASCII.GetBytes($"{Convert.ToString(header.Sum(one => one), 8).PadLeft(6, '0')}\0 ").CopyTo(header, 148);
            file.Write(header);
            file.Write(content);
            file.Write(new byte[-content.Length & 511]);
        }

        file.Write(new byte[1024]);
        return file.ToArray();
    }

    /// <summary>A pax record.</summary>
    public static byte[] Pax(string key, byte[] value)
    {
        byte[] rest = [.. Encoding.UTF8.GetBytes($" {key}="), .. value, (byte)'\n'];
        var length = rest.Length + 2;
        return [.. Encoding.ASCII.GetBytes($"{(length < 100 ? length : length + 1)}"), .. rest];
    }

    private static byte[] Short(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
        return bytes;
    }

    private static byte[] Int(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
