using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>update: where an appliance asks for newer systems.</summary>
public sealed record UpdateConfig
{
    /// <summary>Of a signed head (BUNDLE.head) of the latest bundle, which lies beside it; null = nobody is asked.</summary>
    public Uri? Url { get; init; }
    public ProxySettings Proxy { get; init; } = ProxySettings.Environment;
    public TlsSettings Tls { get; init; } = TlsSettings.Default;

    internal static UpdateConfig Read(Section s)
    {
        const string Expected = "an address such as https://updates.example.net/nfr.head";
        Uri? url = null;
        if (s.Text("url", expected: Expected) is { } text && !TryUrl(text, out url)) s.Fault("url", $"expected {Expected}, found \"{text}\"");
        var update = new UpdateConfig { Url = url, Proxy = ProxyKey.Read(s), Tls = TlsSection.Read(s.Under("tls")) };
        s.End();
        return update;
    }

    /// <summary>http is allowed: what is believed is the signature, and the way only decides who may see or hold back an update.</summary>
    internal static bool TryUrl(string text, out Uri? url)
    {
        bool good = Uri.TryCreate(text, UriKind.Absolute, out url) && url.Scheme is "http" or "https" && url.Host.Length > 0 && url.UserInfo.Length == 0;
        if (!good) url = null;
        return good;
    }
}
