using System.IO.Compression;
using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class ClockEpochTests : IDisposable
{
    static readonly DateTimeOffset s_real = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    readonly string _directory = Directory.CreateTempSubdirectory("nfr-epochs-").FullName;
    readonly ManualTime _time = new();
    bool? _synced = false;
    Spool _spool;

    public ClockEpochTests() => _spool = Spool.Open(new SpoolOptions { Directory = _directory }, _time);

    public void Dispose()
    {
        _spool.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    ClockEpochs Epochs(string boot) => new(_spool, _time, boot, () => _synced);

    void Restart()
    {
        _spool.Dispose();
        _spool = Spool.Open(new SpoolOptions { Directory = _directory }, _time);
    }

    /// <summary>An event stamped by the clock as it is; its name is the moment it really is of.</summary>
    void Append(string name, DateTimeOffset? stamp = null)
    {
        Span<byte> text = stackalloc byte[EventTime.MaxLength];
        string ts = Encoding.UTF8.GetString(text[..EventTime.Format(((stamp ?? _time.Utc) - DateTimeOffset.UnixEpoch).Ticks * 100, text)]);
        _spool.Append(EventType.Dns, 0, Encoding.UTF8.GetBytes($$"""{"type":"dns","ts":"{{ts}}","srcIP":"10.0.0.1","query":"{{name}}","clock":"unset"}"""));
        Assert.Null(_spool.Flush());
    }

    string[] Sent(ClockEpochs epochs, bool apiOnly = false)
    {
        SpoolBatch batch = _spool.Consumer("engine").Peek(EventType.Dns, 1000, 1 << 20)!;
        using GZipStream gzip = new(new MemoryStream(OutgoingLines.Of(batch, apiOnly, epochs).ToArray()), CompressionMode.Decompress);
        using StreamReader reader = new(gzip);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => apiOnly ? l : l.Split('"')[7] + " " + l.Split('"')[15])];
    }

    [Fact]
    public void Events_of_1970_get_their_time_to_the_nanosecond_when_the_clock_is_set()
    {
        _time.Utc = DateTimeOffset.UnixEpoch.AddSeconds(20);
        ClockEpochs epochs = Epochs("boot-1");
        Assert.Equal(ClockQuality.Unset, epochs.Quality);
        Append("first");
        _time.Advance(TimeSpan.FromMinutes(7));
        Assert.False(epochs.Look());
        Append("second");
        DateTimeOffset pending = _time.Utc;
        _time.Advance(TimeSpan.FromSeconds(5));
        // Set between two looks.
        _time.Utc = s_real;
        _time.Advance(TimeSpan.FromSeconds(5));
        Append("after");
        Assert.True(epochs.Look());
        Assert.Equal(ClockQuality.Free, epochs.Quality);
        // A flow that began before, and whose event came after.
        Append("late", pending);
        string[] expected = ["2026-11-21T11:52:55Z first", "2026-11-21T11:59:55Z second", "2026-11-21T12:00:05Z after", "2026-11-21T11:59:55Z late"];
        Assert.Equal(expected, Sent(epochs));
        Assert.Equal("""{"ts":"2026-11-21T11:52:55Z","srcIP":"10.0.0.1","query":"first"}""", Sent(epochs, apiOnly: true)[0]);
        // Kept over a restart, and once a time service keeps the clock a step is nobody's fault.
        Restart();
        _synced = true;
        epochs = Epochs("boot-1");
        Assert.Equal(ClockQuality.Synced, epochs.Quality);
        Assert.Equal(expected, Sent(epochs));
        _time.Utc += TimeSpan.FromHours(1);
        Assert.False(epochs.Look());
    }

    [Fact]
    public void A_clock_that_begins_where_it_was_switched_off_is_put_right_too()
    {
        _time.Utc = s_real.AddDays(-7);
        ClockEpochs epochs = Epochs("boot-1");
        Assert.Equal(ClockQuality.Free, epochs.Quality);
        Append("old");
        _time.Advance(TimeSpan.FromSeconds(10));
        _time.Utc = s_real;
        _synced = true;
        Assert.True(epochs.Look());
        Append("new");
        Assert.Equal(["2026-11-21T11:59:50Z old", "2026-11-21T12:00:00Z new"], Sent(epochs));
    }

    [Fact]
    public void A_boot_whose_clock_was_never_set_keeps_its_stamps_and_place_beside_one_whose_was()
    {
        _time.Utc = DateTimeOffset.UnixEpoch.AddSeconds(20);
        Epochs("boot-1");
        Append("lost");
        Restart();
        _time.Utc = DateTimeOffset.UnixEpoch.AddSeconds(10);
        ClockEpochs epochs = Epochs("boot-2");
        Append("found");
        // Set while the program is not there.
        Restart();
        _time.Advance(TimeSpan.FromSeconds(30));
        _time.Utc = s_real;
        epochs = Epochs("boot-2");
        Assert.Equal(["1970-01-01T00:00:20Z lost", "2026-11-21T11:59:30Z found"], Sent(epochs));
    }

    [Fact]
    public void A_clock_that_is_right_leaves_no_trace_and_every_byte()
    {
        _synced = null;
        ClockEpochs epochs = Epochs("boot-1");
        Assert.Equal(ClockQuality.Synced, epochs.Quality);
        Append("a");
        SpoolBatch batch = _spool.Consumer("engine").Peek(EventType.Dns, 10, 1 << 20)!;
        Assert.Equal(batch.Body, OutgoingLines.Of(batch, false, epochs));
        Assert.Null(_spool.GetState("clock.epochs"));
    }

    /// <summary>An alert of the clock as it is, raised on board with a sample, or an engine's.</summary>
    void AppendAlert(string name, string? clock, DateTimeOffset stamp)
    {
        Span<byte> text = stackalloc byte[EventTime.MaxLength];
        string ts = Encoding.UTF8.GetString(text[..EventTime.Format((stamp - DateTimeOffset.UnixEpoch).Ticks * 100, text)]);
        _spool.AppendAlert(new Alert
        {
            Threats = [new AlertThreat("c2_communication", "C2 communication", 5)],
            Event = new AlertEvent { Type = EventType.Dns, Ts = ts, SrcIP = "10.0.0.1", Query = name },
            Clock = clock,
            Evidence = clock is null ? null : new AlertEvidence { Detector = "test", Key = name, Summary = "It is.", Features = [], Score = 1, Samples = [$$"""{"type":"dns","ts":"{{ts}}","query":"{{name}}"}"""] },
        });
        Assert.Null(_spool.Flush());
    }

    string[] Alerts(ClockEpochs epochs) =>
        [.. _spool.ReadAlerts(0, 100).Select(epochs.Corrected).Select(s => $"{s.Alert.Event.Ts} {s.Alert.Event.Query}{string.Concat(s.Alert.Evidence?.Samples.Select(l => " " + l.Split('"')[7]) ?? [])}")];

    [Fact]
    public async Task Alerts_that_wait_get_their_time_and_their_samples_too_and_an_engines_alert_keeps_its_own()
    {
        _time.Utc = s_real.AddDays(-7);
        ClockEpochs epochs = Epochs("boot-1");
        AppendAlert("old", "free", _time.Utc);
        _time.Advance(TimeSpan.FromSeconds(10));
        // The engine tells of an event of last month.
        AppendAlert("engine", null, _time.Utc.AddDays(-20));
        Assert.Equal(["2026-11-14T12:00:00Z old 2026-11-14T12:00:00Z", "2026-10-25T12:00:10Z engine"], Alerts(epochs));
        _time.Utc = s_real;
        _synced = true;
        Assert.True(epochs.Look());
        AppendAlert("new", null, _time.Utc);
        // Of a flow that began before, by a sensor that knows by now that its clock is right.
        AppendAlert("late", null, s_real.AddDays(-7).AddSeconds(5));
        string[] expected = ["2026-11-21T11:59:50Z old 2026-11-21T11:59:50Z", "2026-10-25T12:00:10Z engine", "2026-11-21T12:00:00Z new", "2026-11-21T11:59:55Z late"];
        Assert.Equal(expected, Alerts(epochs));
        StoredAlert first = epochs.Corrected(_spool.ReadAlerts(0, 1)[0]);
        Assert.Equal(("2026-11-14T12:00:00Z", "free"), (first.Original.Event.Ts, first.Alert.Clock));
        Restart();
        epochs = Epochs("boot-1");
        Assert.Equal(expected, Alerts(epochs));
        // A later boot whose clock is right leaves what it raises as it is, and what was raised before as it has become.
        Restart();
        epochs = Epochs("boot-2");
        AppendAlert("later", "free", s_real.AddDays(-7));
        Assert.Equal([.. expected, "2026-11-14T12:00:00Z later 2026-11-14T12:00:00Z"], Alerts(epochs));
        string path = Path.Combine(_directory, "alerts.json");
        using var output = new AlertOutput(_spool, new OutputOptions { Name = "file", Sink = new FileSinkOptions { Path = path } }, new SensorIdentity("2.0.0", "s", "box"), _time, _ => { }, epochs: epochs);
        Assert.True(await output.DrainAsync(CancellationToken.None));
        string[] lines = await File.ReadAllLinesAsync(path);
        Assert.Contains("\"ts\":\"2026-11-21T11:59:50Z\"", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"clock\":\"free\",\"evidence\"", lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain("\"clock\"", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Notes_without_a_line_for_alerts_correct_events_alone()
    {
        Assert.Null(_spool.SetState("clock.epochs", """[{"boot":"boot-1","difference":0,"from":[1,1,1,1],"steps":[4102444800000000000,60000000000]}]"""));
        ClockEpochs epochs = Epochs("boot-1");
        Append("a");
        AppendAlert("a", "free", s_real);
        Assert.Equal(["2026-11-21T12:01:00Z a"], Sent(epochs));
        Assert.Equal(["2026-11-21T12:00:00Z a 2026-11-21T12:00:00Z"], Alerts(epochs));
    }

    [Fact]
    public void Notes_of_another_version_change_no_stamp()
    {
        Assert.Null(_spool.SetState("clock.epochs", """[{"boot":1}]"""));
        ClockEpochs epochs = Epochs("boot-1");
        Append("a");
        Assert.Equal(["2026-11-21T12:00:00Z a"], Sent(epochs));
    }
}
