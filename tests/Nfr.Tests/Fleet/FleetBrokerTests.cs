using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Nfr.Commands;
using Nfr.Fleet;
using Nfr.Fleet.Simulated;
using Nfr.Native;
using Nfr.Tests.Sensor;

namespace Nfr.Tests.Fleet;

/// <summary>"nfr fleet" against a real mosquitto.</summary>
[SupportedOSPlatform("linux")]
public sealed class FleetBrokerTests : IDisposable
{
    static readonly TimeSpan s_patience = NfrProcess.Patience;

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-fleet-").FullName;
    readonly CancellationTokenSource _stop = new();

    public void Dispose()
    {
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    static Terminal Silent() => new(new StringReader(""), new StringWriter(), new StringWriter());

    /// <summary>Simulated sensors for as long as the test wants; the task is their end.</summary>
    Task<int> Simulate(BrokerProcess broker, int sensors, int leave = 0, double lasts = 60, double heartbeat = 1) => Task.Run(() =>
        new SimulatedFleet(new SimulatedFleetOptions(broker.Address, null, "site", sensors, TimeSpan.FromSeconds(heartbeat), TimeSpan.FromSeconds(lasts), leave, Keep: false), Silent(), TimeProvider.System).Run(_stop.Token));

    static async Task Until(Func<bool> done, string what)
    {
        for (long begun = Environment.TickCount64; !done();)
        {
            Assert.True(Environment.TickCount64 - begun < s_patience.TotalMilliseconds, "waited in vain for: " + what);
            await Task.Delay(20);
        }
    }

    static BrokerLink Listen(BrokerAddress broker, FleetTable table, MqttTls? tls = null) =>
        new(broker, tls, ["nfr/#"], (topic, payload, retained) => table.Take(topic, payload, retained), TimeProvider.System) { Listening = table.Listen };

    [InstalledFact(BrokerProcess.Program)]
    public async Task Sensors_come_are_cut_off_as_their_wills_say_and_leave()
    {
        using var broker = new BrokerProcess();
        var table = new FleetTable(TimeProvider.System);
        using BrokerLink link = Listen(broker.Address, table);
        link.Start();
        Task<int> fleet = Simulate(broker, 60, leave: 7, lasts: 60);
        await Until(() => table.View() is { Online: 60 } view && view.Rows.All(r => r.Health is not null), "60 sensors with a heartbeat");
        await Until(() => table.View().Offline == 7, "7 wills");
        Assert.All(table.View().Rows.Where(r => r.State == SensorState.Offline), r => Assert.NotNull(r.StatusAge));
        await _stop.CancelAsync();
        Assert.Equal(0, await fleet);
        await Until(() => table.View().Rows.Count == 0, "everybody's leaving");
        Assert.Equal(new FleetRefusals(), table.View().Refused);
    }

    [InstalledFact(BrokerProcess.Program)]
    public async Task Once_prints_what_is_there_and_its_exit_code_says_whether_all_is_well()
    {
        using var broker = new BrokerProcess();
        // None of them is silent while a busy machine looks elsewhere.
        Task<int> fleet = Simulate(broker, 30, heartbeat: 30);
        var probe = new FleetTable(TimeProvider.System);
        using (BrokerLink link = Listen(broker.Address, probe))
        {
            link.Start();
            await Until(() => probe.View().Online == 30, "30 sensors");
        }
        (int Code, string Out) Once(bool json, string filter)
        {
            Terminal terminal = Silent();
            using var watch = new FleetWatch(new FleetWatchOptions(broker.Address, null, "si*", filter, FleetSort.Worst, s_patience), terminal, TimeProvider.System);
            return (watch.Once(json, 120, CancellationToken.None), terminal.Out.ToString()!);
        }
        // Number 25 is at fault, 16 has something to look at.
        (int code, string text) = Once(json: true, "");
        using JsonDocument all = JsonDocument.Parse(text);
        Assert.Equal((3, 30, 1), (code, all.RootElement.GetProperty("count").GetInt32(), all.RootElement.GetProperty("states").GetProperty("fault").GetInt32()));
        Assert.Equal("site/sim-0025", all.RootElement.GetProperty("sensors")[0].GetProperty("sensor").GetString());
        (code, text) = Once(json: false, "sim-001");
        Assert.Equal(0, code);
        Assert.Contains("10 sensors: 10 online, 0 offline; 1 degraded", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\x1b', text);
        (code, _) = Once(json: false, "no such words");
        Assert.Equal(1, code);
        await _stop.CancelAsync();
        Assert.Equal(0, await fleet);
    }

    [InstalledFact(BrokerProcess.Program)]
    public async Task Commands_go_to_each_that_is_meant_and_what_they_answer_is_told()
    {
        using var broker = new BrokerProcess();
        Task<int> fleet = Simulate(broker, 25);
        var probe = new FleetTable(TimeProvider.System);
        using BrokerLink link = Listen(broker.Address, probe);
        link.Start();
        await Until(() => probe.View().Online == 25, "25 sensors");
        using CommandKey key = CommandKey.Create(Path.Combine(_folder, "k.pem"), out _)!;
        (int Code, string Out, string Error) Send(double timeout, string sensors, string command)
        {
            Terminal terminal = Silent();
            using var send = new FleetSend(new FleetSendOptions(broker.Address, null, sensors.Split(','), command, new Dictionary<string, string>(), TimeSpan.FromSeconds(timeout), Json: false), key, terminal, TimeProvider.System);
            return (send.Run(CancellationToken.None), terminal.Out.ToString()!, terminal.Error.ToString()!);
        }
        (int code, string text, _) = Send(30, "site/sim-0003", "ping");
        Assert.Equal(0, code);
        Assert.Matches(@"^site/sim-0003 +ok +a simulated sensor did ping\n +\{""uptimeSeconds"":\d+\}\n$", text);
        (code, text, _) = Send(30, "site/*", "identify");
        Assert.Equal(0, code);
        Assert.Contains("25 of 25 sensors did it", text, StringComparison.Ordinal);
        (code, text, _) = Send(30, "sim-0001,sim-0002", "dance");
        Assert.Equal(1, code);
        Assert.Contains("0 of 2 sensors did it; 2 refused", text, StringComparison.Ordinal);
        (code, text, _) = Send(4.5, "site/nobody,sim-0004", "ping");
        Assert.Equal(1, code);
        Assert.Matches(@"site/nobody +no answer +within 4\.5 s; the broker knows no sensor of that name: look at fleet\.site and fleet\.id", text);
        Assert.Contains("1 of 2 sensors did it; 1 did not answer", text, StringComparison.Ordinal);
        (code, _, string error) = Send(1, "x*", "ping");
        Assert.Equal(1, code);
        Assert.Contains("is named x*; there are site/sim-0000, site/sim-0001", error, StringComparison.Ordinal);
        await Until(() => link.Post(c => c.Publish("nfr/site/gone/status", "offline"u8, 0, true, out int _)), "a connection");
        await Until(() => probe.View().Offline == 1, "one that is offline");
        (code, text, _) = Send(1, "gone", "ping");
        Assert.Equal(1, code);
        Assert.Contains("offline    nothing was sent", text, StringComparison.Ordinal);
        await _stop.CancelAsync();
        await fleet;
    }

    [InstalledFact(BrokerProcess.Program)]
    public async Task A_broker_that_is_not_there_is_said_to_be_and_tried_until_it_is()
    {
        int port = FreePort.Take();
        var table = new FleetTable(TimeProvider.System);
        using BrokerLink link = Listen(new BrokerAddress("127.0.0.1", port, false, null, null), table);
        link.Start();
        await Until(() => link.State.Trouble is not null, "a word on what is wrong");
        Assert.Contains("no broker listens on port", link.State.Trouble, StringComparison.Ordinal);
        using (new BrokerProcess(port)) await Until(() => link.State.Since is not null, "the connection");
        await Until(() => link.State.Since is null, "its loss");
        await Until(() => link.State.Trouble is not null, "a word on it");
        using (new BrokerProcess(port)) await Until(() => link.State.Since is not null, "the connection again");
    }

    [InstalledFact(BrokerProcess.Program)]
    public async Task A_broker_that_wants_a_password_says_so_in_words()
    {
        using var broker = new BrokerProcess(more: "allow_anonymous false");
        using BrokerLink link = Listen(broker.Address, new FleetTable(TimeProvider.System));
        link.Start();
        await Until(() => link.State.Trouble is not null, "a word on what is wrong");
        Assert.Contains("does not let us in", link.State.Trouble, StringComparison.Ordinal);
    }

    [InstalledFact(BrokerProcess.Program)]
    public async Task A_certificate_of_another_authority_is_said_to_be_one()
    {
        string right = MakeCertificate("right"), wrong = MakeCertificate("wrong");
        using var broker = new BrokerProcess(more: $"allow_anonymous true\ncertfile {right}.pem\nkeyfile {right}.key");
        var address = new BrokerAddress("127.0.0.1", broker.Port, true, null, null);
        using (BrokerLink link = Listen(address, new FleetTable(TimeProvider.System), new MqttTls(wrong + ".pem", null, null)))
        {
            link.Start();
            await Until(() => link.State.Trouble is not null, "a word on what is wrong");
            Assert.Contains($"is not signed by the authority in {wrong}.pem", link.State.Trouble, StringComparison.Ordinal);
        }
        using (BrokerLink link = Listen(address, new FleetTable(TimeProvider.System), new MqttTls(right + ".pem", null, null)))
        {
            link.Start();
            await Until(() => link.State.Since is not null, "the connection with the right authority");
        }
    }

    /// <summary>Signed by itself, for 127.0.0.1: certificate and key beside it.</summary>
    string MakeCertificate(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path + ".pem", certificate.ExportCertificatePem());
        File.WriteAllText(path + ".key", key.ExportPkcs8PrivateKeyPem());
        return path;
    }

    /// <summary>The real program on a terminal of its own (script(1)), with a thousand real clients on the broker.</summary>
    [InstalledFact(BrokerProcess.Program)]
    public async Task A_thousand_sensors_are_shown_in_less_than_150_MB_with_those_that_are_cut_off()
    {
        using var broker = new BrokerProcess();
        using NfrProcess fleet = NfrProcess.Start(["fleet", "simulate", "--broker", broker.Url, "--sensors", "1000", "--heartbeat", "4", "--seconds", "30", "--leave", "30"]);
        string command = $"stty rows 40 cols 120; exec {NfrProcess.Dotnet} {NfrProcess.Program} fleet --broker {broker.Url} --seconds 70";
        using NfrProcess view = NfrProcess.StartAs(["script", "-qfec", command, "/dev/null"]);
        await Until(() => fleet.Error.Contains("1,000 sensors connected", StringComparison.Ordinal), "a thousand connections: " + fleet.Error);
        await Until(() => view.Output.Contains("1,000 sensors: 970 online, 30 offline", StringComparison.Ordinal), "30 of them gone on the screen");
        long peak = PeakOf(view.Id);
        Assert.InRange(peak, 10_000, 150_000_000 / 1024);
        Assert.Contains("VERSIONS DIFFER: 0.9.0", view.Output, StringComparison.Ordinal);
    }

    /// <summary>KiB that the program under a terminal had resident at most (proc(5), VmHWM).</summary>
    static long PeakOf(int id)
    {
        while (File.ReadAllText($"/proc/{id}/task/{id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var child, ..]) id = int.Parse(child, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Contains("nfr.dll", File.ReadAllText($"/proc/{id}/cmdline"), StringComparison.Ordinal);
        string line = File.ReadLines($"/proc/{id}/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], System.Globalization.CultureInfo.InvariantCulture);
    }
}
