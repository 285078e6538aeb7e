using System.Buffers;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Tor's clients name a server "www.(letters and digits of base32).com" in each handshake, drawn anew, and never asked the DNS for it; relays' certificates (up to TLS 1.2)
/// have such names for both their subject and their issuer, and nothing else. Different names of one client are counted; a certificate counts alone.
/// </summary>
sealed class TorNames(Thresholds thresholds, Func<Address, bool> isHome, NameModel model, Findings findings) : Detector
{
    public const string Name = "tor_names";
    /// <summary>100 KB. Full: the client unused longest starts anew.</summary>
    internal const int MaxClients = 1 << 10;
    /// <summary>32 KB each: names that were asked for, and names that count already.</summary>
    const int MaxNames = 1 << 12;
    const int Least = 8, Most = 25;
    static readonly SearchValues<byte> s_base32 = SearchValues.Create("abcdefghijklmnopqrstuvwxyz234567"u8);

    struct Client
    {
        public long FirstTick;
        public int Names;
        public int Certificates;
        public double Bits;
    }

    readonly LruTable<Client> _clients = new(MaxClients);
    readonly LastSeen _asked = new(MaxNames);
    readonly SeenSet _counted = new(MaxNames);

    public override DetectorEvents Sees => DetectorEvents.Dns | DetectorEvents.Tls;
    public override long Evicted => _clients.Evicted;
    public override int Tracked => _clients.Count;

    public override int OnDns(scoped in DnsEvent e)
    {
        if (TryLabel(e.Query, out _)) _asked.Mark(Mix.OfName(e.Query), e.Context.Tick);
        return 0;
    }

    public override int OnTls(scoped in TlsEvent e)
    {
        if (!isHome(e.Context.Source) || isHome(e.Context.Destination)) return 0;
        bool certificate = IsCommonName(e.Subject, out ReadOnlySpan<byte> subject) && IsCommonName(e.Issuer, out ReadOnlySpan<byte> issuer) && !subject.SequenceEqual(issuer)
            && Bits(subject) + Bits(issuer) >= 2 * thresholds.TorNameBits;
        bool named = TryLabel(e.Sni, out ReadOnlySpan<byte> label) && e.Alpn.IsEmpty && _asked.Age(Mix.OfName(e.Sni), findings.Now) < 0;
        double bits = named ? Bits(label) : 0;
        if (!certificate && bits < thresholds.TorNameBits) return 0;

        ulong key = Mix.Of(e.Context.Source);
        int index = _clients.GetOrAdd(key, out bool added);
        ref Client client = ref _clients[index];
        if (added || e.Context.Tick - client.FirstTick > thresholds.TorWindow) client = new Client { FirstTick = e.Context.Tick };
        if (certificate) client.Certificates++;
        if (bits >= thresholds.TorNameBits && _counted.Add(Mix.Of(key, Mix.OfName(e.Sni)), findings.Now, thresholds.TorWindow))
        {
            client.Names++;
            client.Bits += bits;
        }
        ulong finding = Mix.Of(key, (ulong)Detectors.TorNames);
        double signs = Signs(in client);
        if (signs < thresholds.TorNames)
        {
            findings.Keep(finding, in e);
            return 0;
        }
        _clients.Protect(index);
        int severity = Threats.AnonCircuit.Severity;
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString();
        findings.Raise(in e, finding, new Finding(Name, source, Threats.AnonCircuit, ["anon"],
            $"{source} named {client.Names} servers that nobody asked the DNS for, by random letters as Tor does, and got {client.Certificates} certificates as Tor's relays have; last {Encoding.UTF8.GetString(e.Sni)}.",
            [new("signs", signs, thresholds.TorNames)],
            [
                new("names", client.Names), new("certificates", client.Certificates), new("bitsPerCharacter", client.Names == 0 ? 0 : client.Bits / client.Names),
                new("windowSeconds", thresholds.TorWindow / 1e9),
            ],
            count));
        return severity;
    }

    /// <summary>A certificate of that form is as good as the whole number of names.</summary>
    double Signs(in Client client) => client.Names + ((double)client.Certificates * thresholds.TorNames);

    double Bits(ReadOnlySpan<byte> label) => model.BitsPerCharacter(label);

    static bool IsCommonName(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> label)
    {
        label = default;
        return text.StartsWith("CN="u8) && TryLabel(text[3..], out label);
    }

    /// <summary>The label between "www." and ".com" or ".net", when it is of base32's alphabet and of a length that Tor draws.</summary>
    static bool TryLabel(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> label)
    {
        label = default;
        if (name.Length < Least + 8 || name.Length > Most + 8 || !name.StartsWith("www."u8) || !(name.EndsWith(".com"u8) || name.EndsWith(".net"u8))) return false;
        label = name[4..^4];
        return !label.ContainsAnyExcept(s_base32);
    }
}
