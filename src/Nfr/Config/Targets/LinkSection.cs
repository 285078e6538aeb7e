using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>Reads host, port, protocol and tls of a server that says nothing back.</summary>
static class LinkSection
{
    /// <summary>Null when a fault was found.</summary>
    public static LinkOptions? Read(Section s, int port, int tlsPort)
    {
        string protocol = s.Choice("protocol", "tcp", "udp", "tcp", "tls");
        string? host = s.Text("host", expected: "an address or host name")?.Trim('[', ']');
        int at = s.Integer("port", protocol == "tls" ? tlsPort : port, 1, 65535);
        TlsSettings tls = TlsSection.Read(s.Under("tls"));
        if (s.Has("tls") && protocol != "tls") s.Fault("tls", $"protocol is {protocol}, which knows no certificates; set protocol: tls, or remove this key");
        if (host is null) s.Fault("host", "missing; the server's address or name");
        else if (Uri.CheckHostName(host) == UriHostNameType.Unknown) s.Fault("host", $"expected an address or host name, found \"{host}\"");
        else return new LinkOptions { Host = host, Port = at, Tls = tls, Protocol = protocol switch { "udp" => LinkProtocol.Udp, "tls" => LinkProtocol.Tls, _ => LinkProtocol.Tcp } };
        return null;
    }
}
