using System.IO.Compression;
using System.Net;
using System.Text;
using Nfr.Engine;
using Nfr.Events;

namespace Nfr.Tests.HostedEngine;

/// <summary>The API, by HTTP.</summary>
public sealed class EngineApiTests
{
    static byte[] Packed(Func<Stream, Stream> pack, params string[] parts)
    {
        using var packed = new MemoryStream();
        foreach (string part in parts)
        {
            using Stream stream = pack(packed);
            stream.Write(Encoding.UTF8.GetBytes(part));
        }
        return packed.ToArray();
    }

    [Fact]
    public async Task A_wrong_key_is_401_and_a_revoked_one_403_within_a_second_or_so()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        Assert.Equal((HttpStatusCode.Unauthorized, """{"message":"an API key is wanted: Basic authentication, the key as user name"}"""), await bed.PostAsync("dns", null, "x"));
        foreach (string wrong in new[] { "", "x", key[..^1], key + "x", key.ToUpperInvariant(), new string('k', 5000) })
            Assert.Equal(HttpStatusCode.Unauthorized, (await bed.PostAsync("dns", wrong, EngineBed.Dns("a.b"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
        using (EngineDatabase db = EngineDatabase.Open(bed.Data)) db.Revoke(1, 5);
        await EngineBed.UntilAsync(async () => (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status == HttpStatusCode.Forbidden, "the revoked key is refused");
        // A key that is made while the engine runs is good as soon.
        string second = bed.AddKey();
        await EngineBed.UntilAsync(async () => (await bed.PostAsync("dns", second, EngineBed.Dns("a.b"))).Status == HttpStatusCode.OK, "the new key is known");
    }

    [Fact]
    public async Task No_key_is_on_the_disk()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        await bed.PostAsync("dns", key, EngineBed.Dns("a.b"));
        await bed.RestartAsync();
        foreach (string file in Directory.GetFiles(bed.Data))
        {
            // Held, and empty.
            if (Path.GetFileName(file) == "engine.lock") continue;
            using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(open, Encoding.Latin1);
            Assert.DoesNotContain(key, await reader.ReadToEndAsync(), StringComparison.Ordinal);
        }
        if (OperatingSystem.IsLinux()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(bed.Data));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("bare deflate")]
    [InlineData("members")]
    public async Task Bodies_of_every_encoding_are_read_and_rejected_lines_counted_by_reason(string form)
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        string[] parts = [EngineBed.Dns("a.b") + "\r\n\n" + EngineBed.Dns("c.d") + "\n", "garbage\n" + """{"ts":"x","srcIP":"10.0.0.1","query":"a"}""" + "\n" + new string('x', 70_000) + "\n" + EngineBed.Dns("e.f")];
        string all = string.Concat(parts);
        (byte[] bytes, string? encoding) = form switch
        {
            "gzip" => (Packed(s => new GZipStream(s, CompressionLevel.Fastest, leaveOpen: true), all), "gzip"),
            "members" => (Packed(s => new GZipStream(s, CompressionLevel.Fastest, leaveOpen: true), parts), "gzip"),
            "deflate" => (Packed(s => new ZLibStream(s, CompressionLevel.Fastest, leaveOpen: true), all), "deflate"),
            "bare deflate" => (Packed(s => new DeflateStream(s, CompressionLevel.Fastest, leaveOpen: true), all), "deflate"),
            _ => (Encoding.UTF8.GetBytes(all), null),
        };
        Assert.Equal(
            (HttpStatusCode.OK, """{"received":6,"accepted":3,"rejected":{"not_json":1,"bad_ts":1,"line_too_long":1}}"""),
            await bed.SendAsync(HttpMethod.Post, "/v1/events/dns", key, new ByteArrayContent(bytes), encoding));
    }

    [Fact]
    public async Task What_cannot_be_decompressed_is_400_what_is_unknown_415_what_is_too_long_413()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey(), other = bed.AddKey();
        await bed.StartAsync(o => o with { MaxBody = 1 << 20 });
        Assert.Equal(HttpStatusCode.BadRequest, (await bed.SendAsync(HttpMethod.Post, "/v1/events/ip", key, new StringContent("no gzip at all"), "gzip")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await bed.SendAsync(HttpMethod.Post, "/v1/events/ip", key, new StringContent("xx no deflate"), "deflate")).Status);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await bed.SendAsync(HttpMethod.Post, "/v1/events/ip", key, new StringContent("x"), "br")).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await bed.SendAsync(HttpMethod.Post, "/v1/events/ip", key, new ByteArrayContent(new byte[2 << 20]))).Status);
        // 200 KB that become 200 MB.
        byte[] bomb = Packed(s => new GZipStream(s, CompressionLevel.SmallestSize, leaveOpen: true), new string('\n', 200 << 20));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await bed.SendAsync(HttpMethod.Post, "/v1/events/ip", key, new ByteArrayContent(bomb), "gzip")).Status);
        // Its sender pays for what was read of it.
        Assert.Equal(HttpStatusCode.TooManyRequests, (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", other, EngineBed.Dns("a.b"))).Status);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_body_that_ends_in_the_middle_of_its_data_is_400(string encoding)
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        byte[] whole = Packed(s => encoding == "gzip" ? new GZipStream(s, CompressionLevel.Fastest, leaveOpen: true) : new ZLibStream(s, CompressionLevel.Fastest, leaveOpen: true),
            string.Join('\n', Enumerable.Range(0, 200).Select(i => EngineBed.Dns($"n{i}.example"))));
        Assert.Equal(HttpStatusCode.OK, (await bed.SendAsync(HttpMethod.Post, "/v1/events/dns", key, new ByteArrayContent(whole), encoding)).Status);
        foreach (int length in new[] { whole.Length / 4, whole.Length / 2, whole.Length - 20 })
            Assert.Equal(HttpStatusCode.BadRequest, (await bed.SendAsync(HttpMethod.Post, "/v1/events/dns", key, new ByteArrayContent(whole[..length]), encoding)).Status);
    }

    [Fact]
    public async Task A_key_that_sends_too_much_is_told_when_to_come_again_and_others_are_not()
    {
        await using var bed = new EngineBed();
        string busy = bed.AddKey("busy"), calm = bed.AddKey("calm");
        await bed.StartAsync(o => o with { EventsPerSecond = 10 });
        string lines = string.Join('\n', Enumerable.Range(0, 150).Select(i => EngineBed.Dns($"n{i}.example")));
        // One batch is never cut; its debt is waited for: 150 of 100, so 50 to wait for at 10 a second.
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", busy, lines)).Status);
        Assert.Equal((HttpStatusCode.TooManyRequests, """{"message":"too many requests to API"}"""), await bed.PostAsync("dns", busy, lines));
        Assert.InRange(bed.LastRetryAfter!.Value.TotalSeconds, 1, 6);
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", calm, lines)).Status);
        // Alerts and status are not events.
        Assert.Equal(HttpStatusCode.OK, (await bed.SendAsync(HttpMethod.Get, "/v1/account/status", busy)).Status);
    }

    [Fact]
    public async Task Requests_have_a_rate_too()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync(o => o with { RequestsPerSecond = 1 });
        HttpStatusCode last = HttpStatusCode.OK;
        for (int i = 0; i < 40 && last == HttpStatusCode.OK; i++) last = (await bed.SendAsync(HttpMethod.Get, "/v1/alerts", key)).Status;
        Assert.Equal(HttpStatusCode.TooManyRequests, last);
        Assert.True(bed.LastRetryAfter >= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Account_status_tells_the_truth()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        await bed.PostAsync("dns", key, string.Join('\n', Enumerable.Range(0, 100).Select(i => EngineBed.Dns("a.b", $"10.0.0.{i}"))));
        string expected = $$"""{"today":"{{DateTime.UtcNow:yyyy-MM-dd}}","registered":true,"expired":false,"expirationDate":null,"endpointsSeenToday":N,"messages":[]}""";
        (_, string body) = await bed.SendAsync(HttpMethod.Get, "/v1/account/status", key);
        string seen = System.Text.RegularExpressions.Regex.Match(body, "Today\":([0-9]+)").Groups[1].Value;
        Assert.InRange(int.Parse(seen), 97, 103);
        Assert.Equal(expected.Replace("N,", seen + ",", StringComparison.Ordinal), body);
        await bed.RestartAsync();
        Assert.Equal(body, (await bed.SendAsync(HttpMethod.Get, "/v1/account/status", key)).Body);
    }

    [Fact]
    public async Task Strangers_get_keys_where_registration_is_open_and_only_there()
    {
        await using var closed = new EngineBed();
        await closed.StartAsync();
        (HttpStatusCode status, string message) = await closed.SendAsync(HttpMethod.Post, "/v1/key/request", null, new StringContent("""{"platform":{"name":"nfr-linux-amd64"},"token":""}"""));
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains("nfr engine key add", message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await closed.SendAsync(HttpMethod.Post, "/v1/key/reset", null, new StringContent("""{"email":"a@b.c"}"""))).Status);

        await using var open = new EngineBed();
        await open.StartAsync(o => o with { OpenRegistration = true });
        (status, string body) = await open.SendAsync(HttpMethod.Post, "/v1/key/request", null, new StringContent("""{"platform":{"name":"nfr-linux-amd64"},"token":""}"""));
        Assert.Equal(HttpStatusCode.OK, status);
        string key = System.Text.RegularExpressions.Regex.Match(body, "^\\{\"key\":\"([a-z2-7]{32})\"\\}$").Groups[1].Value;
        Assert.Equal(HttpStatusCode.Forbidden, (await open.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
        Assert.Contains("\"registered\":false", (await open.SendAsync(HttpMethod.Get, "/v1/account/status", key)).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await open.SendAsync(HttpMethod.Post, "/v1/account/register", key, new StringContent("{}"))).Status);
        Assert.Equal((HttpStatusCode.OK, "{}"), await open.SendAsync(HttpMethod.Post, "/v1/account/register", key, new StringContent("""{"details":{"name":"Ada","email":"ada@office.example"}}""")));
        Assert.Equal(HttpStatusCode.OK, (await open.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
        for (int i = 0; i < 20; i++) (status, _) = await open.SendAsync(HttpMethod.Post, "/v1/key/request", null, new StringContent("{}"));
        Assert.Equal(HttpStatusCode.TooManyRequests, status);
    }

    [Fact]
    public async Task Metrics_at_another_address_may_have_the_same_port()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        int port = FreePort.Take();
        await bed.StartAsync(o => o with { Listen = new IPEndPoint(IPAddress.Loopback, port), Metrics = new IPEndPoint(IPAddress.Parse("127.0.0.2"), port) });
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await bed.SendAsync(HttpMethod.Get, "/metrics", key)).Status);
        bed.Elsewhere = $"http://127.0.0.2:{port}";
        Assert.Equal(HttpStatusCode.NotFound, (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await bed.SendAsync(HttpMethod.Get, "/metrics", null)).Status);
    }

    [Fact]
    public async Task The_port_of_metrics_has_nothing_else_and_the_other_has_no_metrics()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        int port = FreePort.Take();
        await bed.StartAsync(o => o with { Metrics = new IPEndPoint(IPAddress.Loopback, port), OpenRegistration = true });
        Assert.Equal(HttpStatusCode.Forbidden, (await bed.SendAsync(HttpMethod.Get, "/metrics", key)).Status);
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
        bed.Elsewhere = $"http://127.0.0.1:{port}";
        Assert.Contains("nfr_engine_events_received_total", (await bed.SendAsync(HttpMethod.Get, "/metrics", null)).Body, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await bed.SendAsync(HttpMethod.Get, "/healthz", null));
        Assert.Equal(HttpStatusCode.NotFound, (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await bed.SendAsync(HttpMethod.Get, "/v1/alerts", key)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await bed.SendAsync(HttpMethod.Post, "/v1/key/request", null, new StringContent("{}"))).Status);
    }

    [Theory]
    [InlineData("X-Forwarded-For", "203.0.113.9")]
    [InlineData("Forwarded", "for=203.0.113.9")]
    public async Task A_proxy_of_this_machine_does_not_hand_out_metrics(string header, string value)
    {
        await using var bed = new EngineBed();
        await bed.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await bed.SendAsync(HttpMethod.Get, "/metrics", null)).Status);
        bed.Http.DefaultRequestHeaders.Add(header, value);
        Assert.Equal(HttpStatusCode.Forbidden, (await bed.SendAsync(HttpMethod.Get, "/metrics", null)).Status);
    }

    [Fact]
    public async Task Alerts_that_the_disk_refuses_are_503_their_repeat_too_and_none_is_missing_or_doubled_later()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        bed.WriteList();
        await bed.StartAsync();
        bed.Sql("ALTER TABLE alerts RENAME TO taken");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await bed.PostAsync("dns", key, EngineBed.Dns("listed.example"))).Status);
        // Its events raise nothing now, but what they raised is not on the disk.
        for (int i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.ServiceUnavailable, (await bed.PostAsync("dns", key, EngineBed.Dns("listed.example"))).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await bed.SendAsync(HttpMethod.Get, "/healthz", null)).Status);
        bed.Sql("ALTER TABLE taken RENAME TO alerts");
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", key, EngineBed.Dns("listed.example"))).Status);
        Assert.Single((await bed.AlertsAsync(key)).Alerts);
    }

    [Fact]
    public async Task More_alerts_than_may_wait_are_refused_although_the_disk_is_well()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-writer-").FullName;
        var options = new HostedEngineOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Data = folder };
        using (EngineDatabase db = EngineDatabase.Open(folder))
        using (EngineDatabase other = EngineDatabase.Open(folder))
        using (var keys = new KeyRing(other, [], options, Serilog.Core.Logger.None))
        using (var writer = new AlertWriter(db, keys, options, Serilog.Core.Logger.None))
        {
            var row = new AlertRow("a", "{}", Encoding.UTF8.GetBytes("{}"));
            Assert.Null(await writer.Append([row]));
            string? trouble = await writer.Append([.. Enumerable.Repeat(row, 10_005)]);
            Assert.Contains("too many alerts", trouble, StringComparison.Ordinal);
            Assert.Equal(5, writer.Lost);
            Assert.Null(await writer.Check());
            Assert.Null(await writer.Append([row]));
            Assert.Equal(10_002, writer.Stored);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Health_and_metrics_say_what_is()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey("a-sensor's-name");
        bed.WriteList();
        await bed.StartAsync();
        await bed.PostAsync("dns", key, EngineBed.Dns("listed.example") + "\nx");
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await bed.SendAsync(HttpMethod.Get, "/healthz", null));
        (_, string metrics) = await bed.SendAsync(HttpMethod.Get, "/metrics", null);
        foreach (string line in new[]
        {
            "nfr_engine_events_received_total{type=\"dns\"} 2", "nfr_engine_events_accepted_total{type=\"dns\"} 1", "nfr_engine_events_rejected_total{reason=\"not_json\"} 1",
            "nfr_engine_alerts_raised_total 1", "nfr_engine_alerts_stored_total 1", "nfr_engine_keys 1", "nfr_engine_sensors_active 1", "nfr_engine_indicators 1",
        }) Assert.Contains("\n" + line + "\n", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("a-sensor", metrics, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await bed.SendAsync(HttpMethod.Get, "/v1/nothing", key)).Status);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await bed.SendAsync(HttpMethod.Get, "/v1/events/dns", key)).Status);
    }

    [Fact]
    public async Task Metrics_are_what_the_format_wants_line_by_line()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        bed.WriteList();
        File.WriteAllText(Path.Combine(bed.Feeds, "a \"quoted\\ list.txt"), "bad.example\nno indicator at all\n");
        await bed.StartAsync();
        await bed.PostAsync("dns", key, EngineBed.Dns("listed.example") + "\nx");
        await bed.PostAsync("dns", "no key", "x");
        (_, string metrics) = await bed.SendAsync(HttpMethod.Get, "/metrics", null);
        IReadOnlyList<ExpositionText.Sample> samples = ExpositionText.Parse(metrics);
        Assert.Equal(1, samples.Single(s => s.Name == "nfr_engine_list_indicators" && s.Labels["list"] == "a \"quoted\\ list.txt").Value);
        Assert.Equal(1, samples.Single(s => s.Name == "nfr_engine_requests_total" && s.Labels["code"] == "401").Value);
    }
}
