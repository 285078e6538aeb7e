using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Records which domains and addresses the site deals with (<see cref="Prevalence"/>), and tells of those that nobody here knew: when several clients
/// turn to one at once, and, as information, when a new one also has a name or a place of ill repute. All else about new domains is a trait for other detectors.
/// </summary>
/// <remarks>Every business meets hundreds of new domains a day, so nothing is told in the sensor's first days, and each kind has a number of alerts a day.</remarks>
sealed class FirstSeen(Thresholds thresholds, Func<Address, bool> isHome, PublicSuffixList suffixes, NameModel model, Prevalence prevalence, DomainSuspicion suspicion, Findings findings) : Detector
{
    public const string Name = "first_seen";
    const long Day = 86400L * 1_000_000_000;
    const int Pointer = 12;
    /// <summary>50 KB of networks, of which an engine has many. Full: the one told of longest ago has its day's alerts anew.</summary>
    internal const int MaxSites = 1 << 9;

    /// <summary>Alerts a day of one kind.</summary>
    struct Allowance
    {
        public long Day;
        public int Used;
        public long Withheld;

        public bool Take(long day, int most)
        {
            if (Day != day) this = new Allowance { Day = day };
            if (Used < most) return ++Used > 0;
            Withheld++;
            return false;
        }
    }

    struct Site
    {
        public Allowance Volumes;
        public Allowance Young;
        public Allowance Odd;
    }

    readonly LruTable<Site> _sites = new(MaxSites);

    public override DetectorEvents Sees => DetectorEvents.Dns | DetectorEvents.Ip | DetectorEvents.Http | DetectorEvents.Tls;
    public override long Evicted => prevalence.Evicted;

    public override int OnIp(scoped in IpEvent e)
    {
        // Only who answered: scans and dead peers would fill the memory with addresses that nobody deals with.
        if (e.PayloadIn > 0 && isHome(e.Context.Source) && !isHome(e.Context.Destination)) prevalence.See(prevalence.KeyOf(e.Context.Destination), e.Context.Source);
        return 0;
    }

    public override int OnDns(scoped in DnsEvent e)
    {
        // A name that does not resolve costs nothing to make up; it must not push out those that do.
        if (e.ResponseCode != 0 || e.QueryType == Pointer || e.Context.DestinationPort is 5353 or 5355) return 0;
        Verdict verdict = Look(e.Query, e.Context.Source);
        if (verdict.Severity == 0) return 0;
        if (!verdict.IsDue)
        {
            findings.Keep(verdict.Finding, in e);
            return verdict.Severity;
        }
        findings.Raise(in e, verdict.Finding, Describe(in verdict, e.Query, e.Context.Source));
        return verdict.Severity;
    }

    public override int OnHttp(scoped in HttpEvent e)
    {
        ReadOnlySpan<byte> host = Imposter.HostOf(e.Host);
        Verdict verdict = Look(host, e.Context.Source);
        if (verdict.Severity == 0) return 0;
        if (!verdict.IsDue)
        {
            findings.Keep(verdict.Finding, in e);
            return verdict.Severity;
        }
        findings.Raise(in e, verdict.Finding, Describe(in verdict, host, e.Context.Source));
        return verdict.Severity;
    }

    public override int OnTls(scoped in TlsEvent e)
    {
        ReadOnlySpan<byte> host = Imposter.HostOf(e.Sni);
        Verdict verdict = Look(host, e.Context.Source);
        if (verdict.Severity == 0) return 0;
        if (!verdict.IsDue)
        {
            findings.Keep(verdict.Finding, in e);
            return verdict.Severity;
        }
        findings.Raise(in e, verdict.Finding, Describe(in verdict, host, e.Context.Source));
        return verdict.Severity;
    }

    readonly record struct Verdict(AlertThreat? Threat, int Severity, ulong Finding, bool IsDue, long Count, Sighting Sighting, int Start, double Bits, bool Odd, int Clients, long Withheld);

    Verdict Look(ReadOnlySpan<byte> host, in Address client)
    {
        if (host.Length is < 4 or > 255 || !isHome(client)) return default;
        int start = suffixes.RegisteredStart(host, out bool listed, out int suffix);
        if (!listed || suffix <= start || suffix >= host.Length) return default;
        ReadOnlySpan<byte> domain = host[start..], label = host[start..(suffix - 1)];
        Sighting sighting = prevalence.See(prevalence.KeyOf(domain), client);
        bool young = sighting.IsYoung && !prevalence.IsLearning;
        bool odd = OddTopLevels.Holds(host);
        if (!young && !odd) return default;

        double bits = label.Length >= thresholds.OddNameLength && !label.StartsWith("xn--"u8) ? model.BitsPerCharacter(label) : 0;
        bool machine = bits >= thresholds.OddNameBits;
        suspicion.Add((young ? DomainTraits.Young : 0) | (odd ? DomainTraits.OddTopLevel : 0) | (machine ? DomainTraits.MadeUp : 0), start);
        if (!young && !sighting.IsNew) return default;
        long day = findings.Now / Day;
        // A site's allowance is its own: another's flood takes none of it.
        const ulong Own = 1;
        int clients = Math.Clamp(prevalence.SiteClients / 4, thresholds.YoungClientsLeast, thresholds.YoungClientsMost);
        if (young && sighting.Clients >= clients)
        {
            // The site's domain, not the client's: one alert for all of them.
            ulong finding = Mix.Of(Mix.OfName(domain), (ulong)Detectors.FirstSeen);
            int severity = odd || machine ? 3 : 2;
            return Due(Threats.UniqueYoungDomainVolume with { Severity = severity }, finding, ref _sites[_sites.GetOrAdd(Own, out _)].Volumes, thresholds.YoungVolumeDaily);
        }
        if (!sighting.IsNew || !(odd || machine)) return default;
        ulong single = Mix.Of(Mix.OfName(domain), (ulong)Detectors.FirstSeen + 1);
        if (young) return Due(Threats.YoungDomain, single, ref _sites[_sites.GetOrAdd(Own, out _)].Young, thresholds.YoungDomainDaily);
        return machine ? Due(Threats.BadTld, single, ref _sites[_sites.GetOrAdd(Own, out _)].Odd, thresholds.OddTopLevelDaily) : default;

        Verdict Due(AlertThreat threat, ulong finding, ref Allowance allowance, int most)
        {
            bool due = findings.IsDue(finding, threat.Severity, out long count) && allowance.Take(day, most);
            return new Verdict(threat, threat.Severity, finding, due, count, sighting, start, bits, odd, clients, allowance.Withheld);
        }
    }

    Finding Describe(in Verdict verdict, ReadOnlySpan<byte> host, in Address client)
    {
        AlertThreat threat = verdict.Threat!;
        string source = client.ToString(), domain = Encoding.UTF8.GetString(host[verdict.Start..]);
        bool volume = threat.Id == Threats.UniqueYoungDomainVolume.Id, young = threat.Id != Threats.BadTld.Id;
        var flags = new List<string>();
        if (young) flags.Add("young_domain");
        if (volume) flags.Add("unique");
        if (verdict.Odd) flags.Add("bad_tld");
        if (verdict.Bits >= thresholds.OddNameBits) flags.Add("perplexing_domain");
        double perplexing = verdict.Bits;
        EvidenceFeature[] features = volume
            ? [new("clients", verdict.Sighting.Clients, verdict.Clients, 0.5), new("firstSeenToday", 1, 1, 0.5)]
            : young
                ? [new("firstSeenToday", 1, 1, 0.5), verdict.Odd ? new("oddTopLevelDomain", 1, 1, 0.5) : new("bitsPerCharacter", perplexing, thresholds.OddNameBits, 0.5)]
                : [new("oddTopLevelDomain", 1, 1, 0.5), new("bitsPerCharacter", perplexing, thresholds.OddNameBits, 0.5)];
        string summary = volume
            ? $"{verdict.Sighting.Clients} clients, {source} the last, turned to {domain} within a day; nobody here was seen with it before."
            : young
                ? $"{source} turned to {domain}, with which nobody here was seen before."
                : $"{source} turned to {domain}: its name looks made by a machine, under a top-level domain of ill repute.";
        return new Finding(Name, volume ? domain : $"{source} {domain}", threat, flags, summary, features,
            [
                new("domain", 0, domain), new("hoursKnown", verdict.Sighting.AgeHours), new("clientsOfSite", prevalence.SiteClients),
                new("daysWatched", Math.Round(prevalence.Age / (double)Day, 1)), new("learningDays", thresholds.FirstSeenLearning / (double)Day),
                new("withheldToday", verdict.Withheld),
            ],
            verdict.Count);
    }
}
