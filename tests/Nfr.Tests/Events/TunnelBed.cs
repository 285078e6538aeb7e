using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>A decode loop that keeps of each event what it was and what it came in: "dns in.test | vxlan 7 10.0.0.1 10.0.0.2 1".</summary>
internal sealed class TunnelBed
{
    readonly FrameDecoder<Sink> _decoder;
    long _tick = 1_000_000_000;

    public TunnelBed(FlowSeparation separation = FlowSeparation.Networks) =>
        _decoder = new FrameDecoder<Sink>(new DecoderOptions { MaximumFlows = 64, Separation = separation }, new Sink(Events));

    public List<string> Events { get; } = [];
    public DecodeCounters Counters => _decoder.Counters;

    public long Fault(DecodeFault fault) => _decoder.Counters.Faults[(int)fault];

    /// <param name="vlan">Of a tag that the card took out; 0 for none.</param>
    public void Frame(byte[] bytes, LinkType link = LinkType.Ethernet, ushort vlan = 0)
    {
        _tick += 1_000_000;
        _decoder.OnFrame(new Frame(bytes, bytes.Length, _tick, _tick, link, vlan == 0 ? (ushort)0 : EtherType.Vlan, vlan));
    }

    /// <summary>Between 10.0.0.1 and 10.0.0.2.</summary>
    public void Outer(byte protocol, byte[] payload) => Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(protocol, payload)));

    /// <summary>Ends everything, and checks what always holds: the ledger closes, and nothing stays rented.</summary>
    public void End()
    {
        _decoder.Drain();
        Assert.True(_decoder.Counters.Closes);
        Assert.Equal((0, 0, 0), (_decoder.BuffersInUse, _decoder.ConversationsInUse, _decoder.DetailsInUse));
    }

    public readonly struct Sink(List<string> events) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e) => Keep("dns " + Encoding.ASCII.GetString(e.Query), e.Context);

        public void OnIp(scoped in IpEvent e) => Keep(string.Create(CultureInfo.InvariantCulture,
            $"ip {e.Context.Source}:{e.Context.SourcePort} {e.Context.Destination}:{e.Context.DestinationPort} {e.Context.Protocol} {Encoding.ASCII.GetString(e.App.Utf8Name())}").TrimEnd(), e.Context);

        public void OnHttp(scoped in HttpEvent e) => Keep("http " + Encoding.ASCII.GetString(e.Host), e.Context);
        public void OnTls(scoped in TlsEvent e) => Keep("tls " + Encoding.ASCII.GetString(e.Sni), e.Context);
        public void OnHost(scoped in HostEvent e) =>
            Keep($"{Encoding.ASCII.GetString(e.Source.Utf8Name())} {e.Address} {Encoding.UTF8.GetString(e.Name)}".TrimEnd(), new EventContext { Tunnel = e.Tunnel });

        public void OnAnomaly(scoped in AnomalyEvent e) => Keep($"anomaly {e.Fault}", e.Context);

        void Keep(string text, in EventContext context)
        {
            Tunnel t = context.Tunnel;
            string ends = t.Source.IsUnspecified ? "" : $" {t.Source} {t.Destination}";
            events.Add(t.Kind == TunnelKind.None ? text : string.Create(CultureInfo.InvariantCulture, $"{text} | {Encoding.ASCII.GetString(t.Kind.Utf8Name())} {t.Identifier}{ends} {t.Depth}"));
        }
    }
}
