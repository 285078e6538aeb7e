using System.Globalization;
using System.Runtime.CompilerServices;
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
sealed class DnsFailures(Thresholds thresholds, Func<Address, bool> isHome, PublicSuffixList suffixes, Prevalence prevalence, Resolvers resolvers, Findings findings) : Detector
{
    public const string Name = "dns_failures";
    /// <summary>0.3 MB. Full: the client unused longest starts anew.</summary>
    internal const int MaxClients = 1 << 12;
    /// <summary>40 KB: networks that an engine's scorer takes turns with. Full: the one silent longest starts anew.</summary>
    const int MaxSites = 1 << 9;
    const int Recent = 8;
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

    [InlineArray(Recent)]
    struct Clients
    {
        uint _first;
    }

    struct Site
    {
        /// <summary>Who failed lately by what may be the resolver's fault.</summary>
        public Clients Soft;
        public int NextSoft;
        public long AnsweredTick;
        public float Usual;
        public int Hours;
    }

    readonly LruTable<Client> _clients = new(MaxClients);
    readonly LruTable<Site> _sites = new(MaxSites);

    public override DetectorEvents Sees => DetectorEvents.Dns;
    public override long Evicted => _clients.Evicted;
    public override int Tracked => _clients.Count;

    public override int OnDns(scoped in DnsEvent e)
    {
        bool failed = FailingName.IsFailure(e.ResponseCode);
        if ((!failed && e.ResponseCode != 0) || FailingName.IsLocal(in e) || !isHome(e.Context.Source)) return 0;
        int start = failed ? FailingName.DomainOf(in e, suffixes) : suffixes.RegisteredStart(e.Query, out _, out _);
        if (start < 0) return 0;
        ReadOnlySpan<byte> domain = e.Query[start..];
        // What a resolver fails with its clients failed with.
        if (failed && resolvers.SpeaksForMany(e.Context.Source)) return 0;
        ref Site site = ref _sites[_sites.GetOrAdd(1, out _)];
        ulong key = Mix.Of(e.Context.Source);
        int index = _clients.GetOrAdd(key, out bool added);
        ref Client client = ref _clients[index];
        if (added) client.Start = findings.Now;
        else if (findings.Now - client.Start > thresholds.DnsFailuresWindow) Close(ref client, ref site);
        if (!failed)
        {
            site.AnsweredTick = findings.Now;
            client.Resolved.Add(Mix.OfName(domain));
            return 0;
        }
        if (FailingName.IsSoft(e.ResponseCode) && IsTrouble(ref site, (uint)(key >> 32))) return 0;
        // A domain that somebody was answered for exists, whatever is wrong with this name of it.
        if (!prevalence.Of(prevalence.KeyOf(domain)).IsNew) return 0;
        int before = client.Failed.Count;
        client.Failed.Add(Mix.OfName(domain));
        int names = client.Failed.Count;
        if (names * 2 < thresholds.DnsFailures) return 0;
        _clients.Protect(index);
        ulong finding = Mix.Of(key, (ulong)Detectors.DnsFailures);
        double share = (double)names / (names + client.Resolved.Count), floor = thresholds.DnsFailures / thresholds.DnsFailuresTimes;
        double own = names / Math.Max(client.Usual, floor), others = names / Math.Max(site.Usual, floor);
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
        double seconds = (findings.Now - client.Start) / 1e9;
        findings.Raise(in e, finding, new Finding(Name, source, Threats.DnsFailures, ["unreachable_domain"],
            string.Create(CultureInfo.InvariantCulture,
                $"{source} asked for about {names} different domains in vain within {seconds:0} s, and for {client.Resolved.Count} that there are; before it was {client.Usual:0.#} in an hour, and {site.Usual:0.#} is usual here (last {Encoding.UTF8.GetString(domain)})."),
            [
                new("failedDomains", names, thresholds.DnsFailures, 0.4), new("failedShare", share, thresholds.DnsFailuresShare, 0.2),
                new("timesOwnUsual", own, thresholds.DnsFailuresTimes, 0.2), new("timesSiteUsual", others, thresholds.DnsFailuresTimes, 0.2),
            ],
            [
                new("resolvedDomains", client.Resolved.Count), new("ownUsual", client.Usual), new("siteUsual", site.Usual), new("seconds", seconds),
                new("windowSeconds", thresholds.DnsFailuresWindow / 1e9), new("lastDomain", 0, Encoding.UTF8.GetString(domain)),
            ],
            count));
        return severity;
    }

    void Close(ref Client client, ref Site site)
    {
        int failed = client.Failed.Count;
        client.Usual += (failed - client.Usual) * Learned;
        // One that was found must not become what is usual.
        site.Usual += (Math.Min(failed, thresholds.DnsFailures) - site.Usual) / Math.Min(++site.Hours, SiteHours);
        client.Start = findings.Now;
        client.Failed = client.Resolved = default;
    }

    /// <summary>The resolver or the line fails, and not the name: nobody is answered, or half of those who failed last are different clients.</summary>
    bool IsTrouble(ref Site site, uint client)
    {
        site.Soft[site.NextSoft] = client;
        site.NextSoft = (site.NextSoft + 1) % Recent;
        if (site.AnsweredTick == 0 || findings.Now - site.AnsweredTick > thresholds.DnsTroubleSilence) return true;
        int different = 0;
        for (int i = 0; i < Recent; i++)
        {
            bool first = site.Soft[i] != 0;
            for (int k = 0; first && k < i; k++) first = site.Soft[k] != site.Soft[i];
            if (first) different++;
        }
        return different * 2 >= Recent;
    }
}
