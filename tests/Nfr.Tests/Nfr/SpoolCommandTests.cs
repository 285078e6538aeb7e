using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Nfr.Commands;
using Nfr.Events;
using Nfr.Native;
using Nfr.Storage;
using Nfr.Tests.Storage;

namespace Nfr.Tests.Nfr;

public sealed class SpoolCommandTests : IDisposable
{
    static readonly Wiring s_wiring = new()
    {
        Read = (_, _, _) => throw new InvalidOperationException("not asked for"),
        Start = (_, _, _) => throw new InvalidOperationException("not asked for"),
        Account = (_, _) => throw new InvalidOperationException("not asked for"),
    };

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-spool-command").FullName;
    readonly ManualTime _time = new();

    public SpoolCommandTests()
    {
        File.WriteAllText(Config, $"spool:\n  dir: {Path.Combine(_folder, "spool")}\n");
        _time.Utc = DateTimeOffset.UtcNow - TimeSpan.FromHours(10);
    }

    string Config => Path.Combine(_folder, "config.yml");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    Spool Open(params string[] consumers) => Spool.Open(new SpoolOptions
    {
        Directory = Path.Combine(_folder, "spool"), Consumers = consumers.Length == 0 ? ["engine"] : consumers,
    }, _time);

    (int Code, string Out, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = CommandLine.Run(["spool", .. args, "-c", Config], new Terminal(TextReader.Null, output, error), s_wiring);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>Twelve dns events, two of them with a finding; three tls events five hours later; an alert.</summary>
    void Fill(Spool spool)
    {
        for (int i = 1; i <= 12; i++) spool.Append(EventType.Dns, i > 10 ? 3 : 0, SpoolTestBed.Line($"dns{i}"));
        Assert.Null(spool.Flush());
        _time.Advance(TimeSpan.FromHours(5));
        for (int i = 1; i <= 3; i++) spool.Append(EventType.Tls, 0, SpoolTestBed.Line($"tls{i}"));
        spool.AppendAlert(SpoolTestBed.Alert("c2"));
        Assert.Null(spool.Flush());
    }

    static JsonElement[] Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    static string NameOf(JsonElement line) => line.GetProperty("event").GetProperty("n").GetString()!;

    [Fact]
    public void Status_says_what_is_there_for_whom_and_what_was_put_aside_while_the_sensor_runs()
    {
        using Spool spool = Open("engine", "elastic");
        Fill(spool);
        Assert.Null(spool.Consumer("engine").Settle(EventType.Dns, 3, null));
        Assert.Null(spool.Consumer("engine").Settle(EventType.Dns, 5, "400: no such\u001b[31m field"));
        (int code, string text, string error) = Run("status");
        Assert.Equal((0, ""), (code, error));
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 80 && line == line.TrimEnd(), line));
        Assert.Matches(@"\n  dns +1 +10 .* 10 h +10 h\n  dns, scored +1 +2 ", text);
        Assert.Matches(@"\n  alert +1 +1 .* 5 h +5 h\n", text);
        Assert.Matches(@"\nConsumer elastic\n.*\n  dns +0 +12 +0 +0 +10 h\n", text);
        Assert.Matches(@"\nConsumer engine\n.*\n  dns +3 +7 +2 +0 +10 h\n", text);
        Assert.Matches(@"\nPut aside   2 events in 1 rows\n  #1 dns 4-5 by engine, 5 h ago: 400: no such\\u001B\[31m field\n", text);

        JsonElement json = JsonDocument.Parse(Run("status", "--json").Out).RootElement;
        JsonElement dns = json.GetProperty("classes")[0];
        Assert.Equal(("dns", 1, 10), (dns.GetProperty("type").GetString(), dns.GetProperty("rows").GetInt64(), dns.GetProperty("events").GetInt64()));
        Assert.Equal(spool.Counters.BytesOf(SpoolClass.Dns), dns.GetProperty("bytes").GetInt64());
        Assert.Equal("400: no such\u001b[31m field", json.GetProperty("quarantined")[0].GetProperty("reason").GetString());
        Assert.Equal(8, json.GetProperty("consumers").GetArrayLength());
        // All of it is still the sensor's.
        SpoolTestBed.AssertCloses(spool);
    }

    [Fact]
    public void Status_says_how_long_ring_and_card_last_as_the_sensor_noted_it()
    {
        using Spool spool = Open();
        Assert.Contains("not known yet", Run("status").Out, StringComparison.Ordinal);
        Assert.Contains("no event has come for it yet\n", Run("status").Out, StringComparison.Ordinal);
        Fill(spool);
        Assert.Matches(@"\n  rate    .* written a day; at this rate the ring holds .*\n  card    an estimated .* of a card of 32 GB\n", Run("status").Out);
        JsonElement outlook = JsonDocument.Parse(Run("status", "--json").Out).RootElement.GetProperty("outlook");
        Assert.True(outlook.GetProperty("bytesPerDay").GetInt64() > 0 && outlook.GetProperty("cardYears").GetDouble() > 1);
    }

    [Fact]
    public void Peek_prints_what_goes_next_and_leaves_it_there()
    {
        using Spool spool = Open();
        Fill(spool);
        Assert.Null(spool.Delivered(EventType.Dns, 4));
        (int code, string text, string error) = Run("peek", "-n", "7");
        Assert.Equal((0, ""), (code, error));
        JsonElement[] lines = Lines(text);
        Assert.Equal(["dns5", "dns6", "dns7", "dns8", "dns9", "dns10", "dns11"], lines.Select(NameOf));
        Assert.Equal([5, 11], new[] { lines[0], lines[6] }.Select(l => l.GetProperty("sequence").GetInt64()));
        Assert.Equal([false, true], new[] { lines[0], lines[6] }.Select(l => l.GetProperty("scored").GetBoolean()));
        Assert.Equal(["tls1", "tls2", "tls3"], Lines(Run("peek", "--type", "tls").Out).Select(NameOf));
        Assert.Equal("alert", Assert.Single(Lines(Run("peek", "--type", "alert").Out)).GetProperty("type").GetString());
        Assert.Equal(11, spool.Counters.Total.InSpool);
        (code, _, error) = Run("peek", "--consumer", "elastic");
        Assert.Equal((1, $"nfr: nobody named elastic takes events from {_folder}/spool; there are: engine\n"), (code, error));
        (code, _, error) = Run("peek", "--type", "smtp");
        Assert.Equal((2, "nfr: --type takes dns, ip, http, tls or alert; not \"smtp\"; see nfr help spool peek\n"), (code, error));
    }

    [Fact]
    public void Export_writes_all_of_it_or_what_is_asked_for_while_the_sensor_runs()
    {
        using Spool spool = Open();
        Fill(spool);
        string all = Path.Combine(_folder, "all.jsonl.gz"), some = Path.Combine(_folder, "some.jsonl");
        (int code, _, string error) = Run("export", "-o", all);
        Assert.Equal((0, $"16 events and alerts written to {all}\n"), (code, error));
        using (var unzipped = new StreamReader(new GZipStream(File.OpenRead(all), CompressionMode.Decompress), Encoding.UTF8))
        {
            JsonElement[] lines = Lines(unzipped.ReadToEnd());
            Assert.Equal(Enumerable.Range(1, 12).Select(i => $"dns{i}").Concat(["tls1", "tls2", "tls3"]), lines[..15].Select(NameOf));
            Assert.Equal("c2", lines[15].GetProperty("event").GetProperty("threats").EnumerateObject().First().Name);
        }
        Assert.Equal(0, Run("export", "--scored", "-t", "dns", "-o", some).Code);
        Assert.Equal(["dns11", "dns12"], Lines(File.ReadAllText(some)).Select(NameOf));
        File.Delete(some);
        Assert.Equal(0, Run("export", "--from", "8h", "--to", "1h", "-t", "tls", "-t", "dns", "-o", some).Code);
        Assert.Equal(["tls1", "tls2", "tls3"], Lines(File.ReadAllText(some)).Select(NameOf));
        (code, _, error) = Run("export", "-o", some);
        Assert.Equal(1, code);
        Assert.StartsWith($"nfr: {some} cannot be made: ", error, StringComparison.Ordinal);
        (code, _, error) = Run("export", "--from", "yesterday");
        Assert.Equal((2, "nfr: --from takes a time such as 2026-11-21T09:00Z, or so long ago as 36h; not \"yesterday\"; see nfr help spool export\n"), (code, error));
        Assert.Equal(15, spool.Counters.Total.InSpool);
    }

    [Fact]
    public void An_export_takes_nothing_from_the_sensors_log_and_sees_each_event_once()
    {
        using Spool spool = Open();
        var random = new Random(1);
        for (int flush = 0; flush < 200; flush++)
        {
            for (int i = 0; i < 50; i++) spool.Append(EventType.Dns, 0, SpoolTestBed.DnsLine(random, i));
            Assert.Null(spool.Flush());
        }
        using SpoolArchive archive = SpoolArchive.Open(Path.Combine(_folder, "spool"), out _)!;
        long last = 0, most = 0;
        foreach (SpooledEvent found in archive.ReadEvents(new SpoolFilter(), Assert.Fail))
        {
            Assert.Equal(++last, found.Sequence);
            if (last % 100 != 0) continue;
            for (int i = 0; i < 100; i++) spool.Append(EventType.Ip, 0, Encoding.UTF8.GetBytes($"{{\"x\":\"{Convert.ToBase64String(SpoolTestBed.RandomBytes(random, 2000))}\"}}"));
            Assert.Null(spool.Flush());
            most = Math.Max(most, new FileInfo(Path.Combine(_folder, "spool", "spool.db-wal")).Length);
            if (last == 10_000) break;
        }
        Assert.Equal(10_000, last);
        Assert.True(most < 9 << 20, $"the log grew to {most} bytes");
    }

    [Fact]
    public void A_row_that_is_settled_in_part_while_it_is_read_is_not_printed_twice()
    {
        using Spool spool = Open();
        for (int i = 1; i <= 12; i++) spool.Append(EventType.Dns, 0, SpoolTestBed.Line($"dns{i}"));
        Assert.Null(spool.Flush());
        using SpoolArchive archive = SpoolArchive.Open(Path.Combine(_folder, "spool"), out _)!;
        var seen = new List<long>();
        long passed = 0;
        foreach (SpooledEvent found in archive.ReadEvents(new SpoolFilter(), Assert.Fail, count => passed += count))
        {
            // The row was read; before the next page it begins at another number.
            if (seen.Count == 0) Assert.Null(spool.Delivered(EventType.Dns, 4));
            seen.Add(found.Sequence);
        }
        Assert.Equal(Enumerable.Range(1, 12).Select(i => (long)i), seen);
        Assert.Equal(12, passed);
    }

    [Fact]
    public void Requeue_puts_back_what_was_refused_for_the_one_that_refused_it_when_the_sensor_is_stopped()
    {
        using (Spool spool = Open("engine", "elastic"))
        {
            Fill(spool);
            Assert.Null(spool.Consumer("elastic").Settle(EventType.Dns, 12, null));
            Assert.Null(spool.Consumer("engine").Settle(EventType.Dns, 2, "no"));
            Assert.Null(spool.Consumer("engine").Settle(EventType.Dns, 4, "no, too"));
            Assert.Null(spool.Consumer("engine").Settle(EventType.Dns, 12, null));
            (int busy, _, string why) = Run("requeue", "--all");
            Assert.Equal(1, busy);
            Assert.Matches("in use by another sensor.*; stop the sensor first \\(systemctl stop nfr\\), requeue, and start it again\n$", why);
        }
        (int code, string text, string error) = Run("requeue", "2", "9");
        Assert.Equal((1, "2 events of 1 rows wait in the spool again\n", "nfr: #9 is not there; it stays aside\n"), (code, text, error));
        Assert.Equal((0, "2 events of 1 rows wait in the spool again\n", ""), Run("requeue", "--all"));
        using (Spool spool = Open("engine", "elastic"))
        {
            Assert.Equal(0, spool.OpenReport.Corrected);
            Assert.Equal(["dns3", "dns4", "dns1", "dns2"], SpoolTestBed.Texts(spool.Consumer("engine").Peek(EventType.Dns, 10, 10_000)).Select(t => t[6..^2]));
            Assert.Null(spool.Consumer("elastic").Peek(EventType.Dns, 10, 10_000));
            Assert.Equal((16, 8, 4), (spool.Consumer("engine").Tally(EventType.Dns) is var t ? (t.Since, t.Delivered, t.Quarantined) : default));
            Assert.Equal(12, spool.Consumer("elastic").Tally(EventType.Dns).Since);
            SpoolTestBed.AssertCloses(spool);
            Assert.Null(spool.Consumer("engine").Settle(EventType.Dns, long.MaxValue, null));
            Assert.Equal(0, spool.Counters.Of(EventType.Dns).InSpool);
        }
        Assert.Equal((2, "", "nfr: which rows: name them by ID, or all with --all; see nfr help spool requeue\n"), Run("requeue"));
    }

    [Fact]
    public void Requeue_names_every_row_that_is_not_there()
    {
        using (Spool spool = Open())
        {
            Fill(spool);
            for (int i = 1; i <= 3; i++) Assert.Null(spool.Consumer("engine").Settle(EventType.Dns, i * 2, "no"));
        }
        Assert.Equal(0, Run("requeue", "2").Code);
        // Between the others, below the last there is.
        Assert.Equal((1, "2 events of 1 rows wait in the spool again\n", "nfr: #2 is not there; it stays aside\n"), Run("requeue", "2", "1"));
        Assert.Equal((0, "2 events of 1 rows wait in the spool again\n", ""), Run("requeue", "--all"));
    }

    [Fact]
    public void The_alerts_of_a_spool_of_an_older_version_are_said_to_wait_for_a_start()
    {
        using (Spool spool = Open()) Fill(spool);
        string folder = Path.Combine(_folder, "spool");
        using (AlertArchive archive = AlertArchive.Open(folder, out _)!) Assert.Single(archive.ReadAll(Assert.Fail));
        Assert.False(SqliteConnection.Open(Path.Combine(folder, "spool.db"), null, out SqliteConnection? db).IsError);
        db!.Execute("PRAGMA user_version=1");
        db.Dispose();
        Assert.Null(AlertArchive.Open(folder, out string? why));
        Assert.Equal("it was written by another version of nfr; nfr start takes it over", why);
    }

    [Fact]
    public void Without_a_spool_it_says_so()
    {
        (int code, _, string error) = Run("status");
        Assert.Equal((1, $"nfr: {_folder}/spool: there is no spool; name another config with -c FILE, or run it as the sensor's user or root\n"), (code, error));
    }
}
