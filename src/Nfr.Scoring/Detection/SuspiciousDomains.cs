using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// One client deals with several domains within an hour that each look a little suspicious: two of young at this site, odd top-level domain and made-up letters, or
/// like a brand. One is information; everybody meets one now and then, and few meet several at once.
/// </summary>
sealed class SuspiciousDomains(Thresholds thresholds, Func<Address, bool> isHome, DomainSuspicion suspicion, Resolvers resolvers, Findings findings) : Detector
{
    public const string Name = "suspicious_domains";
    /// <summary>0.2 MB. Full: the client unused longest goes first, those with two such domains last.</summary>
    internal const int MaxClients = 1 << 10;
    const int MaxDomains = 12;

    struct Domain
    {
        public uint Hash;
        /// <summary>Seconds of tick.</summary>
        public uint Time;
        public DomainTraits Traits;
    }

    [InlineArray(MaxDomains)]
    struct Domains
    {
        Domain _first;
    }

    struct Client
    {
        public Domains Met;
        public int Next;
    }

    readonly LruTable<Client> _clients = new(MaxClients);

    public override DetectorEvents Sees => DetectorEvents.Dns | DetectorEvents.Http | DetectorEvents.Tls;
    public override long Evicted => _clients.Evicted;
    public override int Tracked => _clients.Count;

    public override int OnDns(scoped in DnsEvent e)
    {
        if (!Look(e.Query, e.Context.Source, out Verdict verdict)) return 0;
        if (verdict.IsDue) findings.Raise(in e, verdict.Finding, Describe(in verdict, e.Query, e.Context.Source));
        else findings.Keep(verdict.Finding, in e);
        return verdict.Severity;
    }

    public override int OnHttp(scoped in HttpEvent e)
    {
        ReadOnlySpan<byte> host = Imposter.HostOf(e.Host);
        if (!Look(host, e.Context.Source, out Verdict verdict)) return 0;
        if (verdict.IsDue) findings.Raise(in e, verdict.Finding, Describe(in verdict, host, e.Context.Source));
        else findings.Keep(verdict.Finding, in e);
        return verdict.Severity;
    }

    public override int OnTls(scoped in TlsEvent e)
    {
        ReadOnlySpan<byte> host = Imposter.HostOf(e.Sni);
        if (!Look(host, e.Context.Source, out Verdict verdict)) return 0;
        if (verdict.IsDue) findings.Raise(in e, verdict.Finding, Describe(in verdict, host, e.Context.Source));
        else findings.Keep(verdict.Finding, in e);
        return verdict.Severity;
    }

    readonly record struct Verdict(ulong Finding, int Severity, bool IsDue, long Count, int Domains, int Young, int Odd, int MadeUp, int Imposters);

    /// <summary>Whether the traits count; a client's many domains of one trait do not.</summary>
    internal static bool IsSuspicious(DomainTraits traits) => (traits & DomainTraits.Imposter) != 0 || BitOperations.PopCount((uint)traits) >= 2;

    /// <returns>False when there is nothing to keep of this event.</returns>
    bool Look(ReadOnlySpan<byte> host, in Address source, out Verdict verdict)
    {
        verdict = default;
        DomainTraits traits = suspicion.Traits;
        if (!IsSuspicious(traits) || suspicion.Start >= host.Length || !isHome(source) || resolvers.SpeaksForMany(source)) return false;
        ReadOnlySpan<byte> domain = host[suspicion.Start..];
        ulong key = Mix.Of(source);
        int index = _clients.GetOrAdd(key, out _);
        ref Client client = ref _clients[index];
        bool isNew = Remember(ref client, domain, traits);
        (int domains, int young, int odd, int madeUp, int imposters) = Count(in client);
        if (domains > 1) _clients.Protect(index);
        ulong finding = Mix.Of(key, (ulong)Detectors.SuspiciousDomains);
        verdict = new Verdict(finding, 0, false, 0, domains, young, odd, madeUp, imposters);
        if (domains < thresholds.SuspiciousDomains) return isNew;
        int severity = Threats.SuspiciousDomainVolume.Severity;
        bool due = findings.IsDue(finding, severity, thresholds.HabitInterval, out long count);
        verdict = verdict with { Severity = severity, IsDue = due, Count = count };
        return true;
    }

    bool Remember(ref Client client, ReadOnlySpan<byte> domain, DomainTraits traits)
    {
        uint hash = (uint)(Mix.OfName(domain) >> 32) | 1, now = (uint)(findings.Now / 1_000_000_000);
        for (int i = 0; i < MaxDomains; i++)
        {
            ref Domain met = ref client.Met[i];
            if (met.Hash != hash) continue;
            met.Time = now;
            met.Traits |= traits;
            return false;
        }
        client.Met[client.Next] = new Domain { Hash = hash, Time = now, Traits = traits };
        client.Next = (client.Next + 1) % MaxDomains;
        return true;
    }

    (int Domains, int Young, int Odd, int MadeUp, int Imposters) Count(in Client client)
    {
        uint now = (uint)(findings.Now / 1_000_000_000);
        long window = thresholds.SuspiciousDomainsWindow / 1_000_000_000;
        (int domains, int young, int odd, int madeUp, int imposters) = (0, 0, 0, 0, 0);
        for (int i = 0; i < MaxDomains; i++)
        {
            Domain met = client.Met[i];
            if (met.Hash == 0 || now - met.Time > window) continue;
            domains++;
            if ((met.Traits & DomainTraits.Young) != 0) young++;
            if ((met.Traits & DomainTraits.OddTopLevel) != 0) odd++;
            if ((met.Traits & DomainTraits.MadeUp) != 0) madeUp++;
            if ((met.Traits & DomainTraits.Imposter) != 0) imposters++;
        }
        return (domains, young, odd, madeUp, imposters);
    }

    Finding Describe(in Verdict verdict, ReadOnlySpan<byte> host, in Address client)
    {
        string source = client.ToString(), domain = Encoding.UTF8.GetString(host[suspicion.Start..]);
        var flags = new List<string>();
        if (verdict.Young > 0) flags.Add("young_domain");
        if (verdict.Odd > 0) flags.Add("bad_tld");
        if (verdict.MadeUp > 0) flags.Add("perplexing_domain");
        if (verdict.Imposters > 0) flags.Add("imposter");
        return new Finding(Name, source, Threats.SuspiciousDomainVolume, flags,
            string.Create(CultureInfo.InvariantCulture,
                $"{source} dealt with {verdict.Domains} suspicious domains within {thresholds.SuspiciousDomainsWindow / 1e9:0} s, last {domain}: {verdict.Young} new to this site, {verdict.Odd} under odd top-level domains, {verdict.MadeUp} with made-up letters, {verdict.Imposters} like a brand."),
            [new("suspiciousDomains", verdict.Domains, thresholds.SuspiciousDomains)],
            [
                new("young", verdict.Young), new("oddTopLevel", verdict.Odd), new("madeUp", verdict.MadeUp), new("imposters", verdict.Imposters),
                new("windowSeconds", thresholds.SuspiciousDomainsWindow / 1e9), new("lastDomain", 0, domain),
            ],
            verdict.Count);
    }
}
