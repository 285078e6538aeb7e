using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>Machines: Modbus, S7, IEC 60870-5-104, DNP3, BACnet, EtherNet/IP.</summary>
static class IndustryShapes
{
    /// <summary>Modbus/TCP: protocol 0, a length that is the rest of the segment, a public function or its exception.</summary>
    public static bool IsModbus(ReadOnlySpan<byte> b, int direction)
    {
        if (b.Length < 8 || b.Length > 260 || ReadUInt16BigEndian(b[2..]) != 0 || ReadUInt16BigEndian(b[4..]) != b.Length - 6) return false;
        if (b[7] >= 0x80) return b.Length == 9 && (b[7] & 0x7F) <= 43 && b[8] is > 0 and <= 11;
        // 0x5A is Schneider's own, on most of its controllers.
        return b[7] switch
        {
            >= 1 and <= 4 => direction == 0 ? b.Length == 12 : b.Length > 8 && b.Length == 9 + b[8],
            5 or 6 => b.Length == 12,
            7 or 11 or 12 or 17 => true,
            8 => b.Length >= 12,
            15 or 16 => direction == 1 ? b.Length == 12 : b.Length > 13 && b.Length == 13 + b[12],
            >= 20 and <= 24 or 43 or 0x5A => true,
            _ => false,
        };
    }

    /// <summary>
    /// S7 in COTP: a connection request whose called selector names a Siemens device (connection type 1 to 3, or "SIMATIC"), or S7's own
    /// marker 0x32 or 0x72 in a data packet.
    /// </summary>
    public static bool IsS7(ReadOnlySpan<byte> b)
    {
        if (b.Length < 8 || b[0] != 3 || b[1] != 0 || ReadUInt16BigEndian(b[2..]) > Math.Max(b.Length, 240)) return false;
        if (b[5] == 0xF0) return b[4] == 2 && b[7] is 0x32 or 0x72;
        if (!WindowsShapes.IsTransportOpening(b)) return false;
        if (b.IndexOf("SIMATIC"u8) > 0) return true;
        ReadOnlySpan<byte> parameters = b[11..];
        while (parameters.Length >= 2 && parameters[1] <= parameters.Length - 2)
        {
            if (parameters[0] == 0xC2) return parameters[1] == 2 && parameters[2] is >= 1 and <= 3;
            parameters = parameters[(2 + parameters[1])..];
        }
        return false;
    }

    /// <summary>IEC 60870-5-104 5.1: units that begin with 0x68 and a length and fill the segment; the first is a start, a test, or carries a known type.</summary>
    public static bool IsIec104(ReadOnlySpan<byte> b)
    {
        if (b.Length < 6 || b[0] != 0x68) return false;
        bool known = (b[2] & 3) switch
        {
            3 => b[1] == 4 && b[2] is 0x07 or 0x0B or 0x13 or 0x23 or 0x43 or 0x83 && (b[3] | b[4] | b[5]) == 0,
            1 => b[1] == 4 && b[2] == 1 && b[3] == 0 && (b[4] & 1) == 0,
            _ => b[1] >= 10 && b.Length > 8 && b[7] != 0 && b[6] is (> 0 and <= 21) or (>= 30 and <= 40) or (>= 45 and <= 51) or (>= 58 and <= 64) or 70 or (>= 100 and <= 113) or (>= 120 and <= 127) && (b[8] & 0x3F) is > 0 and < 48,
        };
        if (!known) return false;
        while (b.Length >= 2 && b[0] == 0x68 && b[1] is >= 4 and <= 253 && b.Length >= 2 + b[1]) b = b[(2 + b[1])..];
        return b.IsEmpty;
    }

    /// <summary>IEEE 1815 9.2: two fixed bytes, a length, and the header's own check sum.</summary>
    public static bool IsDnp3(ReadOnlySpan<byte> b)
    {
        if (b.Length < 10 || b[0] != 0x05 || b[1] != 0x64 || b[2] < 5) return false;
        uint sum = 0;
        foreach (byte value in b[..8])
        {
            sum ^= value;
            for (int i = 0; i < 8; i++) sum = (sum & 1) != 0 ? (sum >> 1) ^ 0xA6BC : sum >> 1;
        }
        return (ushort)~sum == ReadUInt16LittleEndian(b[8..]);
    }

    /// <summary>
    /// EtherNet/IP (CIP volume 2, 2-3): one of the commands that stand before a session (list services, identities, interfaces; register), a length that ends
    /// where the segment does, success, and no options.
    /// </summary>
    public static bool IsEnip(ReadOnlySpan<byte> b)
    {
        const int HeaderLength = 24;
        if (b.Length < HeaderLength || ReadUInt16LittleEndian(b[2..]) != b.Length - HeaderLength || ReadUInt32LittleEndian(b[8..]) != 0 || ReadUInt32LittleEndian(b[20..]) != 0) return false;
        uint session = ReadUInt32LittleEndian(b[4..]);
        return ReadUInt16LittleEndian(b) switch
        {
            0x04 or 0x63 or 0x64 => session == 0,
            // Version 1 and no flags; the answer names the session.
            0x65 => b.Length == HeaderLength + 4 && ReadUInt32LittleEndian(b[HeaderLength..]) == 1,
            _ => false,
        };
    }

    /// <summary>BACnet/IP (ASHRAE 135 annex J): 0x81, a function, the datagram's length; where a network message follows, its version is 1.</summary>
    public static bool IsBacnet(ReadOnlySpan<byte> b)
    {
        if (b.Length < 4 || b[0] != 0x81 || b[1] > 0x0C || ReadUInt16BigEndian(b[2..]) != b.Length) return false;
        return b[1] switch
        {
            4 => b.Length > 11 && b[10] == 1,
            9 or 10 or 11 => b.Length > 5 && b[4] == 1,
            _ => b.Length is 4 or 6 || (b[1] is 1 or 3 or 7 && b.Length % 10 is 4) || b[1] is 8,
        };
    }
}
