using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 792 and RFC 4443: the part that both share.</summary>
public readonly ref struct IcmpMessage
{
    public const int HeaderLength = 8;

    readonly ReadOnlySpan<byte> _bytes;

    IcmpMessage(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public byte Type => _bytes[0];
    public byte Code => _bytes[1];

    /// <summary>Identifier of an echo; other meanings in other types.</summary>
    public ushort Identifier => BinaryPrimitives.ReadUInt16BigEndian(_bytes[4..]);
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    /// <summary>Echo request or reply (types 8 and 0, in ICMPv6 128 and 129), code 0.</summary>
    public bool IsEcho(bool v6, out bool isReply)
    {
        isReply = Type == (v6 ? 129 : 0);
        return Code == 0 && (isReply || Type == (v6 ? 128 : 8));
    }

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out IcmpMessage message)
    {
        message = default;
        if (bytes.Length < HeaderLength) return DecodeFault.IcmpHeaderTooShort;
        message = new IcmpMessage(bytes);
        return DecodeFault.None;
    }

    /// <summary>The type of the message that answers <paramref name="type"/>, or -1 for a one-way type.</summary>
    public static int CounterType(byte type, bool v6) => v6
        ? type switch { 128 => 129, 129 => 128, 133 => 134, 134 => 133, 135 => 136, 136 => 135, 130 => 131, 131 => 130, 144 => 145, 145 => 144, 139 => 140, 140 => 139, _ => -1 }
        : type switch { 8 => 0, 0 => 8, 13 => 14, 14 => 13, 15 => 16, 16 => 15, 17 => 18, 18 => 17, 10 => 9, 9 => 10, _ => -1 };
}
