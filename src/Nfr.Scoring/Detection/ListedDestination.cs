using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Indicators;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Somebody deals with a destination that a list names: by domain (asked for, HTTP host, TLS server name), address, address and port,
/// network (an ip event's remote side, a DNS answer), URL, JA3 or certificate. Its memory is the lists' own.
/// </summary>
sealed class ListedDestination(Thresholds thresholds, Func<Address, bool> isHome, IndicatorStore store, Findings findings) : Detector
{
    public const string Name = "listed_destination";
    const ushort TypeA = 1, TypeAaaa = 28;

    public override DetectorEvents Sees => DetectorEvents.Dns | DetectorEvents.Ip | DetectorEvents.Http | DetectorEvents.Tls;

    public override int OnDns(scoped in DnsEvent e)
    {
        IndicatorSet set = store.Current;
        if (set.Count == 0) return 0;
        IndicatorHit hit = default;
        set.FindDomain(e.Query, ref hit);
        var answers = new DnsAnswerReader(e.Answers);
        while (answers.MoveNext())
        {
            if (answers.Type is TypeA or TypeAaaa && AddressText.TryParse(answers.Text, out Address address)) set.FindAddress(address, 0, ref hit);
            // A CNAME, NS or MX target is a name that the client will ask for or deal with next.
            else if (answers.Type is 2 or 5 or 15) set.FindDomain(answers.Text, ref hit);
        }
        if (hit.IsNone) return 0;
        if (!IsDue(hit, e.Context.Source, 5, out int severity, out ulong finding, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        findings.Raise(in e, finding, Describe(hit, e.Context.Source, severity, count, "asked for or was led to"));
        return severity;
    }

    public override int OnIp(scoped in IpEvent e)
    {
        IndicatorSet set = store.Current;
        if (set.Count == 0) return 0;
        IndicatorHit hit = default;
        int cap = 5;
        bool inbound = false;
        bool fromHome = isHome(e.Context.Source);
        if (fromHome || !isHome(e.Context.Destination)) set.FindAddress(e.Context.Destination, e.Context.DestinationPort, ref hit);
        else if (e.PayloadIn > 0)
        {
            // They came to us and we answered: worth knowing, but any public server is visited by what lists name.
            set.FindAddress(e.Context.Source, 0, ref hit);
            cap = thresholds.InboundSeverity;
            inbound = !hit.IsNone;
        }
        if (hit.IsNone)
        {
            set.FindFingerprint(IndicatorKind.Ja3, e.Ja3, ref hit);
            cap = thresholds.Ja3Severity;
        }
        if (hit.IsNone) return 0;
        Address client = inbound ? e.Context.Destination : e.Context.Source;
        if (!IsDue(hit, client, cap, out int severity, out ulong finding, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        findings.Raise(in e, finding, Describe(hit, client, severity, count, inbound ? "answered" : "connected to"));
        return severity;
    }

    public override int OnHttp(scoped in HttpEvent e)
    {
        IndicatorSet set = store.Current;
        if (set.Count == 0) return 0;
        IndicatorHit hit = default;
        ReadOnlySpan<byte> url = e.Url;
        int scheme = url.IndexOf("://"u8);
        if (scheme >= 0) url = url[(scheme + 3)..];
        int slash = url.IndexOfAny((byte)'/', (byte)'?');
        ReadOnlySpan<byte> authority = slash < 0 ? url : url[..slash];
        FindHost(set, e.Host.IsEmpty ? authority : e.Host, ref hit);
        if (slash >= 0)
        {
            int query = url.IndexOf((byte)'?');
            set.FindText(IndicatorKind.Url, url, ref hit);
            set.FindText(IndicatorKind.Path, url[slash..], ref hit);
            if (query > slash)
            {
                set.FindText(IndicatorKind.Url, url[..query], ref hit);
                set.FindText(IndicatorKind.Path, url[slash..query], ref hit);
            }
        }
        if (hit.IsNone) return 0;
        if (!IsDue(hit, e.Context.Source, 5, out int severity, out ulong finding, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        findings.Raise(in e, finding, Describe(hit, e.Context.Source, severity, count, "sent an HTTP request to"));
        return severity;
    }

    public override int OnTls(scoped in TlsEvent e)
    {
        IndicatorSet set = store.Current;
        if (set.Count == 0) return 0;
        IndicatorHit hit = default;
        int cap = 5;
        FindHost(set, e.Sni, ref hit);
        set.FindFingerprint(IndicatorKind.Certificate, e.CertificateHash, ref hit);
        if (hit.IsNone)
        {
            set.FindFingerprint(IndicatorKind.Ja3, e.Ja3, ref hit);
            cap = thresholds.Ja3Severity;
        }
        if (hit.IsNone) return 0;
        if (!IsDue(hit, e.Context.Source, cap, out int severity, out ulong finding, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        findings.Raise(in e, finding, Describe(hit, e.Context.Source, severity, count, "made a TLS connection that shows"));
        return severity;
    }

    static void FindHost(IndicatorSet set, ReadOnlySpan<byte> host, ref IndicatorHit hit)
    {
        if (host.IsEmpty) return;
        ushort port = 0;
        int colon = host.LastIndexOf((byte)':');
        if (colon >= 0 && (host[0] != '[' || host[colon - 1] == ']') && ushort.TryParse(host[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port)) host = host[..colon];
        if (host.Length > 2 && host[0] == '[' && host[^1] == ']') host = host[1..^1];
        if (AddressText.TryParse(host, out Address address)) set.FindAddress(address, port == 0 ? (ushort)80 : port, ref hit);
        else set.FindDomain(host.EndsWith("."u8) ? host[..^1] : host, ref hit);
    }

    bool IsDue(in IndicatorHit hit, in Address client, int cap, out int severity, out ulong finding, out long count)
    {
        severity = Math.Min(hit.Table!.Threat.Severity, cap);
        finding = Mix.Of(Mix.Of(client, hit.Hash), (ulong)Detectors.ListedDestination);
        return findings.IsDue(finding, severity, out count);
    }

    static Finding Describe(in IndicatorHit hit, in Address client, int severity, long count, string did)
    {
        IndicatorTable table = hit.Table!;
        string source = client.ToString(), indicator = hit.Text;
        string date = table.Date.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        string? label = hit.Label;
        var values = new List<EvidenceValue>
        {
            new("indicator", 0, indicator), new("kind", 0, KindName(hit.Kind)), new("list", 0, table.Name), new("file", 0, table.Path),
            new("listDate", 0, date),
        };
        if (label is not null) values.Add(new("label", 0, label));
        AlertThreat threat = severity == table.Threat.Severity ? table.Threat : table.Threat with { Severity = severity };
        var summary = new StringBuilder(source).Append(' ').Append(did).Append(' ').Append(indicator);
        if (label is not null) summary.Append(" (").Append(label).Append(')');
        summary.Append(", named by the list ").Append(table.Name).Append(" of ").Append(date).Append('.');
        return new Finding(Name, $"{source} {indicator}", threat, table.Flags, summary.ToString(), [new("listed", 1, 1)], values, count);
    }

    static string KindName(IndicatorKind kind) => kind switch
    {
        IndicatorKind.Domain => "domain",
        IndicatorKind.Address => "ip",
        IndicatorKind.AddressPort => "ip:port",
        IndicatorKind.Network => "cidr",
        IndicatorKind.Url => "url",
        IndicatorKind.Path => "path",
        IndicatorKind.Ja3 => "ja3",
        _ => "certificate",
    };
}
