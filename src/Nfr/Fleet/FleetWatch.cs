using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;
using Nfr.Commands;
using Nfr.Uplink;

namespace Nfr.Fleet;

/// <param name="Broker">Where.</param>
/// <param name="Tls">Our files.</param>
/// <param name="Site">Pattern of the sites that are shown; null = all.</param>
/// <param name="Filter">Words that a sensor's row must have.</param>
/// <param name="Sort">What first.</param>
/// <param name="Seconds">How long; null = until it is ended, or for a single answer as long as every sensor needs.</param>
sealed record FleetWatchOptions(BrokerAddress Broker, Native.MqttTls? Tls, string? Site, string Filter, FleetSort Sort, TimeSpan? Seconds);

/// <summary>"nfr fleet" itself: listens to a broker and shows what it hears, on a live screen, as lines, or once.</summary>
sealed class FleetWatch : IDisposable
{
    static readonly TimeSpan s_frame = TimeSpan.FromSeconds(1);
    /// <summary>For what a broker has kept to come, after the subscription stands.</summary>
    static readonly TimeSpan s_settle = TimeSpan.FromSeconds(1.5);
    /// <summary>A broker that refuses, or is not there, may be starting: only after this long is once enough.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    readonly FleetWatchOptions _options;
    readonly Terminal _terminal;
    readonly TimeProvider _time;
    readonly FleetTable _table;
    readonly BrokerLink _link;
    long _listeningSince = -1;

    public FleetWatch(FleetWatchOptions options, Terminal terminal, TimeProvider time)
    {
        (_options, _terminal, _time) = (options, terminal, time);
        _table = new FleetTable(time);
        // A site that is no pattern need not be sifted here.
        string topic = options.Site is { } site && !FleetAddress.IsPattern(site) ? $"{FleetTopics.Root}/{site}/#" : FleetTopics.All;
        _link = new BrokerLink(options.Broker, options.Tls, [topic], (t, payload, retained) => _table.Take(t, payload, retained), time)
        {
            Listening = listens =>
            {
                _table.Listen(listens);
                Interlocked.Exchange(ref _listeningSince, listens ? time.GetTimestamp() : -1);
            },
        };
    }

    /// <summary>Two heartbeats and a little: whoever is not heard by then is silent.</summary>
    public static TimeSpan OnceLimit => (FleetBounds.MissedHeartbeats * FleetBounds.Heartbeat) + TimeSpan.FromSeconds(5);

    TimeSpan? Listened => Interlocked.Read(ref _listeningSince) is >= 0 and var since ? _time.GetElapsedTime(since) : null;

    IReadOnlyList<FleetRow> Shown(FleetView view) => FleetOrder.Of(view.Rows, _options.Site, _options.Filter, _options.Sort);

    /// <summary>Listens until each sensor that is online has sent a heartbeat, the time at most, and prints what it knows.</summary>
    /// <returns>0 when all that are shown are well, else 3.</returns>
    public int Once(bool json, int width, CancellationToken stop)
    {
        _link.Start();
        TimeSpan limit = _options.Seconds ?? OnceLimit;
        long begun = _time.GetTimestamp();
        while (!stop.IsCancellationRequested && _time.GetElapsedTime(begun) < limit)
        {
            if (_time.GetElapsedTime(begun) > s_patience && _link.State is { Since: null, Trouble: not null }) break;
            if (Listened > s_settle && Shown(_table.View()) is { Count: > 0 } rows && rows.All(r => r.State != SensorState.Waiting)) break;
            stop.WaitHandle.WaitOne(100);
        }
        BrokerState broker = _link.State;
        FleetView view = _table.View();
        if (view.Rows.Count == 0 && broker.Since is null) return _terminal.Fail(ExitCode.Failed, broker.Trouble ?? $"no answer from {broker.Broker} within {limit.TotalSeconds:0} s");
        IReadOnlyList<FleetRow> shown = Shown(view);
        FleetView told = view with { Rows = shown };
        if (json) _terminal.Out.WriteLine(FleetLines.Document(told, broker, shown));
        else
        {
            bool colours = ScreenLine.IsOnScreen(_terminal);
            _terminal.Out.WriteLine(FleetScreen.Text(FleetScreen.Printed(told, broker, shown, width), width, colours).TrimEnd('\n'));
        }
        if (shown.Count == 0) return _terminal.Fail(ExitCode.Failed, $"no sensor was heard of at {broker.Broker}{(view.Rows.Count > 0 ? $" that fits; there are {view.Rows.Count} others" : $"; they write below {FleetTopics.Root}/, see fleet.broker in their config")}");
        return broker.Since is null ? ExitCode.Failed : told.AllWell ? ExitCode.Good : ExitCode.Unwell;
    }

    /// <summary>A line for each change, until the time or a signal.</summary>
    public int Lines(CancellationToken stop)
    {
        _link.Start();
        var changes = new FleetChanges();
        long begun = _time.GetTimestamp();
        (bool Connected, string? Trouble) told = (false, null);
        bool ever = false;
        do
        {
            BrokerState broker = _link.State;
            FleetView view = _table.View();
            if ((broker.Since is not null, broker.Trouble) is var now && now != told)
            {
                _terminal.Out.WriteLine(FleetLines.Broker(broker, view.Now));
                told = now;
            }
            ever |= broker.Since is not null;
            // What was kept comes in one go; told before all of it is here, each sensor would be told of twice.
            if (Listened > s_settle || (view.Rows.Count > 0 && Listened is null))
            {
                foreach (string line in changes.Of(_table, view, Shown(view))) _terminal.Out.WriteLine(line);
            }
            _terminal.Out.Flush();
            if (_options.Seconds is { } limit && _time.GetElapsedTime(begun) >= limit) break;
        }
        while (!stop.WaitHandle.WaitOne(s_frame));
        return ever ? ExitCode.Good : _terminal.Fail(ExitCode.Failed, _link.State.Trouble ?? "the broker did not answer");
    }

    /// <summary>The live screen, until q, a signal or the time. Asks the console for keys on a thread of its own.</summary>
    public int Live(CancellationToken stop)
    {
        _link.Start();
        var keys = new FleetKeys(_options.Site, _options.Filter, _options.Sort);
        using var pressed = new BlockingCollection<ConsoleKeyInfo>(64);
        var reader = new Thread(() => Read(pressed)) { IsBackground = true, Name = "keys" };
        reader.Start();
        using PosixSignalRegistration? resized = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => pressed.TryAdd(default));
        long begun = _time.GetTimestamp();
        // The other screen, so that what was there before is there after; no cursor in it.
        _terminal.Out.Write("\x1b[?1049h\x1b[?25l");
        try
        {
            while (!stop.IsCancellationRequested && !(_time.GetElapsedTime(begun) >= _options.Seconds))
            {
                FleetView view = _table.View();
                Draw(view, keys);
                if (!pressed.TryTake(out ConsoleKeyInfo key, (int)s_frame.TotalMilliseconds, stop)) continue;
                do
                {
                    if (key != default && keys.Press(key, view)) return ExitCode.Good;
                }
                while (pressed.TryTake(out key));
            }
        }
        catch (OperationCanceledException)
        {
            // A signal while a key was waited for.
        }
        finally
        {
            _terminal.Out.Write("\x1b[?25h\x1b[?1049l");
            _terminal.Out.Flush();
        }
        return ExitCode.Good;
    }

    void Draw(FleetView view, FleetKeys keys)
    {
        // A serial line that was told no size says 0.
        (int width, int height) = (Console.WindowWidth is > 0 and var w ? Math.Min(w, 400) : 80, Console.WindowHeight is > 0 and var h ? Math.Min(h, 300) : 24);
        if (width < FleetColumns.Narrowest || height < FleetScreen.LeastHeight)
        {
            // A frame that has no room would scroll, and nothing of it could be read.
            _terminal.Out.Write("\x1b[H\x1b[J" + FleetScreen.TooSmall);
            _terminal.Out.Flush();
            return;
        }
        string[] lines = FleetScreen.Text(FleetScreen.Frame(_table, view, _link.State, keys, width, height), width, colours: true).TrimEnd('\n').Split('\n');
        // One write a frame, each line cleared behind its end: nothing flickers.
        var frame = new StringBuilder("\x1b[H", (width + 40) * height);
        for (int i = 0; i < Math.Min(lines.Length, height); i++) frame.Append(i == 0 ? "" : "\r\n").Append(lines[i]).Append("\x1b[0m\x1b[K");
        frame.Append("\x1b[J");
        _terminal.Out.Write(frame);
        _terminal.Out.Flush();
    }

    static void Read(BlockingCollection<ConsoleKeyInfo> pressed)
    {
        try
        {
            while (true) pressed.TryAdd(Console.ReadKey(intercept: true));
        }
        catch (Exception e) when (e is InvalidOperationException or ObjectDisposedException)
        {
            // The keyboard is gone, or the screen is.
        }
    }

    public void Dispose() => _link.Dispose();
}
