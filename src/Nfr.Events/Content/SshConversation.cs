using Nfr.Wire;

namespace Nfr.Events;

/// <summary>How far each side of an SSH connection has been read.</summary>
struct SshState
{
    public SshSide Out;
    public SshSide In;
    /// <summary>Segments of a side that is done while the other is still silent.</summary>
    public int Waiting;
}

enum SshSide : byte
{
    /// <summary>The identification is still to come; a server may send other lines before it.</summary>
    Lines,
    /// <summary>The first binary packet is next.</summary>
    Packet,
    Done,
}

/// <summary>SSH (RFC 4253): the identification and the first key exchange message of each side; all after that is encrypted.</summary>
static class SshConversation
{
    /// <summary>RFC 4253 sets no limit to the lines before an identification; a longer one is passed over in pieces.</summary>
    const int MaximumLine = 1024;

    /// <summary>The other side is not seen at all: nothing is waited for.</summary>
    const int MaximumWaiting = 32;

    public static int OnBytes(Conversation c, int direction, ReadOnlySpan<byte> bytes, long[] faults)
    {
        ref SshState s = ref c.Ssh;
        ref SshSide side = ref direction == 0 ? ref s.Out : ref s.In;
        int consumed = side switch
        {
            SshSide.Lines => OnLines(c, direction, ref side, bytes, faults),
            SshSide.Packet => OnPacket(c, direction, ref side, bytes, faults),
            _ => bytes.Length,
        };
        if (s.Out == SshSide.Done && s.In == SshSide.Done) c.Kind = ConversationKind.Done;
        else if (side == SshSide.Done && ++s.Waiting >= MaximumWaiting) c.Kind = ConversationKind.Done;
        return consumed;
    }

    static int OnLines(Conversation c, int direction, ref SshSide side, ReadOnlySpan<byte> bytes, long[] faults)
    {
        // The identification went by before anything was recognised (or was lost): a packet's length is below 2^24, and no text begins with 0.
        if (bytes[0] == 0)
        {
            side = SshSide.Packet;
            return 0;
        }
        int end = bytes.IndexOf((byte)'\n');
        if (end < 0)
        {
            if (bytes.Length < MaximumLine) return 0;
            if (SshIdentification.IsIdentification(bytes)) Refuse(ref side, DecodeFault.SshIdentificationTooLong, faults);
            return bytes.Length;
        }
        ReadOnlySpan<byte> line = bytes[..end];
        if (!SshIdentification.IsIdentification(line)) return end + 1;
        DecodeFault fault = SshIdentification.TryRead(line, out SshIdentification identification);
        if (fault != DecodeFault.None)
        {
            Refuse(ref side, fault, faults);
            return end + 1;
        }
        if (direction == 0) c.Found.SetClientSoftware(identification.Software);
        else c.Found.SetServerSoftware(identification.Software);
        c.HasFound = true;
        // SSH 1 has another packet, and no lists.
        side = identification.IsVersion2 ? SshSide.Packet : SshSide.Done;
        return end + 1;
    }

    static int OnPacket(Conversation c, int direction, ref SshSide side, ReadOnlySpan<byte> bytes, long[] faults)
    {
        switch (SshPacket.TryRead(bytes, out SshPacket packet, out DecodeFault fault))
        {
            case ReadState.NeedMore:
                return 0;
            case ReadState.Complete:
                fault = OnKexInit(c, direction, packet.Payload);
                break;
        }
        if (fault != DecodeFault.None) Refuse(ref side, fault, faults);
        side = SshSide.Done;
        return bytes.Length;
    }

    static DecodeFault OnKexInit(Conversation c, int direction, ReadOnlySpan<byte> payload)
    {
        // A side may say goodbye, or something to ignore, first (RFC 4253 11); there is no fingerprint then.
        if (payload[0] != SshKexInit.MessageNumber) return DecodeFault.None;
        DecodeFault fault = SshKexInit.TryRead(payload, out SshKexInit init);
        if (fault != DecodeFault.None || !Hassh.TryHash(init, direction == 1, out UInt128 hash)) return fault;
        if (direction == 0) (c.Found.HasHassh, c.Found.Hassh) = (true, hash);
        else (c.Found.HasHasshServer, c.Found.HasshServer) = (true, hash);
        c.HasFound = true;
        return DecodeFault.None;
    }

    static void Refuse(ref SshSide side, DecodeFault fault, long[] faults)
    {
        faults[(int)fault]++;
        side = SshSide.Done;
    }
}
