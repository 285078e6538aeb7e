using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Nfr.Simulate;

namespace Nfr.Demo;

/// <summary>
/// The demo's name server, bytes to bytes: addresses and mail servers of the names it knows, TXT for the tunnel's zone, NXDOMAIN for the rest (RFC 1035),
/// and a truncated answer where a datagram is too small.
/// </summary>
public static class DnsResponder
{
    const byte NameError = 3;
    const int MaxMessage = 65535;

    /// <summary>The answer to <paramref name="query"/>; null when it is no query.</summary>
    public static byte[]? Answer(ReadOnlySpan<byte> query, bool overTcp, IReadOnlyDictionary<string, IPAddress[]> names, Random random)
    {
        if (query.Length < DnsWire.HeaderLength || (query[2] & 0xf8) != 0 || BinaryPrimitives.ReadUInt16BigEndian(query[4..]) != 1) return null;
        if (ReadQuestion(query, out string name, out ushort type) is not { } end) return null;

        var message = new List<byte>(512);
        message.AddRange(query[..end]);
        int answers = 0;
        byte rcode = 0;
        int parent = name.IndexOf('.', StringComparison.Ordinal);
        if (names.TryGetValue(name, out IPAddress[]? addresses) || (parent > 0 && names.TryGetValue("*" + name[parent..], out addresses)))
        {
            AddressFamily family = type == DnsWire.TypeAaaa ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
            if (type is DnsWire.TypeA or DnsWire.TypeAaaa)
            {
                foreach (IPAddress address in addresses.Where(address => address.AddressFamily == family))
                {
                    AddRecord(message, type, 60, address.GetAddressBytes());
                    answers++;
                }
            }
            else if (type == DnsWire.TypeMx && names.ContainsKey("mx." + name))
            {
                // Preference 10; the name is mx and a pointer to the question's.
                AddRecord(message, type, 60, [0, 10, 2, (byte)'m', (byte)'x', 0xc0, DnsWire.HeaderLength]);
                answers = 1;
            }
        }
        else if (type == DnsWire.TypeTxt && name.EndsWith("." + TunnelDnsModule.Zone, StringComparison.OrdinalIgnoreCase))
        {
            byte[] text = Encoding.ASCII.GetBytes(ModuleRun.Letters(random, 48));
            AddRecord(message, type, 0, [(byte)text.Length, .. text]);
            answers = 1;
        }
        else
        {
            rcode = NameError;
        }

        int limit = overTcp ? MaxMessage : DnsWire.UdpPayloadSize;
        bool truncated = message.Count > limit;
        if (truncated)
        {
            message.RemoveRange(end, message.Count - end);
            answers = 0;
        }
        byte[] reply = [.. message];
        reply[2] = (byte)(0x80 | (query[2] & 0x01) | (truncated ? 0x02 : 0));   // QR, RD, TC
        reply[3] = (byte)(0x80 | rcode);                                        // RA
        BinaryPrimitives.WriteUInt16BigEndian(reply.AsSpan(6), (ushort)answers);
        reply.AsSpan(8, 4).Clear();                                             // no authority, no additional
        return reply;
    }

    static int? ReadQuestion(ReadOnlySpan<byte> query, out string name, out ushort type)
    {
        name = "";
        type = 0;
        var text = new StringBuilder();
        int at = DnsWire.HeaderLength;
        while (at < query.Length && query[at] != 0)
        {
            int length = query[at++];
            if (length > 63 || at + length > query.Length) return null;
            if (text.Length > 0) text.Append('.');
            text.Append(Encoding.ASCII.GetString(query.Slice(at, length)));
            at += length;
        }
        at++;
        if (at + 4 > query.Length) return null;
        type = BinaryPrimitives.ReadUInt16BigEndian(query[at..]);
        name = text.ToString();
        return at + 4;
    }

    /// <summary>A record whose owner points at the question's name.</summary>
    static void AddRecord(List<byte> message, ushort type, uint timeToLive, byte[] data)
    {
        Span<byte> head = stackalloc byte[12];
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)(0xc000 | DnsWire.HeaderLength));
        BinaryPrimitives.WriteUInt16BigEndian(head[2..], type);
        BinaryPrimitives.WriteUInt16BigEndian(head[4..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(head[6..], timeToLive);
        BinaryPrimitives.WriteUInt16BigEndian(head[10..], (ushort)data.Length);
        message.AddRange(head);
        message.AddRange(data);
    }
}
