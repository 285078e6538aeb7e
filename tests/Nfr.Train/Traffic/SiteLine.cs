using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Wire;

namespace Nfr.Train.Traffic;

/// <summary>The line of a site: what its sensor sees when a host asks for a name and talks to it. The resolver is in the mirror, asks outside for what it does not remember, and names without an address fail.</summary>
sealed class SiteLine(Simulated run, Random random)
{
    public static readonly Address Resolver = Simulated.Parse("10.0.0.53"), Upstream = Simulated.Parse("9.9.9.9");

    readonly Dictionary<string, long> _resolved = [];
    readonly Dictionary<(Address, string), long> _asked = [];

    public Simulated Run => run;
    public long Events { get; private set; }

    public static Address V4(uint address) => Address.FromV4(address);

    static uint HashOf(string name)
    {
        // All hosts of a domain in one place of a few servers.
        int last = name.LastIndexOf('.'), before = last > 0 ? name.LastIndexOf('.', last - 1) : -1;
        return DgaFeatures.StableHash(Encoding.UTF8.GetBytes(name[(before + 1)..]));
    }

    public static Address ServerOf(string name, bool six = false)
    {
        uint hash = HashOf(name), host = DgaFeatures.StableHash(Encoding.UTF8.GetBytes(name)) & 7;
        return six ? Simulated.Parse($"2600:{hash >> 16:x}:{hash & 0xFFFF:x}::{host + 1:x}") : V4(0x2000_0000 + ((hash % 0x1E00_0000) & ~7u) + host);
    }

    /// <summary>The query, unless the client remembers the answer; the resolver's own one when it does not either.</summary>
    public void Ask(string name, Address client, ushort type = 1, short rcode = 0, bool remembers = true, params (ushort Type, string Text)[] answers)
    {
        if (remembers)
        {
            if (_asked.TryGetValue((client, name), out long until) && until > run.Tick) return;
            _asked[(client, name)] = run.Tick + (random.Next(60, 1800) * Simulated.Second);
            if (_asked.Count > 2_000_000) _asked.Clear();
        }
        ushort[] types = type == 1 && remembers ? (random.Next(2) == 0 ? [1, 28, 65] : [1, 28]) : [type];
        foreach (ushort one in types)
        {
            (ushort, string)[] answer = rcode != 0 ? [] : answers.Length > 0 ? answers : one switch
            {
                1 => [(1, ServerOf(name).ToString())],
                28 when (HashOf(name) & 3) == 0 => [(28, ServerOf(name, six: true).ToString())],
                _ => [],
            };
            string key = $"{one} {name}";
            if (!_resolved.TryGetValue(key, out long fresh) || fresh < run.Tick)
            {
                _resolved[key] = run.Tick + (random.Next(60, 3600) * Simulated.Second);
                if (_resolved.Count > 1_000_000) _resolved.Clear();
                run.Dns(name, Resolver, Upstream, one, rcode, answers: answer);
                Events++;
            }
            run.Dns(name, client, Resolver, one, rcode, answers: answer);
            Events++;
        }
    }

    /// <summary>A flow that has just ended.</summary>
    public void Flow(Address client, Address server, ushort port, App app, long sent, long received, double seconds = 1, byte protocol = 6, ConnectionState state = ConnectionState.SF, FlowNotes notes = FlowNotes.None, ushort from = 0)
    {
        Events++;
        run.Ip(server, port, state, sent, received, client, app, notes, protocol: protocol, flags: (byte)(protocol == 17 ? 0xC0 : 0), sourcePort: from != 0 ? from : (ushort)random.Next(32_768, 61_000), duration: (long)(seconds * 1e9));
    }

    /// <summary>A name is asked for and its server talked to by TLS or QUIC.</summary>
    public void Web(string name, Address client, long sent = 0, long received = 0)
    {
        Ask(name, client);
        if (sent == 0) (sent, received) = (random.Next(600, 6000), (long)(1500 * Math.Exp(random.NextDouble() * 7)));
        bool six = (HashOf(name) & 3) == 0 && random.Next(2) == 0;
        Address server = ServerOf(name, six), source = six ? Simulated.Parse($"fd00::{(client.V4 >> 16) & 0xFF:x}:{client.V4 & 0xFFFF:x}") : client;
        int fate = random.Next(200);
        if (fate == 0)
        {
            Flow(source, server, 443, App.Unknown, 0, 0, state: ConnectionState.S0);
            return;
        }
        bool quic = random.Next(3) == 0;
        Events++;
        run.Tls(name, client: source, server: server);
        Flow(source, server, 443, quic ? App.Quic : App.Tls, sent, received, 0.3 + random.NextDouble(), (byte)(quic ? 17 : 6), fate < 4 ? ConnectionState.RSTR : ConnectionState.SF);
    }

    public void Http(string name, string path, Address client)
    {
        Ask(name, client);
        Events++;
        run.Http($"http://{name}{path}", name, destination: ServerOf(name), client: client);
        Flow(client, ServerOf(name), 80, App.Http, 300, 900, 0.2);
    }

    /// <summary>What goes to all of the link.</summary>
    public void Group(Address client, string group, ushort port, App app) => Flow(client, Simulated.Parse(group), port, app, 200, 0, 2, 17, ConnectionState.S0, from: port);
}
