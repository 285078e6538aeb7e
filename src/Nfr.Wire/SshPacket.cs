using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 4253 6, a binary packet before keys are taken into use (no MAC). Every getter is safe once <see cref="TryRead"/> has said Complete.</summary>
public readonly ref struct SshPacket
{
    public const int HeaderLength = 5;

    /// <summary>RFC 4253 6.1: every implementation takes packets up to this size; a hello of keys is far smaller.</summary>
    public const int MaximumLength = 35_000;

    SshPacket(ReadOnlySpan<byte> payload, int length)
    {
        Payload = payload;
        Length = length;
    }

    /// <summary>Message number and message; at least one byte.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Of the whole packet with its length field and padding.</summary>
    public int Length { get; }

    public static ReadState TryRead(ReadOnlySpan<byte> bytes, out SshPacket packet, out DecodeFault fault)
    {
        packet = default;
        fault = DecodeFault.None;
        if (bytes.Length < 4) return ReadState.NeedMore;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (length is < 3 or > MaximumLength - 4)
        {
            fault = DecodeFault.SshPacketLengthInvalid;
            return ReadState.Invalid;
        }
        if (bytes.Length < 4 + (int)length) return ReadState.NeedMore;
        int padding = bytes[4];
        if (padding + 2 > length)
        {
            fault = DecodeFault.SshPacketLengthInvalid;
            return ReadState.Invalid;
        }
        packet = new SshPacket(bytes.Slice(HeaderLength, (int)length - padding - 1), 4 + (int)length);
        return ReadState.Complete;
    }
}
