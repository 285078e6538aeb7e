using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Fleet;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>A table with sensors that say what a test wants, without a broker.</summary>
sealed class FleetBed
{
    public ManualTime Time { get; } = new();
    public FleetTable Table { get; }

    public FleetBed()
    {
        Table = new FleetTable(Time);
        Table.Listen(true);
    }

    public FleetRow this[string key] => Table.View().Rows.Single(r => r.Key == key);

    public void Say(string key, FleetTopic about, ReadOnlySpan<byte> payload, bool retained = false) => Table.Take($"nfr/{key}/{FleetTopics.Name(about)}", payload, retained);

    public void Say(string key, FleetTopic about, string payload, bool retained = false) => Say(key, about, Encoding.UTF8.GetBytes(payload), retained);

    public void Online(string key, string version = "0.9.0", string? name = null)
    {
        Say(key, FleetTopic.Status, "online", retained: true);
        string[] parts = key.Split('/');
        Say(key, FleetTopic.Info, new FleetInfo { Name = name ?? "Gate of " + parts[0], Site = parts[0], Id = parts[1], Version = version, Model = "Raspberry Pi 5 Model B", Addresses = ["10.1.2.3"], Started = Time.Utc }.ToJson(), retained: true);
    }

    public FleetHealth Well() => new()
    {
        Time = Time.Utc,
        IsWell = true,
        UptimeSeconds = 90_000,
        HeartbeatSeconds = 30,
        Ports = [new FleetPort("eth1", true, 12_345, 98_000_000, 1_000_000, 0)],
        Ledger = new FleetLedger(1_000_000, 20_000, 9_000, 3, 9_000, 8_990, 0, 0, true),
        Spool = new FleetSpool(1 << 20, 1 << 30, 10, 40, false),
        Uplinks = [new FleetWay("engine", 10, null)],
        Celsius = 51,
    };

    public void Beat(string key, params FleetTrouble[] troubles) => Say(key, FleetTopic.Health, (Well() with { Troubles = troubles }).ToJson());

    public void Alert(string key, int severity = 4, string id = "", string threat = "Beacon to a command and control server") => Say(key, FleetTopic.Alert, AlertJson.ToBytes(new Alert
    {
        Threats = [new AlertThreat("c2", threat, severity, false)],
        Flags = [],
        Labels = [],
        Groups = [],
        Event = new AlertEvent { Type = EventType.Ip, Ts = Time.Utc.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture), SrcIP = "10.20.30.40", DestIP = "203.0.113.9" },
        Evidence = id.Length == 0 ? null : new AlertEvidence { Id = id, Detector = "d", Key = "k", Score = 1, Features = [], Samples = [], Summary = "10.20.30.40 calls 203.0.113.9 every 60 s" },
    }));

    public static FleetTrouble Fault { get; } = new("fault", "uplink", "engine.example has not taken events for 12 min", "look whether the engine runs");
    public static FleetTrouble Loss { get; } = new("loss", "capture", "the kernel dropped 2.5 % of the packets", "mirror fewer ports");
    public static FleetTrouble Notice { get; } = new("notice", "box", "the board slowed itself down 3 times: 81 °C", "give it air");

    /// <summary>One of each state, in a table whose order by coming is none.</summary>
    public static FleetBed Mixed()
    {
        var bed = new FleetBed();
        foreach (string key in new[] { "berlin/ok-1", "berlin/silent", "hamburg/alert", "hamburg/fault", "hamburg/loss", "munich/gone", "munich/hot", "munich/gone-alert" }) bed.Online(key, key == "berlin/silent" ? "0.8.4" : "0.9.0");
        bed.Beat("berlin/silent");
        bed.Time.Advance(TimeSpan.FromSeconds(70));
        bed.Beat("berlin/ok-1");
        bed.Beat("hamburg/alert");
        bed.Alert("hamburg/alert");
        bed.Beat("hamburg/fault", FleetBed.Notice, FleetBed.Fault);
        bed.Beat("hamburg/loss", FleetBed.Loss);
        bed.Beat("munich/hot", FleetBed.Notice);
        bed.Say("munich/gone", FleetTopic.Status, "offline");
        bed.Alert("munich/gone-alert");
        bed.Say("munich/gone-alert", FleetTopic.Status, "offline");
        return bed;
    }
}
