using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>The Community ID v1 of an event: "1:" and the base64 of a SHA-1 over the ordered endpoints. Events carry seed 0.</summary>
static class CommunityIdField
{
    /// <summary>"1:" and 28 characters of base64.</summary>
    public const int Length = 30;

    /// <summary>
    /// Writes it and returns its length. For ICMP and ICMPv6 the source port is the message's type and the destination port its code.
    /// </summary>
    public static int Write(
        Address source, Address destination, ushort sourcePort, ushort destinationPort, byte protocol, ushort seed, Span<byte> output)
    {
        bool oneWay = false;
        if (protocol is 1 or 58)
        {
            int counterpart = Counterpart(protocol, sourcePort);
            oneWay = counterpart < 0;
            if (!oneWay) destinationPort = (ushort)counterpart;
        }
        int order = source.CompareTo(destination);
        bool swap = !oneWay && (order > 0 || (order == 0 && sourcePort > destinationPort));
        if (swap) (source, destination, sourcePort, destinationPort) = (destination, source, destinationPort, sourcePort);

        Span<byte> input = stackalloc byte[40];
        BinaryPrimitives.WriteUInt16BigEndian(input, seed);
        int n = 2;
        n += source.WriteBytes(input[n..]);
        n += destination.WriteBytes(input[n..]);
        input[n++] = protocol;
        input[n++] = 0;
        if (protocol is 1 or 6 or 17 or 58 or 132)
        {
            BinaryPrimitives.WriteUInt16BigEndian(input[n..], sourcePort);
            BinaryPrimitives.WriteUInt16BigEndian(input[(n + 2)..], destinationPort);
            n += 4;
        }
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(input[..n], hash);
        "1:"u8.CopyTo(output);
        Base64.EncodeToUtf8(hash, output[2..], out _, out int written);
        return 2 + written;
    }

    /// <summary>The type that answers a type; -1 for a message that has no answer.</summary>
    static int Counterpart(byte protocol, ushort type) => (protocol, type) switch
    {
        (1, 0) => 8,
        (1, 8) => 0,
        (1, 9) => 10,
        (1, 10) => 9,
        (1, 13) => 14,
        (1, 14) => 13,
        (1, 15) => 16,
        (1, 16) => 15,
        (1, 17) => 18,
        (1, 18) => 17,
        (58, 128) => 129,
        (58, 129) => 128,
        (58, 130) => 131,
        (58, 131) => 130,
        (58, 133) => 134,
        (58, 134) => 133,
        (58, 135) => 136,
        (58, 136) => 135,
        (58, 139) => 140,
        (58, 140) => 139,
        (58, 144) => 145,
        (58, 145) => 144,
        _ => -1,
    };
}
