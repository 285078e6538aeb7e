using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using System.Text.RegularExpressions;
using Nfr.Events;
using Nfr.Tests.Capture;
using Nfr.Tests.HostedEngine;
using Nfr.Tests.Uplink;

namespace Nfr.Tests.Sensor;

/// <summary>"nfr engine" as a process: its command line, TLS, a kill, and "nfr read" as the sensor that uploads.</summary>
public sealed class EngineCommandTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-engine-command-").FullName;
    readonly List<NfrProcess> _processes = [];

    public void Dispose()
    {
        foreach (NfrProcess process in _processes) process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    string Data => Path.Combine(_folder, "data");

    string AddKey(params string[] more)
    {
        Ended end = NfrProcess.Run(["engine", "key", "add", "boston", "--data", Data, .. more]);
        Assert.Equal((0, ""), (end.Code, end.Error));
        Assert.Matches("^[a-z2-7]{32}\n$", end.Output);
        return end.Output.Trim();
    }

    (NfrProcess Process, string Address) Start(params string[] more)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "feeds"));
        File.WriteAllText(Path.Combine(_folder, "feeds", "list.txt"), "# threat: c2_communication\n# flags: c2\nlisted.example\n");
        NfrProcess process = NfrProcess.Start(["engine", "--listen", "127.0.0.1:0", "--data", Data, "--feeds", Path.Combine(_folder, "feeds"), .. more]);
        _processes.Add(process);
        process.Expect("engine: listening on");
        return (process, Regex.Match(process.Output + process.Error, "listening on (https?://[0-9.:]+)").Groups[1].Value);
    }

    static async Task<string> SendAsync(string address, string key, string path, string? lines)
    {
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(key + ":")));
        using HttpResponseMessage answer = lines is null ? await http.GetAsync(address + path) : await http.PostAsync(address + path, new StringContent(lines));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task What_was_answered_200_is_there_after_a_kill()
    {
        string key = AddKey();
        (NfrProcess engine, string address) = Start();
        await SendAsync(address, key, "/v1/events/dns", EngineBed.Dns("listed.example"));
        engine.Signal(NfrProcess.Kill);
        engine.End();
        (engine, address) = Start();
        string page = await SendAsync(address, key, "/v1/alerts", null);
        Assert.Contains("listed.example", page, StringComparison.Ordinal);
        engine.Signal(NfrProcess.Terminate);
        Ended end = engine.End();
        Assert.Equal(0, end.Code);
        Assert.Contains("engine: stopped", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_capture_that_nfr_reads_is_uploaded_over_the_api_and_the_key_list_shows_it()
    {
        string key = AddKey("--site", "office", "--home", "198.51.100.0/24", "--home", "2001:db8::/32");
        (NfrProcess engine, string address) = Start();
        string config = Path.Combine(_folder, "config.yml");
        File.WriteAllText(config, $"engine:\n  host: {address}\n  api_key: {key}\noutputs:\n  file: {_folder}/alerts.json\nscoring:\n  enabled: false\ndata:\n  dir: {_folder}/sensor\n");
        string capture = Path.Combine(_folder, "questions.pcap");
        CaptureBytes bytes = new CaptureBytes(bigEndian: false).PcapHeader();
        for (int i = 0; i < 200; i++)
        {
            string name = i == 3 ? "listed.example" : DnsLoad.Name(i);
            bytes.PcapRecord(1_700_000_000 + i, i, Frames.Query("10.0.0.5", 2000 + i, name)).PcapRecord(1_700_000_000 + i, i, Frames.Reply("10.0.0.5", 2000 + i, name));
        }
        File.WriteAllBytes(capture, bytes.ToArray());
        Ended end = NfrProcess.Run(["read", "-c", config, capture]);
        Assert.Equal((0, ""), (end.Code, end.Error));
        Assert.True(EngineAlertsReader.TryRead(Encoding.UTF8.GetBytes(await SendAsync(address, key, "/v1/alerts", null)), out EngineAlertPage? page, out _));
        Assert.Contains(page!.Alerts, a => a.Event.Query == "listed.example" && a.Evidence is not null);
        end = NfrProcess.Run(["account", "status", "-c", config]);
        Assert.StartsWith("Account registered: true\nAccount expired: false\n", end.Output, StringComparison.Ordinal);
        engine.Signal(NfrProcess.Terminate);
        engine.End();
        end = NfrProcess.Run(["engine", "key", "list", "--data", Data]);
        Assert.Matches(@"\n +1  [a-z2-7]{3}\.{5}[a-z2-7]{3}  boston +office +good +20[0-9-]+ [0-9:]+ +200 +200 +0 +0 +0\n", end.Output);
        Assert.DoesNotContain(key, end.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("api", false)]
    [InlineData("all", true)]
    [InlineData("auto", true)]
    public async Task With_all_fields_the_engine_finds_what_the_apis_do_not_show(string fields, bool found)
    {
        string key = AddKey();
        (_, string address) = Start();
        string config = Path.Combine(_folder, "config.yml");
        File.WriteAllText(config, $"engine:\n  host: {address}\n  api_key: {key}\n  fields: {fields}\noutputs:\n  file: {_folder}/alerts.json\nscoring:\n  enabled: false\ndata:\n  dir: {_folder}/sensor\n");
        string capture = Path.Combine(_folder, "scan.pcap");
        CaptureBytes bytes = new CaptureBytes(bigEndian: false).PcapHeader();
        for (int i = 0; i < 120; i++)
        {
            bytes.PcapRecord(1_700_000_000 + (i / 10), i, Frames.Tcp("10.0.0.7", 40_000 + i, $"203.0.113.{1 + (i % 40)}", 20 + (i / 8), Frames.Syn));
        }
        File.WriteAllBytes(capture, bytes.ToArray());
        Ended end = NfrProcess.Run(["read", "-c", config, capture]);
        Assert.Equal((0, ""), (end.Code, end.Error));
        Assert.Equal(found, (await SendAsync(address, key, "/v1/alerts", null)).Contains("\"port_scan\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tls_is_by_certificate_file()
    {
        string key = AddKey();
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string cert = Path.Combine(_folder, "tls.pem"), secret = Path.Combine(_folder, "tls.key");
        File.WriteAllText(cert, certificate.ExportCertificatePem());
        File.WriteAllText(secret, certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        (_, string address) = Start("--certificate", cert, "--key", secret);
        Assert.StartsWith("https://", address, StringComparison.Ordinal);
        Assert.Equal("""{"received":1,"accepted":1,"rejected":{}}""", await SendAsync(address, key, "/v1/events/dns", EngineBed.Dns("a.b")));
    }

    [Fact]
    public void What_cannot_be_is_one_line_that_says_what_to_do()
    {
        string[] engine = ["engine", "--data", Data];
        NfrProcess.Run([.. engine, "--listen", "0.0.0.0:8443"]).Fails(2, "give --certificate and --key, or --plain");
        NfrProcess.Run([.. engine, "--metrics", "127.0.0.1:0"]).Fails(2, "--metrics takes a port that can be asked");
        NfrProcess.Run([.. engine, "--listen", "here"]).Fails(2, "--listen takes an address and a port");
        NfrProcess.Run([.. engine, "--key", "x"]).Fails(2, "--key belongs to a --certificate");
        NfrProcess.Run([.. engine, "--certificate", Path.Combine(_folder, "none.pem")]).Fails(2, "cannot be read (no such file)");
        NfrProcess.Run([.. engine, "--feeds", "http://lists.example/a.txt"]).Fails(2, "--feeds: lists are fetched over https, not http");
        NfrProcess.Run([.. engine, "--feeds", "https://a.example/l.txt", "--feeds", "https://a.example/x/l.txt"]).Fails(2, "two lists would be called \"a.example_l.txt\"");
        NfrProcess.Run([.. engine, "-c", Path.Combine(_folder, "none.yml")]).Fails(2, "none.yml");
        NfrProcess.Run([.. engine, "--scorers", "0"]).Fails(2, "--scorers takes a number from 1 to 64");
        NfrProcess.Run([.. engine, "--listen", "192.0.2.1:8443", "--plain"]).Fails(1, "this machine does not have that address");
        NfrProcess.Run(["engine", "key", "revoke", "7", "--data", Data]).Fails(1, "there is no key 7");
        NfrProcess.Run(["engine", "key", "add", "a", "--home", "10", "--data", Data]).Fails(2, "--home takes a network");
        NfrProcess.Run(["engine", "key", "add", "--data", Data]).Fails(2, "\"engine key add\" needs NAME");
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        NfrProcess.Run(["engine", "--data", Path.Combine(_folder, "file")]).Fails(1, "name another folder with --data");
        Directory.CreateDirectory(Path.Combine(_folder, "rot"));
        File.WriteAllBytes(Path.Combine(_folder, "rot", "engine.db"), Encoding.ASCII.GetBytes(new string('x', 5000)));
        NfrProcess.Run(["engine", "--data", Path.Combine(_folder, "rot")]).Fails(1, "move it away");
    }

    [Fact]
    public async Task Lists_of_the_named_config_are_used_with_what_it_says_of_them()
    {
        string key = AddKey(), config = Path.Combine(_folder, "lists.yml"), lists = Path.Combine(_folder, "lists");
        Directory.CreateDirectory(lists);
        File.WriteAllText(Path.Combine(lists, "own.txt"), "own.example\n");
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) => context.Response.WriteAsync("fetched.example\n");
        File.WriteAllText(config, $"scoring:\n  feeds:\n    - {lists}\n    - url: {server.Host}/bad.txt\n      name: ours\n      threat: cryptomining\n");
        (_, string address) = Start("-c", config);
        await EngineBed.UntilAsync(async () =>
        {
            await SendAsync(address, key, "/v1/events/dns", EngineBed.Dns("own.example") + "\n" + EngineBed.Dns("fetched.example"));
            string alerts = await SendAsync(address, key, "/v1/alerts", null);
            return alerts.Contains("own.example", StringComparison.Ordinal) && alerts.Contains("fetched.example", StringComparison.Ordinal);
        }, "both lists alert");
    }

    [Fact]
    public void Two_engines_do_not_share_an_address()
    {
        (_, string address) = Start();
        NfrProcess.Run(["engine", "--data", Path.Combine(_folder, "other"), "--listen", new Uri(address).Authority]).Fails(1, "something else listens there");
    }
}
