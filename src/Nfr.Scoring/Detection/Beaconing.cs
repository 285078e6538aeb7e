using System.Text;
using Nfr.Events;
using Nfr.Scoring.Beacons;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A client that comes back to one outside destination by a timer: regular intervals (and sizes) over a while, with a destination that hardly anybody else of the site
/// uses. The destination is a registered domain where a query, a handshake or a request tells it, else an address and port. Queries are contacts too, unless their
/// interval is the one at which a cache asks again.
/// </summary>
sealed class Beaconing(Thresholds thresholds, Func<Address, bool> isHome, PublicSuffixList suffixes, NameModel model, Crowd crowd, DestinationNames names, Resolvers resolvers, Findings findings) : Detector
{
    public const string Name = "beacon";
    /// <summary>2.1 MB. Full: the pair of client and destination unused longest goes first, those that came back four times last.</summary>
    internal const int MaxPairs = 1 << 13;
    /// <summary>256 KB. Full: a pair seen once and longest ago starts anew.</summary>
    const int MaxOnce = 1 << 15;
    /// <summary>32 KB. Full: a long flow's next slice counts as a contact.</summary>
    const int MaxRunning = 1 << 12;
    const int AnswersRead = 4;
    const ushort Pointer = 12;
    const byte Tcp = 6, Udp = 17;

    struct Pair
    {
        public Contacts Contacts;
        public uint RegularSince;
        public uint Raised;
        public uint TimeToLive;
        /// <summary>Until when (as the contacts' times) a flow that lasts excuses queries; 0 = there was none.</summary>
        public uint Lasting;
        public int Total;
        public byte RaisedSeverity;
        public bool IsRegular;
        /// <summary>Contacts, and those that were of a protocol which is polled by its nature; both are halved before they overflow, so that they say what is so lately.</summary>
        public byte Fresh;
        public byte Polled;

        public readonly bool IsPolled => (Polled > 0 && Polled * 2 >= Fresh) || (Lasting != 0 && (int)(Lasting - Contacts.Last) >= 0 && IsAskedFor);

        /// <summary>Most of its contacts are queries that no connection followed.</summary>
        public readonly bool IsAskedFor => Contacts.Connected * 2 < Contacts.Count;

        public void Count(ref byte what)
        {
            if (++what < 64) return;
            Fresh /= 2;
            Polled /= 2;
        }
    }

    readonly LruTable<Pair> _pairs = new(MaxPairs);
    readonly LastSeen _once = new(MaxOnce);
    readonly LastSeen _running = new(MaxRunning);

    public override DetectorEvents Sees => DetectorEvents.Dns | DetectorEvents.Ip | DetectorEvents.Http | DetectorEvents.Tls;
    public override long Evicted => _pairs.Evicted;
    public override int Tracked => _pairs.Count;

    /// <summary>Whom a contact is with: the hash of its name or of its address and port.</summary>
    readonly ref struct Destination(ulong hash, ReadOnlySpan<byte> name, bool isAddress)
    {
        public ulong Hash { get; } = hash;
        /// <summary>The registered domain; empty for an address.</summary>
        public ReadOnlySpan<byte> Name { get; } = name;
        public bool IsAddress { get; } = isAddress;
    }

    public override int OnDns(scoped in DnsEvent e)
    {
        if (e.Context.DestinationPort is 5353 or 5355 or 137 || !isHome(e.Context.Source)) return 0;
        // A resolver asks again when its cache runs dry: that is regular, and somebody else's doing.
        if (e.ResponseCode != 0 || e.QueryType == Pointer || resolvers.IsResolver(e.Context.Source)) return 0;
        int start = suffixes.RegisteredStart(e.Query, out bool listed, out int suffixStart);
        if (!listed || suffixStart <= start) return 0;
        var to = new Destination(Mix.OfName(e.Query[start..]), e.Query[start..], isAddress: false);
        uint timeToLive = 0;
        var answers = new DnsAnswerReader(e.Answers);
        for (int i = 0; i < AnswersRead && answers.MoveNext(); i++)
        {
            timeToLive = Math.Max(timeToLive, answers.TimeToLive);
            if (answers.Type is not (1 or 28) || !AddressText.TryParse(answers.Text, out Address address)) continue;
            if (isHome(address)) return 0;
            names.Note(in e.Context.Source, in address, to.Hash, to.Name, answered: true);
        }
        int index = Contact(in e.Context, in to, 0, connected: false, opens: true, out bool isNew);
        if (index < 0) return 0;
        ref Pair pair = ref _pairs[index];
        pair.TimeToLive = Math.Max(timeToLive, 1);
        ulong finding = FindingOf(in e.Context, in to);
        int severity = Judge(ref pair, index, isNew, in e.Context, in to, finding, out Finding what);
        if (severity > 0 && what.Detector is not null) findings.Raise(in e, finding, what);
        else if (isNew && pair.IsRegular) findings.Keep(finding, in e);
        return severity;
    }

    public override int OnTls(scoped in TlsEvent e)
    {
        if (!IsOutbound(in e.Context)) return 0;
        Destination to = Of(in e.Context, e.Sni);
        if (!to.IsAddress) names.Note(in e.Context.Source, in e.Context.Destination, to.Hash, to.Name, answered: false);
        if (IsPolledMail(e.Context.DestinationPort)) return NotePoll(in e.Context, in to);
        int index = Contact(in e.Context, in to, 0, connected: true, opens: true, out bool isNew);
        if (index < 0) return 0;
        ulong finding = FindingOf(in e.Context, in to);
        int severity = Judge(ref _pairs[index], index, isNew, in e.Context, in to, finding, out Finding what);
        if (severity > 0 && what.Detector is not null) findings.Raise(in e, finding, what);
        else if (isNew && _pairs[index].IsRegular) findings.Keep(finding, in e);
        return severity;
    }

    public override int OnHttp(scoped in HttpEvent e)
    {
        // Certificate status and revocation lists are asked for by a timer, by anything that speaks TLS (RFC 6960, RFC 5280).
        if (!IsOutbound(in e.Context) || e.ContentType.StartsWith("application/ocsp"u8) || e.ContentType.StartsWith("application/pkix-crl"u8)) return 0;
        Destination to = Of(in e.Context, HostOf(e.Host));
        if (!to.IsAddress) names.Note(in e.Context.Source, in e.Context.Destination, to.Hash, to.Name, answered: false);
        int index = Contact(in e.Context, in to, e.BytesOut + e.Url.Length, connected: true, opens: true, out bool isNew);
        if (index < 0) return 0;
        ulong finding = FindingOf(in e.Context, in to);
        int severity = Judge(ref _pairs[index], index, isNew, in e.Context, in to, finding, out Finding what);
        if (severity > 0 && what.Detector is not null) findings.Raise(in e, finding, what);
        else if (isNew && _pairs[index].IsRegular) findings.Keep(finding, in e);
        return severity;
    }

    public override int OnIp(scoped in IpEvent e)
    {
        if (e.Context.Protocol is not (Tcp or Udp) || !IsOutbound(in e.Context) || e.App == App.Http) return 0;
        Destination to = Of(in e.Context, default);
        if (IsPolled(in e)) return OnPolled(in e, in to);
        // Nobody answered: a dead server tried again and again is no matter of ours.
        if (e.PacketsIn == 0 && e.BytesIn == 0) return 0;
        if (e.Context.Protocol == Tcp && e.PayloadIn == 0 && e.PayloadOut == 0) return 0;
        // Handshakes have said already that there was a contact.
        bool opens = e.App is not (App.Tls or App.Quic or App.Http2 or App.Tor or App.Doh or App.Dot or App.Doq or App.Dns) && !IsContinued(in e);
        int index = Contact(in e.Context, in to, e.PayloadOut, connected: true, opens, out bool isNew);
        if (index < 0) return 0;
        ulong finding = FindingOf(in e.Context, in to);
        int severity = Judge(ref _pairs[index], index, isNew, in e.Context, in to, finding, out Finding what);
        if (severity > 0 && what.Detector is not null) findings.Raise(in e, finding, what);
        else if (isNew && _pairs[index].IsRegular) findings.Keep(finding, in e);
        return severity;
    }

    bool IsOutbound(scoped in EventContext context) =>
        isHome(context.Source) && !isHome(context.Destination) && !SpecialAddresses.IsBroadcastOrMulticast(context.Destination) && !SpecialAddresses.IsLinkLocal(context.Destination);

    /// <summary>Protocols whose clients ask by a timer because that is what they are for.</summary>
    static bool IsPolled(scoped in IpEvent e) => e.App switch
    {
        App.Ntp or App.Imap or App.Pop3 or App.Stun or App.Dhcp or App.DhcpV6 or App.Ssdp or App.Mdns or App.Llmnr or App.Nbns or App.Snmp or App.Syslog or App.Bgp
            or App.Radius or App.BitTorrent or App.EDonkey or App.Sip or App.Rtp or App.WireGuard or App.Ike or App.Teredo or App.Nntp => true,
        App.Unknown or App.Tls => IsPolledMail(e.Context.DestinationPort) || (e.Context.DestinationPort == 123 && e.Context.Protocol == Udp),
        _ => false,
    };

    static bool IsPolledMail(ushort port) => port is 993 or 995 or 143 or 110;

    /// <summary>
    /// What is polled by its nature is no contact. It takes its name along while about every contact with that is followed by such a poll: the mail server's name is asked for by the
    /// same timer. One flow to a mail port among many contacts excuses nothing.
    /// </summary>
    int NotePoll(scoped in EventContext context, scoped in Destination to)
    {
        int index = _pairs.Find(Mix.Of(context.Source, to.Hash));
        if (index < 0) return 0;
        ref Pair pair = ref _pairs[index];
        pair.Count(ref pair.Polled);
        return 0;
    }

    /// <summary>
    /// A flow of what is polled is one poll, however long it lasts. While it does, its client may go on to ask for the name by a timer (a tunnel that looks whether the other end has moved, a
    /// telephone), and connects no more: so it excuses queries and no connections, until its next slice should be here.
    /// </summary>
    int OnPolled(scoped in IpEvent e, scoped in Destination to)
    {
        bool continued = IsContinued(in e);
        if (continued || (e.Notes & FlowNotes.ActiveTimeout) != 0)
        {
            int index = _pairs.Find(Mix.Of(e.Context.Source, to.Hash));
            if (index >= 0) _pairs[index].Lasting = Math.Max(1, Contacts.TimeOf(e.Context.Tick + e.Duration + thresholds.BeaconSlice));
        }
        // A handshake has told its poll already.
        return continued || e.App == App.Tls ? 0 : NotePoll(in e.Context, in to);
    }

    /// <summary>A flow that lives long is told in slices: only its first is a contact.</summary>
    bool IsContinued(scoped in IpEvent e)
    {
        ulong flow = Mix.Of(e.Context.Source, Mix.Of(e.Context.Destination, ((ulong)e.Context.Protocol << 32) | ((ulong)e.Context.SourcePort << 16) | e.Context.DestinationPort));
        long age = _running.Age(flow, findings.Now);
        if ((e.Notes & FlowNotes.ActiveTimeout) != 0) _running.Mark(flow, findings.Now);
        return age >= 0 && age < thresholds.BeaconSlice;
    }

    /// <summary>"host:port" and "[v6]:port" without the port and brackets.</summary>
    static ReadOnlySpan<byte> HostOf(ReadOnlySpan<byte> host)
    {
        if (!host.IsEmpty && host[0] == '[') return default;
        int colon = host.LastIndexOf((byte)':');
        return colon < 0 ? host : host[..colon];
    }

    /// <param name="context">Who with whom.</param>
    /// <param name="host">What the event calls the server; empty when it does not say: then what the client has resolved to this address.</param>
    Destination Of(scoped in EventContext context, ReadOnlySpan<byte> host)
    {
        if (!host.IsEmpty && host[^1] == '.') host = host[..^1];
        if (!host.IsEmpty && !AddressText.TryParse(host, out _))
        {
            int start = suffixes.RegisteredStart(host, out _, out int suffixStart);
            ReadOnlySpan<byte> name = suffixStart > start ? host[start..] : host;
            return new Destination(Mix.OfName(name), name, isAddress: false);
        }
        if (names.TryFind(in context.Source, in context.Destination, out ulong hash, out ReadOnlySpan<byte> known, out _)) return new Destination(hash, known, isAddress: false);
        return new Destination(Mix.Of(context.Destination, ((ulong)context.Protocol << 16) | context.DestinationPort), default, isAddress: true);
    }

    static ulong FindingOf(scoped in EventContext context, scoped in Destination to) => Mix.Of(Mix.Of(context.Source, to.Hash), (ulong)Detectors.Beaconing);

    /// <returns>The pair's place; -1 while it was seen but once.</returns>
    int Contact(scoped in EventContext context, scoped in Destination to, long bytes, bool connected, bool opens, out bool isNew)
    {
        isNew = false;
        ulong key = Mix.Of(context.Source, to.Hash);
        int index = _pairs.Find(key);
        uint time = Contacts.TimeOf(context.Tick);
        if (index < 0)
        {
            if (!opens) return -1;
            long age = _once.Mark(key, context.Tick);
            if (age <= Contacts.Burst * 10_000_000L) return -1;
            index = _pairs.GetOrAdd(key, out _);
            _pairs[index] = default;
            _pairs[index].Contacts.Add(Contacts.TimeOf(context.Tick - age), 0, connected: false, opens: true);
            _pairs[index].Total = 1;
        }
        ref Pair pair = ref _pairs[index];
        isNew = pair.Contacts.Add(time, bytes, connected, opens);
        if (!isNew) return index;
        pair.Count(ref pair.Fresh);
        if (++pair.Total == 4) _pairs.Protect(index);
        return index;
    }

    /// <summary>Holds the pair against the limits when a contact is new; <paramref name="what"/> is set when an alert is due.</summary>
    int Judge(ref Pair pair, int index, bool isNew, scoped in EventContext context, scoped in Destination to, ulong finding, out Finding what)
    {
        what = default;
        if (pair.Contacts.Count <= thresholds.BeaconIntervals) return 0;
        uint now = pair.Contacts.Last;
        if (!isNew) return pair.IsRegular ? pair.RaisedSeverity : 0;
        if (pair.IsPolled) return 0;

        Span<float> values = stackalloc float[Contacts.Capacity];
        Regularity times = Regularity.Of(values[..pair.Contacts.Intervals(values)]);
        double bySize = Regularity.OfSizes(values[..pair.Contacts.Bytes(values)], out double sizeShare);
        double evidence = times.Evidence + bySize;
        bool wasRegular = pair.IsRegular;
        pair.IsRegular = times.Median >= thresholds.BeaconLeastInterval && evidence >= thresholds.BeaconSuspicion && !IsCache(in pair, times.Median);
        if (!pair.IsRegular)
        {
            pair.RaisedSeverity = 0;
            return 0;
        }
        if (!wasRegular) pair.RegularSince = pair.Contacts.First;
        double seconds = (now - pair.RegularSince) / 100.0;
        // Far from the limit whatever the destination is: it is not asked for.
        if (0.3 + Part(evidence, thresholds.BeaconEvidence, 0.5) + Part(seconds, thresholds.BeaconSeconds, 0.2) < thresholds.BeaconScore) return 0;
        (int clients, int site) = crowd(to.Name, in context.Destination);
        bool wellKnown = !to.IsAddress && WellKnownServices.Has(to.Hash);
        double rarity = wellKnown ? 0 : 1 / (1 + (Math.Max(0, clients - 1) / Math.Max(3, Math.Sqrt(site) / 2)));
        double score = Part(evidence, thresholds.BeaconEvidence, 0.5) + Part(seconds, thresholds.BeaconSeconds, 0.2) + Part(rarity, thresholds.BeaconRarity, 0.3);
        if (score < thresholds.BeaconScore) return 0;

        double bits = to.IsAddress ? 0 : BitsOf(to.Name);
        bool oddName = bits >= thresholds.BeaconOddBits;
        int severity = pair.Contacts.Connected * 2 >= pair.Contacts.Count && (to.IsAddress || oddName) ? 3 : 2;
        bool due = pair.Raised == 0 || severity > pair.RaisedSeverity || (now - pair.Raised) >= thresholds.BeaconQuiet / 10_000_000;
        pair.RaisedSeverity = (byte)Math.Max(severity, pair.RaisedSeverity);
        // The findings remember longer than the pair, which forgets what it told when it was irregular for a while.
        if (!due || !findings.IsDue(finding, severity, thresholds.BeaconQuiet, out _)) return pair.RaisedSeverity;
        pair.Raised = Math.Max(now, 1);
        EvidenceFeature[] features = [new("regularity", evidence, thresholds.BeaconEvidence, 0.5), new("seconds", seconds, thresholds.BeaconSeconds, 0.2), new("rarity", rarity, thresholds.BeaconRarity, 0.3)];
        string client = context.Source.ToString(), destination = to.IsAddress ? $"{context.Destination} port {context.DestinationPort}" : Encoding.UTF8.GetString(to.Name);
        what = new Finding(Name, $"{client} {destination}", Threats.SuspiciousDomainBeacon with { Severity = severity }, oddName ? ["beacon", "perplexing_domain"] : ["beacon"],
            $"{client} comes back to {destination} every {times.Median:0} s: {times.Share:0 %} of the last {times.Intervals} intervals are alike, for {seconds / 60:0} min so far; " +
            $"{clients} of {site} clients here use it.",
            features, FactsOf(in pair, in times, sizeShare, clients, site, bits), pair.Total) { ScoreLimit = thresholds.BeaconScore };
        return severity;
    }

    static double Part(double value, double limit, double weight) => EvidenceScore.Part(new EvidenceFeature("", value, limit, weight));

    /// <summary>A name that is only asked for, as soon as the answer's time to live is over: that is a cache at work, not a timer.</summary>
    static bool IsCache(in Pair pair, double median) => pair.IsAskedFor && median > pair.TimeToLive * 0.9 && median < pair.TimeToLive * 1.5;

    double BitsOf(ReadOnlySpan<byte> domain)
    {
        int dot = domain.IndexOf((byte)'.');
        ReadOnlySpan<byte> label = dot < 0 ? domain : domain[..dot];
        return label.Length < thresholds.BeaconOddLength ? 0 : model.BitsPerCharacter(label);
    }

    static EvidenceValue[] FactsOf(in Pair pair, in Regularity times, double sizeShare, int clients, int site, double bits)
    {
        float[] intervals = new float[Contacts.Capacity], sizes = new float[Contacts.Capacity];
        double[] starts = new double[pair.Contacts.Count];
        int count = pair.Contacts.Intervals(intervals), sized = pair.Contacts.Bytes(sizes);
        for (int i = 1; i <= count; i++) starts[i] = starts[i - 1] + intervals[i - 1];
        return
        [
            new("medianSeconds", times.Median), new("intervals", times.Intervals), new("intervalsAlike", times.Share), new("sizesAlike", sizeShare),
            new("medianBytes", RitaScore.Median(sizes.AsSpan(0, sized))), new("ritaTimes", RitaScore.Times(starts)),
            new("ritaSizes", RitaScore.Sizes(Array.ConvertAll(sizes[..sized], s => (double)s))), new("clients", clients), new("siteClients", site), new("bitsPerCharacter", bits),
        ];
    }
}
