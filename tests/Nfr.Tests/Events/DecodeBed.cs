using System.Globalization;
using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>An ip event that has been kept.</summary>
sealed record SeenIp(
    string Client, string Server, byte Protocol, int Vlan, long BytesOut, long BytesIn, long PacketsOut, long PacketsIn, long PayloadOut, long PayloadIn,
    ConnectionState State, App App, FlowNotes Notes, byte TcpFlags, long Duration, string Ja3, long Timestamp, long MissedOut, long MissedIn)
{
    public string User { get; init; } = "";
    public string ClientSoftware { get; init; } = "";
    public string ServerSoftware { get; init; } = "";
    public string Hassh { get; init; } = "";
    public string HasshServer { get; init; } = "";
    public int LoginFailures { get; init; }
    public int LoginSuccesses { get; init; }
}

/// <summary>Everything that a decoder has emitted, as text where tests compare it and as records where they ask for parts.</summary>
sealed class Seen
{
    public List<SeenIp> Ip { get; } = [];
    /// <summary>Of each ip event.</summary>
    public List<EchoStatistics> Echoes { get; } = [];
    public List<string> Dns { get; } = [];
    /// <summary>"id flags payload-size notes service".</summary>
    public List<string> DnsHeaders { get; } = [];
    public List<string> Http { get; } = [];
    public List<string> Tls { get; } = [];
    /// <summary>What each of <see cref="Tls"/> showed beside names and fingerprints.</summary>
    public List<(TlsNotes Notes, string ServerAlpn, string Names)> TlsMore { get; } = [];
    /// <summary>"source address mac name".</summary>
    public List<string> Hosts { get; } = [];
    public List<(DecodeFault Fault, string Client, string Server)> Anomalies { get; } = [];

    public IEnumerable<string> Content => [.. Dns, .. Http, .. Tls];

    /// <summary>Forgets everything, so that one decoder serves many cases.</summary>
    public void Clear()
    {
        Ip.Clear();
        Echoes.Clear();
        Dns.Clear();
        DnsHeaders.Clear();
        Http.Clear();
        Tls.Clear();
        TlsMore.Clear();
        Hosts.Clear();
        Anomalies.Clear();
    }
}

/// <summary>Keeps events; content events without their stamps, which hang on how a stream was cut.</summary>
readonly struct Collector(Seen seen) : IEventSink
{
    static string End(in Address address, int port) => $"{address}:{port}";

    public void OnDns(scoped in DnsEvent e)
    {
        var answers = new List<string>();
        var reader = new DnsAnswerReader(e.Answers);
        while (reader.MoveNext()) answers.Add(Bytes.Text(reader.Text));
        seen.Dns.Add($"{End(e.Context.Source, e.Context.SourcePort)} > {End(e.Context.Destination, e.Context.DestinationPort)} {Bytes.Text(e.Query)} {e.QueryType} "
            + $"{e.ResponseCode} [{string.Join(' ', answers)}] {e.QueryLength}/{e.ResponseLength}");
        seen.DnsHeaders.Add(string.Create(CultureInfo.InvariantCulture, $"{e.Id} {e.Flags:x4} {e.EdnsPayloadSize} {e.Notes} {e.Service}"));
    }

    public void OnIp(scoped in IpEvent e)
    {
        seen.Echoes.Add(e.Echo);
        seen.Ip.Add(Kept(e));
    }

    static SeenIp Kept(scoped in IpEvent e) => new(
        End(e.Context.Source, e.Context.SourcePort), End(e.Context.Destination, e.Context.DestinationPort), e.Context.Protocol, e.Context.Vlan,
        e.BytesOut, e.BytesIn, e.PacketsOut, e.PacketsIn, e.PayloadOut, e.PayloadIn, e.State, e.App, e.Notes, e.TcpFlags, e.Duration, Bytes.Text(e.Ja3), e.Context.Timestamp,
        e.MissedOut, e.MissedIn)
    {
        User = Bytes.Text(e.User),
        ClientSoftware = Bytes.Text(e.ClientSoftware),
        ServerSoftware = Bytes.Text(e.ServerSoftware),
        Hassh = Bytes.Text(e.Hassh),
        HasshServer = Bytes.Text(e.HasshServer),
        LoginFailures = e.LoginFailures,
        LoginSuccesses = e.LoginSuccesses,
    };

    public void OnHttp(scoped in HttpEvent e) =>
        seen.Http.Add(string.Create(CultureInfo.InvariantCulture, $"{Bytes.Text(e.Method)} {Bytes.Text(e.Url)} {e.Status} in={e.BytesIn} out={e.BytesOut} ")
            + $"host={Bytes.Text(e.Host)} type={Bytes.Text(e.ContentType)} ref={Bytes.Text(e.Referrer)} ua={Bytes.Text(e.UserAgent)} {e.Notes}");

    public void OnTls(scoped in TlsEvent e)
    {
        seen.TlsMore.Add((e.Notes, Bytes.Text(e.ServerAlpn), Bytes.Text(e.SubjectAltNames)));
        seen.Tls.Add($"{Bytes.Text(e.Sni)} {e.Version:x4} ja3={Bytes.Text(e.Ja3)} ja3s={Bytes.Text(e.Ja3s)} ja4={Bytes.Text(e.Ja4)} cert={Bytes.Text(e.CertificateHash)} "
            + $"{Bytes.Text(e.Issuer)}/{Bytes.Text(e.Subject)} {e.ValidFrom == TlsEvent.NoTime} alpn={Bytes.Text(e.Alpn)}");
    }

    public void OnHost(scoped in HostEvent e) => seen.Hosts.Add($"{e.Source} {e.Address} {e.HardwareAddress:x12} {Bytes.Text(e.Name)}");

    public void OnAnomaly(scoped in AnomalyEvent e) =>
        seen.Anomalies.Add((e.Fault, End(e.Context.Source, e.Context.SourcePort), End(e.Context.Destination, e.Context.DestinationPort)));
}

/// <summary>
/// A decoder under test with a clock that the test moves. On disposal it drains the decoder and asserts what holds after any traffic: the
/// ledger closes, every flow was exported once, and every buffer and conversation came back.
/// </summary>
sealed class DecodeBed : IPacketBed, IDisposable
{
    public const long Second = 1_000_000_000;

    bool _drained;

    public DecodeBed(DecoderOptions? options = null)
    {
        Decoder = new FrameDecoder<Collector>(options ?? new DecoderOptions { MaximumFlows = 1024 }, new Collector(Seen));
    }

    public FrameDecoder<Collector> Decoder { get; }
    public Seen Seen { get; } = new();
    public DecodeCounters Counters => Decoder.Counters;

    /// <summary>The bed's clock; every frame moves it by a millisecond.</summary>
    public long Tick { get; private set; } = Second;

    public long Fault(DecodeFault fault) => Counters.Faults[(int)fault];

    public IEnumerable<DecodeFault> Faults => Enumerable.Range(0, (int)DecodeFault.Count).Select(i => (DecodeFault)i).Where(f => Fault(f) > 0);

    public void Frame(byte[] bytes, LinkType link = LinkType.Ethernet, ushort tpid = 0, ushort tci = 0, int originalLength = 0)
    {
        Tick += 1_000_000;
        Decoder.OnFrame(new Frame(bytes, Math.Max(originalLength, bytes.Length), Make.Stamp + Tick, Tick, link, tpid, tci));
    }

    void IPacketBed.Ip(byte[] packet) => Ip(packet);

    /// <summary>An IP packet in an Ethernet frame.</summary>
    public void Ip(byte[] packet, params ushort[] vlans) => Frame(Frames.Ethernet(packet, vlans));

    public void Udp(string source, int sourcePort, string destination, int destinationPort, byte[] payload) =>
        Ip(Frames.Ip(source, destination, IPProtocol.Udp, Frames.Udp(sourcePort, destinationPort, payload)));

    public void Wait(double seconds)
    {
        Tick += (long)(seconds * Second);
        Decoder.Advance(Tick);
    }

    public void Drain()
    {
        Decoder.Drain();
        _drained = true;
    }

    /// <summary>Drains, and gives the only ip event.</summary>
    public SeenIp OnlyFlow()
    {
        Drain();
        // A slice is told beside the flow's end.
        return Assert.Single(Seen.Ip, f => (f.Notes & FlowNotes.ActiveTimeout) == 0);
    }

    public void Dispose()
    {
        if (!_drained) Decoder.Drain();
        Assert.True(Counters.Closes, "the ledger does not close");
        Assert.Equal(0, Decoder.ActiveFlows);
        Assert.Equal(Counters.FlowsOpened, Counters.FlowsClosed);
        Assert.Equal(Counters.FlowsClosed + Counters.FlowSlices, Decoder.Events[(int)EventType.Ip]);
        Assert.Equal(0, Decoder.BuffersInUse);
        Assert.Equal(0, Decoder.ConversationsInUse);
        Assert.Equal(0, Decoder.DetailsInUse);
    }
}
