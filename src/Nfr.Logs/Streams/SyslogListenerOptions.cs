using System.Net;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>Where log lines of others are taken over the network, and from whom.</summary>
public sealed record SyslogListenerOptions
{
    /// <summary>Of its counters, such as "syslog 0.0.0.0:5514".</summary>
    public required string Name { get; init; }
    /// <summary>Port 0: any that is free.</summary>
    public required IPEndPoint Listen { get; init; }
    public bool Udp { get; init; } = true;
    public bool Tcp { get; init; } = true;
    /// <summary>Auto: told by the program's name in each message (named, dnsmasq, pihole-FTL, unbound, coredns), or by how its text looks.</summary>
    public LogFormat Format { get; init; } = LogFormat.Auto;
    /// <summary>By <see cref="EventType"/>, as <see cref="LineOptions.Types"/>.</summary>
    public bool[] Types { get; init; } = LineOptions.TypesOf("all");
    /// <summary>
    /// Who may send; what comes from others is dropped and counted. Empty = <see cref="PrivateNetworks"/>: a list that somebody emptied opens nothing.
    /// Everybody is 0.0.0.0/0 and ::/0.
    /// </summary>
    public IReadOnlyList<IpPrefix> From
    {
        get;
        init => field = value is { Count: > 0 } ? value : PrivateNetworks;
    } = PrivateNetworks;

    /// <summary>RFC 1918, RFC 4193, loopback and link-local: who may send when nobody is named.</summary>
    public static readonly IReadOnlyList<IpPrefix> PrivateNetworks =
    [
        Prefix("10.0.0.0/8"), Prefix("172.16.0.0/12"), Prefix("192.168.0.0/16"), Prefix("169.254.0.0/16"), Prefix("127.0.0.0/8"),
        Prefix("fc00::/7"), Prefix("fe80::/10"), Prefix("::1/128"),
    ];

    static IpPrefix Prefix(string text) => IpPrefix.TryParse(text, out IpPrefix prefix) ? prefix : throw new FormatException(text);
}
