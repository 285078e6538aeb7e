using System.Globalization;
using System.Numerics;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A client that does not give up: it asks for a domain that never resolves, hour after hour; many hours for one, fewer for several. Malware whose server
/// was taken down does that. A domain that anybody here was ever answered for is none, nor one that several clients ask for, which is a product's or the site's own.
/// </summary>
sealed class UnreachableDomains(Thresholds thresholds, Func<Address, bool> isHome, PublicSuffixList suffixes, Prevalence prevalence, Resolvers resolvers, Findings findings) : Detector
{
    public const string Name = "unreachable_domains";
    /// <summary>0.4 MB of client and domain. Full: the pair unused longest goes first, those that went on for hours last.</summary>
    internal const int MaxPairs = 1 << 13;
    /// <summary>50 KB each: clients with domains that failed for hours, and domains with their clients. Full: the one unused longest starts anew.</summary>
    const int MaxClients = 1 << 10;
    const long Hour = 3600L * 1_000_000_000, Minute = 60L * 1_000_000_000;
    const int HoursOfDay = 24;

    struct Pair
    {
        /// <summary>A bit for each hour in which it was asked, the latest lowest.</summary>
        public uint Hours;
        public uint Hour;
        public uint Minute;
        /// <summary>Minutes in which it was asked: what is tried three times by two types is one request.</summary>
        public int Requests;
    }

    struct Group
    {
        public long Start;
        public Distinct Members;
    }

    readonly LruTable<Pair> _pairs = new(MaxPairs);
    readonly LruTable<Group> _clients = new(MaxClients);
    readonly LruTable<Group> _domains = new(MaxClients);

    public override DetectorEvents Sees => DetectorEvents.Dns;
    public override long Evicted => _pairs.Evicted;
    public override int Tracked => _pairs.Count;

    public override int OnDns(scoped in DnsEvent e)
    {
        if (!FailingName.IsFailure(e.ResponseCode) || FailingName.IsLocal(in e) || !isHome(e.Context.Source)) return 0;
        int start = FailingName.DomainOf(in e, suffixes);
        if (start < 0) return 0;
        ReadOnlySpan<byte> domain = e.Query[start..];
        if (!prevalence.Of(prevalence.KeyOf(domain)).IsNew) return 0;
        ulong client = Mix.Of(e.Context.Source), asked = Mix.OfName(domain), key = Mix.Of(client, asked);
        int index = _pairs.GetOrAdd(key, out _);
        ref Pair pair = ref _pairs[index];
        bool isNew = Count(ref pair);
        int hours = BitOperations.PopCount(pair.Hours);
        if (hours < 2) return 0;
        _pairs.Protect(index);
        int clients = Join(_domains, asked, client);
        if (hours < thresholds.UnreachableHours || pair.Requests < thresholds.UnreachableRequests || clients > thresholds.UnreachableClients)
        {
            return 0;
        }
        int domains = Join(_clients, client, asked);
        ulong finding = Mix.Of(client, (ulong)Detectors.UnreachableDomains);
        EvidenceFeature[]? features = null;
        if (hours >= thresholds.UnreachableLongHours && pair.Requests >= thresholds.UnreachableLongRequests)
        {
            finding = Mix.Of(key, (ulong)Detectors.UnreachableDomains);
            if (!isNew && findings.IsKnown(finding)) return Threats.UnreachableDomains.Severity;
            features = [new("hours", hours, thresholds.UnreachableLongHours, 0.5), new("requests", pair.Requests, thresholds.UnreachableLongRequests, 0.5)];
        }
        else if (domains >= thresholds.UnreachableDomains)
        {
            if (!isNew && findings.IsKnown(finding)) return Threats.UnreachableDomains.Severity;
            features = [new("domains", domains, thresholds.UnreachableDomains)];
        }
        if (features is null)
        {
            // For the client with several, or for the one that goes on.
            if (isNew) findings.Keep(domains > 1 ? finding : Mix.Of(key, (ulong)Detectors.UnreachableDomains), in e);
            return 0;
        }
        int severity = Threats.UnreachableDomains.Severity;
        if (!findings.IsDue(finding, severity, thresholds.UnreachableQuiet, out long count))
        {
            if (isNew) findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString(), name = Encoding.UTF8.GetString(domain);
        bool several = features.Length == 1;
        var facts = new List<EvidenceValue>
        {
            new("domain", 0, name), new("hoursAsked", hours), new("requestsForIt", pair.Requests), new("domainsOfDay", domains), new("clientsOfDomain", clients), new("responseCode", e.ResponseCode),
        };
        if (resolvers.SpeaksForMany(e.Context.Source)) facts.Add(resolvers.Fact(e.Context.Source));
        findings.Raise(in e, finding, new Finding(Name, several ? source : $"{source} {name}", Threats.UnreachableDomains, ["unreachable_domain"],
            several
                ? string.Create(CultureInfo.InvariantCulture, $"{source} keeps asking for {domains} domains that never resolve, last {name} in {hours} different hours.")
                : string.Create(CultureInfo.InvariantCulture, $"{source} keeps asking for {name}, which never resolves: {pair.Requests} times, in {hours} different hours of a day."),
            features, facts, count));
        return severity;
    }

    /// <returns>Whether this minute counts anew.</returns>
    bool Count(ref Pair pair)
    {
        uint minute = (uint)(findings.Now / Minute) + 1, hour = (uint)(findings.Now / Hour) + 1;
        if (pair.Minute == minute) return false;
        pair.Minute = minute;
        uint passed = pair.Hour == 0 ? HoursOfDay : hour - pair.Hour;
        if (passed >= HoursOfDay) pair = new Pair { Minute = minute };
        else pair.Hours = (pair.Hours << (int)passed) & ((1u << HoursOfDay) - 1);
        pair.Hour = hour;
        pair.Hours |= 1;
        pair.Requests = Math.Min(pair.Requests + 1, int.MaxValue - 1);
        return true;
    }

    /// <returns>Different members of a group that were seen in the last day or two, estimated.</returns>
    int Join(LruTable<Group> groups, ulong key, ulong member)
    {
        int index = groups.GetOrAdd(key, out bool added);
        ref Group group = ref groups[index];
        if (added || findings.Now - group.Start > HoursOfDay * Hour) group = new Group { Start = findings.Now };
        group.Members.Add(member);
        return group.Members.Count;
    }
}
