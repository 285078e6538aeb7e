using System.Buffers.Text;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>The texts that Zeek makes of records' data.</summary>
static class ZeekAnswers
{
    const ushort Loc = 29, Ds = 43, Sshfp = 44, Rrsig = 46, Nsec = 47, DnsKey = 48, Nsec3 = 50, Nsec3Param = 51;

    /// <summary>The type that a text begins with; 0 for a text that is a name.</summary>
    public static ushort TypeOf(ReadOnlySpan<byte> text)
    {
        int end = text.IndexOfAny((byte)' ', (byte)':');
        if (end < 0) return text.SequenceEqual("NSEC3"u8) ? Nsec3 : text.SequenceEqual("NSEC3PARAM"u8) ? Nsec3Param : (ushort)0;
        ReadOnlySpan<byte> word = text[..end];
        return word.SequenceEqual("TXT"u8) ? DnsTypes.TXT
            : word.SequenceEqual("SPF"u8) ? DnsTypes.SPF
            : word.SequenceEqual("RRSIG"u8) ? Rrsig
            : word.SequenceEqual("DNSKEY"u8) ? DnsKey
            : word.SequenceEqual("DS"u8) ? Ds
            : word.SequenceEqual("NSEC"u8) ? Nsec
            : word.SequenceEqual("SSHFP"u8) ? Sshfp
            : word.SequenceEqual("LOC"u8) ? Loc
            : word.SequenceEqual("CAA"u8) ? DnsTypes.CAA : (ushort)0;
    }

    /// <summary>
    /// "TXT 5 hello TXT 2 hi" as the model has it: "hello" "hi", in quotes, with escapes; all other texts as they are.
    /// </summary>
    /// <param name="text">Unescaped.</param>
    /// <param name="destination">Five times as long and 8 bytes.</param>
    public static int Format(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        if (text.StartsWith("TXT "u8) || text.StartsWith("SPF "u8))
        {
            ReadOnlySpan<byte> word = text[..4], rest = text;
            int n = 0;
            while (rest.StartsWith(word) && Utf8Parser.TryParse(rest[4..], out int length, out int used) && length >= 0 && rest.Length - 5 - used >= length && rest[4 + used] == ' ')
            {
                if (n > 0) destination[n++] = (byte)' ';
                n = Quote(rest.Slice(5 + used, length), destination, n);
                rest = rest[(5 + used + length)..];
                if (rest.IsEmpty) return n;
                if (rest[0] != ' ') break;
                rest = rest[1..];
            }
        }
        text.CopyTo(destination);
        return text.Length;
    }

    static int Quote(ReadOnlySpan<byte> value, Span<byte> destination, int n)
    {
        destination[n++] = (byte)'"';
        foreach (byte b in value)
        {
            if (b is < 0x20 or > 0x7E)
            {
                destination[n++] = (byte)'\\';
                destination[n++] = (byte)('0' + (b / 100));
                destination[n++] = (byte)('0' + (b / 10 % 10));
                destination[n++] = (byte)('0' + (b % 10));
                continue;
            }
            if (b is (byte)'"' or (byte)'\\') destination[n++] = (byte)'\\';
            destination[n++] = b;
        }
        destination[n++] = (byte)'"';
        return n;
    }
}
