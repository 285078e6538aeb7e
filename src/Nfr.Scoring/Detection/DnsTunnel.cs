using System.Runtime.CompilerServices;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Data carried in DNS: per client and registered domain, the bytes of label text that was never asked before and that does not look like a name
/// (after Paxson et al., USENIX Security 2013: what a name can carry is bounded by its new information), over half an hour, two hours and a day; and
/// the bytes that answers to ever new names bring in. A name that ends in no domain (a client that talks to its server directly) is put to that server.
/// </summary>
sealed class DnsTunnel(Thresholds thresholds, PublicSuffixList suffixes, NameModel model, Resolvers resolvers, Findings findings) : Detector
{
    public const string Name = "dns_tunnel";
    /// <summary>About 1.4 MB. Full: the pair unused longest that has carried little goes first.</summary>
    internal const int MaxPairs = 1 << 14;
    /// <summary>1 MB. Full: the label seen longest ago counts as new if it comes again.</summary>
    const int MaxLabels = 1 << 17;
    /// <summary>A pair with so many different opaque labels is kept before those that have shown fewer.</summary>
    const int TellingLabels = 5;
    /// <summary>An answer smaller than this brings in too little to be kept in mind (bytes more than its question).</summary>
    const int LeastAnswer = 64;
    const int Windows = 3;
    /// <summary>Of a label that is not text.</summary>
    const double BitsOfBytes = 8;

    struct Window
    {
        /// <summary>Seconds of tick.</summary>
        public uint Start;
        public int Bytes;
    }

    [InlineArray(Windows)]
    struct Carried
    {
        Window _first;
    }

    struct Pair
    {
        public Carried New;
        // Within the first window.
        public int DataTypeBytes;
        public int AnswerBytes;
        public int AnswerNames;
        // Within the last.
        public int Labels;
        public int Queries;
        public int NewQueries;
        public float Bits;
        public ushort LongestLabel;
        public QuestionTypes Types;
    }

    /// <summary>Types that were asked with something new in the name.</summary>
    [Flags]
    enum QuestionTypes : ushort
    {
        None = 0, A = 1, AAAA = 2, TXT = 4, NULL = 8, CNAME = 16, MX = 32, KEY = 64, SRV = 128, HTTPS = 256, PTR = 512, NS = 1024, Other = 2048,
    }

    readonly LruTable<Pair> _pairs = new(MaxPairs);
    readonly SeenSet _labels = new(MaxLabels);
    readonly long[] _windows = [thresholds.TunnelWindow, thresholds.TunnelSlowWindow, thresholds.TunnelDay];

    public override DetectorEvents Sees => DetectorEvents.Dns | DetectorEvents.Ip;
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
        Told told = Read(e.Query[..(start - 1)], pairKey);
        int answered = AnswerBytes(in e, pairKey);
        // A name without anything new adds nothing: no entry is made for it.
        bool isNew = told.Fresh > 0 || answered > 0;
        if (!isNew && told.Opaque == 0) return 0;
        int index = isNew ? _pairs.GetOrAdd(pairKey, out _) : _pairs.Find(pairKey);
        if (index < 0) return 0;
        ref Pair pair = ref _pairs[index];
        Add(ref pair, in told, answered, e.QueryType);

        bool many = resolvers.SpeaksForMany(e.Context.Source);
        int times = many ? thresholds.ResolverTunnelFactor : 1;
        int window = Worst(in pair, times, out double carried);
        double brought = pair.AnswerBytes / (double)(thresholds.TunnelAnswerBytes * times);
        if (pair.Labels >= TellingLabels || carried >= 0.25 || brought >= 0.25) _pairs.Protect(index);
        ulong finding = Mix.Of(pairKey, (ulong)Detectors.DnsTunnel);
        ReadOnlySpan<EvidenceFeature> sent =
        [
            new("newBytes", pair.New[window].Bytes, LimitOf(in pair, window) * times, 0.5), new("bitsPerCharacter", pair.Bits / Math.Max(1, pair.New[Windows - 1].Bytes), thresholds.TunnelBits, 0.25),
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
        double seconds = Seconds(findings.Now) - pair.New[shown].Start;
        string what = isOut
            ? $"{source} sent {pair.New[window].Bytes} bytes of new text in {pair.Labels} different opaque labels under {under} within {seconds:0} s"
            : $"{source} was sent {pair.AnswerBytes} bytes in answers to {pair.AnswerNames} different names under {under} within {seconds:0} s";
        findings.Raise(in e, finding, new Finding(Name, $"{source} {under}", Threats.MultipleLongHostnames, ["perplexing_host"],
            $"{what} (types {pair.Types}, last {Encoding.UTF8.GetString(e.Query)}).", (isOut ? sent : received).ToArray(),
            [
                new("seconds", seconds), new("windowSeconds", _windows[shown] / 1e9),
                new("types", 0, pair.Types.ToString()), new("longestLabel", pair.LongestLabel), new("queries", pair.Queries), new("dataTypeBytes", pair.DataTypeBytes),
                new("bytesOfDay", pair.New[Windows - 1].Bytes), new("answerBytesOfWindow", pair.AnswerBytes), new("lastName", 0, Encoding.UTF8.GetString(e.Query)),
                .. many ? [resolvers.Fact(e.Context.Source)] : Array.Empty<EvidenceValue>(),
            ],
            count));
        return severity;
    }

    /// <summary>What is no DNS on DNS's port: tunnels do that where the port alone opens the way. Decoding has counted the datagrams.</summary>
    public override int OnIp(scoped in IpEvent e)
    {
        if ((e.Notes & FlowNotes.NotDns) == 0 || e.PayloadOut + e.PayloadIn < thresholds.NotDnsBytes) return 0;
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, (ulong)Detectors.DnsTunnel), Mix.Of(e.Context.Destination));
        int severity = Threats.NotDns.Severity;
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString(), server = e.Context.Destination.ToString();
        findings.Raise(in e, finding, new Finding(Name, $"{source} {server} port 53", Threats.NotDns, [],
            $"{source} and port 53 of {server} exchanged {e.PayloadOut + e.PayloadIn} bytes in {e.PacketsOut + e.PacketsIn} datagrams, many of them no DNS messages.",
            [new("payloadBytes", e.PayloadOut + e.PayloadIn, thresholds.NotDnsBytes)],
            [
                new("payloadOut", e.PayloadOut), new("payloadIn", e.PayloadIn), new("packetsOut", e.PacketsOut), new("packetsIn", e.PacketsIn),
                new("seconds", e.Duration / 1e9), new("app", 0, e.App.ToString()),
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

    /// <summary>What one name says.</summary>
    struct Told
    {
        /// <summary>Labels, or runs of short labels, that look like data.</summary>
        public int Opaque;
        /// <summary>Those that this client had not asked for under this domain, and the octets of them that count.</summary>
        public int FreshLabels;
        public int Fresh;
        public int Longest;
        public double Bits;
    }

    /// <param name="text">The labels left of the registered domain.</param>
    /// <param name="pairKey">Of client and domain.</param>
    Told Read(ReadOnlySpan<byte> text, ulong pairKey)
    {
        var told = default(Told);
        // Short labels that follow each other are one carrier: bytes cut into small pieces are bytes all the same.
        int run = 0, octetsOfRun = 0;
        for (int i = 0; i < text.Length;)
        {
            int dot = text[i..].IndexOf((byte)'.'), end = dot < 0 ? text.Length : i + dot;
            ReadOnlySpan<byte> label = text[i..end];
            int octets = LabelText.OctetsOf(label, out bool isText);
            if (octets < thresholds.OpaqueLength)
            {
                if (octetsOfRun == 0) run = i;
                octetsOfRun += octets;
            }
            else
            {
                if (octetsOfRun >= thresholds.OpaqueRunLength) ReadRun(ref told, text[run..i], pairKey);
                octetsOfRun = 0;
                double bits = isText ? model.BitsPerCharacter(label) : BitsOfBytes;
                if (bits >= thresholds.OpaqueBits) Take(ref told, Mix.Of(Mix.OfName(label), pairKey), LabelText.Weigh(label, octets, isText), octets, bits);
            }
            i = end + 1;
        }
        if (octetsOfRun >= thresholds.OpaqueRunLength) ReadRun(ref told, text[run..], pairKey);
        return told;
    }

    /// <summary>Short labels taken together, without the digits of addresses that block lists are asked for.</summary>
    void ReadRun(ref Told told, ReadOnlySpan<byte> text, ulong pairKey)
    {
        int octets = 0;
        double bits = 0;
        ulong hash = 0;
        foreach (Range range in text.Split((byte)'.'))
        {
            ReadOnlySpan<byte> label = text[range];
            if (LabelText.IsDecimalOctet(label) || LabelText.IsNibble(label)) continue;
            int length = LabelText.OctetsOf(label, out bool isText);
            octets += length;
            bits += length * (isText ? model.BitsPerCharacter(label) : BitsOfBytes);
            hash = Mix.Of(hash, Mix.OfName(label));
        }
        if (octets >= thresholds.OpaqueRunLength && bits >= thresholds.OpaqueRunBits * octets) Take(ref told, Mix.Of(hash, pairKey), octets, octets, bits / octets);
    }

    void Take(ref Told told, ulong key, int counted, int octets, double bits)
    {
        told.Opaque++;
        if (!_labels.Add(key, findings.Now, thresholds.TunnelDay)) return;
        told.FreshLabels++;
        told.Fresh += counted;
        told.Bits += bits * counted;
        told.Longest = Math.Max(told.Longest, octets);
    }

    /// <summary>Bytes that an answer brought beyond its question, of a type that carries what the server likes, to a name that was not asked before.</summary>
    int AnswerBytes(scoped in DnsEvent e, ulong pairKey)
    {
        int bytes = e.ResponseLength - e.QueryLength;
        // Labels with an underscore (RFC 8552) are policies and keys for mail, which are long and many.
        if (bytes < LeastAnswer || !BringsData(e.QueryType) || e.Query.Contains((byte)'_')) return 0;
        return _labels.Add(Mix.Of(Mix.OfName(e.Query), ~pairKey), findings.Now, thresholds.TunnelDay) ? bytes : 0;
    }

    void Add(ref Pair pair, in Told told, int answered, ushort type)
    {
        uint now = Seconds(findings.Now);
        for (int i = 0; i < Windows; i++)
        {
            ref Window window = ref pair.New[i];
            if (window.Start == 0 || (now - window.Start) * 1_000_000_000L > _windows[i])
            {
                window = new Window { Start = now };
                if (i == 0) pair.DataTypeBytes = pair.AnswerBytes = pair.AnswerNames = 0;
                if (i == Windows - 1)
                {
                    pair.Labels = pair.Queries = pair.NewQueries = pair.LongestLabel = 0;
                    pair.Bits = 0;
                    pair.Types = QuestionTypes.None;
                }
            }
            window.Bytes = Plus(window.Bytes, told.Fresh);
        }
        pair.Queries = Plus(pair.Queries, 1);
        pair.AnswerBytes = Plus(pair.AnswerBytes, answered);
        if (answered > 0) pair.AnswerNames = Plus(pair.AnswerNames, 1);
        if (told.Fresh == 0) return;
        pair.NewQueries = Plus(pair.NewQueries, 1);
        pair.Labels = Plus(pair.Labels, told.FreshLabels);
        pair.Bits += (float)told.Bits;
        pair.LongestLabel = (ushort)Math.Max((int)pair.LongestLabel, told.Longest);
        pair.Types |= TypeOf(type);
        if (CarriesData(type)) pair.DataTypeBytes = Plus(pair.DataTypeBytes, told.Fresh);
    }

    static int Plus(int a, int b) => (int)Math.Min((long)a + b, int.MaxValue);

    static uint Seconds(long tick) => (uint)(tick / 1_000_000_000) + 1;

    /// <summary>The window whose bytes come nearest to their limit, or exceed it most.</summary>
    int Worst(in Pair pair, int times, out double share)
    {
        int worst = 0;
        share = 0;
        for (int i = 0; i < Windows; i++)
        {
            double s = pair.New[i].Bytes / (double)(LimitOf(in pair, i) * times);
            if (s > share) (worst, share) = (i, s);
        }
        return worst;
    }

    int LimitOf(in Pair pair, int window) => window switch
    {
        0 => pair.DataTypeBytes * 2L >= pair.New[0].Bytes ? thresholds.TunnelDataTypeBytes : thresholds.TunnelBytes,
        1 => thresholds.TunnelSlowBytes,
        _ => thresholds.TunnelDayBytes,
    };

    /// <summary>Types that tunnels use, and browsers hardly.</summary>
    static bool CarriesData(ushort type) => type is not (1 or 28 or 64 or 65);

    /// <summary>Types whose answers carry what the server likes: not addresses, zones, service records or the signatures of DNSSEC.</summary>
    static bool BringsData(ushort type) => type is not (1 or 2 or 6 or 12 or 28 or 33 or 43 or 46 or 47 or 48 or 50 or 51 or 52 or 64 or 65);

    static QuestionTypes TypeOf(ushort type) => type switch
    {
        1 => QuestionTypes.A, 2 => QuestionTypes.NS, 5 => QuestionTypes.CNAME, 10 => QuestionTypes.NULL, 12 => QuestionTypes.PTR, 15 => QuestionTypes.MX,
        16 => QuestionTypes.TXT, 25 => QuestionTypes.KEY, 28 => QuestionTypes.AAAA, 33 => QuestionTypes.SRV, 65 => QuestionTypes.HTTPS, _ => QuestionTypes.Other,
    };
}
