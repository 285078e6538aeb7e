using System.Buffers.Binary;
using Nfr.Capture;
using Nfr.Wire;

namespace Nfr.Bench.Traffic;

/// <summary>
/// The two captures that are hardest on a sensor: questions and answers and little else, each on a port of its own; and SYNs of 60 bytes, nearly
/// every one a flow of its own. The same seed gives the same bytes.
/// </summary>
static class FloodTraffic
{
    /// <summary>Queries and answers by turns; an answer lies a dozen packets behind its query.</summary>
    public static void WriteDns(PcapWriter writer, int packets, int seed)
    {
        const int Waiting = 12;
        var random = new Random(seed);
        var frames = new FrameBuilder();
        var open = new Queue<(HostPair Pair, ushort Port, ushort Id, string Name, ushort Type)>();
        long now = 1_717_495_200_000_000_000;
        for (int written = 0; written < packets; written++)
        {
            now += random.Next(2_000, 20_000);
            if (open.Count < Waiting || (written & 1) == 0)
            {
                var pair = new HostPair(Address.FromV4(0x0A01_0000 + (uint)random.Next(1, 20_000)), Address.FromV4(0x0A00_0035), 0x02_00_5E_00_00_01, 0x02_00_5E_FF_00_01, 0);
                string name = $"{Label(random)}.{Label(random)}.{(random.Next(2) == 0 ? "com" : "net")}";
                ushort port = (ushort)random.Next(32_768, 61_000), id = (ushort)random.Next(), type = random.Next(3) == 0 ? DnsWriter.Aaaa : DnsWriter.A;
                frames.Udp(pair, true, port, 53, DnsWriter.Query(id, name, type));
                open.Enqueue((pair, port, id, name, type));
            }
            else
            {
                var (pair, port, id, name, type) = open.Dequeue();
                frames.Udp(pair, false, 53, port, DnsWriter.Answer(id, name, type, random.Next(12) == 0 ? 0 : random.Next(1, 5), random));
            }
            writer.Write(frames.Frame, frames.Frame.Length, now);
        }
    }

    /// <summary>Nine in ten from a source and port of their own, one in ten a repeat of an earlier one: a flood at one address, and scans of many.</summary>
    public static void WriteSyn(PcapWriter writer, int packets, int seed)
    {
        var random = new Random(seed);
        Span<byte> frame = stackalloc byte[60];
        frame.Clear();
        Convert.FromHexString("02005eff000102005e0000010800450000280000400040060000").CopyTo(frame);
        frame[46] = 0x50;
        frame[47] = TcpFlags.Syn;
        frame[48] = 0xFA;
        long now = 1_717_495_200_000_000_000;
        for (int written = 0; written < packets; written++)
        {
            now += random.Next(200, 1_800);
            if (written == 0 || random.Next(10) != 0)
            {
                bool scan = random.Next(3) == 0;
                BinaryPrimitives.WriteUInt32BigEndian(frame[26..], scan ? 0x0A01_0203u : (uint)random.Next());
                BinaryPrimitives.WriteUInt32BigEndian(frame[30..], scan ? 0x0A02_0000u | (uint)random.Next(0x10000) : 0xC633_6407u);
                BinaryPrimitives.WriteUInt16BigEndian(frame[34..], (ushort)random.Next(1024, 65_536));
                BinaryPrimitives.WriteUInt16BigEndian(frame[36..], scan ? (ushort)random.Next(1, 1024) : (ushort)443);
                BinaryPrimitives.WriteUInt32BigEndian(frame[38..], (uint)random.Next());
            }
            writer.Write(frame, frame.Length, now);
        }
    }

    static string Label(Random random)
    {
        Span<char> label = stackalloc char[random.Next(4, 14)];
        foreach (ref char c in label) c = (char)('a' + random.Next(26));
        return new string(label);
    }
}
