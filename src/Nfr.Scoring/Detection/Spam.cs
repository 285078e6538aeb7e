using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Mail sent by a host that is no mail server: it turns to many servers outside itself (25, or submission at 587 and 465), or asks DNS where the mail of many domains goes, which clients
/// leave to their server. A mail server is told by the mail that comes to it, a resolver by <see cref="Resolvers"/>; neither is judged.
/// </summary>
sealed class Spam(Thresholds thresholds, Func<Address, bool> isHome, Resolvers resolvers, Findings findings) : Detector
{
    public const string Name = "spam";
    /// <summary>0.3 MB. Full: the client unused longest that has done this once goes first.</summary>
    internal const int MaxClients = 1 << 12;
    /// <summary>64 KB of home servers of mail. Full: the one heard longest ago is forgotten.</summary>
    const int MaxServers = 1 << 13;
    /// <summary>128 KB of peers and names of clients. Full: the one seen longest ago counts anew.</summary>
    const int MaxContacts = 1 << 14;
    const byte Tcp = 6;
    const ushort MailExchanger = 15;
    const ulong MailServer = 1;

    struct Client
    {
        public long FirstTick;
        public int Peers;
        public int Names;
        public int Contacts;
        public int Lookups;
    }

    readonly LruTable<Client> _clients = new(MaxClients);
    readonly SeenSet _servers = new(MaxServers);
    readonly SeenSet _contacts = new(MaxContacts);

    public override DetectorEvents Sees => DetectorEvents.Ip | DetectorEvents.Dns;
    /// <summary>Whose mail comes in is a mail server.</summary>
    public override DetectorEvents SeesInbound => DetectorEvents.Ip;
    public override long Evicted => _clients.Evicted;
    public override int Tracked => _clients.Count;

    static readonly AlertThreat s_lookups = Threats.SpamSending with { Title = "Mail exchangers of many domains looked up by a client", Severity = 3 };

    public override int OnIp(scoped in IpEvent e)
    {
        ushort port = e.Context.DestinationPort;
        if (e.Context.Protocol != Tcp || port is not (25 or 465 or 587) || (e.Notes & FlowNotes.Midstream) != 0) return 0;
        if (e.PayloadIn > 0 && isHome(e.Context.Destination)) _servers.Add(Mix.Of(e.Context.Destination, MailServer), findings.Now, 0);
        if (isHome(e.Context.Destination) || !isHome(e.Context.Source)) return 0;
        if (_servers.Has(Mix.Of(e.Context.Source, MailServer), findings.Now, thresholds.MailServerMemory)) return 0;
        ref Client client = ref Of(e.Context.Source, e.Context.Tick, out ulong key, out int index);
        // Of a scanner that has been told as such, port 25 is one port among others; unless it has asked who takes mail.
        if (e.PayloadIn == 0 && client.Names < 3 && PortScan.HasToldOf(e.Context.Source, findings)) return 0;
        if (_contacts.Add(Mix.Of(key, Mix.Of(e.Context.Destination)), findings.Now, thresholds.SpamWindow)) client.Peers++;
        if (++client.Contacts == 2) _clients.Protect(index);
        int peers = client.Peers;
        ulong finding = Mix.Of(key, (ulong)Detectors.Spam);
        if (peers < thresholds.SpamPeers)
        {
            if (peers * 2 >= thresholds.SpamPeers) findings.Keep(finding, in e);
            return 0;
        }
        int severity = Threats.SpamSending.Severity;
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString();
        findings.Raise(in e, finding, new Finding(Name, source, Threats.SpamSending, [],
            string.Create(CultureInfo.InvariantCulture,
                $"{source} turned to {peers} mail servers outside within {Seconds(in client, e.Context.Tick):0} s, last {e.Context.Destination} port {port}; no mail comes to it."),
            [new("mailServers", peers, thresholds.SpamPeers)], Facts(in client, e.Context.Tick), count));
        return severity;
    }

    public override int OnDns(scoped in DnsEvent e)
    {
        if (e.QueryType != MailExchanger || !isHome(e.Context.Source)) return 0;
        if (_servers.Has(Mix.Of(e.Context.Source, MailServer), findings.Now, thresholds.MailServerMemory) || resolvers.IsResolver(e.Context.Source)) return 0;
        ref Client client = ref Of(e.Context.Source, e.Context.Tick, out ulong key, out int index);
        if (_contacts.Add(Mix.Of(key, Mix.OfName(e.Query)), findings.Now, thresholds.SpamWindow)) client.Names++;
        if (++client.Lookups == 2) _clients.Protect(index);
        int names = client.Names;
        ulong finding = Mix.Of(key, (ulong)Detectors.Spam);
        if (names < thresholds.SpamLookups)
        {
            if (names * 2 >= thresholds.SpamLookups) findings.Keep(finding, in e);
            return 0;
        }
        if (!findings.IsDue(finding, s_lookups.Severity, out long count))
        {
            findings.Keep(finding, in e);
            return s_lookups.Severity;
        }
        string source = e.Context.Source.ToString();
        findings.Raise(in e, finding, new Finding(Name, source, s_lookups, [],
            string.Create(CultureInfo.InvariantCulture,
                $"{source} asked where the mail of {names} domains goes within {Seconds(in client, e.Context.Tick):0} s, and is no mail server."),
            [new("mailDomains", names, thresholds.SpamLookups)], Facts(in client, e.Context.Tick), count));
        return s_lookups.Severity;
    }

    ref Client Of(in Address address, long tick, out ulong key, out int index)
    {
        key = Mix.Of(address);
        index = _clients.GetOrAdd(key, out bool added);
        ref Client client = ref _clients[index];
        if (added || tick - client.FirstTick > thresholds.SpamWindow) client = new Client { FirstTick = tick };
        return ref client;
    }

    static double Seconds(in Client client, long tick) => Math.Max(0, tick - client.FirstTick) / 1e9;

    EvidenceValue[] Facts(in Client client, long tick) =>
    [
        new("mailServers", client.Peers), new("mailDomains", client.Names), new("connections", client.Contacts), new("lookups", client.Lookups),
        new("seconds", Seconds(in client, tick)), new("windowSeconds", thresholds.SpamWindow / 1e9),
    ];
}
