using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Nfr.Simulate;

/// <summary>Just enough of RFC 1035 and RFC 6891 to ask a question by hand and to read what came back.</summary>
public static class DnsWire
{
    public const ushort TypeA = 1;
    public const ushort TypeCname = 5;
    public const ushort TypeMx = 15;
    public const ushort TypeTxt = 16;
    public const ushort TypeAaaa = 28;
    public const ushort TypeOpt = 41;
    public const int HeaderLength = 12;
    /// <summary>The payload size our OPT record offers; answers beyond it come truncated and are asked for again by TCP.</summary>
    public const ushort UdpPayloadSize = 1232;

    /// <summary>A query with RD = 1, one question and an OPT record.</summary>
    public static byte[] Query(ushort id, string name, ushort type)
    {
        byte[] owner = Name(name);
        byte[] message = new byte[HeaderLength + owner.Length + 4 + 11];
        Span<byte> rest = message;
        BinaryPrimitives.WriteUInt16BigEndian(rest, id);
        rest[2] = 0x01;                                                // RD
        BinaryPrimitives.WriteUInt16BigEndian(rest[4..], 1);           // QDCOUNT
        BinaryPrimitives.WriteUInt16BigEndian(rest[10..], 1);          // ARCOUNT
        rest = rest[HeaderLength..];
        owner.CopyTo(rest);
        rest = rest[owner.Length..];
        BinaryPrimitives.WriteUInt16BigEndian(rest, type);
        BinaryPrimitives.WriteUInt16BigEndian(rest[2..], 1);           // IN
        rest = rest[4..];
        BinaryPrimitives.WriteUInt16BigEndian(rest[1..], TypeOpt);     // owner is the root
        BinaryPrimitives.WriteUInt16BigEndian(rest[3..], UdpPayloadSize);
        return message;
    }

    /// <summary>A name as labels, with the root's empty label at the end.</summary>
    public static byte[] Name(string name)
    {
        string[] labels = name.Trim('.').Split('.', StringSplitOptions.RemoveEmptyEntries);
        byte[] bytes = new byte[labels.Sum(label => label.Length + 1) + 1];
        int at = 0;
        foreach (string label in labels)
        {
            if (label.Length > 63) throw new ArgumentException($"a label of {label.Length} bytes; RFC 1035 allows 63", nameof(name));
            bytes[at++] = (byte)label.Length;
            at += Encoding.ASCII.GetBytes(label, bytes.AsSpan(at));
        }
        return bytes;
    }

    /// <summary>Reads a reply; null when it is none, or broken.</summary>
    public static DnsReply? Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderLength || (message[2] & 0x80) == 0) return null;
        int questions = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
        int answers = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        int at = HeaderLength;
        for (int i = 0; i < questions; i++)
        {
            if (!SkipName(message, ref at) || at + 4 > message.Length) return null;
            at += 4;
        }
        var addresses = new List<IPAddress>();
        var exchanges = new List<(ushort Preference, string Name)>();
        int texts = 0;
        for (int i = 0; i < answers; i++)
        {
            if (!SkipName(message, ref at) || at + 10 > message.Length) return null;
            ushort type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
            int length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
            at += 10;
            if (at + length > message.Length) return null;
            if ((type == TypeA && length == 4) || (type == TypeAaaa && length == 16)) addresses.Add(new IPAddress(message.Slice(at, length)));
            if (type == TypeTxt) texts++;
            if (type == TypeMx && length > 2 && ReadName(message, at + 2) is { Length: > 0 } exchange) exchanges.Add((BinaryPrimitives.ReadUInt16BigEndian(message[at..]), exchange));
            at += length;
        }
        return new DnsReply(BinaryPrimitives.ReadUInt16BigEndian(message), message[3] & 0x0f, (message[2] & 0x02) != 0, addresses, texts,
            [.. exchanges.OrderBy(exchange => exchange.Preference).Select(exchange => exchange.Name)]);
    }

    /// <summary>A name with its pointers followed; null when it is broken.</summary>
    static string? ReadName(ReadOnlySpan<byte> message, int at)
    {
        var name = new StringBuilder();
        // A name has 127 labels at most; pointers that lead in a circle end there too.
        for (int step = 0; step < 128 && at < message.Length; step++)
        {
            int length = message[at];
            if (length == 0) return name.ToString();
            if (length >= 0xc0)
            {
                if (at + 2 > message.Length) return null;
                at = BinaryPrimitives.ReadUInt16BigEndian(message[at..]) & 0x3fff;
                continue;
            }
            if (at + 1 + length > message.Length) return null;
            if (name.Length > 0) name.Append('.');
            name.Append(Encoding.ASCII.GetString(message.Slice(at + 1, length)));
            at += 1 + length;
        }
        return null;
    }

    /// <summary>Steps over a name, which ends with the root or a pointer.</summary>
    static bool SkipName(ReadOnlySpan<byte> message, ref int at)
    {
        while (at < message.Length)
        {
            int length = message[at];
            if (length == 0) { at++; return true; }
            if (length >= 0xc0) { at += 2; return at <= message.Length; }
            at += 1 + length;
        }
        return false;
    }
}

/// <param name="Id">The query's own id.</param>
/// <param name="ResponseCode">RCODE: 0 answered, 3 no such name.</param>
/// <param name="Truncated">TC: ask again by TCP.</param>
/// <param name="Addresses">From A and AAAA records.</param>
/// <param name="Texts">How many TXT records.</param>
/// <param name="Exchanges">Names of the MX records, the preferred first.</param>
public sealed record DnsReply(ushort Id, int ResponseCode, bool Truncated, IReadOnlyList<IPAddress> Addresses, int Texts, IReadOnlyList<string> Exchanges);
