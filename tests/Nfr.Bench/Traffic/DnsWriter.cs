using System.Buffers.Binary;
using System.Text;

namespace Nfr.Bench.Traffic;

/// <summary>DNS messages (RFC 1035) as stub resolvers and servers write them: EDNS in the query, compressed names in the answer.</summary>
static class DnsWriter
{
    public const ushort A = 1, Aaaa = 28, Https = 65;

    public static byte[] Query(ushort id, string name, ushort type)
    {
        using var stream = new MemoryStream(64);
        Header(stream, id, 0x0100, 1, 0, 1);
        Question(stream, name, type);
        Opt(stream);
        return stream.ToArray();
    }

    /// <summary>A CNAME and up to four addresses, or NXDOMAIN for none.</summary>
    public static byte[] Answer(ushort id, string name, ushort type, int addresses, Random random)
    {
        using var stream = new MemoryStream(128);
        bool exists = addresses > 0;
        Header(stream, id, (ushort)(exists ? 0x8180 : 0x8183), 1, exists ? 1 + addresses : 0, 1);
        Question(stream, name, type);
        if (exists)
        {
            // The alias is the name under "edge": one label, then a pointer to the first name.
            U16(stream, 0xC00C);
            Record(stream, 5, 300);
            U16(stream, 7);
            stream.Write("\u0004edge"u8);
            U16(stream, 0xC00C);
            int alias = (int)stream.Length - 7;
            for (int i = 0; i < addresses; i++)
            {
                U16(stream, 0xC000 | alias);
                byte[] address = new byte[type == Aaaa ? 16 : 4];
                random.NextBytes(address);
                Record(stream, type == Aaaa ? Aaaa : A, random.Next(30, 3600));
                U16(stream, address.Length);
                stream.Write(address);
            }
        }
        Opt(stream);
        return stream.ToArray();
    }

    /// <summary>With the two bytes of length that TCP wants (4.2.2).</summary>
    public static byte[] Framed(byte[] message)
    {
        byte[] framed = new byte[message.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)message.Length);
        message.CopyTo(framed, 2);
        return framed;
    }

    static void Header(MemoryStream to, int id, int flags, int questions, int answers, int additional)
    {
        U16(to, id);
        U16(to, flags);
        U16(to, questions);
        U16(to, answers);
        U16(to, 0);
        U16(to, additional);
    }

    static void Question(MemoryStream to, string name, ushort type)
    {
        foreach (string label in name.Split('.'))
        {
            to.WriteByte((byte)label.Length);
            to.Write(Encoding.ASCII.GetBytes(label));
        }
        to.WriteByte(0);
        U16(to, type);
        U16(to, 1);
    }

    static void Record(MemoryStream to, int type, int timeToLive)
    {
        U16(to, type);
        U16(to, 1);
        U16(to, timeToLive >> 16);
        U16(to, timeToLive);
    }

    /// <summary>RFC 6891, 1232 bytes.</summary>
    static void Opt(MemoryStream to) => to.Write(Convert.FromHexString("00002904d0000000000000"));

    static void U16(MemoryStream to, int value)
    {
        to.WriteByte((byte)(value >> 8));
        to.WriteByte((byte)value);
    }
}
