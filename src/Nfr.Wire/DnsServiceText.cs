using System.Buffers.Binary;
using System.Buffers.Text;

namespace Nfr.Wire;

/// <summary>SVCB and HTTPS record data, RFC 9460 2.1 and 2.2: priority, target, and parameters in the order of the wire.</summary>
internal static class DnsServiceText
{
    const int Mandatory = 0, Alpn = 1, NoDefaultAlpn = 2, Port = 3, IPv4Hint = 4, Ech = 5, IPv6Hint = 6, DohPath = 7, Ohttp = 8;

    public static bool TryAppend(ref Utf8Cursor text, ReadOnlySpan<byte> upToEnd, int offset)
    {
        if (upToEnd.Length - offset < 3) return false;
        text.AppendDecimal(BinaryPrimitives.ReadUInt16BigEndian(upToEnd[offset..]));
        text.Append((byte)' ');
        offset += 2;
        if (!DnsRecordText.AppendName(ref text, upToEnd, ref offset)) return false;
        ReadOnlySpan<byte> rest = upToEnd[offset..];
        while (!rest.IsEmpty)
        {
            if (rest.Length < 4) return false;
            int key = BinaryPrimitives.ReadUInt16BigEndian(rest);
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            if (rest.Length - 4 < length) return false;
            text.Append((byte)' ');
            if (!TryAppendParameter(ref text, key, rest.Slice(4, length))) return false;
            rest = rest[(4 + length)..];
        }
        return true;
    }

    /// <summary>Looks for the parameter by its key; false in data that is not whole.</summary>
    public static bool HasEncryptedClientHello(ReadOnlySpan<byte> upToEnd, int offset)
    {
        offset += 2;
        if (offset > upToEnd.Length || DnsName.Skip(upToEnd, ref offset) != DecodeFault.None) return false;
        ReadOnlySpan<byte> rest = upToEnd[offset..];
        while (rest.Length >= 4)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            if (rest.Length - 4 < length) return false;
            if (BinaryPrimitives.ReadUInt16BigEndian(rest) == Ech) return length > 0;
            rest = rest[(4 + length)..];
        }
        return false;
    }

    static bool TryAppendParameter(ref Utf8Cursor text, int key, ReadOnlySpan<byte> value)
    {
        AppendKey(ref text, key);
        if (value.IsEmpty) return key is NoDefaultAlpn or Ohttp or > Ohttp;
        text.Append((byte)'=');
        switch (key)
        {
            case Mandatory:
                for (int i = 0; i + 1 < value.Length; i += 2)
                {
                    if (i > 0) text.Append((byte)',');
                    AppendKey(ref text, BinaryPrimitives.ReadUInt16BigEndian(value[i..]));
                }
                return value.Length % 2 == 0;
            case Alpn:
                return TryAppendAlpn(ref text, value);
            case Port:
                if (value.Length != 2) return false;
                text.AppendDecimal(BinaryPrimitives.ReadUInt16BigEndian(value));
                return true;
            case IPv4Hint:
                return TryAppendHints(ref text, value, 4);
            case IPv6Hint:
                return TryAppendHints(ref text, value, 16);
            case Ech:
                AppendBase64(ref text, value);
                return true;
            default:
                DnsRecordText.AppendQuoted(ref text, value);
                return true;
        }
    }

    static void AppendKey(ref Utf8Cursor text, int key)
    {
        ReadOnlySpan<byte> name = key switch
        {
            Mandatory => "mandatory"u8,
            Alpn => "alpn"u8,
            NoDefaultAlpn => "no-default-alpn"u8,
            Port => "port"u8,
            IPv4Hint => "ipv4hint"u8,
            Ech => "ech"u8,
            IPv6Hint => "ipv6hint"u8,
            DohPath => "dohpath"u8,
            Ohttp => "ohttp"u8,
            _ => "key"u8,
        };
        text.Append(name);
        if (key > Ohttp) text.AppendDecimal((uint)key);
    }

    static bool TryAppendAlpn(ref Utf8Cursor text, ReadOnlySpan<byte> value)
    {
        for (bool first = true; !value.IsEmpty; first = false)
        {
            if (!first) text.Append((byte)',');
            int length = value[0];
            if (length == 0 || value.Length - 1 < length) return false;
            foreach (byte b in value.Slice(1, length))
            {
                // RFC 9460 appendix A.1: a comma inside a value is escaped twice, once for the list and once for the string.
                if (b == (byte)',') text.Append("\\\\,"u8);
                else if (b == (byte)'\\') text.Append("\\\\\\\\"u8);
                else if (b is > 0x20 and < 0x7F and not (byte)'"' and not (byte)';' and not (byte)'(' and not (byte)')') text.Append(b);
                else text.AppendDdd(b);
            }
            value = value[(1 + length)..];
        }
        return true;
    }

    static bool TryAppendHints(ref Utf8Cursor text, ReadOnlySpan<byte> value, int size)
    {
        if (value.Length % size != 0) return false;
        for (int i = 0; i < value.Length; i += size)
        {
            if (i > 0) text.Append((byte)',');
            DnsRecordText.AppendAddress(ref text, value.Slice(i, size));
        }
        return true;
    }

    /// <summary>In groups of three bytes, so that a short destination keeps what fits.</summary>
    static void AppendBase64(ref Utf8Cursor text, ReadOnlySpan<byte> value)
    {
        Span<byte> group = stackalloc byte[4];
        for (int i = 0; i < value.Length && !text.IsCut; i += 3)
        {
            Base64.EncodeToUtf8(value.Slice(i, Math.Min(3, value.Length - i)), group, out _, out int written);
            text.Append(group[..written]);
        }
    }
}
