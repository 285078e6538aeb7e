using Nfr.Config;
using Nfr.Native;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Uplink;
using Serilog;

namespace Nfr.Panel;

/// <summary>The sensor's side of the panel: what it tells, and what it does when the button is pressed. Costs nothing while no panel is there.</summary>
sealed class PanelFeed : IDisposable
{
    readonly PanelAlerts _alerts;
    readonly Func<StatusReport> _report;
    readonly ILogger _log;
    readonly TimeProvider _time;
    readonly long _begin;
    PanelSocket? _socket;
    /// <summary>Of the monotonic clock; zero = nobody asked.</summary>
    long _identifyUntil;

    PanelFeed(Spool spool, ClockEpochs epochs, Func<StatusReport> report, ILogger log, TimeProvider time)
    {
        _alerts = new PanelAlerts(spool, epochs.Corrected);
        (_report, _log, _time, _begin) = (report, log, time, time.GetTimestamp());
    }

    /// <summary>How the fleet link is; null = there is none.</summary>
    public Func<PanelFleet>? Fleet { get; set; }

    /// <summary>The name of the site; empty = it has none.</summary>
    public string Site { get; set; } = "";

    /// <summary>SITE/ID on the broker; empty = there is none.</summary>
    public string Address { get; set; } = "";

    /// <summary>Whose commands are obeyed.</summary>
    public IReadOnlyList<string> CommandKeys { get; set; } = [];

    /// <summary>Null where no panel can come.</summary>
    /// <param name="config">panel: the section.</param>
    /// <param name="spool">Of this sensor.</param>
    /// <param name="epochs">Put stamps of alerts right.</param>
    /// <param name="report">As for "nfr status".</param>
    /// <param name="log">For faults.</param>
    /// <param name="time">Turns.</param>
    public static PanelFeed? Open(PanelConfig config, Spool spool, ClockEpochs epochs, Func<StatusReport> report, ILogger log, TimeProvider time)
    {
        var feed = new PanelFeed(spool, epochs, report, log, time);
        feed._socket = PanelSocket.Open(config, feed.State, feed.Take, log, time);
        return feed._socket is null ? null : feed;
    }

    /// <summary>"Which box is it?": all lights blink, the display says so.</summary>
    /// <param name="span">For so long from now on; zero ends it.</param>
    /// <returns>False when no panel listens: then nothing is begun either.</returns>
    public bool Identify(TimeSpan span)
    {
        if (_socket is not { Panels: > 0 }) return false;
        Volatile.Write(ref _identifyUntil, (Running + span).Ticks);
        return true;
    }

    TimeSpan Running => _time.GetElapsedTime(_begin);

    /// <summary>Alerts that nobody has acknowledged; null while no panel listens, since nobody could.</summary>
    public long? Unacknowledged => _socket is { Panels: > 0 } ? _alerts.Look().Unacknowledged : null;

    TimeSpan IdentifyFor()
    {
        TimeSpan left = TimeSpan.FromTicks(Volatile.Read(ref _identifyUntil)) - Running;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    PanelState State() => PanelReport.Of(_report(), new PanelFacts
    {
        Name = Environment.MachineName,
        Site = Site,
        Address = Address,
        CommandKeys = CommandKeys,
        Alerts = _alerts.Look(),
        Interfaces = InterfaceEntry.List(),
        Fleet = Fleet?.Invoke() ?? PanelFleet.None,
        IdentifyFor = IdentifyFor(),
        SpeedOf = PanelReport.SpeedOf,
    });

    void Take(PanelRequest request)
    {
        if (_alerts.Acknowledge(request.Sequence) is { } fault) _log.Warning("panel: that alerts were seen could not be kept: {Fault}", fault);
        else _log.Information("panel: alerts up to number {Sequence} were acknowledged at the box", request.Sequence);
    }

    public void Dispose() => _socket?.Dispose();
}
