using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// One client's queries fail far more than its own did before and than others' do: different registered domains that nobody at the site was ever answered for, within an
/// hour, beside those that resolved. What is asked again counts once, so one broken program is no matter; nor is a resolver's own trouble, in which several clients fail by turns.
/// </summary>
sealed class DnsFailures(Thresholds thresholds, Func<Address, bool> isHome, PublicSuffixList suffixes, Prevalence prevalence, Resolvers resolvers, FailingNames failing, Findings findings) : Detector
{
    public const string Name = "dns_failures";
    /// <summary>0.3 MB. Full: the client unused longest starts anew.</summary>
    internal const int MaxClients = 1 << 12;
    /// <summary>Of an hour's failures, how much becomes the usual, and how many hours the site's mean is taken over.</summary>
    const float Learned = 0.25f;
    const int SiteHours = 64;

    struct Client
    {
        public long Start;
        public Distinct Failed;
        public Distinct Resolved;
        public float Usual;
    }

    /// <summary>Failures of a client in an hour, the mean of all clients.</summary>
    internal struct Usual
    {
        public float Mean;
        public int Hours;
    }

    readonly LruTable<Client> _clients = new(MaxClients);

    public override DetectorEvents Sees => DetectorEvents.Dns;
    public override long Evicted => _clients.Evicted;
    public override int Tracked => _clients.Count;

    public override int OnDns(scoped in DnsEvent e)
    {
        bool failed = failing.Start >= 0;
        if (!failed && (e.ResponseCode != 0 || FailingNames.IsLocal(in e) || !isHome(e.Context.Source))) return 0;
        int start = failed ? failing.Start : suffixes.RegisteredStart(e.Query, out _, out _);
        ReadOnlySpan<byte> domain = e.Query[start..];
        ref Usual site = ref resolvers.Site.Failures;
        ulong key = Mix.Of(e.Context.Source);
        // The event's own time: what an outage held up comes within a minute, and happened in a day.
        long tick = e.Context.Tick;
        int index = _clients.GetOrAdd(key, out bool added);
        ref Client client = ref _clients[index];
        if (added) client.Start = tick;
        // Its hour is over and was judged.
        else if (client.Start - tick > thresholds.DnsFailuresWindow) return 0;
        else if (tick - client.Start > thresholds.DnsFailuresWindow) Close(ref client, ref site, tick);
        if (!failed)
        {
            client.Resolved.Add(Mix.OfName(domain));
            return 0;
        }
        // A domain that somebody was answered for exists, whatever is wrong with this name of it.
        if (!prevalence.Of(prevalence.KeyOf(domain)).IsNew) return 0;
        int before = client.Failed.Count;
        client.Failed.Add(Mix.OfName(domain));
        int names = client.Failed.Count;
        if (names * 2 < thresholds.DnsFailures) return 0;
        _clients.Protect(index);
        ulong finding = Mix.Of(key, (ulong)Detectors.DnsFailures);
        double share = (double)names / (names + client.Resolved.Count), floor = thresholds.DnsFailures / thresholds.DnsFailuresTimes;
        double own = names / Math.Max(client.Usual, floor), others = names / Math.Max(site.Mean, floor);
        if (names < thresholds.DnsFailures || share < thresholds.DnsFailuresShare || own < thresholds.DnsFailuresTimes || others < thresholds.DnsFailuresTimes)
        {
            if (names > before) findings.Keep(finding, in e);
            return 0;
        }
        int severity = Threats.DnsFailures.Severity;
        if (!findings.IsDue(finding, severity, thresholds.HabitInterval, out long count))
        {
            if (names > before) findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString();
        double seconds = Math.Max(0, tick - client.Start) / 1e9;
        findings.Raise(in e, finding, new Finding(Name, source, Threats.DnsFailures, ["unreachable_domain"],
            string.Create(CultureInfo.InvariantCulture,
                $"{source} asked for about {names} different domains in vain within {seconds:0} s, and for {client.Resolved.Count} that there are; before it was {client.Usual:0.#} in an hour, and {site.Mean:0.#} is usual here (last {Encoding.UTF8.GetString(domain)})."),
            [
                new("failedDomains", names, thresholds.DnsFailures, 0.4), new("failedShare", share, thresholds.DnsFailuresShare, 0.2),
                new("timesOwnUsual", own, thresholds.DnsFailuresTimes, 0.2), new("timesSiteUsual", others, thresholds.DnsFailuresTimes, 0.2),
            ],
            [
                new("resolvedDomains", client.Resolved.Count), new("ownUsual", client.Usual), new("siteUsual", site.Mean), new("seconds", seconds),
                new("windowSeconds", thresholds.DnsFailuresWindow / 1e9), new("lastDomain", 0, Encoding.UTF8.GetString(domain)),
            ],
            count));
        return severity;
    }

    void Close(ref Client client, ref Usual site, long tick)
    {
        int failed = client.Failed.Count;
        client.Usual += (failed - client.Usual) * Learned;
        // One that was found must not become what is usual.
        site.Mean += (Math.Min(failed, thresholds.DnsFailures) - site.Mean) / Math.Min(++site.Hours, SiteHours);
        client.Start = tick;
        client.Failed = client.Resolved = default;
    }
}
