using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>Reads the key "proxy" of any HTTP client.</summary>
static class ProxyKey
{
    internal static ProxySettings Read(Section s)
    {
        const string None = "none", Expected = "expected http://[user:password@]host:port, socks5://host:port, or none";
        string? text = s.Text("proxy", expected: "an address such as http://10.0.0.1:3128, or none");
        if (text is null) return ProxySettings.Environment;
        if (text == None) return ProxySettings.None;
        if (ProxySettings.TryParse(text) is { } proxy) return proxy;
        // It may hold a password.
        s.Fault("proxy", text.Contains('@', StringComparison.Ordinal) ? Expected + "; a user or password with other than letters and digits is written with %XX" : $"{Expected}; found \"{text}\"");
        return ProxySettings.Environment;
    }
}
