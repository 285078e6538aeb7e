using System.Runtime.CompilerServices;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Malware that makes up its rendezvous names asks for many that do not exist. Per client: the last distinct registered domains that were
/// answered NXDOMAIN, and what they have in common (<see cref="DgaBurst"/>). The mean of a host separates far better than any one name,
/// and no single name raises anything.
/// </summary>
sealed class DgaVolume(Thresholds thresholds, PublicSuffixList suffixes, DgaModel model, Resolvers resolvers, Findings findings) : Detector
{
    public const string Name = "dga_volume";
    /// <summary>About 2.3 MB. Full: the client that asked longest ago, and is not yet suspicious, is forgotten first.</summary>
    internal const int MaxClients = 1 << 12;
    /// <summary>Distinct names remembered a client; the oldest makes room.</summary>
    const int MaxNames = DgaBurst.MaxNames;
    const short NonExistentDomain = 3;
    const int Pointer = 12;
    const long Second = 1_000_000_000;

    struct Asked
    {
        /// <summary>Seconds of tick.</summary>
        public uint Time;
        public uint Hash;
        public short NameOdds;
        public short LetterOdds;
        public byte Length;
    }

    [InlineArray(MaxNames)]
    struct Ring
    {
        Asked _first;
    }

    struct Client
    {
        public Ring Names;
        public int Next;
        public int Filled;
    }

    readonly LruTable<Client> _clients = new(MaxClients);

    public override DetectorEvents Sees => DetectorEvents.Dns;
    public override long Evicted => _clients.Evicted;
    public override int Tracked => _clients.Count;

    public override int OnDns(scoped in DnsEvent e)
    {
        if (e.ResponseCode != NonExistentDomain || e.QueryType == Pointer) return 0;
        int start = suffixes.RegisteredStart(e.Query, out bool listed, out int suffixStart);
        // A name under no public top-level domain is a matter of the site's own search list (RFC 1535), not of malware.
        if (!listed || suffixStart <= start) return 0;
        ReadOnlySpan<byte> label = e.Query[start..(suffixStart - 1)];
        if (label.Length < thresholds.DgaLength || label.StartsWith("xn--"u8)) return 0;

        ulong clientKey = Mix.Of(e.Context.Source);
        int index = _clients.GetOrAdd(clientKey, out _);
        ref Client client = ref _clients[index];
        bool known = Remember(ref client, label, e.Query[start..], e.Query[suffixStart..], e.Context.Tick);
        DgaBurst burst = Recent(in client);
        if (burst.Names < thresholds.DgaNames / 2) return 0;
        // Of a resolver's clients there are many, and one of them is unlucky more often.
        bool many = resolvers.SpeaksForMany(e.Context.Source);
        int needed = many ? thresholds.ResolverDgaNames : thresholds.DgaNames;
        double score = burst.Score(thresholds), limit = DgaBurst.Limit(thresholds, burst.Names) + (many ? thresholds.ResolverDgaMargin : 0);
        if (score < limit) return 0;
        _clients.Protect(index);
        ulong finding = Mix.Of(clientKey, (ulong)Detectors.Dga);
        if (burst.Names < needed)
        {
            if (!known) findings.Keep(finding, in e);
            return 0;
        }
        int severity = Threats.DgaVolume.Severity;
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString();
        findings.Raise(in e, finding, new Finding(Name, source, Threats.DgaVolume, ["perplexing_domain"],
            $"{source} asked for {burst.Names} different domains that do not exist within {thresholds.DgaWindow / 1_000_000_000} s; " +
            $"their names look made up by a program (score {score:0.00} of {limit:0.00}, last {Encoding.UTF8.GetString(e.Query[start..])}).",
            burst.Features(thresholds),
            [
                new("names", burst.Names), new("windowSeconds", thresholds.DgaWindow / 1e9), new("meanNameOdds", burst.MeanName),
                new("meanLetterOdds", burst.MeanLetters), new("lengthSpread", burst.LengthSpread), .. many ? [resolvers.Fact(e.Context.Source)] : Array.Empty<EvidenceValue>(),
            ],
            count) { ScoreLimit = limit });
        return severity;
    }

    /// <returns>Whether the name was there already; then only its time is new.</returns>
    bool Remember(ref Client client, ReadOnlySpan<byte> label, ReadOnlySpan<byte> name, ReadOnlySpan<byte> suffix, long tick)
    {
        uint hash = (uint)(Mix.OfName(name) >> 32), time = (uint)(tick / Second);
        for (int i = 0; i < client.Filled; i++)
        {
            ref Asked asked = ref client.Names[i];
            if (asked.Hash != hash) continue;
            asked.Time = time;
            return true;
        }
        DgaScore score = model.Score(label, suffix);
        client.Names[client.Next] = new Asked
        {
            Hash = hash, Time = time, NameOdds = Whole(score.Name), LetterOdds = Whole(score.Letters), Length = (byte)Math.Min(label.Length, DgaFeatures.MaxSymbols),
        };
        client.Next = (client.Next + 1) % MaxNames;
        client.Filled = Math.Min(client.Filled + 1, MaxNames);
        return false;
    }

    internal static short Whole(double odds) => (short)Math.Clamp(Math.Round(odds * DgaBurst.OddsScale), short.MinValue, short.MaxValue);

    DgaBurst Recent(in Client client)
    {
        var burst = default(DgaBurst);
        uint now = (uint)(findings.Now / Second);
        long window = thresholds.DgaWindow / Second;
        for (int i = 0; i < client.Filled; i++)
        {
            Asked asked = client.Names[i];
            // Events arrive when they end, so a name may be a little younger than now.
            if (Math.Abs((long)(int)(now - asked.Time)) <= window) burst.Add(asked.NameOdds, asked.LetterOdds, asked.Length);
        }
        return burst;
    }
}
