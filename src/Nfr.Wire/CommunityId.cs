using System.Buffers.Binary;
using System.Buffers.Text;
using Nfr.Wire.Digests;

namespace Nfr.Wire;

/// <summary>Community ID Flow Hashing, version 1 (Corelight): one text for both directions of a flow, the same in every tool that has it.</summary>
public static class CommunityId
{
    /// <summary>"1:" and the base64 of a SHA-1.</summary>
    public const int Length = 30;

    const byte Icmp = 1, Tcp = 6, Udp = 17, IcmpV6 = 58, Sctp = 132;

    /// <summary>
    /// Writes <see cref="Length"/> characters and returns that; 0 when <paramref name="destination"/> is shorter. For ICMP and ICMPv6 the
    /// ports are the message's type and code. Protocols without ports leave them out of the hash.
    /// </summary>
    public static int Write(
        Address source, Address destination, ushort sourcePort, ushort destinationPort, byte protocol, ushort seed, Span<byte> text)
    {
        if (text.Length < Length) return 0;
        bool hasPorts = protocol is Tcp or Udp or Sctp or Icmp or IcmpV6;
        bool oneWay = false;
        if (protocol is Icmp or IcmpV6)
        {
            int answer = protocol == Icmp ? Counterpart(sourcePort) : CounterpartV6(sourcePort);
            oneWay = answer < 0;
            if (!oneWay) destinationPort = (ushort)answer;
        }
        int order = source.CompareTo(destination);
        bool swap = !oneWay && (order > 0 || (order == 0 && hasPorts && sourcePort > destinationPort));
        if (swap) (source, destination, sourcePort, destinationPort) = (destination, source, destinationPort, sourcePort);

        // seed, two addresses, protocol, zero, two ports
        Span<byte> tuple = stackalloc byte[2 + 16 + 16 + 2 + 4];
        BinaryPrimitives.WriteUInt16BigEndian(tuple, seed);
        int n = 2;
        n += source.WriteBytes(tuple[n..]);
        n += destination.WriteBytes(tuple[n..]);
        tuple[n++] = protocol;
        tuple[n++] = 0;
        if (hasPorts)
        {
            BinaryPrimitives.WriteUInt16BigEndian(tuple[n..], sourcePort);
            BinaryPrimitives.WriteUInt16BigEndian(tuple[(n + 2)..], destinationPort);
            n += 4;
        }
        Span<byte> hash = stackalloc byte[Sha1.Length];
        Sha1.Hash(tuple[..n], hash);
        "1:"u8.CopyTo(text);
        Base64.EncodeToUtf8(hash, text[2..], out _, out int written);
        return 2 + written;
    }

    /// <summary>The type that answers an ICMP type (RFC 792, 950, 1256), in both directions; -1 for messages that nothing answers.</summary>
    static int Counterpart(ushort type) => type switch
    {
        0 => 8, // echo
        8 => 0,
        9 => 10, // router advertisement, solicitation
        10 => 9,
        13 => 14, // timestamp
        14 => 13,
        15 => 16, // information
        16 => 15,
        17 => 18, // address mask
        18 => 17,
        _ => -1,
    };

    /// <summary>The same for ICMPv6 (RFC 4443, 2710, 4861, 4620, 6275).</summary>
    static int CounterpartV6(ushort type) => type switch
    {
        128 => 129, // echo
        129 => 128,
        130 => 131, // multicast listener query, report
        131 => 130,
        133 => 134, // router solicitation, advertisement
        134 => 133,
        135 => 136, // neighbour solicitation, advertisement
        136 => 135,
        139 => 140, // node information
        140 => 139,
        144 => 145, // home agent address discovery
        145 => 144,
        _ => -1,
    };
}
