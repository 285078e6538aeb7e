using System.Security.Cryptography;
using System.Text;
using Nfr.Config;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Tests.Nfr;

public sealed class FleetConfigTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-fleetconfig-").FullName;

    static NfrConfig? Parse(string text, out IReadOnlyList<ConfigFault> faults, string file = "/opt/sensor/config.yml") => NfrConfig.Parse(file, Encoding.UTF8.GetBytes(text), out faults);

    static FleetConfig Good(string text)
    {
        NfrConfig? config = Parse(text, out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        return config!.Fleet;
    }

    [Fact]
    public void Without_a_broker_there_is_no_fleet_and_every_key_has_its_default()
    {
        FleetConfig fleet = Good("fleet: {}");
        Assert.False(fleet.IsOn);
        Assert.Equal((1883, false, "default", 30.0), (fleet.Port, fleet.UseTls, fleet.Site, fleet.Heartbeat.TotalSeconds));
        Assert.Null(fleet.Id ?? fleet.User ?? fleet.HomeAssistant ?? fleet.Tls.Roots);
        Assert.Empty(fleet.CommandKeys);
        Assert.Null(FleetTopics.CheckPart(FleetConfig.DefaultId));
    }

    [Fact]
    public void Each_key_says_what_it_says()
    {
        FleetConfig fleet = Good("""
            fleet:
              broker: mqtts://broker.example.org:8884
              version: 5
              site: office.2
              id: box_1
              username: sensor1
              password: secret
              command_keys: [keys/one.pub, /etc/nfr/two.pub]
              heartbeat: 1m30s
              homeassistant: ha
              tls:
                ca: ca.pem
                certificate: own.pem
                key: /etc/own.key
            """);
        Assert.Equal(("broker.example.org", 8884, true, (MqttVersion?)MqttVersion.V5, "office.2", "box_1"), (fleet.Host, fleet.Port, fleet.UseTls, fleet.Version, fleet.Site, fleet.Id));
        Assert.Equal((MqttVersion?)MqttVersion.V311, Good("fleet:\n  version: 3.1.1\n").Version);
        Assert.Equal(("sensor1", "secret", 90.0, "ha"), (fleet.User, fleet.Password!.Text, fleet.Heartbeat.TotalSeconds, fleet.HomeAssistant));
        Assert.Equal(["/opt/sensor/keys/one.pub", "/etc/nfr/two.pub"], fleet.CommandKeys);
        Assert.Equal(("/opt/sensor/ca.pem", "/opt/sensor/own.pem", "/etc/own.key"), (fleet.Tls.Roots, fleet.Tls.Certificate, fleet.Tls.Key));
    }

    [Theory]
    [InlineData("broker", "broker", 1883, false)]
    [InlineData("broker:1884", "broker", 1884, false)]
    [InlineData("10.0.0.1", "10.0.0.1", 1883, false)]
    [InlineData("mqtt://broker/", "broker", 1883, false)]
    [InlineData("tcp://broker", "broker", 1883, false)]
    [InlineData("mqtts://broker", "broker", 8883, true)]
    [InlineData("ssl://broker:1", "broker", 1, true)]
    [InlineData("tls://broker:65535", "broker", 65535, true)]
    [InlineData("mqtts://[2001:db8::1]:8884", "2001:db8::1", 8884, true)]
    [InlineData("[2001:db8::1]", "2001:db8::1", 1883, false)]
    [InlineData("2001:db8::1", "2001:db8::1", 1883, false)]
    public void A_broker_is_a_host_with_a_port_and_perhaps_tls(string broker, string host, int port, bool tls)
    {
        FleetConfig fleet = Good($"fleet:\n  broker: \"{broker}\"\n");
        Assert.Equal((host, port, tls), (fleet.Host, fleet.Port, fleet.UseTls));
    }

    [Theory]
    [InlineData("yes", FleetConfig.DefaultHomeAssistant)]
    [InlineData("true", FleetConfig.DefaultHomeAssistant)]
    [InlineData("on", FleetConfig.DefaultHomeAssistant)]
    [InlineData("no", null)]
    [InlineData("false", null)]
    [InlineData("off", null)]
    [InlineData("homes/ha", "homes/ha")]
    public void Home_assistant_is_told_by_its_usual_prefix_or_another(string word, string? prefix) => Assert.Equal(prefix, Good($"fleet:\n  homeassistant: {word}\n").HomeAssistant);

    [Theory]
    [InlineData("\n  broker: https://broker\n", 2, "fleet.broker: expected mqtt:// or mqtts://, found \"https://\"")]
    [InlineData("\n  broker: broker:0\n", 2, "fleet.broker: expected a port from 1 to 65535 behind the colon, found \"0\"")]
    [InlineData("\n  broker: broker:65536\n", 2, "found \"65536\"")]
    [InlineData("\n  broker: \"broker:\"\n", 2, "found \"\"")]
    [InlineData("\n  broker: \"mqtts://\"\n", 2, "fleet.broker: expected host:port or mqtts://host:port, found \"mqtts://\"")]
    [InlineData("\n  broker: \":1883\"\n", 2, "fleet.broker: expected host:port")]
    [InlineData("\n  broker: bro ker\n", 2, "fleet.broker: expected host:port or mqtts://host:port, found \"bro ker\"")]
    [InlineData("\n  broker: [a, b]\n", 2, "fleet.broker: expected host:port or mqtts://host:port, found a list")]
    [InlineData("\n  broker: broker\n  version: 4\n", 3, "fleet.version: expected one of ")]
    [InlineData("\n  site: a b\n", 2, "fleet.site: expected letters, digits, - _ and . only, found \" \"")]
    [InlineData("\n  site: \"a/b\"\n", 2, "fleet.site: expected letters, digits, - _ and . only, found \"/\"")]
    [InlineData("\n  id: \"a#\"\n", 2, "fleet.id: expected letters, digits, - _ and . only, found \"#\"")]
    [InlineData("\n  id: \"a+\"\n", 2, "fleet.id")]
    [InlineData("\n  id: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg\n", 2, "fleet.id: longer than 64 characters")]
    [InlineData("\n  broker: b\n  password: secret\n  username:\n", 4, "fleet.username: there is a password and no user name")]
    [InlineData("\n  username: u\n  password: a\n  password_file: b\n", 4, "fleet.password_file: password is set too; keep one of them")]
    [InlineData("\n  heartbeat: 100ms\n", 2, "fleet.heartbeat: expected a duration from 1s to 1h")]
    [InlineData("\n  heartbeat: 2h\n", 2, "fleet.heartbeat: expected a duration from 1s to 1h")]
    [InlineData("\n  heartbeat: 30\n", 2, "a number needs a unit")]
    [InlineData("\n  homeassistant: \"a/#\"\n", 2, "fleet.homeassistant: expected yes, no or a discovery prefix")]
    [InlineData("\n  homeassistant: /a\n", 2, "fleet.homeassistant")]
    [InlineData("\n  homeassistant: a/\n", 2, "fleet.homeassistant")]
    [InlineData("\n  command_keys:\n    - {a: b}\n", 3, "fleet.command_keys: expected text in each item")]
    [InlineData("\n  command_keys: [a,b,c,d,e,f,g,h,\n    i]\n", 3, "fleet.command_keys: more than 8 keys")]
    [InlineData("\n  broker: b\n  tls:\n    ca: ca.pem\n", 3, "fleet.tls: the broker is spoken to without TLS; set broker: mqtts://b:8883, or remove this key")]
    [InlineData("\n  broker: mqtts://b\n  tls:\n    key: own.key\n", 4, "fleet.tls.key: there is a key and no certificate")]
    [InlineData("\n  broker: mqtts://b\n  tls:\n    pins: x\n", 4, "unknown key \"pins\" in fleet.tls; known are ca, certificate, key")]
    [InlineData("\n  brokers: b\n", 2, "unknown key \"brokers\" in fleet; did you mean \"broker\"?")]
    [InlineData(" broker\n", 1, "fleet: expected keys under it, found a value")]
    public void Faults_have_their_line(string text, int line, string words)
    {
        Assert.Null(Parse("fleet:" + text, out IReadOnlyList<ConfigFault> faults));
        ConfigFault fault = Assert.Single(faults);
        Assert.Equal((line, "/opt/sensor/config.yml"), (fault.Line, fault.File));
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mqtt://me:hunter2@broker")]
    [InlineData("mqtts://me:hun@ter2@broker:8884")]
    [InlineData("me:hunter2@broker")]
    public void A_password_in_the_address_is_refused_without_being_repeated(string broker)
    {
        Assert.Null(Parse($"fleet:\n  broker: \"{broker}\"\n", out IReadOnlyList<ConfigFault> faults));
        ConfigFault fault = Assert.Single(faults);
        Assert.Contains("set username and password_file", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("ter2", fault.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hun", fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_that_goes_in_the_clear_is_noted()
    {
        NfrConfig config = Parse("fleet:\n  broker: b\n  username: u\n  password: p\n", out _)!;
        ConfigFault note = Assert.Single(config.Notes);
        Assert.Equal(4, note.Line);
        Assert.Contains("use mqtts", note.Message, StringComparison.Ordinal);
        Assert.Empty(Parse("fleet:\n  broker: mqtts://b\n  username: u\n  password: p\n", out _)!.Notes);
    }

    [Fact]
    public void Keys_are_held_against_the_disk_and_each_that_cannot_be_used_is_told_at_its_line()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256), other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);
        Write("good.pub", key.ExportSubjectPublicKeyInfoPem());
        Write("curve.pub", other.ExportSubjectPublicKeyInfoPem());
        Write("none.pub", "not a key\n");
        Write("long.pub", new string('x', 20_000));
        NfrConfig config = Parse("""
            fleet:
              broker: mqtts://broker
              command_keys:
                - good.pub
                - curve.pub
                - none.pub
                - long.pub
                - absent.pub
              tls:
                ca: absent.pem
            """, out _, Path.Combine(_folder, "config.yml"))!;
        Assert.Equal([FleetKey.Id(key)], FleetConfig.ReadKeys(config.Fleet, out List<string> wrong).Keys);
        string In(string name) => Path.Combine(_folder, name);
        Assert.Equal(
        [
            $"{In("curve.pub")}: the key is not on the curve P-256 (prime256v1); make one with: nfr fleet key",
            $"{In("none.pub")}: there is no key in PEM form in it (-----BEGIN PUBLIC KEY-----); make one with: nfr fleet key",
            $"{In("long.pub")} is no key: it is longer than 16 KiB",
            $"{In("absent.pub")} cannot be read: no such file",
        ], wrong);
        List<ConfigFault> faults = [];
        FleetConfig.Check(config, DateTimeOffset.UtcNow, faults);
        Assert.Equal(5, faults.Count);
        Assert.Equal(10, faults.Single(f => f.Message.StartsWith("fleet.tls.ca: ", StringComparison.Ordinal)).Line);
        Assert.All(faults.Where(f => f.Message.StartsWith("fleet.command_keys: ", StringComparison.Ordinal)), f => Assert.Equal(3, f.Line));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
