using System.Runtime.Versioning;
using Nfr.Pipeline;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>What each signed command does, and what it does not take.</summary>
[SupportedOSPlatform("linux")]
public sealed class FleetActionsTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-actions-").FullName;
    readonly List<TimeSpan> _blinks = [];
    readonly CaptureNow _capture;
    bool _hasPanel = true;
    string? _reloadRefusal;
    int _reloads;

    public FleetActionsTests() => _capture = new CaptureNow(_folder, ["nfr-absent0"], null, TimeProvider.System, new CaptureLimits { LeastFree = 0 });

    string Requests => Path.Combine(_folder, "requests");

    FleetActions Actions() => new(Requests, span =>
    {
        _blinks.Add(span);
        return _hasPanel;
    }, () =>
    {
        _reloads++;
        return _reloadRefusal;
    }, _capture);

    FleetAnswer? Act(string command, params (string Name, string Value)[] arguments) => Act(command, _ => Assert.Fail("no later answer is expected"), arguments);

    FleetAnswer? Act(string command, Action<FleetAnswer> later, params (string Name, string Value)[] arguments) => Actions().Act(new FleetCommand
    {
        Command = command, To = "office/box1", Sequence = 1, Time = DateTimeOffset.UtcNow, Arguments = arguments.ToDictionary(a => a.Name, a => a.Value),
    }, later);

    static void Unknown(FleetAnswer? answer, string why)
    {
        Assert.Equal((false, FleetAnswer.UnknownMark), (answer!.Ok, answer.Result));
        Assert.Contains(why, answer.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Ping_is_answered_and_takes_nothing()
    {
        Assert.Equal((true, "the sensor is there"), (Act("ping")!.Ok, Act("ping")!.Why));
        Unknown(Act("ping", ("seconds", "3")), "ping takes no arguments");
    }

    [Fact]
    public void A_command_that_is_none_is_answered_with_those_that_are()
    {
        Unknown(Act("format-disk"), "known are identify, ping, reload, capture-now, upgrade-check");
        foreach (string name in FleetActions.Names) Assert.NotEqual(FleetAnswer.UnknownMark, Act(name, _ => { })?.Result);
    }

    [Fact]
    public void Identify_blinks_for_as_long_as_it_is_told_and_says_so_when_nobody_could_see_it()
    {
        Assert.Equal("the panel was told to blink for 30 s", Act("identify")!.Why);
        Assert.Equal("the panel was told to blink for 600 s", Act("identify", ("seconds", "600"))!.Why);
        Assert.Equal("the panel was told to blink no longer", Act("identify", ("seconds", "0"))!.Why);
        Assert.Equal([30, 600, 0], _blinks.Select(b => b.TotalSeconds));
        _hasPanel = false;
        Assert.Equal((false, "this sensor has no panel that listens: there is nothing to blink"), (Act("identify")!.Ok, Act("identify")!.Why));
        foreach (string wrong in new[] { "601", "-1", "+5", " 5", "5.0", "", "soon", "99999999999999999999" }) Unknown(Act("identify", ("seconds", wrong)), "seconds: expected a whole number from 0 to 600");
        Unknown(Act("identify", ("minutes", "1")), "there is no argument minutes");
    }

    [Fact]
    public void Reload_says_what_the_config_check_says()
    {
        Assert.Equal((true, "the sensor begins anew with the config as it is now"), (Act("reload")!.Ok, Act("reload")!.Why));
        _reloadRefusal = "config.yml:3: unknown key";
        Assert.Equal((false, _reloadRefusal), (Act("reload")!.Ok, Act("reload")!.Why));
        int before = _reloads;
        Unknown(Act("reload", ("now", "1")), "reload takes no arguments");
        Assert.Equal(before, _reloads);
    }

    [Fact]
    public void Upgrade_check_puts_its_request_where_the_boxs_unit_waits_or_says_that_there_is_none()
    {
        FleetAnswer away = Act("upgrade-check")!;
        Assert.False(away.Ok);
        Assert.Contains($"this box has no {Requests}", away.Why, StringComparison.Ordinal);
        Directory.CreateDirectory(Requests);
        Assert.True(Act("upgrade-check")!.Ok);
        Assert.Equal("upgrade-check", Path.GetFileName(Assert.Single(Directory.GetFiles(Requests))));
        Assert.Empty(File.ReadAllBytes(Path.Combine(Requests, "upgrade-check")));
        File.Delete(Path.Combine(Requests, "upgrade-check"));
        // What is in its way is said, and is no mistake of ours.
        Directory.CreateDirectory(Path.Combine(Requests, "upgrade-check"));
        Assert.Equal((false, $"it cannot be asked for in {Requests}: permission denied"), (Act("upgrade-check")!.Ok, Act("upgrade-check")!.Why));
    }

    [Fact]
    public void Capture_now_checks_its_arguments_before_it_listens()
    {
        Unknown(Act("capture-now", ("seconds", "0")), "seconds: expected a whole number from 1 to 300");
        Unknown(Act("capture-now", ("seconds", "301")), "seconds: expected a whole number from 1 to 300");
        Unknown(Act("capture-now", ("packets", "1000001")), "packets: expected a whole number from 1 to 1000000");
        Unknown(Act("capture-now", ("filter", "tcp")), "there is no argument filter");
        FleetAnswer other = Act("capture-now", ("interface", "../../etc"))!;
        Assert.Equal((false, "this sensor does not listen on that interface; it does on nfr-absent0"), (other.Ok, other.Why));
        using var done = new ManualResetEventSlim();
        FleetAnswer? answer = null;
        Assert.Null(Act("capture-now", said =>
        {
            answer = said;
            done.Set();
        }, ("seconds", "1"), ("packets", "1"), ("interface", "nfr-absent0")));
        Assert.True(done.Wait(TimeSpan.FromSeconds(60)));
        Assert.False(answer!.Ok);
        Assert.Contains("nfr-absent0", answer.Why, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "captures")));
    }

    public void Dispose()
    {
        _capture.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
