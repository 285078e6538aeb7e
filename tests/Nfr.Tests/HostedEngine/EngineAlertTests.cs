using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Nfr.Config;
using Nfr.Engine;
using Nfr.Events;
using Nfr.Native;
using Nfr.Storage;
using Nfr.Tests.Uplink;
using Nfr.Uplink;

namespace Nfr.Tests.HostedEngine;

/// <summary>From an upload to the alert that comes back: the original's requests, our own client, bookmarks, sites.</summary>
public sealed class EngineAlertTests
{
    /// <summary>Byte for byte what Go's net/http sends for the original: plain body, its order of headers.</summary>
    static async Task<string> OriginalAsync(string address, string method, string path, string key, string? body)
    {
        var uri = new Uri(address);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(uri.Host, uri.Port);
        var request = new StringBuilder($"{method} /v1/{path} HTTP/1.1\r\nHost: {uri.Authority}\r\nUser-Agent: AlphaSOC NFR/1.10.0\r\n");
        if (body is not null) request.Append($"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n");
        request.Append($"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(key + ":"))}\r\n");
        if (body is not null) request.Append("Content-Type: application/json\r\n");
        request.Append("Accept-Encoding: gzip\r\nConnection: close\r\n\r\n").Append(body);
        await tcp.GetStream().WriteAsync(Encoding.UTF8.GetBytes(request.ToString()));
        using var reader = new StreamReader(tcp.GetStream());
        return await reader.ReadToEndAsync();
    }

    [Fact]
    public async Task The_originals_own_requests_are_understood()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        bed.WriteList("# threat: c2_communication\n# flags: c2\nlisted.example\n203.0.113.66\n");
        await bed.StartAsync();
        string now = EngineBed.Now;
        (string Path, string Line)[] uploads =
        [
            ("events/dns", $$"""{"ts":"{{now}}","srcIP":"10.1.2.3","query":"listed.example","qtype":"A"}"""),
            ("events/ip", $$"""{"ts":"{{now}}","srcIP":"10.1.2.3","srcPort":50123,"destIP":"203.0.113.66","destPort":443,"proto":"tcp","bytesIn":0,"bytesOut":1400,"ja3":""}"""),
            ("events/http", $$"""{"ts":"{{now}}","srcIP":"10.1.2.4","srcPort":50123,"url":"http://listed.example/x","method":"GET","status":200,"action":"","bytesIn":10,"bytesOut":0,"contentType":"text/html","referrer":"","userAgent":"curl"}"""),
            ("events/tls", $$"""{"ts":"{{now}}","srcIP":"10.1.2.5","srcPort":50123,"destIP":"203.0.113.66","destPort":443,"issuer":"CN=x","validFrom":"0001-01-01T00:00:00Z","validTo":"0001-01-01T00:00:00Z"}"""),
        ];
        foreach ((string path, string line) in uploads)
        {
            string answer = await OriginalAsync(bed.Address, "POST", path, key, line + "\n" + line.Replace("listed", "other", StringComparison.Ordinal) + "\n");
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
            Assert.EndsWith("""{"received":2,"accepted":2,"rejected":{}}""", answer, StringComparison.Ordinal);
        }
        string alerts = await OriginalAsync(bed.Address, "GET", "alerts", key, null);
        Assert.Matches("\r\n\r\n\\{\"follow\":\"[0-9]+-[0-9a-f]{8}\",\"more\":false,\"alerts\":\\[\\{\"eventType\":\"dns\",\"event\":\\{\"ts\":", alerts);
        Assert.Contains("\"threats\":[\"c2_communication\"],\"wisdom\":{\"flags\":[\"c2\"", alerts, StringComparison.Ordinal);
        Assert.Contains("\"threats\":{\"c2_communication\":{\"title\":\"C2 communication attempt indicating infection\",\"severity\":5,\"policy\":false}}}", alerts, StringComparison.Ordinal);
        string status = await OriginalAsync(bed.Address, "GET", "account/status", key, null);
        Assert.Contains("\"registered\":true,\"expired\":false", status, StringComparison.Ordinal);
        // The original shows the message of what is refused.
        Assert.EndsWith("""{"message":"this engine does not know the API key"}""", await OriginalAsync(bed.Address, "GET", "account/status", "nokey", null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Our_own_sensor_uploads_and_gets_the_alert_back_with_its_evidence_once()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        bed.WriteList();
        await bed.StartAsync();
        using var bench = new UplinkBench();
        foreach (string query in new[] { "good.example", "listed.example", "listed.example" }) bench.Spool.Append(EventType.Dns, 0, Encoding.UTF8.GetBytes(EngineBed.Dns(query)));
        Assert.Null(bench.Spool.Flush());
        using var client = new EngineClient(bench.Engine(bed.Address) with { ApiKey = key }, TimeProvider.System);
        Uploader uploader = bench.Uploader(client);
        await UplinkBench.RunUntilAsync(uploader.RunAsync, () => bench.Spool.Counters.Of(EventType.Dns).Delivered == 3, "three events delivered");
        var poller = new AlertPoller(
            client, bench.Spool, new AlertPollerOptions { PollInterval = TimeSpan.FromMilliseconds(50) }, _ => [new AlertGroup("office", "")], UplinkBench.Pacer(), TimeProvider.System, bench.Notice);
        await UplinkBench.RunUntilAsync(poller.RunAsync, () => poller.State.Pages >= 3, "three polls");
        Alert alert = Assert.Single(bench.Spool.ReadAlerts(0, 10)).Alert;
        Assert.Equal(("listed.example", "c2_communication", 5), (alert.Event.Query, alert.Threats[0].Id, alert.Severity));
        Assert.Equal("office", alert.Groups[0].Label);
        Assert.Equal("listed_destination", alert.Evidence!.Detector);
        Assert.Equal(EvidenceScore.Of(alert.Evidence.Features), alert.Evidence.Score);
        Assert.NotEmpty(alert.Evidence.Samples);
        Assert.Empty(bench.Notices);
    }

    [Fact]
    public async Task A_site_sees_its_own_alerts_and_knows_only_its_own_hosts()
    {
        await using var bed = new EngineBed();
        string a1 = bed.AddKey("a1", "a"), a2 = bed.AddKey("a2", "a"), b = bed.AddKey("b"), c = bed.AddKey("c");
        bed.WriteList();
        await bed.StartAsync();
        foreach (string key in new[] { a1, a2, b }) await bed.PostAsync("dns", key, EngineBed.Dns("listed.example"));
        // The same client at the same site: one finding.
        Assert.Single((await bed.AlertsAsync(a1)).Alerts);
        Assert.Single((await bed.AlertsAsync(a2)).Alerts);
        Assert.Single((await bed.AlertsAsync(b)).Alerts);
        Assert.Empty((await bed.AlertsAsync(c)).Alerts);
    }

    [Fact]
    public async Task A_home_network_of_the_key_is_home()
    {
        await using var bed = new EngineBed();
        string at = bed.AddKey("with", "", "198.51.100.0/24"), without = bed.AddKey("without");
        await bed.StartAsync();
        // A scan from inside to outside where the address is home; from strangers to whom it is not.
        string lines = string.Join('\n', Enumerable.Range(0, 60).Select(i =>
            $$"""{"ts":"{{EngineBed.Now}}","srcIP":"198.51.100.7","srcPort":{{40000 + i}},"destIP":"203.0.113.{{1 + i}}","destPort":{{20 + (i % 20)}},"proto":"tcp","bytesIn":0,"bytesOut":60,"ja3":"","packetsOut":1,"tcpFlags":"S","state":"S0"}"""));
        await bed.PostAsync("ip", at, lines);
        await bed.PostAsync("ip", without, lines);
        Assert.Contains((await bed.AllAlertsAsync(at)), a => a.Evidence!.Key.StartsWith("198.51.100.7 outbound", StringComparison.Ordinal));
        Assert.DoesNotContain((await bed.AllAlertsAsync(without)), a => a.Evidence!.Key.StartsWith("198.51.100.7 outbound", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ip", """,  "destIP":"203.0.113.66","destPort":443,"proto":"tcp" """)]
    [InlineData("dns", ""","query":"listed.example","qtype":"A" """)]
    [InlineData("http", ""","url":"http://listed.example/" """)]
    [InlineData("tls", ""","destIP":"203.0.113.66","destPort":443,"ja3":"" """)]
    public async Task An_alert_says_what_the_sender_calls_its_source(string type, string more)
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        bed.WriteList("# threat: c2_communication\nlisted.example\n203.0.113.66\n");
        await bed.StartAsync();
        string Line(int host, string who) => $$"""{"ts":"{{EngineBed.Now}}","srcIP":"10.0.0.{{host}}"{{who}}{{more}}}""";
        await bed.PostAsync(type, key, string.Join('\n',
            Line(1, ""","srcHost":"desk-7","srcMac":"02:42:0a:00:00:01","srcUser":"caf\u00e9\\ada" """),
            Line(2, ""),
            Line(3, $""","srcHost":"{new string('h', 300)}","srcMac":17,"srcUser":"a\nb" """)));
        List<Alert> alerts = await bed.AllAlertsAsync(key);
        Assert.Equal(
            [("10.0.0.1", "desk-7", "02:42:0a:00:00:01", "café\\ada"), ("10.0.0.2", null, null, null), ("10.0.0.3", null, null, null)],
            alerts.Where(a => a.Evidence!.Detector == "listed_destination").Select(a => (a.Event.SrcIP, a.Event.SrcHost, a.Event.SrcMac, a.Event.SrcUser)));
    }

    [Fact]
    public async Task A_list_that_is_fetched_alerts_and_its_age_is_shown()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) => context.Response.WriteAsync("fetched.example\n");
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync(o => o with { Feeds = [new FeedConfig { Url = new Uri(server.Host + "/bad.txt"), Name = "bad.txt" }] });
        await EngineBed.UntilAsync(async () =>
        {
            await bed.PostAsync("dns", key, EngineBed.Dns("fetched.example"));
            return (await bed.AllAlertsAsync(key)).Any(a => a.Event.Query == "fetched.example");
        }, "the list alerts");
        (_, string metrics) = await bed.SendAsync(HttpMethod.Get, "/metrics", null);
        Assert.Contains(ExpositionText.Parse(metrics), s => s.Name == "nfr_engine_feed_age_seconds" && s.Labels["list"] == "bad.txt");
        Assert.Contains(ExpositionText.Parse(metrics), s => s.Name == "nfr_engine_list_indicators" && s.Labels["list"] == "bad.txt" && s.Value == 1);
    }

    [Fact]
    public async Task What_each_site_has_seen_before_and_for_how_long_lasts_over_a_restart()
    {
        var time = new ManualTime();
        HostedEngineOptions With(HostedEngineOptions o) => o with { Time = time };
        await using var bed = new EngineBed();
        string boston = bed.AddKey("boston"), lima = bed.AddKey("lima");
        await bed.StartAsync(With);
        string Ask(string name, TimeSpan ago) => $$"""{"ts":"{{time.Utc - ago:yyyy-MM-dd'T'HH:mm:ss'Z'}}","srcIP":"10.0.0.9","query":"{{name}}","qtype":"A","rcode":"NOERROR"}""";
        for (int day = 0; day < 10; day++)
        {
            time.Advance(TimeSpan.FromDays(1));
            await bed.PostAsync("dns", boston, string.Join('\n', Enumerable.Range(0, 24).Select(h => Ask(h % 2 == 0 ? "office.example" : "pleasant.top", TimeSpan.FromHours(23 - h)))));
        }
        await bed.RestartAsync(With);
        string[] files = [.. Directory.GetFiles(bed.Data, "first-seen-*").Select(f => Path.GetFileName(f)).Order()];
        Assert.Equal(["first-seen-1-of-2.bin", "first-seen-2-of-2.bin"], files);
        // Boston has learned and knows the one name; the other is new to it. Lima learns still.
        time.Advance(TimeSpan.FromMinutes(10));
        foreach (string key in new[] { boston, lima }) await bed.PostAsync("dns", key, Ask("pleasant.top", TimeSpan.FromMinutes(1)) + "\n" + Ask("newcomer.top", TimeSpan.Zero));
        // What comes at every hour is told as a beacon, which is another matter.
        Assert.Equal("newcomer.top", Assert.Single(await bed.AllAlertsAsync(boston), a => a.Evidence!.Detector.StartsWith("first_seen", StringComparison.Ordinal)).Event.Query);
        Assert.DoesNotContain(await bed.AllAlertsAsync(lima), a => a.Evidence!.Detector.StartsWith("first_seen", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Bookmarks_go_page_by_page_survive_a_restart_and_know_their_database()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        bed.WriteList();
        await bed.StartAsync();
        AlertThreat[] threats = [new AlertThreat("odd", "Odd", 3)];
        using (EngineDatabase db = EngineDatabase.Open(bed.Data))
        {
            AlertRow Row(int i) => new("#1", EngineAlertsWriter.Dictionary(threats), EngineAlertsWriter.Item(new Alert
            {
                Threats = threats, Event = new AlertEvent { Type = EventType.Dns, Ts = EngineBed.Now, SrcIP = $"10.0.{i / 200}.{1 + (i % 200)}", Query = "a.b", QType = "A" },
            }));
            Assert.Null(db.Write([.. Enumerable.Range(0, 450).Select(Row)], [], 1000));
        }
        EngineAlertPage first = await bed.AlertsAsync(key);
        Assert.True(first.More);
        Assert.Equal(200, first.Alerts.Count);
        await bed.RestartAsync();
        EngineAlertPage second = await bed.AlertsAsync(key, first.Follow), third = await bed.AlertsAsync(key, second.Follow);
        Assert.Equal((200, true, 50, false), (second.Alerts.Count, second.More, third.Alerts.Count, third.More));
        Assert.Equal(450, new[] { first, second, third }.SelectMany(p => p.Alerts).Select(a => a.Event.SrcIP).Distinct().Count());
        EngineAlertPage end = await bed.AlertsAsync(key, third.Follow);
        Assert.Equal((0, false, third.Follow), (end.Alerts.Count, end.More, end.Follow));
        // Another database's bookmark, or none at all: from the beginning.
        foreach (string foreign in new[] { "449-00000000", "x", "-", "99999999999999999999-" + first.Follow.Split('-')[1] })
            Assert.Equal(200, (await bed.AlertsAsync(key, foreign)).Alerts.Count);
    }

    [Fact]
    public async Task A_second_engine_is_refused_and_neither_it_nor_one_without_an_address_begins_an_epoch()
    {
        await using var bed = new EngineBed();
        await bed.StartAsync();
        var options = new HostedEngineOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Data = bed.Data, FeedsFolders = [], Scorers = 1 };
        EngineStoreException refused = await Assert.ThrowsAsync<EngineStoreException>(() => EngineHost.StartAsync(options, Serilog.Core.Logger.None));
        Assert.StartsWith($"another nfr engine runs with {bed.Data} (", refused.Message, StringComparison.Ordinal);
        await bed.RestartAsync();
        string other = bed.In("other");
        options = options with { Data = other, Listen = new IPEndPoint(IPAddress.Loopback, new Uri(bed.Address).Port) };
        await Assert.ThrowsAsync<IOException>(() => EngineHost.StartAsync(options, Serilog.Core.Logger.None));
        using (EngineDatabase db = EngineDatabase.Open(other)) Assert.Single(db.BeginEpoch());
        // Each start that listened, and this one.
        using (EngineDatabase db = EngineDatabase.Open(bed.Data)) Assert.Equal(3, db.BeginEpoch().Count);
    }

    [Fact]
    public void One_threat_of_two_severities_is_two_pages()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-pages-").FullName;
        using (EngineDatabase db = EngineDatabase.Open(folder))
        {
            AlertRow Row(int severity)
            {
                AlertThreat[] threats = [new AlertThreat("odd", "Odd", severity)];
                return new AlertRow("s", EngineAlertsWriter.Dictionary(threats), EngineAlertsWriter.Item(UplinkBench.Alert(severity) with { Threats = threats }));
            }
            Assert.Null(db.Write([Row(2), Row(2), Row(4), Row(2)], [], 100));
            var pages = new AlertPages(db);
            List<int> severities = [];
            List<int> counts = [];
            for (string follow = ""; ;)
            {
                Assert.True(EngineAlertsReader.TryRead(pages.After("s", follow).Span, out EngineAlertPage? page, out _));
                severities.AddRange(page!.Alerts.Select(a => a.Severity));
                counts.Add(page.Alerts.Count);
                follow = page.Follow;
                if (!page.More) break;
            }
            Assert.Equal([2, 2, 4, 2], severities);
            Assert.Equal([2, 1, 1], counts);
        }
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Numbers of the alerts behind a bookmark, and the last page's bookmark.</summary>
    static (string[] Alerts, string Follow) Read(AlertPages pages, string follow)
    {
        List<string> sources = [];
        while (true)
        {
            Assert.True(EngineAlertsReader.TryRead(pages.After("s", follow).Span, out EngineAlertPage? page, out _));
            sources.AddRange(page!.Alerts.Select(a => a.Event.SrcIP!));
            follow = page.Follow;
            if (!page.More) return ([.. sources], follow);
        }
    }

    [Fact]
    public void Who_had_read_beyond_a_backup_that_is_put_back_reads_on_where_the_two_parted()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-back-").FullName, file = Path.Combine(folder, "engine.db"), backup = Path.Combine(folder, "backup");
        AlertThreat[] threats = [new AlertThreat("odd", "Odd", 3)];
        void Write(EngineDatabase db, string net, int count) => Assert.Null(db.Write([.. Enumerable.Range(1, count).Select(i => new AlertRow("s", EngineAlertsWriter.Dictionary(threats), EngineAlertsWriter.Item(new Alert
        {
            Threats = threats, Event = new AlertEvent { Type = EventType.Dns, Ts = EngineBed.Now, SrcIP = $"{net}.{i}", Query = "a.b", QType = "A" },
        })))], [], 1000));
        string third, eighth, later;
        using (EngineDatabase db = EngineDatabase.Open(folder))
        {
            var pages = new AlertPages(db);
            Write(db, "10.0.0", 3);
            (_, third) = Read(pages, "");
        }
        File.Copy(file, backup);
        using (EngineDatabase db = EngineDatabase.Open(folder)) Write(db, "10.0.1", 5);
        eighth = "8" + third[1..];
        using (EngineDatabase db = EngineDatabase.Open(folder))
        {
            var pages = new AlertPages(db);
            Assert.Equal(5, Read(pages, third).Alerts.Length);
            (_, later) = Read(pages, eighth);
        }
        File.Copy(backup, file, overwrite: true);
        using (EngineDatabase db = EngineDatabase.Open(folder))
        {
            var pages = new AlertPages(db);
            Write(db, "10.0.2", 7);
            string[] fresh = [.. Enumerable.Range(1, 7).Select(i => $"10.0.2.{i}")];
            Assert.Equal(fresh, Read(pages, third).Alerts);
            Assert.Equal(fresh, Read(pages, eighth).Alerts);
            // Of a start of the engine that this database has never seen: nobody knows what its reader has.
            (string[] all, string now) = Read(pages, later);
            Assert.Equal(10, all.Length);
            Assert.Empty(Read(pages, now).Alerts);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Nobody_else_on_the_machine_reads_the_alerts()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-mode-").FullName;
        if (OperatingSystem.IsLinux())
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
            using EngineDatabase db = EngineDatabase.Open(folder);
            Assert.Null(db.Write([new AlertRow("s", "", [1])], [], 100));
            foreach (string file in Directory.GetFiles(folder)) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_bookmark_of_an_older_version_is_read_on_from()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-epoch-").FullName;
        using (EngineDatabase db = EngineDatabase.Open(folder)) Assert.Null(db.Write([.. Enumerable.Range(0, 5).Select(_ => new AlertRow("s", "\"a\":1", [1]))], [], 100));
        // That version kept one epoch in meta.
        Assert.False(SqliteConnection.Open(Path.Combine(folder, "engine.db"), null, out SqliteConnection? raw).IsError);
        raw!.Execute("DROP TABLE epochs");
        raw.Execute("INSERT INTO meta VALUES('epoch','0a0b0c0d')");
        raw.Dispose();
        using (EngineDatabase db = EngineDatabase.Open(folder))
        {
            List<(string Name, long Start)> epochs = db.BeginEpoch();
            Assert.Equal([("0a0b0c0d", 0L), (epochs[^1].Name, 5L)], epochs);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void The_oldest_alerts_go_and_numbers_never_come_again()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-kept-").FullName;
        using (EngineDatabase db = EngineDatabase.Open(folder))
        {
            for (int i = 0; i < 5; i++) Assert.Null(db.Write([.. Enumerable.Range(0, 30).Select(_ => new AlertRow("s", "", [1]))], [], 100));
            Assert.Equal(100, db.CountAlerts());
            Assert.Equal(51, db.ReadAlerts("s", 0, 1, 1)[0].Sequence);
        }
        Directory.Delete(folder, recursive: true);
    }
}
