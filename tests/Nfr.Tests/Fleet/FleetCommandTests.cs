using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

public sealed class FleetCommandTests : IDisposable
{
    static readonly FleetTopics s_topics = new("office", "box1");

    readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-desk-").FullName;
    readonly ManualTime _time = new();
    readonly List<FleetCommand> _done = [];
    readonly List<string> _said = [];

    FleetDesk Desk() => new(new FleetOptions { Host = "h", Port = 1, Topics = s_topics, Folder = _folder, Keys = new Dictionary<string, ECDsa> { [FleetKey.Id(_key)] = _key } }, FleetSequences.Open(_folder),
        (command, _) =>
        {
            _done.Add(command);
            return command.Command == "ping" ? new FleetAnswer { Ok = true, Why = "there" } : FleetAnswer.Unknown("no such command");
        }, _time, n => _said.Add(n.Sentence));

    byte[] Command(long sequence, string name = "ping", string to = "office/box1", TimeSpan age = default, ECDsa? key = null) =>
        new FleetCommand { Command = name, To = to, Sequence = sequence, Time = _time.GetUtcNow() - age, Arguments = new Dictionary<string, string> { ["seconds"] = "5" } }.Sign(key ?? _key);

    [Fact]
    public void A_signed_command_is_obeyed_once()
    {
        FleetDesk desk = Desk();
        FleetAnswer answer = desk.Take(Command(1), _ => { })!;
        Assert.True(answer.Ok, answer.Why);
        Assert.Equal("5", Assert.Single(_done).Arguments["seconds"]);
        Assert.False(desk.Take(Command(1), _ => { })!.Ok);
        // Another desk, as after a power cut: the number was on the disk before the command was obeyed.
        Assert.False(Desk().Take(Command(1), _ => { })!.Ok);
        Assert.Single(_done);
        Assert.True(Desk().Take(Command(2), _ => { })!.Ok);
    }

    [Fact]
    public void Without_a_clock_the_number_alone_counts_and_without_a_number_nothing_is_obeyed()
    {
        byte[] recorded = Command(1, age: TimeSpan.FromDays(400)), next = Command(3, age: TimeSpan.FromDays(400));
        Assert.True(Desk().Take(Command(2), _ => { })!.Ok);
        _time.Utc = DateTimeOffset.UnixEpoch.AddMinutes(1);
        Assert.Contains("not above 2", Desk().Take(recorded, _ => { })!.Why, StringComparison.Ordinal);
        Assert.True(Desk().Take(next, _ => { })!.Ok);
        File.Delete(Path.Combine(_folder, "fleet.state"));
        Assert.Contains("clock is not set", Desk().Take(recorded, _ => { })!.Why, StringComparison.Ordinal);
        Assert.Equal(2, _done.Count);
    }

    [Fact]
    public void A_broker_that_does_not_answer_is_another_light_than_one_that_refuses_us()
    {
        FleetState away = new() { Broker = "b", Trouble = "nobody answers" };
        Assert.Equal(global::Nfr.Panel.PanelFleetPhase.Connecting, global::Nfr.Pipeline.FleetParts.PanelOf(away).Phase);
        Assert.Equal(global::Nfr.Panel.PanelFleetPhase.Refused, global::Nfr.Pipeline.FleetParts.PanelOf(away with { IsRefused = true }).Phase);
        Assert.Equal(global::Nfr.Panel.PanelFleetPhase.Connected, global::Nfr.Pipeline.FleetParts.PanelOf(away with { IsConnected = true }).Phase);
    }

    [Fact]
    public void Each_reason_to_refuse_is_counted_and_answered()
    {
        FleetDesk desk = Desk();
        using ECDsa stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var cases = new (FleetRefusal Why, byte[] Message)[]
        {
            (FleetRefusal.TooLong, new byte[FleetCommand.MostBytes + 1]),
            (FleetRefusal.Malformed, "ping"u8.ToArray()),
            (FleetRefusal.Malformed, []),
            (FleetRefusal.Forged, Command(1, key: stranger)),
            (FleetRefusal.NotForUs, Command(1, to: "office/box2")),
            (FleetRefusal.Old, Command(1, age: TimeSpan.FromMinutes(6))),
            (FleetRefusal.Old, Command(1, age: TimeSpan.FromMinutes(-10))),
            (FleetRefusal.Unknown, Command(1, "format-disk")),
            (FleetRefusal.Replayed, Command(1)),
        };
        long[] expected = new long[Enum.GetValues<FleetRefusal>().Length];
        foreach ((FleetRefusal why, byte[] message) in cases)
        {
            _time.Advance(TimeSpan.FromSeconds(11));
            FleetAnswer? answer = desk.Take(message, _ => { });
            Assert.False(answer!.Ok);
            Assert.NotEmpty(answer.Why);
            expected[(int)why]++;
            Assert.Equal(expected, desk.Refused);
        }
        Assert.Equal(0, desk.Taken);
        Assert.DoesNotContain(_done, c => c.Command == "ping");
        Assert.Equal(cases.Length, _said.Count);
    }

    [Fact]
    public void Every_changed_bit_of_a_command_makes_it_none()
    {
        var keys = new Dictionary<string, ECDsa> { [FleetKey.Id(_key)] = _key };
        byte[] good = Command(1);
        Assert.NotNull(FleetCommand.Verify(good, keys, out _, out _));
        for (int i = 0; i < good.Length; i++)
        {
            byte[] bad = [.. good];
            bad[i] ^= 1;
            Assert.True(FleetCommand.Verify(bad, keys, out _, out FleetRefusal refusal) is null, $"byte {i}");
            Assert.NotEqual(FleetRefusal.None, refusal);
            Assert.Null(FleetCommand.Verify(good.AsSpan(0, i), keys, out _, out _));
        }
    }

    /// <summary>The last two are believed, so that the others are refused for their heads alone.</summary>
    [Theory]
    [InlineData("""{"alg":"none","kid":"KID"}""", false)]
    [InlineData("""{"alg":"HS256","kid":"KID"}""", false)]
    [InlineData("""{"alg":"es256","kid":"KID"}""", false)]
    [InlineData("""{"alg":"ES256","kid":"KID","crit":["exp"]}""", false)]
    [InlineData("""{"alg":"ES256"}""", false)]
    [InlineData("""{"alg":"ES256","kid":"KID"}""", true)]
    [InlineData("""{"kid":"KID","typ":"JWT","alg":"ES256"}""", true)]
    public void The_sender_does_not_choose_how_it_is_believed(string header, bool believed)
    {
        string input = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.Replace("KID", FleetKey.Id(_key), StringComparison.Ordinal))) + "."
            + Encoding.ASCII.GetString(Command(1)).Split('.')[1];
        byte[] signature = _key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        var keys = new Dictionary<string, ECDsa> { [FleetKey.Id(_key)] = _key };
        Assert.Equal(believed, FleetCommand.Verify(Encoding.ASCII.GetBytes(input + "." + Base64Url.EncodeToString(signature)), keys, out _, out _) is not null);
        Assert.Null(FleetCommand.Verify(Encoding.ASCII.GetBytes(input + "."), keys, out _, out _));
    }

    [Fact]
    public void A_command_that_came_with_too_many_others_is_not_obeyed_told_so_and_as_good_as_before()
    {
        FleetDesk desk = Desk();
        FleetAnswer answer = desk.TurnAway(Command(4))!;
        Assert.Equal((false, 4L, "ping"), (answer.Ok, answer.Sequence, answer.Command));
        Assert.Contains("send it again", answer.Why, StringComparison.Ordinal);
        Assert.Equal(1, desk.Refused[(int)FleetRefusal.Busy]);
        using ECDsa stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        desk.TurnAway(Command(5, key: stranger));
        Assert.Equal((1, 1), (desk.Refused[(int)FleetRefusal.Forged], desk.Refused[(int)FleetRefusal.Busy]));
        desk.Dropped(7);
        Assert.Equal(8, desk.Refused[(int)FleetRefusal.Busy]);
        Assert.Empty(_done);
        Assert.True(desk.Take(Command(4), _ => { })!.Ok);
    }

    string StatePath => Path.Combine(_folder, "fleet.state");

    /// <summary>Garbage, nothing at all, one flipped digit, a line that is missing, and one that no program can read.</summary>
    [Theory]
    [InlineData("garbage")]
    [InlineData("empty")]
    [InlineData("flipped")]
    [InlineData("cut")]
    [InlineData("unreadable")]
    public void While_the_sequence_numbers_cannot_be_read_no_command_is_obeyed_and_the_file_stays_as_it_is(string how)
    {
        Assert.True(Desk().Take(Command(5), _ => { })!.Ok);
        string good = File.ReadAllText(StatePath);
        switch (how)
        {
            case "garbage": File.WriteAllBytes(StatePath, [0, 1, 2, 10]); break;
            case "empty": File.WriteAllText(StatePath, ""); break;
            case "flipped": File.WriteAllText(StatePath, good.Replace(" 5\n", " 4\n", StringComparison.Ordinal)); break;
            case "cut": File.WriteAllText(StatePath, good[..(good.IndexOf('\n', StringComparison.Ordinal) + 1)]); break;
            default:
                // Root may read every file, but no folder.
                File.Delete(StatePath);
                Directory.CreateDirectory(StatePath);
                break;
        }
        byte[]? bad = how == "unreadable" ? null : File.ReadAllBytes(StatePath);
        FleetDesk desk = Desk();
        foreach (long number in new[] { 5, 6, 7 })
        {
            FleetAnswer answer = desk.Take(Command(number), _ => { })!;
            Assert.False(answer.Ok);
            Assert.Contains($"{StatePath} {(how == "unreadable" ? "cannot be read" : "is not what was written there")}", answer.Why, StringComparison.Ordinal);
        }
        Assert.Equal(3, desk.Refused[(int)FleetRefusal.NotNoted]);
        Assert.Single(_done);
        if (bad is not null) Assert.Equal(bad, File.ReadAllBytes(StatePath));
        // Somebody mends it, and the sensor need not be started anew.
        if (bad is null) Directory.Delete(StatePath);
        File.WriteAllText(StatePath, good);
        Assert.Contains("not above 5", desk.Take(Command(5), _ => { })!.Why, StringComparison.Ordinal);
        Assert.True(desk.Take(Command(6), _ => { })!.Ok);
        Assert.Contains("not above 6", Desk().Take(Command(6), _ => { })!.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_and_what_Home_Assistant_was_told_lie_in_one_file_and_neither_loses_the_other()
    {
        FleetDesk desk = Desk();
        Assert.True(desk.Take(Command(5), _ => { })!.Ok);
        FleetSequences sequences = FleetSequences.Open(_folder);
        Assert.Null(sequences.Advance("other", 9));
        Assert.Equal((5, 9), (FleetSequences.Open(_folder).LastOf(FleetKey.Id(_key)), FleetSequences.Open(_folder).LastOf("other")));
        sequences.Tell("homeassistant/device/x/config");
        sequences.Tell("elsewhere/device/x/config");
        Assert.Equal(["homeassistant/device/x/config", "elsewhere/device/x/config"], FleetSequences.Open(_folder).ToldTopics);
        sequences.TakenBack("homeassistant/device/x/config");
        Assert.Equal(["elsewhere/device/x/config"], FleetSequences.Open(_folder).ToldTopics);
        Assert.Equal(9, FleetSequences.Open(_folder).LastOf("other"));
    }

    [Fact]
    public void Shapes_come_back_as_they_went()
    {
        var health = new FleetHealth
        {
            Time = DateTimeOffset.UnixEpoch.AddDays(1), IsWell = true, UptimeSeconds = 12, HeartbeatSeconds = 30, Beat = 3, Troubles = [new("fault", "uplink", "what", "do")],
            Ports = [new("eth1", true, 10, 20, 30, 40), new("eth2", false, null, null, 0, 0)], EventsPerSecond = 1.5, Ledger = new(1, 2, 3, 4, 5, 6, 7, 8, true), Spool = new(1, 2, 3, 4.5, false),
            Uplinks = [new("engine", 5, null)], Outputs = [new("fleet", 1, "away", 2)], Alerts = new(9, 2, DateTimeOffset.UnixEpoch.AddHours(5)), Firmware = new("2.1.0", "2.2.0"), Celsius = 51.5, DiskFree = 1, DiskSize = 2, Resident = 3, CommandsTaken = 4, CommandsRefused = 5,
        };
        FleetHealth back = FleetHealth.TryRead(health.ToJson())!;
        Assert.Equal(Encoding.UTF8.GetString(health.ToJson()), Encoding.UTF8.GetString(back.ToJson()));
        Assert.Equal(10, back.PacketsPerSecond);
        Assert.Equal((health.Alerts, health.Firmware), (back.Alerts, back.Firmware));
        Assert.Null(FleetHealth.TryRead("[]"u8.ToArray()));
        Assert.Null(FleetHealth.TryRead("{\"time\":"u8.ToArray()));
        Assert.NotNull(FleetHealth.TryRead("""{"time":3,"ports":[1,{"packets":"x"}],"box":[],"well":"yes"}"""u8.ToArray()));
        Assert.True(FleetTopics.TryParse("nfr/office/box1/health", out FleetTopics topics, out FleetTopic about));
        Assert.Equal((s_topics, FleetTopic.Health), (topics, about));
        foreach (string wrong in new[] { "nfr/office/box1", "nfr/office/box1/health/x", "nfr//box1/health", "x/office/box1/health", "nfr/office/box 1/health", "nfr/office/box1/nothing" }) Assert.False(FleetTopics.TryParse(wrong, out _, out _));
    }

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
