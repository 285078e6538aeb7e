using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Train.Traffic;

/// <summary>Event lines without the real writer: enough to tell which event a sample is.</summary>
sealed class ShortLines : IEventLines
{
    public int Written { get; private set; }

    public string Line(scoped in DnsEvent e) => Write($$"""{"type":"dns","query":"{{Encoding.UTF8.GetString(e.Query)}}"}""");
    public string Line(scoped in IpEvent e) => Write($$"""{"type":"ip","destIP":"{{e.Context.Destination}}","destPort":{{e.Context.DestinationPort}}}""");
    public string Line(scoped in HttpEvent e) => Write($$"""{"type":"http","url":"{{Encoding.UTF8.GetString(e.Url)}}"}""");
    public string Line(scoped in TlsEvent e) => Write($$"""{"type":"tls","sni":"{{Encoding.UTF8.GetString(e.Sni)}}"}""");

    public string Line(scoped in AnomalyEvent e) => Write($$"""{"type":"anomaly","fault":"{{e.Fault}}"}""");
    public string Line(scoped in SignatureEvent e) => Write($$"""{"type":"signature","signatureId":{{e.SignatureId}}}""");

    string Write(string line)
    {
        Written++;
        return line;
    }
}

/// <summary>A scorer with everything around it, and the events that the flight simulator's modules lead to.</summary>
sealed class Simulated : IDisposable
{
    public const long Second = 1_000_000_000, Millisecond = 1_000_000;
    /// <summary>Stamps are far from ticks, so that a detector that takes one for the other is found out.</summary>
    public const long StampOfTickZero = 1_790_000_000 * Second;

    public static readonly Address Client = Parse("10.1.2.3"), Resolver = Parse("10.1.0.1"), Outside = Parse("203.0.113.9");

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-scoring").FullName;

    public Simulated(Thresholds? thresholds = null, Detectors enabled = Detectors.All, params (string Name, string Text)[] lists)
    {
        foreach ((string name, string text) in lists) WriteList(name, text);
        Scorer = new Scorer(new ScorerOptions
        {
            FeedsFolders = [_folder],
            FeedsPollInterval = TimeSpan.Zero,
            Enabled = enabled,
            // What is measured here is what is found; the stock of alerts has tests of its own.
            Thresholds = thresholds ?? new Thresholds { AlertStock = int.MaxValue },
            IsHome = static a => a.IsV4 ? a.V4 >> 24 == 10 : a.High >> 56 == 0xFD,
            GroupsOf = static a => [new AlertGroup("office", "The office")],
            Lines = Lines,
        });
    }

    public ShortLines Lines { get; } = new();
    public Scorer Scorer { get; }
    public List<Alert> Alerts { get; } = [];
    public long Tick { get; set; } = 100 * Second;

    public string Folder => _folder;
    public void WriteList(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    public static Address Parse(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException(text);

    public IEnumerable<string> ThreatIds => Alerts.Select(a => a.Threats[0].Id);

    EventContext Context(Address source, Address destination, ushort port, byte protocol, ushort sourcePort = 40_000) => new()
    {
        Timestamp = StampOfTickZero - Tick, Tick = Tick, Source = source, SourcePort = sourcePort, Destination = destination, DestinationPort = port,
        Protocol = protocol,
    };

    public int Dns(
        string query, ushort type = 1, short rcode = 0, Address? client = null, int responseLength = 80, App service = App.Dns, params (ushort Type, string Text)[] answers) =>
        Dns(query, client ?? Client, Resolver, type, rcode, 0, responseLength, service, answers);

    public int Dns(
        string query, Address client, Address resolver, ushort type = 1, short rcode = 0, ushort flags = 0, int responseLength = 80, App service = App.Dns,
        params (ushort Type, string Text)[] answers)
    {
        Span<byte> buffer = stackalloc byte[512];
        var writer = new DnsAnswerWriter(buffer);
        foreach ((ushort answerType, string text) in answers)
        {
            int n = Encoding.UTF8.GetBytes(text, writer.TextSpace);
            writer.Commit(answerType, 60, n);
        }
        var e = new DnsEvent
        {
            Context = Context(client, resolver, 53, 17), Flags = flags, Query = Encoding.UTF8.GetBytes(query), QueryType = type, ResponseCode = rcode,
            Answers = writer.Written, QueryLength = (ushort)(query.Length + 18), ResponseLength = (ushort)responseLength, Service = service,
        };
        return Scorer.Score(in e, Alerts);
    }

    public int Ip(Address destination, ushort port, ConnectionState state, long payloadOut = 0, long payloadIn = 0, Address? client = null,
        App app = App.Unknown, FlowNotes notes = FlowNotes.None, string ja3 = "", byte protocol = 6, byte flags = 0, ushort sourcePort = 40_000, long duration = 0)
    {
        // The event comes when the flow is over, or its slice.
        EventContext context = Context(client ?? Client, destination, port, protocol, sourcePort);
        var e = new IpEvent
        {
            Context = context with { Tick = context.Tick - duration }, Duration = duration, State = state, PayloadOut = payloadOut, PayloadIn = payloadIn,
            PacketsOut = 1 + (payloadOut / 1000), BytesOut = payloadOut + 60, BytesIn = payloadIn, App = app, Notes = notes, Ja3 = Encoding.ASCII.GetBytes(ja3),
            TcpFlags = flags != 0 ? flags : (byte)(state == ConnectionState.S0 ? 2 : 0x1B),
        };
        return Scorer.Score(in e, Alerts);
    }

    public int Http(string url, string host, FlowNotes notes = FlowNotes.None, Address? destination = null, Address? client = null)
    {
        var e = new HttpEvent
        {
            Context = Context(client ?? Client, destination ?? Outside, 80, 6), Url = Encoding.UTF8.GetBytes(url), Host = Encoding.UTF8.GetBytes(host),
            Method = "GET"u8, Status = 200, Notes = notes,
        };
        return Scorer.Score(in e, Alerts);
    }

    public int Tls(string sni = "", string ja3 = "", string certificate = "", string ja4 = "", string names = "", Address? client = null, Address? server = null)
    {
        var e = new TlsEvent
        {
            Context = Context(client ?? Client, server ?? Outside, 443, 6), Sni = Encoding.UTF8.GetBytes(sni), Ja3 = Encoding.ASCII.GetBytes(ja3),
            CertificateHash = Encoding.ASCII.GetBytes(certificate), Ja4 = Encoding.ASCII.GetBytes(ja4), SubjectAltNames = Encoding.ASCII.GetBytes(names), ValidFrom = TlsEvent.NoTime, ValidTo = TlsEvent.NoTime,
        };
        return Scorer.Score(in e, Alerts);
    }

    public void Wait(long nanoseconds) => Tick += nanoseconds;

    public static string Letters(Random random, int length) => string.Create(length, random, static (span, r) =>
    {
        for (int i = 0; i < span.Length; i++) span[i] = (char)('a' + r.Next(26));
    });

    /// <summary>The simulator's dga module: letters, one of them replaced by a digit.</summary>
    public static string DgaLabel(Random random, int length)
    {
        char[] label = Letters(random, length).ToCharArray();
        label[random.Next(length)] = (char)('0' + random.Next(10));
        return new string(label);
    }

    /// <summary>15 names, one a second, A and AAAA each, three top-level domains, one label length.</summary>
    public void RunDga(int seed, Address? client = null)
    {
        var random = new Random(seed);
        string[] all = [".com", ".net", ".biz", ".top", ".info", ".xyz", ".space"];
        random.Shuffle(all);
        int length = random.Next(7, 11);
        for (int i = 0; i < 15; i++)
        {
            string name = DgaLabel(random, length) + all[random.Next(3)];
            Dns(name, 1, 3, client);
            Dns(name, 28, 3, client);
            Wait(Second);
        }
    }

    /// <summary>Ten dark hosts of one /24, 21 ports each, seven a second.</summary>
    public void RunScan(ConnectionState state = ConnectionState.S0)
    {
        ushort[] ports = [21, 22, 23, 25, 80, 88, 111, 135, 139, 143, 389, 443, 445, 1433, 1521, 3306, 3389, 5432, 5900, 6000, 8443];
        for (uint host = 0; host < 10; host++)
        {
            foreach (ushort port in ports)
            {
                Ip(Address.FromV4(0xC0000200 + (host * 20)), port, state);
                Wait(143 * Millisecond);
            }
        }
    }

    public void RunTunnel(int seed = 1, int queries = 50)
    {
        var random = new Random(seed);
        for (int i = 0; i < queries; i++)
        {
            Dns(Letters(random, 30) + ".sandbox.alphasoc.xyz", 16);
            Wait(200 * Millisecond);
        }
    }

    public void Dispose()
    {
        Scorer.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
