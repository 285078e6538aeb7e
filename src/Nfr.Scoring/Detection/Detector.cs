using Nfr.Events;

namespace Nfr.Scoring.Detection;

/// <summary>The kinds of event that a detector looks at.</summary>
[Flags]
enum DetectorEvents
{
    None = 0,
    Dns = 1,
    Ip = 2,
    Http = 4,
    Tls = 8,
    Anomaly = 16,
    Signature = 32,
}

/// <summary>
/// Looks for one kind of behaviour in the stream of events, with tables of fixed size. One thread; nothing is allocated for an event in which nothing is found.
/// Each method returns 0, or the severity (1 to 5) of a finding that the event contributed to, raised now or before.
/// </summary>
abstract class Detector
{
    /// <summary>It is called for these alone.</summary>
    public abstract DetectorEvents Sees { get; }

    /// <summary>Those of them that it is called for when a stranger comes to a home machine, and the scope takes the events of home machines only: ip and http, for what speaks of the server.</summary>
    public virtual DetectorEvents SeesInbound => DetectorEvents.None;

    /// <summary>Whether it sees the queries of resolvers at once; the others see those that no client asked for (<see cref="Resolvers"/>).</summary>
    public virtual bool SeesResolvers => false;

    /// <summary>The network's events have ended: what still waits for others is told.</summary>
    public virtual void Finish()
    {
    }

    public virtual int OnDns(scoped in DnsEvent e) => 0;
    public virtual int OnIp(scoped in IpEvent e) => 0;
    public virtual int OnHttp(scoped in HttpEvent e) => 0;
    public virtual int OnTls(scoped in TlsEvent e) => 0;
    public virtual int OnAnomaly(scoped in AnomalyEvent e) => 0;
    public virtual int OnSignature(scoped in SignatureEvent e) => 0;

    /// <summary>What was forgotten because a table was full.</summary>
    public virtual long Evicted => 0;

    /// <summary>Sources, pairs or clients in its tables.</summary>
    public virtual int Tracked => 0;
}
