using Nfr.Health;

namespace Nfr.Panel.Screens;

/// <summary>States to look at pages with, where there is no sensor.</summary>
static class ExampleStates
{
    static readonly DateTimeOffset s_now = new(2026, 5, 4, 14, 5, 0, TimeSpan.Zero);

    public static readonly string[] Names = ["example", "new-alert", "trouble", "no-address", "update-trial", "update-back", "nothing"];

    /// <summary>Null for a name that is not in <see cref="Names"/>.</summary>
    public static PanelState? Of(string name) => name switch
    {
        "example" => Well(),
        "new-alert" => NewAlert(),
        "trouble" => Trouble(),
        "no-address" => Well() with { Addresses = [] },
        "update-trial" => Well() with { Update = new(PanelUpdatePhase.Trial, 100, "2.1.0", "") },
        "update-back" => Well() with { Update = new(PanelUpdatePhase.RolledBack, 0, "2.1.0", "the sensor did not record within five minutes") },
        "nothing" => PanelState.Nothing,
        _ => null,
    };

    static PanelState Well() => new()
    {
        HasSensor = true,
        Name = "north-hall",
        Site = "Bergstraße 12",
        SensorId = "nfr-7c31",
        Version = "2.0.0",
        Addresses = ["192.168.17.42", "fd12:3456:789a:1::42"],
        Now = s_now,
        Uptime = TimeSpan.FromDays(12.3),
        Clock = PanelClock.Synchronised,
        Ports = [new("eth1", PanelLink.Up, true) { MegabitsPerSecond = 1000, PacketsPerSecond = 12_345, BitsPerSecond = 94_200_000 }],
        PacketsPerSecond = 12_345,
        BitsPerSecond = 94_200_000,
        Spool = new(48_213, 312L << 20, 2L << 30),
        Uplinks = [new("engine.example.net", PanelUplinkPhase.Well) { SinceDelivery = TimeSpan.FromSeconds(4) }],
        Fleet = new(PanelFleetPhase.Connected, "broker.example.net:8883", ""),
        Alerts =
        [
            new(31, 4, "Beacon to a known control server", "reception-pc", s_now.AddMinutes(-12), true),
            new(30, 3, "DNS tunnel", "192.168.17.80", s_now.AddHours(-5), true),
            new(29, 2, "Port scan inside the network", "printer-2", s_now.AddDays(-3), true),
        ],
        Box = new() { Celsius = 52.4, CardYears = 9.2, DiskFree = 19L << 30, DiskSize = 29L << 30 },
        Address = "bergstrasse-12/north-hall",
        SshKey = "SHA256:2nEaM5rQCdHHkdyQSiNqXLhWX/7f7ZJxzLqmMPa0bOk",
        CommandKeys = ["6f1d0c92a3b47e58"],
        Rates = [.. Enumerable.Range(0, RateHistory.Seconds).Select(i => 9_000 + (2_500 * Math.Sin(i / 7.0)) + (i * 7919 % 1700))],
        SetupFaults = ["nfr.txt line 4: nobody knows the name \"brokr\"; do you mean broker?"],
        Update = new(PanelUpdatePhase.Idle, 0, "", ""),
    };

    static PanelState NewAlert() => Well() with
    {
        Alerts = [new(32, 5, "Files are being encrypted over the network (ransomware)", "accounting-4", s_now.AddSeconds(-20), false), .. Well().Alerts],
        Unacknowledged = 1,
        WorstUnacknowledged = 5,
    };

    static PanelState Trouble()
    {
        PanelState well = Well();
        return well with
        {
            Health = PanelHealth.Fault,
            Clock = PanelClock.Unset,
            Ports =
            [
                well.Ports[0] with { LossShare = 0.0312, Lost = 401_233, Trouble = "eth1 carries one direction only: 98 % of the talks have no answers" },
                new("eth2", PanelLink.Down, true),
            ],
            Spool = new(1_948_213, 2L << 30, 2L << 30) { OldestAge = TimeSpan.FromHours(31), Evicted = 12_044 },
            Uplinks = [new("engine.example.net", PanelUplinkPhase.BackingOff) { Waiting = 1_948_213, SinceDelivery = TimeSpan.FromHours(31), Trouble = "engine.example.net does not answer (timed out)" }],
            Fleet = new(PanelFleetPhase.Refused, "broker.example.net:8883", "its certificate is not from the CA in fleet.ca"),
            Troubles =
            [
                new(Gravity.Loss, "ledger", "lost in the last 60 s: 12,044 events, evicted unsent", "bring the engine back, or raise spool.max_size"),
                new(Gravity.Fault, "clock", "the clock was never set: it says 1970-01-01", "let chrony or systemd-timesyncd reach a time server, or set it by hand (date -s)"),
                new(Gravity.Fault, "capture", "interface eth2 is gone or down", "plug it in, or ip link set eth2 up; the capture goes on by itself"),
                new(Gravity.Notice, "spool", "the spool writes 9.1 GiB a day: a card of this size lasts 0.9 years", "put the spool on a larger card or an SSD (spool.dir, spool.card_size), or narrow scope.yml"),
            ],
            TroubleCount = 4,
            Box = new() { Celsius = 84, CardYears = 0.9, DiskFree = 0, DiskSize = 29L << 30, IsUnderVoltage = true, IsThrottled = true },
        };
    }
}
