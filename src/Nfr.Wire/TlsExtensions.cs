using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Nfr.Wire;

/// <summary>ExtensionType values (RFC 8446 4.2 and IANA's registry) that the sensor reads.</summary>
public static class TlsExtensionType
{
    public const ushort ServerName = 0, SupportedGroups = 10, EcPointFormats = 11, SignatureAlgorithms = 13,
        ApplicationLayerProtocolNegotiation = 16, SessionTicket = 35, PreSharedKey = 41, SupportedVersions = 43,
        EncryptedClientHello = 0xFE0D;
}

/// <summary>RFC 8701: the values that clients sprinkle in so that servers keep ignoring what they do not know.</summary>
public static class Grease
{
    /// <summary>0x0A0A, 0x1A1A … 0xFAFA.</summary>
    public static bool Is(ushort value) => (value & 0x0F0F) == 0x0A0A && value >> 8 == (value & 0xFF);
}

/// <summary>A vector of 16-bit values: cipher suites, groups, versions, signature schemes. An odd last byte is not counted.</summary>
public readonly ref struct TlsValues
{
    readonly ReadOnlySpan<byte> _bytes;
    internal TlsValues(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public int Count => _bytes.Length / 2;
    /// <summary><paramref name="index"/> is below <see cref="Count"/>.</summary>
    public ushort this[int index] => BinaryPrimitives.ReadUInt16BigEndian(_bytes[(2 * index)..]);
}

/// <summary>
/// Walks a checked extensions block, RFC 8446 4.2, in the order of the wire. Only the hello views make one, after they found every
/// extension whole, so it cannot fail.
/// </summary>
public ref struct TlsExtensions
{
    ReadOnlySpan<byte> _rest;
    internal TlsExtensions(ReadOnlySpan<byte> block) => _rest = block;

    public ushort Type { get; private set; }
    public ReadOnlySpan<byte> Data { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (_rest.Length < 4) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(_rest[2..]);
        if (_rest.Length - 4 < length) return false;
        Type = BinaryPrimitives.ReadUInt16BigEndian(_rest);
        Data = _rest.Slice(4, length);
        _rest = _rest[(4 + length)..];
        return true;
    }

    /// <summary>True when extensions fill the block to its last byte.</summary>
    internal static bool AreWhole(ReadOnlySpan<byte> block)
    {
        var walk = new TlsExtensions(block);
        while (walk.MoveNext()) { }
        return walk._rest.IsEmpty;
    }

    /// <summary>
    /// The block after a hello's fixed part: absent is good (RFC 5246 7.4.1.2), bytes that are no block (one alone, or what comes
    /// after it) are ignored, a length that the message does not hold is a fault.
    /// </summary>
    internal static DecodeFault TryReadBlock(ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> block)
    {
        block = default;
        if (rest.Length < 2) return DecodeFault.None;
        int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length - 2 < length) return DecodeFault.TlsHelloTruncated;
        if (!AreWhole(rest.Slice(2, length))) return DecodeFault.TlsExtensionTruncated;
        block = rest.Slice(2, length);
        return DecodeFault.None;
    }

    /// <summary>A vector with a length of two bytes; one that claims too much gives what is there.</summary>
    internal static ReadOnlySpan<byte> Vector16(ReadOnlySpan<byte> data)
    {
        if (data.Length < 2) return default;
        int length = BinaryPrimitives.ReadUInt16BigEndian(data);
        return data.Slice(2, Math.Min(length, data.Length - 2));
    }

    /// <summary>A vector with a length of one byte; one that claims too much gives what is there.</summary>
    internal static ReadOnlySpan<byte> Vector8(ReadOnlySpan<byte> data) =>
        data.IsEmpty ? default : data.Slice(1, Math.Min(data[0], data.Length - 1));
}

/// <summary>Walks a ProtocolNameList, RFC 7301 3.1, up to the first name that is not whole.</summary>
public ref struct TlsProtocolNames
{
    ReadOnlySpan<byte> _rest;
    internal TlsProtocolNames(ReadOnlySpan<byte> list) => _rest = list;

    public ReadOnlySpan<byte> Current { get; private set; }

    public bool MoveNext()
    {
        if (_rest.IsEmpty || _rest.Length - 1 < _rest[0]) return false;
        Current = _rest.Slice(1, _rest[0]);
        _rest = _rest[(1 + Current.Length)..];
        return true;
    }
}
