namespace Nfr.Events;

/// <summary>Takes events; a struct where it is on the hot path, so that calls inline. Nothing passed in may be kept after the call.</summary>
public interface IEventSink
{
    void OnDns(scoped in DnsEvent e);
    void OnIp(scoped in IpEvent e);
    void OnHttp(scoped in HttpEvent e);
    void OnTls(scoped in TlsEvent e);
    void OnHost(scoped in HostEvent e);
    void OnAnomaly(scoped in AnomalyEvent e);

    /// <summary>Logs alone have such: who takes events of packets is never told.</summary>
    void OnSignature(scoped in SignatureEvent e)
    {
    }

    /// <summary>What came so far is all of an input up to here. Only who reads a grouped ring is told.</summary>
    void OnMark(in InputMark mark)
    {
    }
}
