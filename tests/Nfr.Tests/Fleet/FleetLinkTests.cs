using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>The link against Debian's mosquitto.</summary>
[SupportedOSPlatform("linux")]
public sealed class FleetLinkTests
{
    static string Of(FleetTopic topic) => FleetBench.Topics.Of(topic);

    [BrokerTheory]
    [InlineData("3.1.1")]
    [InlineData("5")]
    public void A_sensor_is_born_beats_alerts_obeys_and_says_goodbye(string version)
    {
        MqttVersion v = version == "5" ? MqttVersion.V5 : MqttVersion.V311;
        using MqttBroker broker = new MqttBroker().Start();
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port, v), "nfr/#");
        using (var bench = new FleetBench(broker.Port, o => o with { Version = v }))
        {
            bench.Append(250);
            MqttEar.Until(() => FleetBench.Numbers(ear).Count == 250, $"all alerts: {FleetBench.Numbers(ear).Count}, {bench.Output}, {bench.Link.State}");
            MqttEar.Until(() => ear.Of(Of(FleetTopic.Health)).Count() > 2, "heartbeats");
            Assert.Equal("online", ear.Of(Of(FleetTopic.Status)).Last());
            Assert.Equal("box", FleetInfo.TryRead(Encoding.UTF8.GetBytes(ear.Of(Of(FleetTopic.Info)).Last()))!.Name);
            ear.Say(Of(FleetTopic.Command), bench.Command("ping", 7).Sign(bench.Key));
            FleetAnswer answer = Answer(ear, 0);
            Assert.True(answer.Ok, answer.Why);
            Assert.Equal((FleetKey.Id(bench.Key), 7, "ping"), (answer.Key, answer.Sequence, answer.Command));
            ear.Say(Of(FleetTopic.Command), bench.Command("ping", 7).Sign(bench.Key));
            Assert.Contains("not above 7", Answer(ear, 1).Why);
            Assert.Single(bench.Done);
            Assert.Equal(0, bench.Link.State.FailedConnects);
        }
        MqttEar.Until(() => ear.Of(Of(FleetTopic.Status)).Last() == "offline", "goodbye");
        Assert.DoesNotContain("will", broker.Log);
        Assert.Equal(250, ear.Of(Of(FleetTopic.Alert)).Count());
    }

    static FleetAnswer Answer(MqttEar ear, int place)
    {
        MqttEar.Until(() => ear.Of(Of(FleetTopic.Answer)).Count() > place, "an answer");
        return FleetAnswer.TryRead(Encoding.UTF8.GetBytes(ear.Of(Of(FleetTopic.Answer)).ElementAt(place)))!;
    }

    [BrokerFact]
    public void A_connection_that_dies_without_a_word_is_told_of_by_its_will()
    {
        using MqttBroker broker = new MqttBroker().Start();
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port), "w");
        var listener = new Silent();
        MqttConnection connection = MqttConnection.Open(FleetBench.EarOptions(broker.Port) with { ClientId = "dies", Will = new MqttWill("w", "offline"u8.ToArray()) }, listener);
        while (!connection.IsConnected && !connection.HasEnded) connection.Run(null, 100);
        Assert.True(connection.IsConnected, connection.End.ToString());
        connection.Dispose();
        MqttEar.Until(() => ear.Heard.Any(h => h.Text == "offline"), "the will");
    }

    sealed class Silent : MqttListener
    {
        public override void Connected(bool sessionPresent)
        {
        }
    }

    [BrokerFact]
    public void Commands_that_came_while_the_sensor_was_away_wait_for_it_and_a_replay_over_a_restart_is_refused()
    {
        using MqttBroker broker = new MqttBroker().Start();
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port), "nfr/#");
        string folder = Directory.CreateTempSubdirectory("nfr-fleet-state-").FullName;
        byte[] first;
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        FleetOptions Change(FleetOptions o) => o with { Keys = new Dictionary<string, ECDsa> { [FleetKey.Id(key)] = key } };
        using (var bench = new FleetBench(broker.Port, Change, folder))
        {
            MqttEar.Until(() => bench.Link.State.IsConnected, "connected");
            first = bench.Command("ping", 1).Sign(key);
            ear.Say(Of(FleetTopic.Command), first);
            Assert.True(Answer(ear, 0).Ok);
        }
        ear.Say(Of(FleetTopic.Command), first);
        using (var bench = new FleetBench(broker.Port, Change, folder))
        {
            ear.Say(Of(FleetTopic.Command), bench.Command("ping", 2).Sign(key));
            Assert.Contains("not above 1", Answer(ear, 1).Why);
            Assert.True(Answer(ear, 2).Ok);
            Assert.Equal(1, bench.Link.State.Refused[(int)FleetRefusal.Replayed]);
        }
        Directory.Delete(folder, recursive: true);
    }

    [BrokerTheory]
    [InlineData("wrong ca", "signed by", "fleet.tls.ca")]
    [InlineData("expired", "expired on", "renew")]
    [InlineData("other name", "not for 127.0.0.1 but for broker.elsewhere.example", "fleet.broker")]
    [InlineData("foreign client", "certificate", "fleet.tls")]
    [InlineData("no client", "certificate", "fleet.tls")]
    public void What_is_wrong_with_certificates_is_said_in_words(string what, string said, string advice)
    {
        using var certificates = new MqttCertificates();
        using MqttBroker broker = new MqttBroker(certificates.Options(what switch { "expired" => certificates.Expired, "other name" => certificates.Elsewhere, _ => certificates.Broker })).Start();
        (string, string)? own = what switch { "foreign client" => certificates.Foreign, "no client" => null, _ => certificates.Client };
        using var bench = new FleetBench(broker.Port, o => o with
        {
            UseTls = true,
            Tls = new TlsSettings { Roots = what == "wrong ca" ? certificates.StrangerFile : certificates.RootFile, Certificate = own?.Item1, Key = own?.Item2 },
        });
        // Each try looks for the reason anew; one that a busy broker answers late is told in libmosquitto's words.
        FleetState told = bench.Link.State;
        MqttEar.Until(() => (told = bench.Link.State).Trouble?.Contains(said, StringComparison.Ordinal) == true, $"\"{said}\"", 60);
        Assert.Contains(advice, told.Advice + told.Trouble);
        Assert.Equal(0, bench.Link.State.Connects);
    }

    [BrokerTheory]
    [InlineData("3.1.1")]
    [InlineData("5")]
    public void With_both_certificates_right_alerts_arrive_and_the_broker_knows_the_sensor_by_its_name(string version)
    {
        using var certificates = new MqttCertificates();
        using MqttBroker broker = new MqttBroker(certificates.Options(certificates.Broker)).Start();
        MqttVersion v = version == "5" ? MqttVersion.V5 : MqttVersion.V311;
        MqttTls tls = new(certificates.RootFile, certificates.Client.Certificate, certificates.Client.Key);
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port, v) with { Tls = tls }, "nfr/#");
        using var bench = new FleetBench(broker.Port, o => o with { Version = v, UseTls = true, Tls = new TlsSettings { Roots = tls.Roots, Certificate = tls.Certificate, Key = tls.Key } });
        bench.Append(20);
        MqttEar.Until(() => FleetBench.Numbers(ear).Count == 20, $"all alerts: {bench.Link.State}");
        Assert.Contains("u'sensor1'", broker.Log);
    }

    [BrokerFact]
    public void A_broker_that_wants_a_password_is_named_with_what_to_do()
    {
        using MqttBroker broker = new MqttBroker(anonymous: false).Start();
        using var bench = new FleetBench(broker.Port);
        MqttEar.Until(() => bench.Link.State.Trouble is not null, "a trouble");
        Assert.Contains("not authorised", bench.Link.State.Trouble);
        Assert.Contains("fleet.username", bench.Link.State.Advice);
    }

    [Fact]
    public void Nobody_there_is_said_with_the_port()
    {
        int port = FreePort.Take();
        using var bench = new FleetBench(port);
        MqttEar.Until(() => bench.Link.State.Trouble is not null, "a trouble");
        Assert.Contains($"nobody listens on port {port} of 127.0.0.1", bench.Link.State.Trouble);
    }

    [BrokerFact]
    public void Home_Assistant_is_told_again_when_it_starts_and_taken_back_when_switched_off()
    {
        using MqttBroker broker = new MqttBroker().Start();
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port), "homeassistant/#");
        string folder = Directory.CreateTempSubdirectory("nfr-fleet-state-").FullName;
        const string id = "nfr-test-box1-ba0f82fa", topic = $"homeassistant/device/{id}/config";
        using (var bench = new FleetBench(broker.Port, o => o with { HomeAssistant = "homeassistant" }, folder))
        {
            MqttEar.Until(() => ear.Of(topic).Any(), "the device");
            ear.Say("homeassistant/status", "online"u8.ToArray());
            MqttEar.Until(() => ear.Of(topic).Count() == 2, "the device again");
        }
        using JsonDocument device = JsonDocument.Parse(ear.Of(topic).First());
        JsonElement root = device.RootElement;
        Assert.Equal(id, root.GetProperty("device").GetProperty("identifiers")[0].GetString());
        Assert.Equal("02:00:00:00:00:01", root.GetProperty("device").GetProperty("connections")[0][1].GetString());
        Assert.Equal("nfr", root.GetProperty("origin").GetProperty("name").GetString());
        Assert.Equal(Of(FleetTopic.Status), root.GetProperty("availability_topic").GetString());
        Assert.All(root.GetProperty("components").EnumerateObject(), c => Assert.StartsWith(id + "-", c.Value.GetProperty("unique_id").GetString()));
        JsonElement update = root.GetProperty("components").GetProperty("update");
        Assert.Equal(("update", "firmware", Of(FleetTopic.Health)), (update.GetProperty("platform").GetString(), update.GetProperty("device_class").GetString(), update.GetProperty("state_topic").GetString()));
        // Without it Home Assistant offers no button.
        Assert.False(update.TryGetProperty("command_topic", out _));
        Assert.False(update.TryGetProperty("payload_install", out _));
        Assert.Contains(topic, File.ReadAllText(Path.Combine(folder, "fleet.state")), StringComparison.Ordinal);
        using (var bench = new FleetBench(broker.Port, null, folder))
        {
            MqttEar.Until(() => ear.Of(topic).Last().Length == 0, "the device is taken back");
            MqttEar.Until(() => !File.ReadAllText(Path.Combine(folder, "fleet.state")).Contains(topic, StringComparison.Ordinal), "that is noted");
        }
        Directory.Delete(folder, recursive: true);
    }

    [BrokerFact]
    public void That_Home_Assistant_is_emptied_is_noted_when_the_broker_has_acknowledged_it_and_not_before()
    {
        bool takes = true;
        using var broker = new PaperBroker { Reply = (topic, text) => Volatile.Read(ref takes) || !topic.StartsWith("homeassistant/", StringComparison.Ordinal) ? PaperReply.Taken : PaperReply.Nothing };
        string folder = Directory.CreateTempSubdirectory("nfr-fleet-state-").FullName, state = Path.Combine(folder, "fleet.state");
        using (var bench = new FleetBench(broker.Port, o => o with { HomeAssistant = "homeassistant" }, folder)) MqttEar.Until(() => bench.Link.State.Heartbeats > 0, "connected", 60);
        Volatile.Write(ref takes, false);
        using (var bench = new FleetBench(broker.Port, null, folder))
        {
            MqttEar.Until(() => broker.Heard.Any(h => h.Topic.StartsWith("homeassistant/", StringComparison.Ordinal) && h.Text.Length == 0), "the topic is emptied", 60);
            MqttEar.Until(() => bench.Link.State.Heartbeats > 2, "some time", 60);
            Assert.Contains("homeassistant/device/", File.ReadAllText(state), StringComparison.Ordinal);
            Volatile.Write(ref takes, true);
            broker.Cut();
            MqttEar.Until(() => !File.ReadAllText(state).Contains("homeassistant/device/", StringComparison.Ordinal), "that is noted", 60);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void No_two_sensors_share_an_id_at_the_broker_or_in_Home_Assistant()
    {
        (string Site, string Id)[] close = [("hall-3", "core"), ("hall", "3-core"), ("hall.3", "core"), ("hall_3", "core"), ("hall", "3.core"), ("hall", "3_core"), ("HALL-3", "core")];
        FleetTopics[] sensors = [.. close.Select(c => new FleetTopics(c.Site, c.Id))];
        Assert.Equal(close.Length, sensors.Select(s => s.ClientId).Distinct().Count());
        Assert.Equal(close.Length, sensors.Select(s => s.AssistantId.ToLowerInvariant()).Distinct().Count());
        Assert.All(sensors, s => Assert.Matches("^[a-zA-Z0-9_-]+$", s.AssistantId));
        Assert.Equal("nfr/hall-3/core", sensors[0].ClientId);
    }

    [BrokerFact]
    public void The_broker_is_given_the_client_id_that_is_the_root_of_our_topics()
    {
        using var broker = new PaperBroker();
        using var bench = new FleetBench(broker.Port);
        MqttEar.Until(() => bench.Link.State.IsConnected, "connected", 60);
        Assert.Equal("nfr/test/box1", Assert.Single(broker.Clients));
    }
}
