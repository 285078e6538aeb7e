using System.Buffers.Text;
using Nfr.Events;

namespace Nfr.Logs.Suricata;

/// <summary>
/// EVE's stamps: "2018-09-03T09:39:47.123456+0200", with or without a colon in the offset, and in old versions without any offset: the machine's own
/// zone then. And a certificate's: UTC without saying so, or as the certificate has them.
/// </summary>
static class EveTime
{
    /// <summary>Longer is none.</summary>
    const int MaxLength = 40;
    /// <summary>"2018-09-03T09:39:47".</summary>
    const int LengthToSeconds = 19;

    public static bool TryParse(JsonRaw value, TimeZoneInfo zone, out long nanoseconds)
    {
        nanoseconds = 0;
        ReadOnlySpan<byte> text = value.Bytes;
        if (value.Kind != JsonKind.String || value.Escaped || text.Length is < LengthToSeconds or > MaxLength) return false;
        Span<byte> scratch = stackalloc byte[MaxLength + 1];
        // The sign of an offset stands behind the seconds; those before it belong to the date.
        int sign = text[LengthToSeconds..].IndexOfAny((byte)'+', (byte)'-');
        if (sign >= 0)
        {
            sign += LengthToSeconds;
            if (text.Length - sign != 5) return EventTime.TryParse(text, out nanoseconds);
            text[..^2].CopyTo(scratch);
            scratch[text.Length - 2] = (byte)':';
            text[^2..].CopyTo(scratch[(text.Length - 1)..]);
            return EventTime.TryParse(scratch[..(text.Length + 1)], out nanoseconds);
        }
        if (text[^1] is (byte)'Z' or (byte)'z') return EventTime.TryParse(text, out nanoseconds);
        text.CopyTo(scratch);
        scratch[text.Length] = (byte)'Z';
        if (!EventTime.TryParse(scratch[..(text.Length + 1)], out nanoseconds)) return false;
        var local = new DateTime(DateTime.UnixEpoch.Ticks + (nanoseconds / 100), DateTimeKind.Unspecified);
        nanoseconds -= zone.GetUtcOffset(local).Ticks * 100;
        return true;
    }

    /// <summary>notbefore, notafter: seconds since 1970 UTC; <see cref="TlsEvent.NoTime"/> for none.</summary>
    public static long Certificate(JsonRaw value)
    {
        if (value.Kind == JsonKind.Number) return value.TryNumber(out long number) ? number : TlsEvent.NoTime;
        scoped ReadOnlySpan<byte> text = value.Bytes;
        if (value.Kind != JsonKind.String || value.Escaped || text.Length is < 11 or > MaxLength) return TlsEvent.NoTime;
        Span<byte> scratch = stackalloc byte[MaxLength + 1];
        if (text[4] != '-') return Asn1(text, scratch);
        bool zoned = text[^1] is (byte)'Z' or (byte)'z' || (text.Length > LengthToSeconds && text[LengthToSeconds..].IndexOfAny((byte)'+', (byte)'-') >= 0);
        if (!zoned)
        {
            text.CopyTo(scratch);
            scratch[text.Length] = (byte)'Z';
            text = scratch[..(text.Length + 1)];
        }
        return EventTime.TryParseSeconds(text, out long seconds) ? seconds : TlsEvent.NoTime;
    }

    /// <summary>"20160323141243Z" and "160323141243Z" (RFC 5280 4.1.2.5).</summary>
    static long Asn1(ReadOnlySpan<byte> text, Span<byte> scratch)
    {
        if (text[^1] == 'Z') text = text[..^1];
        if (text.Length is not (12 or 14) || text.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return TlsEvent.NoTime;
        int n = 0;
        if (text.Length == 12)
        {
            // Two digits of a year: up to 49 is this century.
            (text[0] < '5' ? "20"u8 : "19"u8).CopyTo(scratch);
            n = 2;
        }
        ReadOnlySpan<byte> separators = "--T::"u8;
        int year = 4 - n;
        text[..year].CopyTo(scratch[n..]);
        n = 4;
        for (int i = 0; i < 5; i++)
        {
            scratch[n++] = separators[i];
            text.Slice(year + (2 * i), 2).CopyTo(scratch[n..]);
            n += 2;
        }
        scratch[n++] = (byte)'Z';
        return EventTime.TryParseSeconds(scratch[..n], out long seconds) ? seconds : TlsEvent.NoTime;
    }

    /// <summary>An unsigned hex number as a text; 0 for none.</summary>
    public static ushort Hex(JsonRaw value) =>
        value.Kind == JsonKind.String && !value.Escaped && Utf8Parser.TryParse(value.Bytes, out ushort number, out int used, 'x') && used == value.Bytes.Length
            ? number : (ushort)0;
}
