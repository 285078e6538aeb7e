using System.Buffers.Text;
using System.Text;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>The words of an event's JSON back to what they stand for: the inverse of <see cref="WireNames"/> and its like. Unknown words are unknown values.</summary>
static class EventWords
{
    /// <summary>Each note's word, at the place of its bit.</summary>
    public static readonly byte[][] DnsNotes = Words("edns", "dnssecOk", "ech", "answersTruncated", "repeated");
    public static readonly byte[][] TlsNotes = Words("resumed", "retried", "ech", "upgraded", "clientCertificateRequested");
    public static readonly byte[][] FlowNotes = Words(
        "cleartextCredentials", "mining", "missedBytes", "midstream", "evicted", "activeTimeout", "ambiguous", "loginFailed", "loginSucceeded", "startTls",
        "probe", "fragmented", "notDns");

    /// <summary>At the place of a word's length.</summary>
    static readonly (byte[] Word, App App)[][] s_apps = Apps();

    static byte[][] Words(params string[] words) => [.. words.Select(Encoding.ASCII.GetBytes)];

    public static bool TryAddress(JsonRaw value, out Address address)
    {
        address = default;
        return value.Kind == JsonKind.String && AddressText.TryParse(value.Bytes, out address);
    }

    /// <summary>"tcp", also in capitals, or a number.</summary>
    public static byte Protocol(JsonRaw value)
    {
        if (value.TryNumber(out long number)) return number is > 0 and < 256 ? (byte)number : (byte)0;
        // By far the most, and without a call.
        if (value is { Kind: JsonKind.String, Bytes: [var first, var second, (byte)'p' or (byte)'P'] })
        {
            if ((first | 0x20) == 't' && (second | 0x20) == 'c') return 6;
            if ((first | 0x20) == 'u' && (second | 0x20) == 'd') return 17;
        }
        return Is(value, "tcp"u8) ? (byte)6 : Is(value, "udp"u8) ? (byte)17 : Is(value, "icmp"u8) ? (byte)1
            : Is(value, "icmp6"u8) || Is(value, "icmpv6"u8) || Is(value, "ipv6-icmp"u8) ? (byte)58 : (byte)0;
    }

    public static ushort QueryType(ReadOnlySpan<byte> name, App service)
    {
        // What NetBIOS calls NB and NBSTAT has DNS's numbers 32 and 33 (RFC 1002 4.2.1.2).
        if (service == App.Nbns && Ascii.EqualsIgnoreCase(name, "NB"u8)) return 32;
        if (service == App.Nbns && Ascii.EqualsIgnoreCase(name, "NBSTAT"u8)) return 33;
        if (DnsTypes.TryParse(name, out ushort type)) return type;
        return Utf8Parser.TryParse(name, out type, out int used) && used == name.Length ? type : (ushort)0;
    }

    /// <summary>"NXDOMAIN", "RCODE12" or 3; -1 when it is none.</summary>
    public static short ResponseCode(JsonRaw value)
    {
        if (value.TryNumber(out long number)) return number is >= 0 and <= short.MaxValue ? (short)number : (short)-1;
        if (value.Kind != JsonKind.String) return -1;
        if (value.Bytes.SequenceEqual("NOERROR"u8)) return 0;
        if (value.Bytes.SequenceEqual("NXDOMAIN"u8)) return 3;
        Span<byte> scratch = stackalloc byte[DnsResponseCodes.MaxNameLength];
        for (ushort code = 0; code < 32; code++)
        {
            if (Is(value, DnsResponseCodes.Name(code, scratch))) return (short)code;
        }
        return value.Bytes.Length > 5 && Ascii.EqualsIgnoreCase(value.Bytes[..5], "RCODE"u8)
            && Utf8Parser.TryParse(value.Bytes[5..], out short other, out int used) && used == value.Bytes.Length - 5 ? other : (short)-1;
    }

    public static App AppOf(JsonRaw value)
    {
        if (value.Kind != JsonKind.String || value.Bytes.IsEmpty) return default;
        if (value.Bytes.Length >= s_apps.Length) return default;
        foreach ((byte[] word, App app) in s_apps[value.Bytes.Length])
        {
            if (value.Bytes.SequenceEqual(word)) return app;
        }
        return default;
    }

    static (byte[] Word, App App)[][] Apps()
    {
        (byte[] Word, App App)[] all = [.. Enum.GetValues<App>().Select((app, i) => (app.Utf8Name().ToArray(), (App)i))];
        return [.. Enumerable.Range(0, all.Max(a => a.Word.Length) + 1).Select(length => all[1..].Where(a => a.Word.Length == length).ToArray())];
    }

    public static ConnectionState StateOf(JsonRaw value)
    {
        for (ConnectionState state = ConnectionState.S0; state <= ConnectionState.SHR; state++)
        {
            if (Is(value, WireNames.State(state))) return state;
        }
        return ConnectionState.OTH;
    }

    public static byte TcpFlags(JsonRaw value)
    {
        if (value.Kind != JsonKind.String) return 0;
        int flags = 0;
        foreach (byte letter in value.Bytes)
        {
            int bit = "FSRPAUEC"u8.IndexOf(letter);
            if (bit >= 0) flags |= 1 << bit;
        }
        return (byte)flags;
    }

    public static ushort TlsVersion(JsonRaw value)
    {
        Span<byte> scratch = stackalloc byte[8];
        foreach (ushort version in (ReadOnlySpan<ushort>)[0x0304, 0x0303, 0x0302, 0x0301, 0x0300, 0x0002, 0xFEFF, 0xFEFD, 0xFEFC])
        {
            if (Is(value, WireNames.TlsVersion(version, scratch))) return version;
        }
        return value.Bytes.StartsWith("0x"u8) && Utf8Parser.TryParse(value.Bytes[2..], out ushort other, out int used, 'x') && used == value.Bytes.Length - 2
            ? other : (ushort)0;
    }

    /// <summary>Seconds with a fraction, to nanoseconds; never negative.</summary>
    public static long Duration(JsonRaw value) =>
        value.TryDouble(out double seconds) && seconds is > 0 and < 4e9 ? (long)Math.Round(seconds * 1e9) : 0;

    /// <summary>A stamp to whole seconds since 1970. The original says 0001-01-01 for what it does not know.</summary>
    public static long Seconds(JsonRaw value) =>
        value.Kind == JsonKind.String && EventTime.TryParseSeconds(value.Bytes, out long seconds) && seconds > EventTime.FirstSecond ? seconds : TlsEvent.NoTime;

    public static int Notes(JsonRaw value, byte[][] words)
    {
        if (value.Kind != JsonKind.Array) return 0;
        int notes = 0;
        JsonLineReader list = JsonLineReader.Array(value.Bytes);
        while (list.Next(out JsonRaw item))
        {
            for (int bit = 0; bit < words.Length; bit++)
            {
                if (item.Kind == JsonKind.String && item.Bytes.SequenceEqual(words[bit])) notes |= 1 << bit;
            }
        }
        return notes;
    }

    static bool Is(JsonRaw value, ReadOnlySpan<byte> word) => value.Kind == JsonKind.String && Ascii.EqualsIgnoreCase(value.Bytes, word);
}
