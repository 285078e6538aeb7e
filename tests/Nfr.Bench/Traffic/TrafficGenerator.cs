using System.Globalization;
using Nfr.Capture;
using Nfr.Wire;

namespace Nfr.Bench.Traffic;

/// <summary>
/// A capture as an office's uplink shows it: thousands of conversations at a time, their packets interleaved in short trains. The same seed gives
/// the same bytes. About half of the packets are small, a third are full, the mean is near 620 bytes, and TCP carries about 85 %.
/// </summary>
sealed class TrafficGenerator
{
    /// <summary>Conversations under way at any time.</summary>
    public const int Concurrent = 6000;

    /// <summary>One conversation in so many is IPv6, or on a VLAN.</summary>
    const int V6Share = 25, VlanShare = 40;

    readonly Random _random;
    readonly FrameBuilder _frames = new();
    readonly Scripts _scripts;
    readonly (int Weight, Func<HostPair, IEnumerable<int>> Script)[] _mix;
    readonly int _weights;
    readonly IEnumerator<int>[] _running = new IEnumerator<int>[Concurrent];
    // How the sizes came out.
    long _small, _full, _bytes, _tcp;

    public TrafficGenerator(int seed)
    {
        _random = new Random(seed);
        _scripts = new Scripts(_frames, _random);
        _mix =
        [
            (220, _scripts.Https), (60, _scripts.Http), (30, _scripts.Ssh), (700, _scripts.Dns), (4, _scripts.DnsOverTcp), (70, _scripts.Quic),
            (20, _scripts.Ntp), (12, _scripts.Ping), (3, _scripts.Scan), (10, _scripts.Arp),
        ];
        _weights = _mix.Sum(m => m.Weight);
        for (int i = 0; i < Concurrent; i++)
        {
            _running[i] = Begin();
            // Some are long under way when the capture begins.
            for (int skip = _random.Next(4) == 0 ? 0 : _random.Next(60); skip > 0 && _running[i].MoveNext(); skip--)
            {
            }
        }
    }

    public static int Run(string[] args)
    {
        int packets = 1_000_000, seed = 1;
        string? path = null;
        string kind = "mixed";
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            switch (args[i])
            {
                case "--packets": packets = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
                case "--seed": seed = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
                case "--kind": kind = args[i + 1]; break;
                case "--out": path = args[i + 1]; break;
            }
        }
        if (path is null)
        {
            Console.Error.WriteLine("generate: where to? Give --out FILE (and --kind mixed|dns|syn, --packets N, --seed N)");
            return 2;
        }
        if (kind is not ("mixed" or "dns" or "syn"))
        {
            Console.Error.WriteLine($"generate: --kind takes mixed, dns or syn; not \"{kind}\"");
            return 2;
        }
        if (kind != "mixed")
        {
            using var flood = new PcapWriter(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 0), LinkType.Ethernet);
            if (kind == "dns") FloodTraffic.WriteDns(flood, packets, seed);
            else FloodTraffic.WriteSyn(flood, packets, seed);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {packets:N0} packets of the {kind} kind"));
            return 0;
        }
        var generator = new TrafficGenerator(seed);
        using (var writer = new PcapWriter(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 0), LinkType.Ethernet)) generator.Write(writer, packets);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{path}: {packets:N0} packets, mean {(double)generator._bytes / packets:F0} bytes, {100.0 * generator._small / packets:F0} % up to 128, {100.0 * generator._full / packets:F0} % over 1400, {100.0 * generator._tcp / packets:F0} % TCP"));
        return 0;
    }

    public void Write(PcapWriter writer, int packets)
    {
        long now = 1_717_495_200_000_000_000;
        for (int written = 0; written < packets;)
        {
            int i = _random.Next(Concurrent);
            // A train goes on while the sender has more to send at once and nobody cuts in.
            for (int train = 0; written < packets; train++)
            {
                if (!_running[i].MoveNext())
                {
                    _running[i] = Begin();
                    break;
                }
                now += _random.Next(1_000, 15_000);
                writer.Write(_frames.Frame, _frames.Frame.Length, now);
                Count(_frames.Frame);
                written++;
                if (train >= _running[i].Current) break;
            }
        }
    }

    void Count(ReadOnlySpan<byte> frame)
    {
        _bytes += frame.Length;
        if (frame.Length <= 128) _small++;
        if (frame.Length > 1400) _full++;
        int at = frame[12] == 0x81 ? 16 : 12;
        if (frame[at] == 0x08 && frame[at + 1] == 0 && frame[at + 11] == IPProtocol.Tcp || frame[at] == 0x86 && frame[at + 8] == IPProtocol.Tcp) _tcp++;
    }

    IEnumerator<int> Begin()
    {
        int pick = _random.Next(_weights);
        int i = 0;
        while (pick >= _mix[i].Weight) pick -= _mix[i++].Weight;
        return _mix[i].Script(Pair()).GetEnumerator();
    }

    HostPair Pair()
    {
        uint host = (uint)_random.Next(1, 4000);
        // Few servers have most of the clients.
        uint server = (uint)(_random.NextDouble() * _random.NextDouble() * 50_000);
        ushort vlan = (ushort)(_random.Next(VlanShare) == 0 ? 100 + (host & 3) : 0);
        ulong clientHardware = 0x02_00_5E_00_00_00UL | host, serverHardware = 0x02_00_5E_FF_00_01;
        return _random.Next(V6Share) == 0
            ? new HostPair(new Address(0x2001_0DB8_0001_0000, host), new Address(0x2001_0DB8_00FF_0000, server + 1), clientHardware, serverHardware, vlan)
            : new HostPair(Address.FromV4(0x0A01_0000 + host), Address.FromV4(0xC633_0000 + (server * 7)), clientHardware, serverHardware, vlan);
    }
}
