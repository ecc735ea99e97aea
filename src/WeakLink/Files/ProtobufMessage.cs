using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace WeakLink.Files;

/// <summary>
/// One message in the protocol buffer wire format. Written by hand because ONNX needs eight kinds of messages, which a code
/// generator would pay for with a third-party schema and a compiler in the build. Large fields are referred to, never copied.
/// </summary>
internal sealed class ProtobufMessage
{
    private const int VarInt = 0;
    private const int Delimited = 2;
    private const int Fixed32 = 5;

    private readonly List<ReadOnlyMemory<byte>> _parts = [];

    /// <summary>Bytes that the message takes.</summary>
    public long Length { get; private set; }

    /// <summary>Adds an integer or an enumeration.</summary>
    public ProtobufMessage Add(int field, long value) => Append((byte[])[.. Number((ulong)((field << 3) | VarInt)), .. Number((ulong)value)]);

    /// <summary>Adds a float.</summary>
    public ProtobufMessage Add(int field, float value)
    {
        var bytes = new byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        return Append((byte[])[.. Number((ulong)((field << 3) | Fixed32)), .. bytes]);
    }

    /// <summary>Adds text.</summary>
    public ProtobufMessage Add(int field, string text) => Add(field, Encoding.UTF8.GetBytes(text));

    /// <summary>Adds bytes.</summary>
    public ProtobufMessage Add(int field, ReadOnlyMemory<byte> bytes) => Start(field, bytes.Length).Append(bytes);

    /// <summary>Adds a message, which must be complete.</summary>
    public ProtobufMessage Add(int field, ProtobufMessage message)
    {
        Start(field, message.Length);
        foreach (var part in message._parts)
        {
            Append(part);
        }

        return this;
    }

    /// <summary>The SHA-256 of the message so far, in hexadecimal.</summary>
    public string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in _parts)
        {
            hash.AppendData(part.Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Writes the message.</summary>
    public void WriteTo(Stream stream)
    {
        foreach (var part in _parts)
        {
            stream.Write(part.Span);
        }
    }

    private ProtobufMessage Start(int field, long length) => Append((byte[])[.. Number((ulong)((field << 3) | Delimited)), .. Number((ulong)length)]);

    private ProtobufMessage Append(ReadOnlyMemory<byte> part)
    {
        _parts.Add(part);
        Length += part.Length;
        return this;
    }

    // Seven bits a byte, the lowest first; the eighth says that more follow.
    private static List<byte> Number(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        bytes.Add((byte)value);
        return bytes;
    }
}
