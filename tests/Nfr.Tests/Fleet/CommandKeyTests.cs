using System.Runtime.Versioning;
using System.Security.Cryptography;
using Nfr.Commands;
using Nfr.Fleet;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>The key that commands are signed with, and their numbers.</summary>
[SupportedOSPlatform("linux")]
public sealed class CommandKeyTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-key-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string At(string name) => Path.Combine(_folder, name);

    (int Code, string Out, string Error) Run(params string[] arguments)
    {
        var terminal = new Terminal(new StringReader(""), new StringWriter(), new StringWriter());
        int code = CommandLine.Run(arguments, terminal, new Wiring { Read = (_, _, _) => 0, Start = (_, _, _) => 0, Account = (_, _) => throw new InvalidOperationException(), DefaultConfig = At("config.yml") });
        return (code, terminal.Out.ToString()!, terminal.Error.ToString()!);
    }

    [Fact]
    public void A_new_key_is_its_owners_alone_and_says_where_its_public_half_goes()
    {
        (int code, string output, string error) = Run("fleet", "key", At("keys/k.pem"));
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("keys/k.pem")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(At("keys")));
        Assert.Contains("command_keys: [", output, StringComparison.Ordinal);
        Assert.Contains("-----BEGIN PUBLIC KEY-----", output, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE", output, StringComparison.Ordinal);
        using ECDsa? sensor = FleetKey.TryRead(File.ReadAllText(At("keys/k.pem.pub")), out string fault);
        Assert.Equal("", fault);
        Assert.Contains(FleetKey.Id(sensor!), output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_there_is_never_written_over()
    {
        Run("fleet", "key", At("k.pem"));
        byte[] before = File.ReadAllBytes(At("k.pem"));
        (int code, string output, _) = Run("fleet", "key", At("k.pem"));
        Assert.Equal(0, code);
        Assert.Contains("is there already", output, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(At("k.pem")));
        File.WriteAllText(At("other"), "something");
        File.SetUnixFileMode(At("other"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (code, _, string error) = Run("fleet", "key", At("other"));
        Assert.Equal((1, "something"), (code, File.ReadAllText(At("other"))));
        Assert.Contains("holds no private key", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_others_may_read_is_not_used()
    {
        CommandKey.Create(At("k.pem"), out _)!.Dispose();
        File.SetUnixFileMode(At("k.pem"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Null(CommandKey.Load(At("k.pem"), out string fault));
        Assert.Contains("chmod 600", fault, StringComparison.Ordinal);
        (int code, _, string error) = Run("fleet", "send", "a/b", "ping", "--key", At("k.pem"), "--broker", "mqtt://127.0.0.1:1");
        Assert.Equal(1, code);
        Assert.Contains("chmod 600", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_of_another_curve_is_not_used()
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        File.WriteAllText(At("k.pem"), other.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(At("k.pem"), UnixFileMode.UserRead);
        Assert.Null(CommandKey.Load(At("k.pem"), out string fault));
        Assert.Contains("P-256", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sensor_believes_what_is_signed_and_nothing_that_was_changed()
    {
        using CommandKey key = CommandKey.Create(At("k.pem"), out _)!;
        byte[] jws = key.Sign(new FleetCommand { Command = "capture-now", To = "berlin/gate", Sequence = 7, Time = DateTimeOffset.UnixEpoch, Arguments = new Dictionary<string, string> { ["seconds"] = "30" } });
        using ECDsa known = FleetKey.TryRead(File.ReadAllText(key.WritePublic(out _)!), out _)!;
        var keys = new Dictionary<string, ECDsa> { [key.Id] = known };
        FleetCommand? read = FleetCommand.Verify(jws, keys, out string by, out FleetRefusal refusal);
        Assert.Equal((key.Id, FleetRefusal.None, "capture-now", "berlin/gate", 7, "30"), (by, refusal, read!.Command, read.To, read.Sequence, read.Arguments["seconds"]));
        // Not the last letter: of its six bits four say nothing.
        for (int i = 0; i < jws.Length - 1; i += 7)
        {
            byte[] changed = [.. jws];
            changed[i] = changed[i] == (byte)'A' ? (byte)'B' : (byte)'A';
            Assert.Null(FleetCommand.Verify(changed, keys, out _, out _));
        }
    }

    [Fact]
    public void Numbers_go_up_whatever_the_clock_and_the_process_do()
    {
        var time = new ManualTime();
        long first = new CommandSequence(At("s"), time).Take(3, out _);
        Assert.Equal(time.Utc.ToUnixTimeMilliseconds(), first);
        time.Utc -= TimeSpan.FromDays(400);
        Assert.Equal(first + 3, new CommandSequence(At("s"), time).Take(1, out _));
        time.Utc += TimeSpan.FromDays(800);
        Assert.Equal(time.Utc.ToUnixTimeMilliseconds(), new CommandSequence(At("s"), time).Take(1, out _));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("s")));
    }

    [Fact]
    public async Task Two_who_send_at_once_never_get_the_same_number()
    {
        var time = new ManualTime();
        long[][] taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Enumerable.Range(0, 25).Select(_ => new CommandSequence(At("s"), time).Take(1, out string _)).ToArray())));
        Assert.Equal(100, taken.SelectMany(t => t).Where(n => n > 0).Distinct().Count());
    }

    [Theory]
    [InlineData("x")]
    [InlineData("-5")]
    [InlineData("99999999999999999999999")]
    [InlineData("9223372036854775807")]
    public void A_file_of_numbers_that_holds_none_stops_rather_than_going_back(string text)
    {
        File.WriteAllText(At("s"), text);
        Assert.Equal(0, new CommandSequence(At("s"), new ManualTime()).Take(1, out string fault));
        Assert.Contains("remove it", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fleet --broker http://x", "--broker takes an address such as")]
    [InlineData("fleet", "name the broker with --broker URL")]
    [InlineData("fleet --broker mqtt://x --sort size", "--sort takes worst, name, site, heard, alerts, loss, rate, version, skew; not \"size\"")]
    [InlineData("fleet --broker mqtt://x --seconds 0", "--seconds takes a number")]
    [InlineData("fleet --broker mqtt://x --ca /no/such", "--ca: there is no file /no/such")]
    [InlineData("fleet --broker mqtts://x --key /etc/hostname", "--key is the key of a certificate")]
    [InlineData("fleet --broker mqtt://x --ca /etc/hostname", "without TLS")]
    [InlineData("fleet send a/b", "needs COMMAND")]
    [InlineData("fleet send a/b Ping --broker mqtt://x", "a command is a word such as identify")]
    [InlineData("fleet send a/b ping 30 --broker mqtt://x", "after the command stand arguments")]
    [InlineData("fleet send a/b ping --timeout 0 --broker mqtt://x", "--timeout takes")]
    [InlineData("fleet simulate --sensors 0 --broker mqtt://x", "--sensors takes a number from 1 to 10000")]
    [InlineData("fleet simulate --site a/b --broker mqtt://x", "--site: ")]
    public void Wrong_words_are_said_to_be_and_end_in_2(string line, string said)
    {
        (int code, _, string error) = Run(line.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains(said, error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_broker_of_the_config_is_taken_where_none_is_named()
    {
        File.WriteAllText(At("c.yml"), "inputs:\n  sniffer:\n    enabled: true\n    interface: lo\nfleet:\n  broker: 127.0.0.1:1\n");
        (int code, _, string error) = Run("fleet", "-c", At("c.yml"), "--once", "--seconds", "30");
        Assert.Equal(1, code);
        Assert.Contains("mqtt://127.0.0.1:1 refuses the connection", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mqtts://b.example", "mqtts://b.example:8883", null)]
    [InlineData("10.0.0.2", "mqtt://10.0.0.2:1883", null)]
    [InlineData("mqtt://me:p%40ss@b:1884/", "mqtt://b:1884", "p@ss")]
    [InlineData("ssl://[::1]:99", "mqtts://[::1]:99", null)]
    public void A_broker_is_read_as_people_write_it_and_shown_without_its_password(string text, string shown, string? password)
    {
        BrokerAddress? broker = BrokerAddress.Read(text, out _);
        Assert.Equal((shown, password), (broker!.ToString(), broker.Password));
    }
}
