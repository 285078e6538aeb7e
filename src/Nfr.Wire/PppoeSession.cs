using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>The session stage of PPP over Ethernet, RFC 2516 4. Every getter is safe once <see cref="TryRead"/> has said None.</summary>
public readonly ref struct PppoeSession
{
    public const int HeaderLength = 6;

    readonly ReadOnlySpan<byte> _bytes;

    PppoeSession(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ushort SessionId => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);

    /// <summary>A PPP frame, read by <see cref="PppFrame"/>.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out PppoeSession session)
    {
        session = default;
        if (bytes.Length < HeaderLength) return DecodeFault.PppTooShort;
        session = new PppoeSession(bytes);
        return DecodeFault.None;
    }
}
