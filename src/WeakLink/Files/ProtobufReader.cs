using System.Buffers.Binary;
using System.Text;

namespace WeakLink.Files;

/// <summary>One field of a message in the protocol buffer wire format.</summary>
/// <param name="Number">Which field.</param>
/// <param name="Value">An integer, or the bits of a fixed number; 0 of others.</param>
/// <param name="Bytes">Text, bytes, a message or packed numbers; empty of others.</param>
/// <param name="IsDelimited">Whether it is <paramref name="Bytes"/>.</param>
internal readonly record struct ProtobufField(int Number, ulong Value, ReadOnlyMemory<byte> Bytes, bool IsDelimited)
{
    /// <summary>The field as text.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes.Span);

    /// <summary>The field as a float.</summary>
    public float Float => BitConverter.UInt32BitsToSingle((uint)Value);

    /// <summary>The integers of a repeated field, packed or one of them.</summary>
    /// <exception cref="InvalidDataException">They are cut off.</exception>
    public IEnumerable<long> Integers()
    {
        if (!IsDelimited)
        {
            yield return (long)Value;
            yield break;
        }

        for (var at = 0; at < Bytes.Length;)
        {
            yield return (long)ProtobufReader.VarInt(Bytes.Span, ref at);
        }
    }
}

/// <summary>Reads messages in the protocol buffer wire format, without copying anything. The counterpart of <see cref="ProtobufMessage"/>.</summary>
internal static class ProtobufReader
{
    private const int VarIntType = 0, Fixed64Type = 1, DelimitedType = 2, Fixed32Type = 5;

    /// <summary>The fields of a message, in their order.</summary>
    /// <param name="message">The message.</param>
    /// <exception cref="InvalidDataException">It is cut off or damaged; the message is part of a sentence.</exception>
    public static IEnumerable<ProtobufField> Fields(ReadOnlyMemory<byte> message)
    {
        for (var at = 0; at < message.Length;)
        {
            var key = VarInt(message.Span, ref at);
            var number = key >> 3 is > 0 and < int.MaxValue and var known ? (int)known : throw Damaged();
            switch ((int)(key & 7))
            {
                case VarIntType:
                    yield return new(number, VarInt(message.Span, ref at), default, false);
                    break;
                case Fixed64Type:
                    yield return new(number, BinaryPrimitives.ReadUInt64LittleEndian(Next(message, ref at, sizeof(ulong)).Span), default, false);
                    break;
                case Fixed32Type:
                    yield return new(number, BinaryPrimitives.ReadUInt32LittleEndian(Next(message, ref at, sizeof(uint)).Span), default, false);
                    break;
                case DelimitedType:
                    yield return new(number, 0, Next(message, ref at, VarInt(message.Span, ref at)), true);
                    break;
                default:
                    throw Damaged();
            }
        }
    }

    /// <summary>An integer of seven bits a byte, the lowest first.</summary>
    internal static ulong VarInt(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = at < bytes.Length ? bytes[at++] : throw Damaged();
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Damaged();
    }

    private static ReadOnlyMemory<byte> Next(ReadOnlyMemory<byte> message, ref int at, ulong length)
    {
        if (length > (ulong)(message.Length - at))
        {
            throw Damaged();
        }

        at += (int)length;
        return message.Slice(at - (int)length, (int)length);
    }

    private static InvalidDataException Damaged() => new("it is cut off or damaged");
}
