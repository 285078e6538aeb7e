using System.Net;

namespace Nfr.Uplink;

/// <summary>Through which HTTP or SOCKS proxy a client reaches its server.</summary>
public sealed record ProxySettings
{
    /// <summary>As the environment says: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in capitals or not.</summary>
    public static ProxySettings Environment { get; } = new();
    /// <summary>Straight, whatever the environment says.</summary>
    public static ProxySettings None { get; } = new() { IsNone = true };

    public bool IsNone { get; private init; }
    /// <summary>Scheme, name and port; null = none, or that of the environment.</summary>
    public Uri? Address { get; private init; }
    public NetworkCredential? Credential { get; private init; }

    /// <summary>Reads http://[user[:password]@]host[:port] or socks5://…; null when it is none. Nothing of a text with a password may be shown.</summary>
    public static ProxySettings? TryParse(string text)
    {
        // A ":" before "@" that is no port of its own is what most mistakes come from; Uri sees them all.
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "socks5") || uri.Host.Length == 0 || uri.PathAndQuery is not ("/" or "") || uri.Fragment.Length > 0) return null;
        if (uri.Scheme == "socks5" && uri.Port < 0) return null;
        string[] user = uri.UserInfo.Split(':', 2);
        return new ProxySettings
        {
            Address = new UriBuilder(uri.Scheme, uri.IdnHost, uri.Port).Uri,
            Credential = uri.UserInfo.Length == 0 ? null : new NetworkCredential(Uri.UnescapeDataString(user[0]), user.Length > 1 ? Uri.UnescapeDataString(user[1]) : ""),
        };
    }

    /// <summary>Sets up a handler.</summary>
    public void Apply(SocketsHttpHandler handler)
    {
        handler.UseProxy = !IsNone;
        if (Address is not null) handler.Proxy = new WebProxy(Address) { Credentials = Credential };
    }

    /// <summary>The proxy between us and an address as people may see it, "host:port"; null = there is none.</summary>
    public string? Between(Uri target)
    {
        if (IsNone) return null;
        Uri? proxy = Address ?? (HttpClient.DefaultProxy.IsBypassed(target) ? null : HttpClient.DefaultProxy.GetProxy(target));
        return proxy is null || proxy == target ? null : $"{proxy.IdnHost}:{proxy.Port}";
    }
}
