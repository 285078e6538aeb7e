using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Bench.Traffic;

/// <summary>
/// The events of an office's day without the packets: people who look names up, open TLS and HTTP connections, machines that poll mail, clocks and updates, printers, a mail server,
/// names that do not exist, servers that are down. From a seed, at a steady rate; nobody misbehaves.
/// </summary>
sealed class OfficeDay
{
    const long Second = 1_000_000_000;
    const int Sites = 4000, HostsPerSite = 6;

    static readonly string[] s_hosts = ["www", "cdn", "api", "static", "img", "login"];
    static readonly string[] s_topLevels = ["com", "net", "org", "de", "io", "co.uk"];
    static readonly string[] s_syllables = ["ba", "con", "der", "el", "fin", "gar", "hol", "in", "ka", "lum", "mar", "no", "or", "pre", "qui", "ra", "sol", "tan", "ur", "ver", "win", "zo"];

    readonly Random _random;
    readonly byte[][] _names = new byte[Sites * HostsPerSite][];
    readonly Address[] _servers = new Address[Sites];
    readonly Address[] _clients;
    readonly Address _resolver = V4(10, 1, 0, 1), _clock = V4(192, 0, 2, 123), _mail = V4(192, 0, 2, 25), _printer = V4(10, 1, 0, 9);
    readonly byte[] _answer = new byte[256], _url = new byte[256], _ja3 = Encoding.ASCII.GetBytes("773906b0efdefa24a7f2b8eb6985bf37");

    public OfficeDay(int seed, int clients)
    {
        _random = new Random(seed);
        _clients = [.. Enumerable.Range(0, clients).Select(i => V4(10, 1, 1 + (i / 200), 10 + (i % 200)))];
        for (int s = 0; s < Sites; s++)
        {
            string name = string.Concat(Enumerable.Range(0, _random.Next(2, 5)).Select(_ => s_syllables[_random.Next(s_syllables.Length)])) + (s % 7 == 0 ? "-" + s_syllables[s % s_syllables.Length] : "");
            string domain = $"{name}{(s % 11 == 0 ? s % 100 : "")}.{s_topLevels[_random.Next(s_topLevels.Length)]}";
            for (int h = 0; h < HostsPerSite; h++) _names[(s * HostsPerSite) + h] = Encoding.ASCII.GetBytes($"{s_hosts[h]}.{domain}");
            _servers[s] = V4(198, 18 + (s >> 15 & 1), s >> 8, s & 255);
        }
    }

    public long Events { get; private set; }

    static Address V4(int a, int b, int c, int d) => Address.FromV4(((uint)a << 24) | ((uint)b << 16) | ((uint)c << 8) | (uint)d);

    /// <summary>Feeds the events of one second, <paramref name="rate"/> of them, to the scorer; none when it is null.</summary>
    public void OneSecond(long second, int rate, Scorer? scorer, List<Alert> raised)
    {
        for (int i = 0; i < rate; i++)
        {
            long tick = (second * Second) + (i * Second / rate);
            Address client = _clients[_random.Next(_clients.Length)];
            // Few sites get most of the visits.
            int site = (int)(Sites * Math.Pow(_random.NextDouble(), 3));
            byte[] name = _names[(site * HostsPerSite) + _random.Next(HostsPerSite)];
            Events++;
            switch (_random.Next(100))
            {
                case < 45: Dns(scorer, raised, tick, client, name, site); break;
                case < 47: Nothing(scorer, raised, tick, client); break;
                case < 70: Ip(scorer, raised, tick, client, _servers[site], 443, _random.Next(500, 5000), _random.Next(1000, 400_000), App.Tls); break;
                case < 85: Tls(scorer, raised, tick, client, name, _servers[site]); break;
                case < 90: Http(scorer, raised, tick, client, name, _servers[site]); break;
                case < 93: Ip(scorer, raised, tick, client, _clock, 123, 48, 48, App.Ntp, 17); break;
                case < 95: Ip(scorer, raised, tick, client, _mail, 993, 900, 2200, App.Tls); break;
                case < 96: Ip(scorer, raised, tick, client, _printer, 9100, 60_000, 20, App.Unknown); break;
                case < 97: Ip(scorer, raised, tick, client, _servers[site], 80, 0, 0, App.Unknown, state: ConnectionState.S0); break;
                default: Ip(scorer, raised, tick, client, _resolver, 53, 60, 160, App.Dns, 17); break;
            }
        }
    }

    EventContext Context(long tick, Address client, Address server, int port, byte protocol) => new()
    {
        Timestamp = (1_790_000_000L * Second) + tick, Tick = tick, Source = client, Destination = server, SourcePort = (ushort)_random.Next(32768, 61000), DestinationPort = (ushort)port, Protocol = protocol,
    };

    void Dns(Scorer? scorer, List<Alert> raised, long tick, Address client, byte[] name, int site)
    {
        var writer = new DnsAnswerWriter(_answer);
        Span<byte> text = writer.TextSpace;
        writer.Commit(1, 60, _servers[site].Format(text));
        var e = new DnsEvent
        {
            Context = Context(tick, client, _resolver, 53, 17), Query = name, QueryType = (ushort)(_random.Next(3) == 0 ? 28 : 1), Answers = writer.Written,
            QueryLength = (ushort)(name.Length + 18), ResponseLength = (ushort)(name.Length + 34), Service = App.Dns,
        };
        scorer?.Score(in e, raised);
    }

    /// <summary>A typing error, or a name of the search list.</summary>
    void Nothing(Scorer? scorer, List<Alert> raised, long tick, Address client)
    {
        byte[] name = _random.Next(2) == 0
            ? Encoding.ASCII.GetBytes($"wpad.{(_random.Next(2) == 0 ? "office.lan" : "corp.example.com")}")
            : Encoding.ASCII.GetBytes($"www.{s_syllables[_random.Next(s_syllables.Length)]}{s_syllables[_random.Next(s_syllables.Length)]}{s_syllables[_random.Next(s_syllables.Length)]}.com");
        var e = new DnsEvent
        {
            Context = Context(tick, client, _resolver, 53, 17), Query = name, QueryType = 1, ResponseCode = 3, QueryLength = (ushort)(name.Length + 18), ResponseLength = 100, Service = App.Dns,
        };
        scorer?.Score(in e, raised);
    }

    void Ip(Scorer? scorer, List<Alert> raised, long tick, Address client, Address server, int port, long sent, long received, App app, byte protocol = 6, ConnectionState state = ConnectionState.SF)
    {
        var e = new IpEvent
        {
            Context = Context(tick, client, server, port, protocol), BytesOut = sent + 400, BytesIn = received + 400, PacketsOut = 6 + (sent / 1400), PacketsIn = 6 + (received / 1400),
            PayloadOut = sent, PayloadIn = received, Duration = _random.NextInt64(Second / 10, 20 * Second), State = state, App = app, Ja3 = app == App.Tls ? _ja3 : default,
            TcpFlags = (byte)(protocol != 6 ? 0 : state == ConnectionState.S0 ? 2 : 0x1B),
        };
        scorer?.Score(in e, raised);
    }

    void Tls(Scorer? scorer, List<Alert> raised, long tick, Address client, byte[] name, Address server)
    {
        var e = new TlsEvent { Context = Context(tick, client, server, 443, 6), Sni = name, Version = 0x0304, Ja3 = _ja3, ValidFrom = TlsEvent.NoTime, ValidTo = TlsEvent.NoTime };
        scorer?.Score(in e, raised);
    }

    void Http(Scorer? scorer, List<Alert> raised, long tick, Address client, byte[] name, Address server)
    {
        int length = Encoding.ASCII.GetBytes("http://", _url);
        name.CopyTo(_url.AsSpan(length));
        length += name.Length;
        length += Encoding.ASCII.GetBytes($"/p/{_random.Next(1000)}", _url.AsSpan(length));
        var e = new HttpEvent
        {
            Context = Context(tick, client, server, 80, 6), Url = _url.AsSpan(0, length), Host = name, Method = "GET"u8, Status = 200, BytesIn = _random.Next(200, 50_000), UserAgent = "Mozilla/5.0"u8,
        };
        scorer?.Score(in e, raised);
    }
}
