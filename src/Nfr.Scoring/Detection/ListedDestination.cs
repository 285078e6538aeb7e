using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Indicators;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Somebody deals with a destination that a list names: by domain (asked for, led to by an answer, HTTP host, TLS server name, a certificate's names where
/// there is no server name), address, address and port, network, URL, JA3, JA4 or certificate. One finding a client and indicator. Its memory is the lists' own.
/// What a resolver asks for is the matter of the client that asked it for the same indicator within the window before or after (<see cref="HeldMatters"/>).
/// </summary>
sealed class ListedDestination(Thresholds thresholds, Func<Address, bool> isHome, IndicatorStore store, Resolvers resolvers, Findings findings) : Detector
{
    public const string Name = "listed_destination";
    const ushort TypeA = 1, TypeNs = 2, TypeCname = 5, TypeMx = 15, TypeAaaa = 28;
    const int Gravest = 5;
    const byte Tcp = 6;

    /// <summary>Pairs of resolver and indicator that clients have asked for, 4 KB.</summary>
    const int MaxAsked = 512;

    readonly LastSeen _asked = new(MaxAsked);

    public override DetectorEvents Sees => DetectorEvents.Dns | DetectorEvents.Ip | DetectorEvents.Http | DetectorEvents.Tls;
    public override DetectorEvents SeesInbound => DetectorEvents.Ip;
    public override bool SeesResolvers => true;

    public override int OnDns(scoped in DnsEvent e)
    {
        IndicatorSet set = store.Current;
        if (set.Count == 0) return 0;
        RaiseHeld();
        bool toHome = isHome(e.Context.Destination);
        IndicatorHit asked = default, answered = default;
        set.FindDomain(e.Query, ref asked);
        if (!toHome) set.FindAddress(e.Context.Destination, e.Context.DestinationPort, ref asked);
        var answers = new DnsAnswerReader(e.Answers);
        while (answers.MoveNext())
        {
            if (answers.Type is TypeA or TypeAaaa && AddressText.TryParse(answers.Text, out Address address)) set.FindAddress(address, 0, ref answered);
            // The target of a CNAME, NS or MX is a name that the client will ask for or deal with next.
            else if (answers.Type is TypeNs or TypeCname or TypeMx) set.FindDomain(answers.Text, ref answered);
        }
        // Two matters: what was asked for, and where the answer leads (a sinkhole, say, for a name that is listed too).
        int severity = asked.IsNone ? 0 : OnDns(in e, asked, set, asked.Kind is IndicatorKind.Domain or IndicatorKind.Host ? "asked for" : "asked the DNS server");
        return answered.IsNone || answered.Hash == asked.Hash ? severity : Math.Max(severity, OnDns(in e, answered, set, "was led by a DNS answer to"));
    }

    int OnDns(scoped in DnsEvent e, scoped in IndicatorHit hit, IndicatorSet set, string did)
    {
        Address client = e.Context.Source;
        int cap = !isHome(client) && isHome(e.Context.Destination) ? thresholds.InboundSeverity : Gravest;
        (int severity, ulong finding) = Matter(hit, client, cap);
        // A resolver asks for others. Its query's answer comes before its client's: it waits for the client's, and is its own matter when none comes.
        if (Resolvers.IsIterative(in e) || resolvers.IsResolver(client))
        {
            long age = _asked.Age(Mix.Of(client, hit.Hash), findings.Now);
            if ((age >= 0 && age <= thresholds.ResolverWindow) || resolvers.Site.Matters.IsHeld(finding)) return severity;
            if (resolvers.Site.Matters.Hold(new HeldMatter(
                finding, hit.Hash, client, findings.Now, severity, AlertEvents.From(in e), e.Context, findings.LineOf(in e), Describe(hit, set, client, severity, 1, did)), resolvers.Places)) return severity;
        }
        _asked.Mark(Mix.Of(e.Context.Destination, hit.Hash), findings.Now);
        resolvers.Site.Matters.Claim(hit.Hash, e.Context.Destination);
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        findings.Raise(in e, finding, Describe(hit, set, client, severity, count, did));
        return severity;
    }

    /// <summary>What no client came for was the resolver's own.</summary>
    void RaiseHeld() => RaiseHeld(thresholds.ResolverWindow);

    public override void Finish() => RaiseHeld(0);

    void RaiseHeld(long window)
    {
        while (resolvers.Site.Matters.TryTake(findings.Now, window, out HeldMatter held))
        {
            if (findings.IsDue(held.Finding, held.Severity, out long count)) findings.Raise(held.Event, held.Context, held.Line, held.Finding, held.What with { Count = count });
        }
    }

    public override int OnIp(scoped in IpEvent e)
    {
        IndicatorSet set = store.Current;
        if (set.Count == 0) return 0;
        RaiseHeld();
        // Nobody here has sent anything: a datagram that nobody asked for, or the answer to a forged packet.
        if (e.PacketsOut == 0 && e.PacketsIn > 0 && (e.Context.Protocol != Tcp || e.PayloadIn == 0)) return 0;
        IndicatorHit hit = default;
        int cap = Gravest;
        bool inbound = !isHome(e.Context.Source) && isHome(e.Context.Destination);
        if (!inbound) set.FindAddress(e.Context.Destination, e.Context.DestinationPort, ref hit);
        else if (e.PayloadIn > 0)
        {
            // They came to us and we answered: worth knowing, but any public server is visited by what lists name.
            set.FindAddress(e.Context.Source, 0, ref hit);
            cap = thresholds.InboundSeverity;
        }
        if (hit.IsNone)
        {
            // What a visitor's program looks like is his own matter.
            if (inbound) return 0;
            set.FindFingerprint(IndicatorKind.Ja3, e.Ja3, ref hit);
            cap = thresholds.FingerprintSeverity;
        }
        if (hit.IsNone) return 0;
        Address client = inbound ? e.Context.Destination : e.Context.Source;
        (int severity, ulong finding) = Matter(hit, client, cap);
        if (!findings.IsDue(finding, severity, inbound ? thresholds.HabitInterval : thresholds.QuietInterval, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        findings.Raise(in e, finding, Describe(hit, set, client, severity, count, inbound ? "answered" : "connected to"));
        return severity;
    }

    public override int OnHttp(scoped in HttpEvent e)
    {
        IndicatorSet set = store.Current;
        if (set.Count == 0) return 0;
        IndicatorHit hit = default;
        ReadOnlySpan<byte> url = e.Url;
        int scheme = url.IndexOf("://"u8);
        ReadOnlySpan<byte> own = url.StartsWith("https:"u8) ? ":443"u8 : ":80"u8;
        if (scheme >= 0) url = url[(scheme + 3)..];
        int path = url.IndexOfAny((byte)'/', (byte)'?');
        ReadOnlySpan<byte> authority = path < 0 ? url : url[..path];
        FindHost(set, e.Host.IsEmpty ? authority : e.Host, ref hit);
        FindServer(set, in e.Context, ref hit);
        if (path >= 0) set.FindUrl(url, authority.EndsWith(own) ? path - own.Length : path, path, ref hit);
        if (hit.IsNone) return 0;
        bool inbound = !isHome(e.Context.Source) && isHome(e.Context.Destination);
        (int severity, ulong finding) = Matter(hit, e.Context.Source, inbound ? thresholds.InboundSeverity : Gravest);
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        findings.Raise(in e, finding, Describe(hit, set, e.Context.Source, severity, count, "sent an HTTP request to"));
        return severity;
    }

    public override int OnTls(scoped in TlsEvent e)
    {
        IndicatorSet set = store.Current;
        if (set.Count == 0) return 0;
        IndicatorHit hit = default;
        int cap = Gravest;
        FindHost(set, e.Sni, ref hit);
        FindServer(set, in e.Context, ref hit);
        if (e.Sni.IsEmpty) FindNames(set, e.SubjectAltNames, ref hit);
        set.FindFingerprint(IndicatorKind.Certificate, e.CertificateHash, ref hit);
        if (hit.IsNone)
        {
            set.FindFingerprint(IndicatorKind.Ja3, e.Ja3, ref hit);
            set.FindFingerprint(IndicatorKind.Ja4, e.Ja4, ref hit);
            cap = thresholds.FingerprintSeverity;
        }
        if (hit.IsNone) return 0;
        (int severity, ulong finding) = Matter(hit, e.Context.Source, cap);
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        findings.Raise(in e, finding, Describe(hit, set, e.Context.Source, severity, count, "made a TLS connection that shows"));
        return severity;
    }

    /// <summary>The server's address; its ip event will tell the same, but only when the flow has ended.</summary>
    void FindServer(IndicatorSet set, in EventContext context, scoped ref IndicatorHit hit)
    {
        if (!isHome(context.Destination)) set.FindAddress(context.Destination, context.DestinationPort, ref hit);
    }

    static void FindHost(IndicatorSet set, ReadOnlySpan<byte> host, ref IndicatorHit hit)
    {
        if (host.IsEmpty) return;
        ushort port = 0;
        int colon = host.LastIndexOf((byte)':');
        if (colon > 0 && (host[0] != '[' || host[colon - 1] == ']') && ushort.TryParse(host[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port)) host = host[..colon];
        if (host.Length > 2 && host[0] == '[' && host[^1] == ']') host = host[1..^1];
        if (AddressText.TryParse(host, out Address address)) set.FindAddress(address, port == 0 ? (ushort)80 : port, ref hit);
        else set.FindDomain(host.EndsWith("."u8) ? host[..^1] : host, ref hit);
    }

    /// <summary>The names of a certificate say who the server is where the client did not; a certificate of many names is a hoster's, and says nothing of the one meant.</summary>
    void FindNames(IndicatorSet set, ReadOnlySpan<byte> names, ref IndicatorHit hit)
    {
        if (names.IsEmpty || names.Count((byte)',') >= thresholds.CertificateNames) return;
        foreach (Range range in names.Split((byte)','))
        {
            ReadOnlySpan<byte> name = names[range];
            set.FindDomain(name.StartsWith("*."u8) ? name[2..] : name, ref hit);
        }
    }

    static (int Severity, ulong Finding) Matter(scoped in IndicatorHit hit, in Address client, int cap) =>
        (Math.Min(hit.Table!.Threat.Severity, cap), Mix.Of(Mix.Of(client, hit.Hash), (ulong)Detectors.ListedDestination));

    static Finding Describe(scoped in IndicatorHit hit, IndicatorSet set, in Address client, int severity, long count, string did)
    {
        IndicatorTable table = hit.Table!;
        string source = client.ToString(), indicator = hit.Text;
        string date = table.Date.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        string? label = table.LabelOf(hit.Place);
        var facts = new List<EvidenceValue>
        {
            new("indicator", 0, indicator), new("kind", 0, KindName(hit.Kind)), new("list", 0, table.Name), new("file", 0, table.Path),
            new("line", table.LineOf(hit.Place)), new("listDate", 0, date),
        };
        if (label is not null) facts.Add(new EvidenceValue(table.Threat == Threats.SinkholedDestination ? "operator" : "family", 0, label));
        if (table.FirstSeenOf(hit.Place) is { } seen) facts.Add(new EvidenceValue("firstSeen", 0, seen.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
        if (table.Url is { } url) facts.Add(new EvidenceValue("listUrl", 0, url));
        string also = string.Join(", ", set.Others(hit.Hash, table).Take(8).Select(t => t.Name));
        if (also.Length > 0) facts.Add(new EvidenceValue("alsoIn", 0, also));
        AlertThreat threat = severity == table.Threat.Severity ? table.Threat : table.Threat with { Severity = severity };
        string summary = $"{source} {did} {indicator}{(label is null ? "" : $" ({label})")}, named by the list {table.Name} of {date}.";
        return new Finding(Name, $"{source} {indicator}", threat, table.Flags, summary, [new("listed", 1, 1)], facts, count);
    }

    static string KindName(IndicatorKind kind) => kind switch
    {
        IndicatorKind.Domain => "domain",
        IndicatorKind.Host => "host",
        IndicatorKind.Address => "ip",
        IndicatorKind.AddressPort => "ip:port",
        IndicatorKind.Network => "cidr",
        IndicatorKind.Url => "url",
        IndicatorKind.Path => "path",
        IndicatorKind.Ja3 => "ja3",
        IndicatorKind.Ja4 => "ja4",
        _ => "certificate",
    };
}
