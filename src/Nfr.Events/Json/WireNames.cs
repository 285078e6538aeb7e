using System.Globalization;

namespace Nfr.Events;

/// <summary>Numbers of an event as the texts that its JSON has.</summary>
static class WireNames
{
    /// <summary>"tcp", "udp", "icmp", "icmp6", else the number; empty for 0, which means unknown.</summary>
    public static ReadOnlySpan<byte> Protocol(byte protocol, Span<byte> scratch)
    {
        switch (protocol)
        {
            case 0: return default;
            case 1: return "icmp"u8;
            case 6: return "tcp"u8;
            case 17: return "udp"u8;
            case 58: return "icmp6"u8;
            default:
                protocol.TryFormat(scratch, out int n, default, CultureInfo.InvariantCulture);
                return scratch[..n];
        }
    }

    /// <summary>"TLS 1.3", "DTLS 1.2", "SSL 3.0", else "0x7f1c"; empty for 0.</summary>
    public static ReadOnlySpan<byte> TlsVersion(ushort version, Span<byte> scratch)
    {
        switch (version)
        {
            case 0: return default;
            case 0x0304: return "TLS 1.3"u8;
            case 0x0303: return "TLS 1.2"u8;
            case 0x0302: return "TLS 1.1"u8;
            case 0x0301: return "TLS 1.0"u8;
            case 0x0300: return "SSL 3.0"u8;
            case 0x0002: return "SSL 2.0"u8;
            case 0xFEFF: return "DTLS 1.0"u8;
            case 0xFEFD: return "DTLS 1.2"u8;
            case 0xFEFC: return "DTLS 1.3"u8;
            default:
                "0x"u8.CopyTo(scratch);
                version.TryFormat(scratch[2..], out int n, "x4", CultureInfo.InvariantCulture);
                return scratch[..(2 + n)];
        }
    }

    /// <summary>One letter for each flag that is set, from the lowest bit: FIN SYN RST PSH ACK URG ECE CWR = "FSRPAUEC".</summary>
    public static ReadOnlySpan<byte> TcpFlags(byte flags, Span<byte> scratch)
    {
        ReadOnlySpan<byte> letters = "FSRPAUEC"u8;
        int n = 0;
        for (int bit = 0; bit < 8; bit++)
        {
            if ((flags >> bit & 1) != 0) scratch[n++] = letters[bit];
        }
        return scratch[..n];
    }

    /// <summary>"00:1b:21:3c:9d:f8".</summary>
    public static ReadOnlySpan<byte> HardwareAddress(ulong address, Span<byte> scratch)
    {
        for (int i = 0; i < 6; i++)
        {
            ((byte)(address >> (40 - (8 * i)))).TryFormat(scratch[(3 * i)..], out _, "x2", CultureInfo.InvariantCulture);
            if (i < 5) scratch[(3 * i) + 2] = (byte)':';
        }
        return scratch[..17];
    }

    public static ReadOnlySpan<byte> State(ConnectionState state) => state switch
    {
        ConnectionState.S0 => "S0"u8,
        ConnectionState.S1 => "S1"u8,
        ConnectionState.SF => "SF"u8,
        ConnectionState.REJ => "REJ"u8,
        ConnectionState.S2 => "S2"u8,
        ConnectionState.S3 => "S3"u8,
        ConnectionState.RSTO => "RSTO"u8,
        ConnectionState.RSTR => "RSTR"u8,
        ConnectionState.RSTOS0 => "RSTOS0"u8,
        ConnectionState.RSTRH => "RSTRH"u8,
        ConnectionState.SH => "SH"u8,
        ConnectionState.SHR => "SHR"u8,
        _ => "OTH"u8,
    };
}
