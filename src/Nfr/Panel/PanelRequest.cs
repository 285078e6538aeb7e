using System.Buffers.Binary;

namespace Nfr.Panel;

enum PanelRequestKind : byte
{
    /// <summary>All alerts up to <see cref="PanelRequest.Sequence"/> have been seen by somebody.</summary>
    Acknowledge = 1,
}

/// <summary>
/// What the panel asks of the sensor: always <see cref="Length"/> bytes, numbers with the least byte first.
/// <code>
///  0  "NFRQ"   4  version u16   6  kind u8   7  nothing u8   8  sequence i64
/// </code>
/// </summary>
/// <param name="Kind">What is asked.</param>
/// <param name="Sequence">The newest alert that the person could see.</param>
readonly record struct PanelRequest(PanelRequestKind Kind, long Sequence)
{
    public const int Length = 16;

    static ReadOnlySpan<byte> Magic => "NFRQ"u8;

    public void Write(Span<byte> message)
    {
        message = message[..Length];
        Magic.CopyTo(message);
        BinaryPrimitives.WriteUInt16LittleEndian(message[4..], PanelMessage.Version);
        message[6] = (byte)Kind;
        message[7] = 0;
        BinaryPrimitives.WriteInt64LittleEndian(message[8..], Sequence);
    }

    public static PanelFault TryRead(ReadOnlySpan<byte> message, out PanelRequest request)
    {
        request = default;
        if (message.Length != Length) return PanelFault.WrongLength;
        if (!message.StartsWith(Magic)) return PanelFault.NotOurs;
        if (BinaryPrimitives.ReadUInt16LittleEndian(message[4..]) != PanelMessage.Version) return PanelFault.OtherVersion;
        long sequence = BinaryPrimitives.ReadInt64LittleEndian(message[8..]);
        if (message[6] != (byte)PanelRequestKind.Acknowledge || sequence < 0) return PanelFault.BadNumber;
        request = new PanelRequest((PanelRequestKind)message[6], sequence);
        return PanelFault.None;
    }
}
