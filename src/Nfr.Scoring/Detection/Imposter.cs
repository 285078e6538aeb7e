using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A client deals with a domain that imitates a known brand: characters that look the same, a slip of the finger, the brand among other words or under
/// somebody else's domain. The likeness is the <see cref="BrandMatcher"/>'s; here it is summed with where the name is registered and whether the site
/// has seen it before. One finding per client and registered domain; of a domain
/// that many clients use, one for the site, and none once they have used it for days.
/// </summary>
sealed class Imposter(Thresholds thresholds, PublicSuffixList suffixes, BrandMatcher matcher, Prevalence prevalence, DomainSuspicion suspicion, Findings findings) : Detector
{
    public const string Name = "imposter";
    /// <summary>64 KB: hashes of names that were found to be like no brand, one place each; a name whose place was taken is looked at again.</summary>
    const int Innocent = 1 << 13;
    const short NonExistentDomain = 3;
    const int Pointer = 12;

    readonly ulong[] _innocent = new ulong[Innocent];

    public override DetectorEvents Sees => DetectorEvents.Dns | DetectorEvents.Http | DetectorEvents.Tls;

    public override int OnDns(scoped in DnsEvent e)
    {
        // Multicast DNS and LLMNR do not leave the link; reverse names are addresses.
        if (e.QueryType == Pointer || e.Context.DestinationPort is 5353 or 5355) return 0;
        BrandMatch match = Look(e.Query, out int start);
        if (match.IsNone) return 0;
        bool exists = e.ResponseCode != NonExistentDomain;
        // A resolver's search list puts the site's own domain behind whole names, and asks for www.brand.com.site.example in vain.
        if (!exists && match.Kind is (BrandLikeness.DomainInside or BrandLikeness.Subdomain)) return 0;
        if (!IsDue(in match, e.Query, start, e.Context.Source, exists, out Verdict verdict))
        {
            if (verdict.Severity > 0) findings.Keep(verdict.Finding, in e);
            return verdict.Severity;
        }
        findings.Raise(in e, verdict.Finding, Describe(in match, in verdict, e.Query, start, e.Context.Source, "asked for"));
        return verdict.Severity;
    }

    public override int OnHttp(scoped in HttpEvent e)
    {
        ReadOnlySpan<byte> host = HostOf(e.Host);
        BrandMatch match = Look(host, out int start);
        if (match.IsNone) return 0;
        if (!IsDue(in match, host, start, e.Context.Source, true, out Verdict verdict))
        {
            if (verdict.Severity > 0) findings.Keep(verdict.Finding, in e);
            return verdict.Severity;
        }
        findings.Raise(in e, verdict.Finding, Describe(in match, in verdict, host, start, e.Context.Source, "sent an HTTP request to"));
        return verdict.Severity;
    }

    public override int OnTls(scoped in TlsEvent e)
    {
        ReadOnlySpan<byte> host = HostOf(e.Sni);
        BrandMatch match = Look(host, out int start);
        if (match.IsNone) return 0;
        if (!IsDue(in match, host, start, e.Context.Source, true, out Verdict verdict))
        {
            if (verdict.Severity > 0) findings.Keep(verdict.Finding, in e);
            return verdict.Severity;
        }
        findings.Raise(in e, verdict.Finding, Describe(in match, in verdict, host, start, e.Context.Source, "made a TLS connection to"));
        return verdict.Severity;
    }

    /// <summary>A host without its port and last dot; empty for an address in brackets.</summary>
    internal static ReadOnlySpan<byte> HostOf(ReadOnlySpan<byte> host)
    {
        int colon = host.IndexOf((byte)':');
        if (colon >= 0) host = host[..colon];
        return host.EndsWith("."u8) ? host[..^1] : host;
    }

    BrandMatch Look(ReadOnlySpan<byte> host, out int start)
    {
        start = 0;
        if (host.Length is < 4 or > 255) return default;
        ulong key = Mix.OfName(host);
        ref ulong place = ref _innocent[(int)key & (Innocent - 1)];
        if (place == key) return default;
        start = suffixes.RegisteredStart(host, out bool listed, out int suffix);
        BrandMatch match = listed ? matcher.Match(host, start, suffix) : default;
        if (match.IsNone) place = key;
        return match;
    }

    readonly record struct Verdict(int Severity, ulong Finding, long Count, bool IsFirstSeen, Sighting Sighting);

    bool IsDue(in BrandMatch match, ReadOnlySpan<byte> host, int start, in Address client, bool exists, out Verdict verdict)
    {
        ReadOnlySpan<byte> domain = host[start..];
        Sighting sighting = prevalence.Of(prevalence.KeyOf(domain));
        bool young = sighting.IsYoung && !prevalence.IsLearning;
        verdict = default;
        if (ScoreOf(thresholds, in match, young) < thresholds.ImposterScore) return false;
        bool common = sighting.Clients >= thresholds.ImposterHabitClients;
        // What many here have used for days is the site's habit, whatever it looks like.
        if (common && sighting.Days >= thresholds.ImposterHabitDays) return false;
        int severity = match.Kind == BrandLikeness.Homoglyph ? 3 : 2;
        // Short names have many neighbours that are somebody's own: that one of them is new here, or lies at an odd place, says little.
        bool telling = !match.IsEdit || matcher.Brands.Brands[match.Brand].Label.Length >= thresholds.ImposterTellingLength;
        if (telling && (young || match.OddTopLevel)) severity++;
        if (!exists) severity = Math.Min(severity, 2);
        // Where everybody goes there, it is one matter of the site, not one of each client.
        ulong finding = Mix.Of(common ? Mix.OfName(domain) : Mix.Of(client, Mix.OfName(domain)), (ulong)Detectors.Imposter);
        bool due = findings.IsDue(finding, severity, out long count);
        verdict = new Verdict(severity, finding, count, young, sighting);
        if (exists) suspicion.Add(DomainTraits.Imposter, start);
        return due;
    }

    /// <summary>The sum of <see cref="Features"/> without making them.</summary>
    internal static double ScoreOf(Thresholds thresholds, in BrandMatch match, bool young) =>
        (thresholds.ImposterLikenessWeight * match.Weight) + (IsPlaced(in match) ? thresholds.ImposterPlaceWeight : 0) + (young ? thresholds.ImposterYoungWeight : 0);

    static bool IsPlaced(in BrandMatch match) => match.SamePlace || match.HasLure || match.OddTopLevel;

    List<EvidenceFeature> Features(in BrandMatch match, bool young) =>
    [
        new("likeness", match.Weight, 1, thresholds.ImposterLikenessWeight),
        new("placeOrLure", IsPlaced(in match) ? 1 : 0, 1, thresholds.ImposterPlaceWeight),
        new("firstSeenToday", young ? 1 : 0, 1, thresholds.ImposterYoungWeight),
    ];

    Finding Describe(in BrandMatch match, in Verdict verdict, ReadOnlySpan<byte> host, int start, in Address client, string did)
    {
        BrandTable.Brand brand = matcher.Brands.Brands[match.Brand];
        string source = client.ToString(), name = Encoding.UTF8.GetString(host), domain = Encoding.UTF8.GetString(host[start..]);
        bool contains = match.Kind >= BrandLikeness.Compound;
        AlertThreat threat = verdict.IsFirstSeen ? contains ? Threats.YoungBrandName : Threats.YoungImposter : Threats.Imposter;
        var flags = new List<string> { "imposter" };
        if (verdict.IsFirstSeen) flags.Add("young_domain");
        if (match.OddTopLevel) flags.Add("bad_tld");
        var facts = new List<EvidenceValue>
        {
            new("brand", 0, brand.Domain), new("kind", 0, KindName(match.Kind)), new("domain", 0, domain), new("idn", match.IsIdn ? 1 : 0),
            new("sameOrFirstPlace", match.SamePlace ? 1 : 0), new("lureWord", match.HasLure ? 1 : 0), new("oddTopLevelDomain", match.OddTopLevel ? 1 : 0),
            new("clientsOfSite", verdict.Sighting.Clients), new("daysSeen", verdict.Sighting.Days),
        };
        if (match.IsEdit) facts.Add(new("distance", 1));
        if (prevalence.IsLearning) facts.Add(new("learning", 0, "first days of this sensor: what is new is not known yet"));
        string firstSeen = verdict.IsFirstSeen ? "; nobody here was seen with it before today" : "";
        return new Finding(Name, $"{source} {domain}", threat with { Severity = verdict.Severity }, flags,
            $"{source} {did} {name}, which imitates {brand.Domain} ({KindName(match.Kind)}){firstSeen}.", Features(in match, verdict.IsFirstSeen), facts, verdict.Count)
        {
            ScoreLimit = thresholds.ImposterScore,
        };
    }

    static string KindName(BrandLikeness kind) => kind switch
    {
        BrandLikeness.Homoglyph => "characters that look the same",
        BrandLikeness.Transposition => "two letters changed places",
        BrandLikeness.Omission => "a letter left out",
        BrandLikeness.Repetition => "a letter doubled",
        BrandLikeness.Hyphenation => "a hyphen more or less",
        BrandLikeness.VowelSwap => "a vowel for another",
        BrandLikeness.Replacement => "a letter for one near it",
        BrandLikeness.Insertion => "a letter too many",
        BrandLikeness.Addition => "a character added at the end",
        BrandLikeness.OtherEdit => "one letter of difference",
        BrandLikeness.SplitLabels => "the brand cut by dots",
        BrandLikeness.Compound => "the brand with more words",
        BrandLikeness.DomainInside => "the brand's domain as a host of another",
        BrandLikeness.Subdomain => "the brand as a host of another domain",
        _ => "the brand's name under a top-level domain of ill repute",
    };
}
