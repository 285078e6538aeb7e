using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Data carried out in query names: per client and registered domain, the bytes of label text that was never asked before and that does
/// not look like a name (after Paxson et al., USENIX Security 2013: what a name can carry is bounded by its new information).
/// </summary>
sealed class DnsTunnel(Thresholds thresholds, PublicSuffixList suffixes, NameModel model, Findings findings) : Detector
{
    public const string Name = "dns_tunnel";
    /// <summary>About 1.1 MB. Full: the pair unused longest that has carried little goes first.</summary>
    internal const int MaxPairs = 1 << 14;
    /// <summary>512 KB. Full: the label seen longest ago counts as new if it comes again.</summary>
    const int MaxLabels = 1 << 16;
    const int Pointer = 12;

    struct Pair
    {
        public long FirstTick;
        public int Bytes;
        public int DataTypeBytes;
        public int Labels;
        public int Queries;
        public int LongestLabel;
        public long ResponseBytes;
    }

    readonly LruTable<Pair> _pairs = new(MaxPairs);
    readonly SeenSet _labels = new(MaxLabels);

    public override DetectorEvents Sees => DetectorEvents.Dns;
    public override long Evicted => _pairs.Evicted;
    public override int Tracked => _pairs.Count;

    public override int OnDns(scoped in DnsEvent e)
    {
        // Multicast DNS and LLMNR do not leave the link; reverse names are addresses.
        if (e.QueryType == Pointer || e.Context.DestinationPort is 5353 or 5355) return 0;
        int start = suffixes.RegisteredStart(e.Query, out _, out _);
        if (start == 0) return 0;
        ReadOnlySpan<byte> domain = e.Query[start..];
        if (domain.EndsWith(".arpa"u8)) return 0;

        ulong pairKey = Mix.Of(e.Context.Source, Mix.OfName(domain));
        ReadOnlySpan<byte> rest = e.Query[..(start - 1)];
        int index = -1, fresh = 0;
        while (!rest.IsEmpty)
        {
            int dot = rest.IndexOf((byte)'.');
            ReadOnlySpan<byte> label = dot < 0 ? rest : rest[..dot];
            rest = dot < 0 ? default : rest[(dot + 1)..];
            int octets = OctetsOf(label, out bool text);
            if (octets < thresholds.OpaqueLength || (text && model.BitsPerCharacter(label) < thresholds.OpaqueBits)) continue;
            if (!_labels.Add(Mix.Of(Mix.OfName(label), pairKey), findings.Now, thresholds.TunnelWindow)) continue;
            if (index < 0) index = Open(pairKey, e.Context.Tick);
            ref Pair opaque = ref _pairs[index];
            opaque.Bytes += octets;
            opaque.Labels++;
            opaque.LongestLabel = Math.Max(opaque.LongestLabel, octets);
            fresh += octets;
        }
        // A name without anything new adds nothing: no entry is made for it.
        if (index < 0) return 0;
        ref Pair pair = ref _pairs[index];
        pair.Queries++;
        pair.ResponseBytes += e.ResponseLength;
        if (CarriesData(e.QueryType)) pair.DataTypeBytes += fresh;

        bool dataTypes = pair.DataTypeBytes * 2 >= pair.Bytes;
        int limit = dataTypes ? thresholds.TunnelDataTypeBytes : thresholds.TunnelBytes;
        if (pair.Labels < thresholds.TunnelLabels / 2 || pair.Bytes < limit / 2) return 0;
        _pairs.Protect(index);
        ulong finding = Mix.Of(pairKey, (ulong)Detectors.DnsTunnel);
        if (pair.Labels < thresholds.TunnelLabels || pair.Bytes < limit)
        {
            findings.Keep(finding, in e);
            return 0;
        }
        int severity = Threats.MultipleLongHostnames.Severity;
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString(), under = Encoding.UTF8.GetString(domain);
        double seconds = Math.Max(0, e.Context.Tick - pair.FirstTick) / 1e9;
        findings.Raise(in e, finding, new Finding(Name, $"{source} {under}", Threats.MultipleLongHostnames, ["perplexing_host"],
            $"{source} sent {pair.Bytes} bytes in {pair.Labels} different opaque labels under {under} within {seconds:0.0} s.",
            [new("newBytes", pair.Bytes, limit, 0.5), new("labels", pair.Labels, thresholds.TunnelLabels, 0.5)],
            [
                new("queries", pair.Queries), new("longestLabel", pair.LongestLabel), new("dataTypeBytes", pair.DataTypeBytes), new("responseBytes", pair.ResponseBytes),
                new("seconds", seconds), new("lastType", 0, Encoding.ASCII.GetString(DnsTypes.Name(e.QueryType, stackalloc byte[DnsTypes.MaxNameLength]))),
                new("windowSeconds", thresholds.TunnelWindow / 1e9), new("opaqueBitsPerCharacter", thresholds.OpaqueBits),
            ],
            count));
        return severity;
    }

    int Open(ulong pairKey, long tick)
    {
        int index = _pairs.GetOrAdd(pairKey, out bool added);
        ref Pair pair = ref _pairs[index];
        if (added || tick - pair.FirstTick > thresholds.TunnelWindow) pair = new Pair { FirstTick = tick };
        return index;
    }

    /// <summary>Types whose answers carry what the server likes; tunnels use them, browsers hardly.</summary>
    static bool CarriesData(ushort type) => type is not (1 or 28 or 64 or 65);

    /// <summary>Octets of a label in presentation form, where \DDD is one; <paramref name="text"/> when all are printable.</summary>
    static int OctetsOf(ReadOnlySpan<byte> label, out bool text)
    {
        text = true;
        int octets = label.Length;
        for (int i = 0; i < label.Length; i++)
        {
            if (label[i] != '\\') continue;
            text = false;
            int escaped = i + 3 < label.Length && char.IsAsciiDigit((char)label[i + 1]) ? 3 : 1;
            octets -= escaped;
            i += escaped;
        }
        return octets;
    }
}
