using Nfr.Capture;
using Nfr.Events;
using Nfr.Health;
using Nfr.Native;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Uplink;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Nfr;

/// <summary>Reports of a sensor as it would tell them, made by hand: one where everything is in order, and what to change in it.</summary>
static class StatusBed
{
    public static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    public static StatusReport Well() => new()
    {
        SensorId = "0123456789abcdef0123456789abcdef", Now = Now, Started = Now.AddDays(-3), Uptime = TimeSpan.FromDays(3),
        Ports = [new PortReport("eth1", true) { Rate = new PortRate(1234.5, 9_876_543, 10) }],
        Run = new Ledger { Captures = [Port("eth1")] },
        SpoolFolder = "/var/lib/nfr/spool", SpoolMost = 1L << 30,
        Uplinks = [Uplink("engine")],
        Consumers = [new ConsumerReport("engine", [new(20, 12, 1, 2, 5, Now.AddHours(-3)), default, default, default])],
        Outputs = [Output("file")],
        Box = Box(),
    };

    public static CaptureEntry Port(string name) => new(name, default(CaptureStatistics), null, new DecodeCounters(), new long[EventTypes.Count], new long[EventTypes.Count], 0, 0);

    public static BoxFacts Box() => new()
    {
        Clock = new ClockFacts(new ClockStatus(true, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(31), TimeSpan.FromMicroseconds(-250)), default, 0, default, null),
        Disk = new DiskFacts("/var/lib", "ext4", false, 20L << 30, 29L << 30),
        Temperatures = [new Temperature("cpu-thermal", 52.3)],
        Process = new ProcessFacts(118L << 20, 14L << 20, TimeSpan.FromHours(1), TimeSpan.FromHours(4), 40),
    };

    public static UplinkReport Uplink(string name, string? trouble = null) => new(name, "https://" + name + ".example", new UplinkState(
        [.. EventTypes.Uploaded.Select(t => new UplinkTypeState { Type = t, DeliveredEvents = 12, LastSuccess = Now.AddSeconds(-3), LastError = "connection refused", LastErrorAt = Now.AddHours(-1), FailedRequests = 2, Requests = new Dictionary<int, long> { [200] = 12, [503] = 1, [UplinkTypeState.NoAnswer] = 1, [UplinkTypeState.OtherStatus] = 2 } })], trouble));

    public static AlertOutputState Output(string name, string? trouble = null) => new()
    {
        Name = name, Target = $"/var/log/nfr/{name}.json", Alerts = 45, LastSuccess = Now.AddMinutes(-3), Trouble = trouble, Waiting = trouble is null ? 0 : 7,
        LastError = trouble, LastErrorAt = trouble is null ? null : Now.AddSeconds(-20), BackingOffUntil = trouble is null ? null : Now.AddSeconds(40),
    };

    /// <summary>The last minute, in which the stage moved so.</summary>
    public static LedgerInterval Interval(CaptureEntry moved) => new(Now, 60, new Ledger { Captures = [moved], IsExact = true });
}
