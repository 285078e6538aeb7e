using Nfr.Capture;
using Nfr.Wire;

namespace Nfr.Fuzz;

/// <summary>Frames, datagrams and stream starts of real captures: the project's own, and those of others where they lie beside the checkout.</summary>
sealed class Seeds
{
    /// <summary>Enough of each; the way from there is the fuzzer's.</summary>
    const int MaximumFrames = 4000, MaximumPerFile = 40;

    readonly List<(LinkType Link, byte[] Bytes)> _frames = [];
    readonly List<(int Port, byte[] Payload)> _datagrams = [];
    readonly List<(int Port, byte[] Payload)> _segments = [];

    public IReadOnlyList<(LinkType Link, byte[] Bytes)> Frames => _frames;

    /// <summary>UDP payloads with the lower port.</summary>
    public IReadOnlyList<(int Port, byte[] Payload)> Datagrams => _datagrams;

    /// <summary>TCP payloads with the lower port.</summary>
    public IReadOnlyList<(int Port, byte[] Payload)> Segments => _segments;

    public IEnumerable<byte[]> DatagramsOf(params int[] ports) => _datagrams.Where(d => ports.Contains(d.Port)).Select(d => d.Payload);
    public IEnumerable<byte[]> SegmentsThat(Func<byte[], bool> want) => _segments.Where(s => want(s.Payload)).Select(s => s.Payload);

    /// <summary>Capture files, smallest first.</summary>
    public IReadOnlyList<string> Files { get; }

    public string Root { get; }

    public Seeds(string root)
    {
        Root = root;
        string corpus = Path.Combine(root, "..", "shared", "corpus");
        string[] folders = [Path.Combine(root, "tests", "captures"), .. Directory.Exists(corpus) ? [corpus] : Array.Empty<string>()];
        Files =
        [
            .. folders.SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories))
                .Where(f => Path.GetExtension(f) is ".pcap" or ".pcapng" or ".cap").Select(f => new FileInfo(f))
                .OrderBy(f => f.Length).ThenBy(f => f.Name, StringComparer.Ordinal).Select(f => f.FullName),
        ];
        foreach (string file in Files)
        {
            if (_frames.Count >= MaximumFrames) break;
            using CaptureFile? capture = CaptureFile.Open(file, out _);
            if (capture is null) continue;
            var sink = new Collect(this, _frames.Count + MaximumPerFile);
            while (_frames.Count < sink.Limit && capture.Read(ref sink))
            {
            }
        }
    }

    void Keep(scoped in Frame frame)
    {
        _frames.Add((frame.LinkType, frame.Bytes.ToArray()));
        ReadOnlySpan<byte> rest = frame.Bytes;
        if (frame.LinkType == LinkType.Ethernet)
        {
            if (EthernetFrame.TryRead(rest, out EthernetFrame ethernet) != DecodeFault.None || ethernet.Type != EtherType.IPv4) return;
            rest = ethernet.Payload;
        }
        if (IPv4Packet.TryRead(rest, out IPv4Packet ip) != DecodeFault.None || ip.IsFragment) return;
        if (ip.Protocol == IPProtocol.Udp && UdpDatagram.TryRead(ip.Payload, out UdpDatagram udp) == DecodeFault.None && !udp.Payload.IsEmpty)
            _datagrams.Add((Math.Min(udp.SourcePort, udp.DestinationPort), udp.Payload.ToArray()));
        if (ip.Protocol == IPProtocol.Tcp && TcpSegment.TryRead(ip.Payload, out TcpSegment tcp) == DecodeFault.None && !tcp.Payload.IsEmpty)
            _segments.Add((Math.Min(tcp.SourcePort, tcp.DestinationPort), tcp.Payload.ToArray()));
    }

    readonly struct Collect(Seeds seeds, int limit) : IFrameSink
    {
        public int Limit => limit;

        public void OnFrame(scoped in Frame frame)
        {
            if (seeds._frames.Count < limit && frame.Bytes.Length <= 2000) seeds.Keep(frame);
        }
    }
}
