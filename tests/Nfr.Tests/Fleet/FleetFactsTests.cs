using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Update;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>What a heartbeat says beside the status: the newest alert, the versions that run and are offered.</summary>
public sealed class FleetFactsTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-facts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string At(string name) => Path.Combine(_folder, name);

    static Alert Alert(string at) => new() { Threats = [new AlertThreat("c2", "C2", 5)], Event = new AlertEvent { Type = EventType.Dns, Ts = at, SrcIP = "10.0.0.1", Query = "q.example", QType = "A" } };

    [Fact]
    public void The_newest_alert_is_told_with_its_time_behind_a_restart_too()
    {
        DateTimeOffset At(int minute) => new(2026, 11, 21, 12, minute, 0, TimeSpan.Zero);
        string folder = this.At("spool");
        using (Spool spool = Spool.Open(new SpoolOptions { Directory = folder }, TimeProvider.System))
        {
            var newest = new NewestAlert(spool, a => a, "output:fleet");
            Assert.Null(newest.Look());
            for (int i = 0; i < 30; i++) spool.AppendAlert(Alert($"2026-11-21T12:{i:00}:00.000000Z"));
            Assert.Null(spool.Flush());
            Assert.Equal(At(29), newest.Look());
            spool.AppendAlert(Alert("2026-11-21T12:45:00.000000Z"));
            Assert.Null(spool.Flush());
            Assert.Equal(At(45), newest.Look());
            Assert.Equal(At(45), newest.Look());
        }
        using (Spool spool = Spool.Open(new SpoolOptions { Directory = folder }, TimeProvider.System)) Assert.Equal(At(45), new NewestAlert(spool, a => a, "output:fleet").Look());
    }

    [Fact]
    public void On_an_appliance_the_image_says_what_runs_and_the_last_question_what_there_would_be()
    {
        var log = new List<string>();
        using Serilog.Core.Logger logger = new Serilog.LoggerConfiguration().WriteTo.Sink(new Lines(log)).CreateLogger();
        var paths = new AppliancePaths { Image = At("image.json"), Record = At("record.json") };
        Assert.Null(new Firmware(paths, logger).Look().Latest);
        Assert.NotEmpty(new Firmware(paths, logger).Look().Installed);
        File.WriteAllText(paths.Image, """{"version":"2.1.0","counter":12,"hardware":"rpi-arm64","slots":{"a":{"boot":"/dev/a","root":"/dev/b"},"b":{"boot":"/dev/c","root":"/dev/d"}}}""");
        var firmware = new Firmware(paths, logger);
        Assert.Equal(new FleetFirmware("2.1.0", null), firmware.Look());
        void Offer(string json, int second)
        {
            File.WriteAllText(paths.Latest, json);
            File.SetLastWriteTimeUtc(paths.Latest, new DateTime(2026, 11, 21, 12, 0, second, DateTimeKind.Utc));
        }
        Offer("""{"version":"2.2.0","counter":13,"newer":true,"runs":"2.1.0"}""", 1);
        Assert.Equal(new FleetFirmware("2.1.0", "2.2.0"), firmware.Look());
        // The box was updated by a file since: what was offered then is no news.
        Offer("""{"version":"2.0.0","counter":11,"newer":true,"runs":"1.9.0"}""", 2);
        Assert.Equal(new FleetFirmware("2.1.0", "2.1.0"), firmware.Look());
        Assert.Empty(log);
        foreach ((string bad, int second) in new[] { ("", 3), ("[]", 4), ("""{"version":"a b","counter":13}""", 5), ("""{"version":"2.2.0"}""", 6), (new string('x', 5000), 7) })
        {
            Offer(bad, second);
            Assert.Equal(new FleetFirmware("2.1.0", null), firmware.Look());
        }
        Assert.Contains("passed by", Assert.Single(log), StringComparison.Ordinal);
        File.Delete(paths.Latest);
        Assert.Null(firmware.Look().Latest);
    }

    sealed class Lines(List<string> lines) : Serilog.Core.ILogEventSink
    {
        public void Emit(Serilog.Events.LogEvent logEvent) => lines.Add(logEvent.RenderMessage(System.Globalization.CultureInfo.InvariantCulture));
    }
}
