namespace Nfr.Events;

/// <summary>Where content parsers and the flow table put events: counts them by type and hands them to the worker's sink.</summary>
public sealed class Emitter<TSink>(TSink sink)
    where TSink : struct, IEventSink
{
    /// <summary>A field, not a property: the sink is a struct and keeps its own state.</summary>
    public TSink Sink = sink;

    /// <summary>Events by <see cref="EventType"/>, since the start.</summary>
    public readonly long[] Events = new long[EventTypes.Count];

    public void Dns(scoped in DnsEvent e)
    {
        Events[(int)EventType.Dns]++;
        Sink.OnDns(e);
    }

    public void Ip(scoped in IpEvent e)
    {
        Events[(int)EventType.Ip]++;
        Sink.OnIp(e);
    }

    public void Http(scoped in HttpEvent e)
    {
        Events[(int)EventType.Http]++;
        Sink.OnHttp(e);
    }

    public void Tls(scoped in TlsEvent e)
    {
        Events[(int)EventType.Tls]++;
        Sink.OnTls(e);
    }

    public void Host(scoped in HostEvent e)
    {
        Events[(int)EventType.Host]++;
        Sink.OnHost(e);
    }

    public void Anomaly(scoped in AnomalyEvent e)
    {
        Events[(int)EventType.Anomaly]++;
        Sink.OnAnomaly(e);
    }
}
