namespace Nfr.Uplink;

public enum LinkProtocol : byte
{
    Udp,
    Tcp,
    Tls,
}

/// <summary>Where a sink's messages go and how: a server that says nothing back.</summary>
public sealed record LinkOptions
{
    public required LinkProtocol Protocol { get; init; }
    /// <summary>Name or address, an IPv6 one without brackets.</summary>
    public required string Host { get; init; }
    public required int Port { get; init; }
    /// <summary>For <see cref="LinkProtocol.Tls"/>.</summary>
    public TlsSettings Tls { get; init; } = TlsSettings.Default;

    /// <summary>"tcp://host:port".</summary>
    public override string ToString() =>
        $"{Protocol.ToString().ToLowerInvariant()}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";
}
