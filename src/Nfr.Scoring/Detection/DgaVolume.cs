using System.Runtime.CompilerServices;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Malware that makes up its rendezvous names asks for many that do not exist. Per client: the last distinct registered domains that were
/// answered NXDOMAIN, and the mean of how little their labels look like names. The mean of a host separates far better than any one name.
/// </summary>
sealed class DgaVolume(Thresholds thresholds, PublicSuffixList suffixes, NameModel model, Findings findings) : Detector
{
    public const string Name = "dga_volume";
    /// <summary>About 2.2 MB. Full: the client that asked longest ago, and not yet for half the names, is forgotten first.</summary>
    internal const int MaxClients = 1 << 12;
    /// <summary>Distinct names remembered a client; the oldest makes room.</summary>
    const int MaxNames = 32;
    const short NonExistentDomain = 3;
    const int Pointer = 12;

    struct Asked
    {
        public long Tick;
        public uint Hash;
        public float Bits;
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
        uint hash = (uint)(Mix.OfName(e.Query[start..]) >> 32);
        long oldest = findings.Now - thresholds.DgaWindow;
        bool known = false;
        for (int i = 0; i < client.Filled; i++)
        {
            ref Asked asked = ref client.Names[i];
            if (asked.Hash != hash) continue;
            asked.Tick = e.Context.Tick;
            known = true;
        }
        if (!known)
        {
            client.Names[client.Next] = new Asked { Hash = hash, Tick = e.Context.Tick, Bits = (float)model.BitsPerCharacter(label) };
            client.Next = (client.Next + 1) % MaxNames;
            client.Filled = Math.Min(client.Filled + 1, MaxNames);
        }
        int names = 0;
        double sum = 0;
        for (int i = 0; i < client.Filled; i++)
        {
            ref Asked asked = ref client.Names[i];
            if (asked.Tick < oldest) continue;
            names++;
            sum += asked.Bits;
        }
        double bits = sum / Math.Max(names, 1);
        double limit = thresholds.DgaBits + (thresholds.DgaBitsSpread / Math.Sqrt(Math.Max(names, 1)));
        if (names < thresholds.DgaNames / 2 || bits < limit) return 0;
        _clients.Protect(index);
        ulong finding = Mix.Of(clientKey, (ulong)Detectors.Dga);
        if (names < thresholds.DgaNames)
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
            $"{source} asked for {names} different domains that do not exist within {thresholds.DgaWindow / 1_000_000_000} s; " +
            $"their names look random ({bits:0.00} bits per character, last {Encoding.ASCII.GetString(e.Query[start..])}).",
            [new("names", names, thresholds.DgaNames, 0.5), new("bitsPerCharacter", bits, limit, 0.5)],
            [new("windowSeconds", thresholds.DgaWindow / 1e9)],
            count));
        return severity;
    }
}
