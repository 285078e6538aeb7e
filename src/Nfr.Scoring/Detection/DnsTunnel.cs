using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Data carried in DNS: per client and registered domain, the bytes of label text that was never asked before and that does not look like a name
/// (after Paxson et al., USENIX Security 2013: what a name can carry is bounded by its new information), over half an hour, two hours and a day; and
/// the bytes that answers to ever new names bring in. What a name says is <see cref="TunnelNames"/>' matter, its sums are in <see cref="TunnelPair"/>. A name that ends in no domain (a client that talks to its server directly) is put to that server.
/// </summary>
sealed class DnsTunnel(Thresholds thresholds, PublicSuffixList suffixes, NameModel model, Resolvers resolvers, Findings findings) : Detector
{
    public const string Name = "dns_tunnel";
    /// <summary>About 1.4 MB. Full: the pair unused longest that has carried little goes first.</summary>
    internal const int MaxPairs = 1 << 14;
    /// <summary>A pair with so many different opaque labels is kept before those that have shown fewer.</summary>
    const int TellingLabels = 5;

    readonly LruTable<TunnelPair> _pairs = new(MaxPairs);
    readonly TunnelNames _names = new(thresholds, model, findings);

    public override DetectorEvents Sees => DetectorEvents.Dns;
    public override long Evicted => _pairs.Evicted;
    public override int Tracked => _pairs.Count;

    public override int OnDns(scoped in DnsEvent e)
    {
        // Multicast DNS, LLMNR and NetBIOS do not leave the link; reverse names are addresses.
        if (e.Service is App.Mdns or App.Llmnr or App.Nbns || e.Context.DestinationPort is 5353 or 5355 or 137) return 0;
        int start = suffixes.RegisteredStart(e.Query, out bool listed, out _);
        if (start == 0) return 0;
        bool direct = !listed && LabelText.IsNoTopLevelDomain(e.Query[(e.Query.LastIndexOf((byte)'.') + 1)..]);
        if (direct) start = e.Query.Length + 1;
        ReadOnlySpan<byte> domain = direct ? default : e.Query[start..];
        if (domain.EndsWith(".arpa"u8) || (!direct && DataServices.Contains(domain))) return 0;

        ulong pairKey = direct ? Mix.Of(Mix.Of(e.Context.Source), Mix.Of(e.Context.Destination)) : Mix.Of(e.Context.Source, Mix.OfName(domain));
        TunnelText told = _names.Read(e.Query[..(start - 1)], pairKey);
        int answered = _names.AnswerBytes(in e, pairKey);
        // A name without anything new adds nothing: no entry is made for it.
        bool isNew = told.Fresh > 0 || answered > 0;
        if (!isNew && told.Opaque == 0) return 0;
        int index = isNew ? _pairs.GetOrAdd(pairKey, out _) : _pairs.Find(pairKey);
        if (index < 0) return 0;
        ref TunnelPair pair = ref _pairs[index];
        pair.Add(in told, answered, e.QueryType, TunnelPair.Seconds(findings.Now), thresholds);

        bool many = resolvers.SpeaksForMany(e.Context.Source);
        int times = many ? thresholds.ResolverTunnelFactor : 1;
        int window = pair.Worst(thresholds, times, out double carried);
        double brought = pair.AnswerBytes / (double)(thresholds.TunnelAnswerBytes * times);
        if (pair.Labels >= TellingLabels || carried >= 0.25 || brought >= 0.25) _pairs.Protect(index);
        ulong finding = Mix.Of(pairKey, (ulong)Detectors.DnsTunnel);
        ReadOnlySpan<EvidenceFeature> sent =
        [
            new("newBytes", pair.New[window].Bytes, pair.LimitOf(thresholds, window) * times, 0.5), new("bitsPerCharacter", pair.Bits / Math.Max(1, pair.New[TunnelPair.Windows - 1].Bytes), thresholds.TunnelBits, 0.25),
            new("labels", pair.Labels, thresholds.TunnelLabels * times, 0.125), new("newQueryShare", (double)pair.NewQueries / pair.Queries, thresholds.TunnelNewShare, 0.125),
        ];
        ReadOnlySpan<EvidenceFeature> received =
        [
            new("answerBytes", pair.AnswerBytes, thresholds.TunnelAnswerBytes * times, 0.5), new("answeredNames", pair.AnswerNames, thresholds.TunnelAnswers * times, 0.5),
        ];
        bool isOut = Reaches(sent), isIn = !isOut && Reaches(received);
        if (!isOut && !isIn)
        {
            if (isNew && (carried >= 0.5 || brought >= 0.5)) findings.Keep(finding, in e);
            return 0;
        }
        int severity = Threats.MultipleLongHostnames.Severity;
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString(), under = direct ? $"server {e.Context.Destination}" : Encoding.UTF8.GetString(domain);
        int shown = isOut ? window : 0;
        double seconds = TunnelPair.Seconds(findings.Now) - pair.New[shown].Start;
        string what = isOut
            ? $"{source} sent {pair.New[window].Bytes} bytes of new text in {pair.Labels} different opaque labels under {under} within {seconds:0} s"
            : $"{source} was sent {pair.AnswerBytes} bytes in answers to {pair.AnswerNames} different names under {under} within {seconds:0} s";
        findings.Raise(in e, finding, new Finding(Name, $"{source} {under}", Threats.MultipleLongHostnames, ["perplexing_host"],
            $"{what} (types {pair.Types}, last {Encoding.UTF8.GetString(e.Query)}).", (isOut ? sent : received).ToArray(),
            [
                new("seconds", seconds), new("windowSeconds", TunnelPair.LengthOf(thresholds, shown) / 1e9),
                new("types", 0, pair.Types.ToString()), new("longestLabel", pair.LongestLabel), new("queries", pair.Queries), new("dataTypeBytes", pair.DataTypeBytes),
                new("bytesOfDay", pair.New[TunnelPair.Windows - 1].Bytes), new("answerBytesOfWindow", pair.AnswerBytes), new("lastName", 0, Encoding.UTF8.GetString(e.Query)),
                .. many ? [resolvers.Fact(e.Context.Source)] : Array.Empty<EvidenceValue>(),
            ],
            count));
        return severity;
    }

    static bool Reaches(ReadOnlySpan<EvidenceFeature> features)
    {
        foreach (EvidenceFeature f in features)
        {
            if (f.Value < f.Limit) return false;
        }
        return true;
    }
}
