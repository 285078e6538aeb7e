using System.Text;

namespace Nfr.Events;

/// <summary>
/// DNS inside TLS and QUIC, known from the client's hello: by ALPN (RFC 7858 "dot", RFC 9250 "doq"), by DNS over TLS's own port
/// (853, which nothing else uses), or by the name of a public resolver that speaks DNS over HTTPS (RFC 8484), which looks like the web otherwise.
/// </summary>
static class EncryptedDns
{
    /// <summary>
    /// Names under which public resolvers document their DNS over HTTPS: each operator's own setup page, and curl's wiki list "DNS-over-HTTPS",
    /// both public knowledge. A name below one of these counts too (profiles: ID.dns.nextdns.io).
    /// </summary>
    static readonly byte[][] s_resolvers =
    [
        .. "dns.google,dns.google.com,dns64.dns.google,cloudflare-dns.com,one.one.one.one,1dot1dot1dot1.cloudflare-dns.com,cloudflare-gateway.com,dns.quad9.net,dns9.quad9.net,dns10.quad9.net,dns11.quad9.net,"
            .Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Encoding.ASCII.GetBytes),
        .. "doh.opendns.com,doh.familyshield.opendns.com,doh.umbrella.com,dns.adguard.com,dns.adguard-dns.com,dns-family.adguard.com,unfiltered.adguard-dns.com,family.adguard-dns.com,dns.nextdns.io,doh.cleanbrowsing.org,"
            .Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Encoding.ASCII.GetBytes),
        .. "dns.mullvad.net,doh.mullvad.net,freedns.controld.com,dns.controld.com,doh.dns.sb,dns.alidns.com,doh.pub,dns.pub,doh.360.cn,dns.switch.ch,dns.digitale-gesellschaft.ch,doh.applied-privacy.net,doh.libredns.gr,"
            .Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Encoding.ASCII.GetBytes),
        .. "doh.xfinity.com,dns.njal.la,dns.twnic.tw,public.dns.iij.jp,dns0.eu,doh.dns.apple.com,mozilla.cloudflare-dns.com,chrome.cloudflare-dns.com,firefox.dns.nextdns.io,doh.cox.net,dns.comss.one,wikimedia-dns.org"
            .Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Encoding.ASCII.GetBytes),
    ];

    /// <returns>Dot, Doq or Doh, or <paramref name="carrier"/> when it is none of them.</returns>
    public static App Of(App carrier, ReadOnlySpan<byte> sni, ReadOnlySpan<byte> alpn, ushort serverPort)
    {
        if (alpn.SequenceEqual("dot"u8)) return App.Dot;
        if (alpn.StartsWith("doq"u8)) return App.Doq;
        if (serverPort == 853) return carrier == App.Quic ? App.Doq : App.Dot;
        return IsResolver(sni) ? App.Doh : carrier;
    }

    static bool IsResolver(ReadOnlySpan<byte> sni)
    {
        foreach (byte[] name in s_resolvers)
        {
            if (sni.Length < name.Length || !Ascii.EqualsIgnoreCase(sni[^name.Length..], name)) continue;
            if (sni.Length == name.Length || sni[sni.Length - name.Length - 1] == (byte)'.') return true;
        }
        return false;
    }
}
