using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class AlertOutputTests : IDisposable
{
    readonly UplinkBench _bench = new();
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-output-").FullName;

    public void Dispose()
    {
        _bench.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    string At(string name) => Path.Combine(_folder, name);

    AlertOutput Output(OutputOptions options, AlertSink? sink = null) => new(_bench.Spool, options, new SensorIdentity("0.0.0", "", "sensor"), TimeProvider.System, _bench.Notice, sink, new Random(1));

    AlertOutput File(string name, AlertFormat format = AlertFormat.Json, long maxBytes = 10 << 20, int keep = 5) =>
        Output(new OutputOptions { Name = name, Sink = new FileSinkOptions { Path = At(name), MaxBytes = maxBytes, Keep = keep }, Format = format });

    string[] Lines(string name) => System.IO.File.Exists(At(name)) ? System.IO.File.ReadAllText(At(name)).Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];

    static int[] Numbers(IEnumerable<string> lines) =>
        [.. lines.Select(line => int.Parse(JsonDocument.Parse(line).RootElement.GetProperty("query").GetString()!["virus-".Length..^".com".Length], null))];

    static int[] Range(int count) => [.. Enumerable.Range(0, count)];

    /// <summary>Keeps pages; may fail or hang when told.</summary>
    sealed class TestSink : AlertSink
    {
        public override string Target => "test";
        public List<int> PageSizes { get; } = [];
        public StringBuilder Text { get; } = new();
        public Func<AlertPage, SinkAnswer>? Answer { get; set; }
        public override string? LastRefusal => "not of our kind";
        public Func<Task<string?>> Before { get; set; } = () => Task.FromResult<string?>(null);

        public string? Unsettled { get; set; }

        public override Task<string?> SettleAsync(CancellationToken cancel) => Task.FromResult(Unsettled);

        public override async Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel)
        {
            if (await Before() is { } fault) return SinkAnswer.None(fault);
            lock (Text)
            {
                PageSizes.Add(page.Alerts.Count);
                for (int i = 0; i < (Answer?.Invoke(page).Taken ?? page.Count); i++) Text.Append(Encoding.UTF8.GetString(page.LinesOf(i).Span));
            }
            return Answer?.Invoke(page) ?? SinkAnswer.All(page);
        }

        public string[] Lines
        {
            get
            {
                lock (Text) return Text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
            }
        }
    }

    [Fact]
    public async Task Each_alert_is_one_line_of_JSON()
    {
        _bench.AppendAlerts(3);
        using AlertOutput output = File("a.json");
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(
            """{"severity":5,"threats":{"c2_communication":{"severity":5,"desc":"C2 communication"}},"flags":["c2","young_domain"],"groups":[],"eventType":"dns","ts":"2018-09-06T14:09:04.123Z","srcIP":"1.2.3.4","query":"virus-0.com","qtype":"A"}""",
            Lines("a.json")[0]);
        Assert.Equal(Range(3), Numbers(Lines("a.json")));
        Assert.EndsWith("\n", System.IO.File.ReadAllText(At("a.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_threat_is_one_line_of_CEF()
    {
        _bench.Spool.AppendAlert(UplinkBench.Alert(0) with { Threats = [new AlertThreat("c2_comm", "C2 communication", 5), new AlertThreat("young", "Young domain", 2)] });
        _bench.Spool.Flush();
        using AlertOutput output = File("a.cef", AlertFormat.Cef);
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(
            [
                "CEF:0|AlphaSOC|NFR|0.0.0|c2_comm|C2 communication|10|app=dns rt=Sep 06 2018 14:09:04.123 UTC src=1.2.3.4 cs1=c2,young_domain cs1Label=flags query=virus-0.com requestMethod=A",
                "CEF:0|AlphaSOC|NFR|0.0.0|young|Young domain|4|app=dns rt=Sep 06 2018 14:09:04.123 UTC src=1.2.3.4 cs1=c2,young_domain cs1Label=flags query=virus-0.com requestMethod=A",
            ],
            Lines("a.cef"));
    }

    [Fact]
    public async Task Alerts_are_written_as_they_are_stored()
    {
        using AlertOutput output = File("a");
        using CancellationTokenSource stop = new();
        Task running = output.RunAsync(stop.Token);
        for (int i = 0; i < 5; i++)
        {
            _bench.AppendAlerts(1, i);
            await UplinkBench.UntilAsync(() => Lines("a").Length == i + 1, $"alert {i}");
        }
        await stop.CancelAsync();
        await running.WaitAsync(UplinkBench.Limit);
        Assert.Equal(Range(5), Numbers(Lines("a")));
        Assert.Equal(5, output.State.Alerts);
    }

    [Fact]
    public async Task The_bookmark_outlives_a_restart()
    {
        for (int run = 0; run < 5; run++)
        {
            _bench.AppendAlerts(7, run * 7);
            using (AlertOutput output = File("a")) Assert.True(await output.DrainAsync(CancellationToken.None));
            _bench.Reopen();
        }
        Assert.Equal(Range(35), Numbers(Lines("a")));
    }

    [Fact]
    public async Task A_new_output_begins_with_the_oldest_stored_alert()
    {
        _bench.AppendAlerts(4);
        using (AlertOutput first = File("a")) await first.DrainAsync(CancellationToken.None);
        using AlertOutput late = File("b");
        await late.DrainAsync(CancellationToken.None);
        Assert.Equal(Range(4), Numbers(Lines("b")));
    }

    [Fact]
    public async Task A_page_holds_a_hundred_alerts_at_most()
    {
        _bench.AppendAlerts(250);
        TestSink sink = new();
        using AlertOutput output = Output(new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, sink);
        await output.DrainAsync(CancellationToken.None);
        Assert.Equal([100, 100, 50], sink.PageSizes);
        Assert.Equal(Range(250), Numbers(sink.Lines));
    }

    [Fact]
    public async Task A_dead_output_neither_delays_nor_doubles_another()
    {
        string missing = Path.Combine(_folder, "missing");
        using AlertOutput dead = Output(new OutputOptions { Name = "dead", Sink = new FileSinkOptions { Path = Path.Combine(missing, "x") } });
        using AlertOutput live = File("live");
        using CancellationTokenSource stop = new();
        Task running = Task.WhenAll(dead.RunAsync(stop.Token), live.RunAsync(stop.Token));
        _bench.AppendAlerts(20);
        await UplinkBench.UntilAsync(() => Lines("live").Length == 20 && dead.State.FailedWrites > 0, "the live one has all while the dead one fails");
        _bench.AppendAlerts(20, 20);
        await UplinkBench.UntilAsync(() => Lines("live").Length == 40, "still live");
        Assert.NotNull(dead.State.Trouble);
        UplinkNotice notice = Assert.Single(_bench.Notices);
        Assert.StartsWith("output dead: ", notice.Sentence, StringComparison.Ordinal);
        Assert.Contains("other outputs go on", notice.Sentence, StringComparison.Ordinal);

        Directory.CreateDirectory(missing);
        await UplinkBench.UntilAsync(() => dead.State.Alerts == 40, "the dead one is back");
        await stop.CancelAsync();
        await running.WaitAsync(UplinkBench.Limit);
        Assert.Equal(Range(40), Numbers(Lines("live")));
        Assert.Equal(Range(40), Numbers(Lines(Path.Combine("missing", "x"))));
        Assert.Null(dead.State.Trouble);
    }

    [Fact]
    public async Task A_hanging_output_delays_nobody_and_lets_itself_be_stopped()
    {
        TaskCompletionSource<string?> hang = new();
        TestSink sink = new() { Before = () => hang.Task };
        using AlertOutput stuck = Output(new OutputOptions { Name = "stuck", Sink = new StreamSinkOptions() }, sink);
        using AlertOutput live = File("live");
        using CancellationTokenSource stop = new();
        Task running = Task.WhenAll(stuck.RunAsync(stop.Token), live.RunAsync(stop.Token));
        _bench.AppendAlerts(5);
        await UplinkBench.UntilAsync(() => Lines("live").Length == 5, "the live one has all");
        await stop.CancelAsync();
        await running.WaitAsync(UplinkBench.Limit);
        Assert.Equal(0, stuck.State.Alerts);

        // What hung is neither overtaken nor doubled when it goes on.
        _bench.AppendAlerts(5, 5);
        Task<bool> drained = stuck.DrainAsync(CancellationToken.None);
        hang.SetResult(null);
        Assert.True(await drained.WaitAsync(UplinkBench.Limit));
        Assert.Equal(Range(10), Numbers(sink.Lines));
    }

    [Fact]
    public async Task A_trouble_ends_when_the_alerts_that_failed_are_gone()
    {
        string directory = Directory.CreateDirectory(At("spool")).FullName;
        using Spool spool = Spool.Open(new SpoolOptions { Directory = directory, MaxAlerts = 2 }, TimeProvider.System);
        void Append(int severity)
        {
            for (int i = 0; i < 2; i++) spool.AppendAlert(UplinkBench.Alert(i) with { Threats = [new AlertThreat("c2", "C2", severity)] });
            Assert.Null(spool.Flush());
        }
        Append(5);
        TestSink sink = new() { Before = () => Task.FromResult<string?>("pipe broken") };
        OutputOptions options = new() { Name = "t", Sink = new StreamSinkOptions(), Filter = new AlertFilter { Severity = 5 } };
        using AlertOutput output = new(spool, options, new SensorIdentity("0.0.0", "", "sensor"), TimeProvider.System, _bench.Notice, sink, new Random(1));
        Assert.False(await output.DrainAsync(CancellationToken.None));
        Assert.NotNull(output.State.Trouble);
        // These push those out and are not wanted.
        Append(2);
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal((0L, 2L), (output.State.Alerts, output.State.Filtered));
        Assert.Equal((null, null), (output.State.Trouble, output.State.BackingOffUntil));
        Assert.Contains("nothing waits for test any more", _bench.Notices[^1].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_settling_that_works_again_is_told_so_that_the_next_failure_is()
    {
        ManualTime time = new();
        TestSink sink = new() { Unsettled = "not shipped" };
        using AlertOutput output = new(_bench.Spool, new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, new SensorIdentity("0.0.0", "", "sensor"), time, _bench.Notice, sink, new Random(1));
        for (int outage = 1; outage <= 2; outage++)
        {
            sink.Unsettled = "not shipped";
            Assert.False(await output.DrainAsync(CancellationToken.None));
            sink.Unsettled = null;
            Assert.True(await output.DrainAsync(CancellationToken.None));
            Assert.Equal((null, null), (output.State.Trouble, output.State.BackingOffUntil));
            Assert.Equal(2 * outage, _bench.Notices.Count);
            time.Advance(TimeSpan.FromMinutes(2));
        }
    }

    [Fact]
    public async Task A_failed_page_comes_again_whole_and_once()
    {
        _bench.AppendAlerts(30);
        int tries = 0;
        TestSink sink = new() { Before = () => Task.FromResult(++tries <= 2 ? "pipe broken" : null) };
        using AlertOutput output = Output(new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, sink);
        Assert.False(await output.DrainAsync(CancellationToken.None));
        Assert.Equal("pipe broken", output.State.LastError);
        Assert.False(await output.DrainAsync(CancellationToken.None));
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(Range(30), Numbers(sink.Lines));
    }

    [Fact]
    public async Task What_a_sink_vouched_for_does_not_come_again()
    {
        _bench.AppendAlerts(30);
        TestSink sink = new() { Answer = page => page.Count > 18 ? SinkAnswer.First(12, "connection lost") : SinkAnswer.All(page) };
        using AlertOutput output = Output(new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, sink);
        Assert.False(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(12, output.State.Alerts);
        Assert.Equal(18, output.State.Waiting);
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(Range(30), Numbers(sink.Lines));
        Assert.Equal(30, output.State.Alerts);
    }

    [Fact]
    public async Task What_is_refused_for_ever_is_counted_told_and_passed_by()
    {
        _bench.AppendAlerts(10);
        TestSink sink = new() { Answer = page => new SinkAnswer(page.Count, 3, null) };
        using AlertOutput output = Output(new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, sink);
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal((7, 3, "not of our kind"), (output.State.Alerts, output.State.Refused, output.State.LastRefusal));
        Assert.Contains("refuses 3 alerts for good (not of our kind)", Assert.Single(_bench.Notices).Sentence, StringComparison.Ordinal);
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(0, output.State.Waiting);
    }

    [Fact]
    public async Task A_sink_that_gathers_is_no_failure_and_gets_what_came_meanwhile()
    {
        _bench.AppendAlerts(3);
        ManualTime time = new();
        TestSink sink = new() { Answer = page => page.Count < 5 ? SinkAnswer.Later(TimeSpan.FromMinutes(5), "gathering until 14:05") : SinkAnswer.All(page) };
        using AlertOutput output = new(_bench.Spool, new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, new SensorIdentity("0.0.0", "", "sensor"), time, _bench.Notice, sink, new Random(1));
        using CancellationTokenSource stop = new();
        Task running = output.RunAsync(stop.Token);
        await UplinkBench.UntilAsync(() => output.State.Holding is not null && time.UntilNextTimer() is not null, "held");
        Assert.Equal(("gathering until 14:05", null, 0L, 3L), (output.State.Holding, output.State.Trouble, output.State.FailedWrites, output.State.Waiting));
        _bench.AppendAlerts(3, 3);
        time.Advance(TimeSpan.FromMinutes(4.9));
        Assert.Equal(0, output.State.Alerts);
        time.Advance(TimeSpan.FromMinutes(0.2));
        await UplinkBench.UntilAsync(() => output.State.Alerts == 6, "sent");
        Assert.Null(output.State.Holding);
        Assert.Empty(_bench.Notices);
        Assert.Equal(Range(6), Numbers(sink.Lines));
        await stop.CancelAsync();
        await running.WaitAsync(UplinkBench.Limit);
    }

    [Fact]
    public async Task Only_a_command_at_its_end_says_that_nobody_comes_back()
    {
        _bench.AppendAlerts(3);
        TestSink sink = new() { Answer = page => page.IsLast ? SinkAnswer.All(page) : SinkAnswer.Later(TimeSpan.FromMinutes(5), "gathering") };
        using AlertOutput output = Output(new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, sink);
        Assert.False(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(3, output.State.Waiting);
        Assert.True(await output.DrainAsync(CancellationToken.None, last: true));
        Assert.Equal(Range(3), Numbers(sink.Lines));
    }

    [Fact]
    public async Task A_wait_that_the_other_side_asks_for_is_kept()
    {
        _bench.AppendAlerts(3);
        TestSink sink = new() { Answer = page => new SinkAnswer(0, 0, "busy", TimeSpan.FromHours(1)) };
        ManualTime time = new();
        using AlertOutput output = new(_bench.Spool, new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, new SensorIdentity("0.0.0", "", "sensor"), time, _bench.Notice, sink, new Random(1));
        Assert.False(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(time.Utc + TimeSpan.FromHours(1), output.State.BackingOffUntil);
    }

    [Fact]
    public async Task Tries_keep_a_second_apart_whatever_the_jitter_says()
    {
        _bench.AppendAlerts(3);
        ManualTime time = new();
        TestSink sink = new() { Answer = _ => SinkAnswer.None("down") };
        using AlertOutput output = new(
            _bench.Spool, new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, new SensorIdentity("0.0.0", "", "sensor"), time, _bench.Notice, sink, new Shortest());
        for (int i = 0; i < 20; i++)
        {
            Assert.False(await output.DrainAsync(CancellationToken.None));
            Assert.True(output.State.BackingOffUntil >= time.Utc + TimeSpan.FromSeconds(1), $"try {i}: {output.State.BackingOffUntil - time.Utc}");
        }
    }

    sealed class Shortest : Random
    {
        public override double NextDouble() => 0.99999;
    }

    [Fact]
    public async Task A_filter_passes_what_all_its_conditions_want()
    {
        Alert mild = UplinkBench.Alert(0) with { Threats = [new AlertThreat("young", "Young domain", 2)] };
        Alert grouped = UplinkBench.Alert(1) with { Groups = [new AlertGroup("servers", "")] };
        foreach (Alert alert in (Alert[])[mild, UplinkBench.Alert(2), grouped, mild with { Groups = grouped.Groups }]) _bench.Spool.AppendAlert(alert);
        _bench.Spool.Flush();
        async Task<(int[] Got, long Filtered)> Through(string name, AlertFilter filter)
        {
            TestSink sink = new();
            using AlertOutput output = Output(new OutputOptions { Name = name, Sink = new StreamSinkOptions(), Filter = filter }, sink);
            Assert.True(await output.DrainAsync(CancellationToken.None));
            Assert.Equal(0, output.State.Waiting);
            return (Numbers(sink.Lines), output.State.Filtered);
        }
        Assert.Equivalent((new[] { 2, 1 }, 2L), await Through("a", new AlertFilter { Severity = 3 }));
        Assert.Equivalent((new[] { 1, 0 }, 2L), await Through("b", new AlertFilter { Groups = ["Servers"] }));
        Assert.Equivalent((new[] { 1 }, 3L), await Through("c", new AlertFilter { Severity = 3, Groups = ["servers"] }));
        Assert.Equivalent((new[] { 0, 0 }, 2L), await Through("d", new AlertFilter { Threats = ["young", "old"] }));
        Assert.Equivalent((Array.Empty<int>(), 4L), await Through("e", new AlertFilter { Threats = ["old"] }));
    }

    [Fact]
    public async Task A_sink_that_throws_costs_a_wait_and_nothing_else()
    {
        _bench.AppendAlerts(3);
        TestSink sink = new() { Before = () => throw new InvalidOperationException("a mistake") };
        using AlertOutput output = Output(new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, sink);
        Assert.False(await output.DrainAsync(CancellationToken.None));
        sink.Before = () => Task.FromResult<string?>(null);
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(Range(3), Numbers(sink.Lines));
    }

    [Fact]
    public async Task A_file_is_rotated_by_size_and_the_oldest_goes()
    {
        using AlertOutput output = File("a", maxBytes: 1000, keep: 2);
        for (int i = 0; i < 20; i++)
        {
            _bench.AppendAlerts(1, i);
            Assert.True(await output.DrainAsync(CancellationToken.None));
        }
        Assert.Equal(["a", "a.1", "a.2"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
        Assert.All(Directory.GetFiles(_folder), path => Assert.InRange(new FileInfo(path).Length, 1, 1000));
        int[] kept = Numbers([.. Lines("a.2"), .. Lines("a.1"), .. Lines("a")]);
        Assert.Equal(Enumerable.Range(20 - kept.Length, kept.Length), kept);
        Assert.InRange(kept.Length, 8, 12);
    }

    [Fact]
    public async Task A_file_moved_away_is_made_anew()
    {
        using AlertOutput output = File("a");
        _bench.AppendAlerts(2);
        await output.DrainAsync(CancellationToken.None);
        System.IO.File.Move(At("a"), At("a.moved"));
        _bench.AppendAlerts(2, 2);
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal([0, 1], Numbers(Lines("a.moved")));
        Assert.Equal([2, 3], Numbers(Lines("a")));
    }

    [Theory]
    [InlineData("{\"severity\":1}\n{\"sever", new[] { "{\"severity\":1}" })]
    [InlineData("{\"sever", new[] { "{\"sever" })]
    public async Task Half_a_line_of_a_power_cut_does_not_spoil_the_next(string before, string[] kept)
    {
        System.IO.File.WriteAllText(At("a"), before);
        _bench.AppendAlerts(1);
        using AlertOutput output = File("a");
        Assert.True(await output.DrainAsync(CancellationToken.None));
        string[] lines = Lines("a");
        Assert.Equal(kept, lines[..^1]);
        Assert.Equal([0], Numbers(lines[^1..]));
    }

    [Fact]
    public async Task A_stream_gets_whole_lines()
    {
        using MemoryStream stream = new();
        _bench.AppendAlerts(3);
        using AlertOutput output = Output(new OutputOptions { Name = "stdout", Sink = new StreamSinkOptions() }, new StreamSink(stream, "stdout"));
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(Range(3), Numbers(Encoding.UTF8.GetString(stream.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public async Task A_full_device_is_a_fault_with_its_reason()
    {
        _bench.AppendAlerts(1);
        using AlertOutput output = Output(new OutputOptions { Name = "t", Sink = new StreamSinkOptions() }, new StreamSink(new FileStream("/dev/full", FileMode.Open, FileAccess.Write), "/dev/full"));
        Assert.False(await output.DrainAsync(CancellationToken.None));
        Assert.NotNull(output.State.LastError);
    }
}
