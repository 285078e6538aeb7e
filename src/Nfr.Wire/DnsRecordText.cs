using System.Buffers.Binary;
using System.Buffers.Text;

namespace Nfr.Wire;

/// <summary>
/// Record data in presentation form: RFC 1035 5, RFC 2782 (SRV), RFC 3403 (NAPTR), RFC 8659 (CAA), RFC 9460 (SVCB, HTTPS). Types
/// without a form here, and data that does not have its type's shape, are written the generic way of RFC 3597 5: \# length hex.
/// </summary>
public static class DnsRecordText
{
    /// <summary>
    /// Writes the data at <paramref name="dataOffset"/> of <paramref name="message"/> and returns the bytes written. What does not fit
    /// is cut off and <paramref name="cut"/> says so. The record must come from a <see cref="DnsRecordReader"/>.
    /// </summary>
    public static int Format(ReadOnlySpan<byte> message, ushort type, int dataOffset, int dataLength, Span<byte> destination, out bool cut)
    {
        var text = new Utf8Cursor(destination);
        // Names may point back before the data, never past its end.
        ReadOnlySpan<byte> upToEnd = message[..(dataOffset + dataLength)];
        ReadOnlySpan<byte> data = upToEnd[dataOffset..];
        bool good = type switch
        {
            DnsTypes.A => data.Length == 4 && AppendAddress(ref text, data),
            DnsTypes.AAAA => data.Length == 16 && AppendAddress(ref text, data),
            DnsTypes.CNAME or DnsTypes.NS or DnsTypes.PTR or DnsTypes.DNAME => AppendLastName(ref text, upToEnd, dataOffset),
            DnsTypes.MX => AppendNumbersAndName(ref text, upToEnd, dataOffset, 1),
            DnsTypes.SRV => AppendNumbersAndName(ref text, upToEnd, dataOffset, 3),
            DnsTypes.TXT or DnsTypes.SPF => AppendStrings(ref text, data),
            DnsTypes.SOA => AppendSoa(ref text, upToEnd, dataOffset),
            DnsTypes.CAA => AppendCaa(ref text, data),
            DnsTypes.NAPTR => AppendNaptr(ref text, upToEnd, dataOffset),
            DnsTypes.SVCB or DnsTypes.HTTPS => DnsServiceText.TryAppend(ref text, upToEnd, dataOffset),
            _ => false,
        };
        if (!good) AppendGeneric(ref text, data);
        cut = text.IsCut;
        return text.Length;
    }

    /// <summary>IPv6 is written as IPv6, also ::ffff:1.2.3.4, which <see cref="Address"/> takes for IPv4.</summary>
    internal static bool AppendAddress(ref Utf8Cursor text, ReadOnlySpan<byte> bytes)
    {
        Address address = bytes.Length == 4 ? Address.ReadV4(bytes) : Address.ReadV6(bytes);
        if (bytes.Length == 16 && address.IsV4) text.Append("::ffff:"u8);
        if (text.Rest.Length >= Address.MaxTextLength && !text.IsCut)
        {
            text.Advance(address.Format(text.Rest));
            return true;
        }
        Span<byte> buffer = stackalloc byte[Address.MaxTextLength];
        text.Append(buffer[..address.Format(buffer)]);
        return true;
    }

    /// <summary>A name that must end where the data ends.</summary>
    internal static bool AppendLastName(ref Utf8Cursor text, ReadOnlySpan<byte> upToEnd, int offset) =>
        AppendName(ref text, upToEnd, ref offset) && offset == upToEnd.Length;

    internal static bool AppendName(ref Utf8Cursor text, ReadOnlySpan<byte> message, ref int offset)
    {
        if (text.Rest.Length < DnsName.MaxTextLength || text.IsCut) return AppendCutName(ref text, message, ref offset);
        if (DnsName.Read(message, ref offset, text.Rest, out int written) != DecodeFault.None) return false;
        text.Advance(written);
        return true;
    }

    /// <summary>Into room that may be too short for it.</summary>
    static bool AppendCutName(ref Utf8Cursor text, ReadOnlySpan<byte> message, ref int offset)
    {
        Span<byte> buffer = stackalloc byte[DnsName.MaxTextLength];
        if (DnsName.Read(message, ref offset, buffer, out int written) != DecodeFault.None) return false;
        text.Append(buffer[..written]);
        return true;
    }

    static bool AppendNumbersAndName(ref Utf8Cursor text, ReadOnlySpan<byte> upToEnd, int offset, int numbers)
    {
        for (int i = 0; i < numbers; i++, offset += 2)
        {
            if (upToEnd.Length - offset < 2) return false;
            text.AppendDecimal(BinaryPrimitives.ReadUInt16BigEndian(upToEnd[offset..]));
            text.Append((byte)' ');
        }
        return AppendLastName(ref text, upToEnd, offset);
    }

    static bool AppendStrings(ref Utf8Cursor text, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return false;
        for (bool first = true; !data.IsEmpty; first = false)
        {
            if (!first) text.Append((byte)' ');
            if (!AppendString(ref text, ref data)) return false;
        }
        return true;
    }

    /// <summary>A character-string (one length byte), in quotes.</summary>
    static bool AppendString(ref Utf8Cursor text, ref ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data.Length - 1 < data[0]) return false;
        AppendQuoted(ref text, data.Slice(1, data[0]));
        data = data[(1 + data[0])..];
        return true;
    }

    internal static void AppendQuoted(ref Utf8Cursor text, ReadOnlySpan<byte> value)
    {
        text.Append((byte)'"');
        foreach (byte b in value)
        {
            if (b is < 0x20 or > 0x7E)
            {
                text.AppendDdd(b);
                continue;
            }
            if (b is (byte)'"' or (byte)'\\') text.Append((byte)'\\');
            text.Append(b);
        }
        text.Append((byte)'"');
    }

    static bool AppendSoa(ref Utf8Cursor text, ReadOnlySpan<byte> upToEnd, int offset)
    {
        if (!AppendName(ref text, upToEnd, ref offset)) return false;
        text.Append((byte)' ');
        if (!AppendName(ref text, upToEnd, ref offset)) return false;
        // serial, refresh, retry, expire, minimum
        if (upToEnd.Length - offset != 20) return false;
        for (; offset < upToEnd.Length; offset += 4)
        {
            text.Append((byte)' ');
            text.AppendDecimal(BinaryPrimitives.ReadUInt32BigEndian(upToEnd[offset..]));
        }
        return true;
    }

    static bool AppendCaa(ref Utf8Cursor text, ReadOnlySpan<byte> data)
    {
        if (data.Length < 2 || data[1] == 0 || data.Length - 2 < data[1]) return false;
        ReadOnlySpan<byte> tag = data.Slice(2, data[1]);
        foreach (byte b in tag)
        {
            if (!char.IsAsciiLetterOrDigit((char)b)) return false;
        }
        text.AppendDecimal(data[0]);
        text.Append((byte)' ');
        text.Append(tag);
        text.Append((byte)' ');
        AppendQuoted(ref text, data[(2 + tag.Length)..]);
        return true;
    }

    static bool AppendNaptr(ref Utf8Cursor text, ReadOnlySpan<byte> upToEnd, int offset)
    {
        ReadOnlySpan<byte> rest = upToEnd[offset..];
        if (rest.Length < 4) return false;
        text.AppendDecimal(BinaryPrimitives.ReadUInt16BigEndian(rest));
        text.Append((byte)' ');
        text.AppendDecimal(BinaryPrimitives.ReadUInt16BigEndian(rest[2..]));
        rest = rest[4..];
        // flags, services, regular expression
        for (int i = 0; i < 3; i++)
        {
            text.Append((byte)' ');
            if (!AppendString(ref text, ref rest)) return false;
        }
        text.Append((byte)' ');
        return AppendLastName(ref text, upToEnd, upToEnd.Length - rest.Length);
    }

    internal static void AppendGeneric(ref Utf8Cursor text, ReadOnlySpan<byte> data)
    {
        text.Rewind(0);
        text.Append("\\# "u8);
        text.AppendDecimal((uint)data.Length);
        if (data.IsEmpty) return;
        text.Append((byte)' ');
        foreach (byte b in data)
        {
            text.AppendHex(b);
            if (text.IsCut) return;
        }
    }
}
