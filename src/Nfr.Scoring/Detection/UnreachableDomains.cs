using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A client that does not give up: it asks for a domain that never resolves, hour after hour; many hours for one, fewer for several. Malware whose server
/// was taken down does that. A domain that anybody here was ever answered for is none, nor one that several clients ask for, which is a product's or the site's own.
/// </summary>
sealed class UnreachableDomains(Thresholds thresholds, Prevalence prevalence, FailingNames failing, Findings findings) : Detector
{
    public const string Name = "unreachable_domains";
    /// <summary>0.5 MB of client and domain. Full: the pair unused longest goes first, those that went on for hours last.</summary>
    internal const int MaxPairs = 1 << 13;
    /// <summary>80 KB: clients with domains that failed for hours; and 0.6 MB: domains with their clients. Full: the one unused longest starts anew, those with many last.</summary>
    const int MaxGroups = 1 << 10, MaxDomains = MaxPairs;
    const long Hour = 3600L * 1_000_000_000, Minute = 60L * 1_000_000_000, Day = HoursOfDay * Hour;
    const int HoursOfDay = 24;

    [InlineArray(HoursOfDay)]
    struct Minutes
    {
        byte _first;
    }

    struct Pair
    {
        /// <summary>Of each of the last 24 hours, the minutes in which it was asked: what is tried three times by two types is one request.</summary>
        public Minutes Asked;
        /// <summary>The latest ones, from 1.</summary>
        public uint Hour;
        public uint Minute;

        public readonly int Hours
        {
            get
            {
                int hours = 0;
                foreach (byte minutes in (ReadOnlySpan<byte>)Asked) hours += minutes > 0 ? 1 : 0;
                return hours;
            }
        }

        public readonly int Requests
        {
            get
            {
                int requests = 0;
                foreach (byte minutes in (ReadOnlySpan<byte>)Asked) requests += minutes;
                return requests;
            }
        }
    }

    struct Group
    {
        public long Since;
        public RecentDistinct Members;
    }

    readonly LruTable<Pair> _pairs = new(MaxPairs);
    readonly LruTable<Group> _clients = new(MaxGroups);
    readonly LruTable<Group> _domains = new(MaxDomains);

    public override DetectorEvents Sees => DetectorEvents.Dns;
    public override long Evicted => _pairs.Evicted;
    public override int Tracked => _pairs.Count;

    public override int OnDns(scoped in DnsEvent e)
    {
        if (failing.Start < 0) return 0;
        ReadOnlySpan<byte> domain = e.Query[failing.Start..];
        if (!prevalence.Of(prevalence.KeyOf(domain)).IsNew) return 0;
        long tick = e.Context.Tick;
        ulong client = Mix.Of(e.Context.Source), asked = Mix.OfName(domain), key = Mix.Of(client, asked);
        int index = _pairs.GetOrAdd(key, out _);
        ref Pair pair = ref _pairs[index];
        bool isNew = Count(ref pair, tick);
        int hours = pair.Hours;
        if (hours < 2) return 0;
        _pairs.Protect(index);
        int clients = Join(_domains, asked, client, tick, thresholds.UnreachableClients + 1, out long since), requests = pair.Requests;
        // Of a domain that was just forgotten it must be seen first who asks for it.
        if (hours < thresholds.UnreachableHours || requests < thresholds.UnreachableRequests || clients > thresholds.UnreachableClients || tick - since < Hour)
        {
            return 0;
        }
        int domains = Join(_clients, client, asked, tick, thresholds.UnreachableDomains, out _);
        ulong finding = Mix.Of(client, (ulong)Detectors.UnreachableDomains);
        EvidenceFeature[]? features = null;
        if (hours >= thresholds.UnreachableLongHours && requests >= thresholds.UnreachableLongRequests)
        {
            finding = Mix.Of(key, (ulong)Detectors.UnreachableDomains);
            if (!isNew && findings.IsKnown(finding)) return Threats.UnreachableDomains.Severity;
            features = [new("hours", hours, thresholds.UnreachableLongHours, 0.5), new("requests", requests, thresholds.UnreachableLongRequests, 0.5)];
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
        findings.Raise(in e, finding, new Finding(Name, several ? source : $"{source} {name}", Threats.UnreachableDomains, ["unreachable_domain"],
            several
                ? string.Create(CultureInfo.InvariantCulture, $"{source} keeps asking for {domains} domains that never resolve, last {name} in {hours} different hours.")
                : string.Create(CultureInfo.InvariantCulture, $"{source} keeps asking for {name}, which never resolves: {requests} times, in {hours} different hours of a day."),
            features,
            [
                new("domain", 0, name), new("hoursAsked", hours), new("requestsForIt", requests), new("domainsOfDay", domains), new("clientsOfDomain", clients), new("responseCode", e.ResponseCode),
            ],
            count));
        return severity;
    }

    /// <returns>Whether this minute counts anew. By the event's own time: after an outage a day's queries come within a minute.</returns>
    static bool Count(ref Pair pair, long tick)
    {
        uint minute = (uint)(tick / Minute) + 1, hour = (uint)(tick / Hour) + 1;
        if (minute <= pair.Minute) return false;
        if (pair.Hour == 0 || hour - pair.Hour >= HoursOfDay) pair = default;
        else
        {
            for (uint passed = pair.Hour + 1; passed <= hour; passed++) pair.Asked[(int)(passed % HoursOfDay)] = 0;
        }
        (pair.Minute, pair.Hour) = (minute, hour);
        pair.Asked[(int)(hour % HoursOfDay)]++;
        return true;
    }

    /// <returns>Different members of a group that were seen in the last day or two, estimated.</returns>
    static int Join(LruTable<Group> groups, ulong key, ulong member, long tick, int many, out long since)
    {
        int index = groups.GetOrAdd(key, out bool added);
        ref Group group = ref groups[index];
        if (added) group.Since = tick;
        since = group.Since;
        group.Members.Add(member, tick, Day);
        int members = group.Members.Count(tick, Day);
        if (members >= many) groups.Protect(index);
        return members;
    }
}
