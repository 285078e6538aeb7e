using Nfr.Events;

namespace Nfr.Tests.Logs;

/// <summary>Takes events and does nothing.</summary>
sealed class NoEvents : IEventSink
{
    public void OnDns(scoped in DnsEvent e) { }
    public void OnIp(scoped in IpEvent e) { }
    public void OnHttp(scoped in HttpEvent e) { }
    public void OnTls(scoped in TlsEvent e) { }
    public void OnHost(scoped in HostEvent e) { }
    public void OnAnomaly(scoped in AnomalyEvent e) { }
}
