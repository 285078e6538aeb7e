using System.Runtime.Versioning;
using Nfr.Health;
using Nfr.Pipeline;
using Nfr.Service;
using Nfr.Tests.Nfr;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Nfr.Tests.Service;

[SupportedOSPlatform("linux")]
public sealed class UnitLinkTests : IDisposable
{
    sealed class Lines : ILogEventSink
    {
        readonly List<string> _lines = [];

        public string All
        {
            get
            {
                lock (_lines) return string.Join('\n', _lines);
            }
        }

        public void Emit(LogEvent logEvent)
        {
            lock (_lines) _lines.Add(logEvent.RenderMessage(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    readonly NotifySocket _socket = new();
    readonly Lines _lines = new();
    readonly Logger _log;
    readonly CancellationTokenSource _ends = new();

    public UnitLinkTests() => _log = new LoggerConfiguration().WriteTo.Sink(_lines).CreateLogger();

    public void Dispose()
    {
        _ends.Cancel();
        _ends.Dispose();
        _log.Dispose();
        _socket.Dispose();
    }

    /// <summary>A loop that goes round until it is told to stand.</summary>
    (Pulse Pulse, ManualResetEventSlim May) Loop(string name)
    {
        var pulse = new Pulse(name);
        var may = new ManualResetEventSlim(true);
        CancellationToken ends = _ends.Token;
        new Thread(() =>
        {
            try
            {
                while (!ends.IsCancellationRequested)
                {
                    may.Wait(ends);
                    pulse.Beat();
                    Thread.Sleep(2);
                }
            }
            catch (OperationCanceledException)
            {
                // The test is over.
            }
        }) { IsBackground = true }.Start();
        return (pulse, may);
    }

    [Fact]
    public void Systemd_hears_ready_then_how_it_is_and_that_it_lives_then_that_it_stops()
    {
        using var unit = new UnitLink(_socket.Notifier(TimeSpan.FromSeconds(1)), _log, TimeProvider.System, telling: TimeSpan.FromMilliseconds(20));
        (Pulse capture, _) = Loop("capture of eth1");
        unit.Starting();
        Assert.StartsWith("STATUS=Starting", _socket.Next(), StringComparison.Ordinal);
        unit.Running([capture], () => "Recording eth1");
        Assert.Equal("READY=1\nWATCHDOG_USEC=1000000", _socket.Next("READY=1"));
        _socket.Next("WATCHDOG=1");
        _socket.Next("STATUS=Recording eth1");
        unit.Stopping();
        string stopping = _socket.Next("STOPPING=1");
        Assert.Contains("EXTEND_TIMEOUT_USEC=10000000", stopping, StringComparison.Ordinal);
        // Asked again while it drains; and no sentence of a moment before comes behind it.
        Assert.StartsWith("STOPPING=1", _socket.Next(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stuck_loop_is_not_fed_is_named_and_is_fed_again_when_it_goes_on()
    {
        using var unit = new UnitLink(_socket.Notifier(TimeSpan.FromSeconds(1)), _log, TimeProvider.System, telling: TimeSpan.FromMilliseconds(20));
        (Pulse pipeline, _) = Loop("pipeline");
        (Pulse capture, ManualResetEventSlim may) = Loop("capture of eth1");
        unit.Running([capture, pipeline], () => "Recording eth1");
        _socket.Next("WATCHDOG=1");
        may.Reset();
        Assert.Matches("STATUS=The capture of eth1 has been stuck for [0-9.]+ s; unless it goes on, systemd starts the sensor anew", _socket.Next("stuck"));
        // From here on nothing that feeds, though the other loop goes round.
        Thread.Sleep(500);
        IReadOnlyList<string> silence = _socket.Waiting();
        Assert.NotEmpty(silence);
        Assert.All(silence, word => Assert.Contains("stuck", word, StringComparison.Ordinal));
        may.Set();
        _socket.Next("WATCHDOG=1");
        _socket.Next("STATUS=Recording eth1");
        Assert.Contains("service: the \"capture of eth1\" has been stuck for", _lines.All, StringComparison.Ordinal);
        Assert.Contains("service: the \"capture of eth1\" goes on", _lines.All, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_watchdog_it_is_not_fed()
    {
        using var unit = new UnitLink(_socket.Notifier(), _log, TimeProvider.System, telling: TimeSpan.FromMilliseconds(5));
        unit.Running([], () => "Recording eth1");
        Assert.Equal("READY=1", _socket.Next("READY=1"));
        for (int i = 0; i < 20; i++) Assert.Equal("STATUS=Recording eth1", _socket.Next());
    }

    [Fact]
    public void A_sentence_that_cannot_be_made_is_a_line_in_the_log_and_the_sensor_is_fed_all_the_same()
    {
        using var unit = new UnitLink(_socket.Notifier(TimeSpan.FromSeconds(1)), _log, TimeProvider.System, telling: TimeSpan.FromMilliseconds(20));
        (Pulse capture, _) = Loop("capture of eth1");
        unit.Running([capture], () => throw new NotSupportedException("a mistake"));
        Assert.True(SpinWait.SpinUntil(() => _lines.All.Contains("service: a mistake in nfr itself", StringComparison.Ordinal), 20_000));
        // Those of before are read away.
        _socket.Waiting();
        for (int i = 0; i < 3; i++) _socket.Next("WATCHDOG=1");
    }

    [Fact]
    public void A_sentence_that_takes_for_ever_does_not_hold_up_the_watchdog()
    {
        using var held = new ManualResetEventSlim();
        using (var unit = new UnitLink(_socket.Notifier(TimeSpan.FromSeconds(1)), _log, TimeProvider.System, telling: TimeSpan.FromMilliseconds(20)))
        {
            (Pulse capture, _) = Loop("capture of eth1");
            unit.Running([capture], () =>
            {
                held.Wait(TimeSpan.FromSeconds(60));
                return "late";
            });
            for (int i = 0; i < 5; i++) _socket.Next("WATCHDOG=1");
            held.Set();
        }
    }

    [Fact]
    public void The_sentence_says_what_it_does_and_what_is_wrong_first()
    {
        StatusReport well = StatusBed.Well();
        Assert.Equal("Recording eth1, 1,234 packets/s, 9.9 Mbit/s", StatusSentence.Of(well).Replace("1,235", "1,234", StringComparison.Ordinal));
        string bad = StatusSentence.Of(well with { Ports = [new PortReport("eth1", false)] });
        Assert.StartsWith("interface eth1 is gone or down; plug it in", bad, StringComparison.Ordinal);
        Assert.EndsWith("Waiting for eth1", bad, StringComparison.Ordinal);
        string two = StatusSentence.Of(well with { Ports = [new PortReport("eth1", false), new PortReport("eth2", false)] });
        Assert.Contains("(and 1 more: nfr status). Waiting for eth1; Waiting for eth2", two, StringComparison.Ordinal);
    }
}
