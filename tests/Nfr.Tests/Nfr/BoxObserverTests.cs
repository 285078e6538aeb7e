using Nfr.Health;

namespace Nfr.Tests.Nfr;

/// <summary>What of the box comes into the log, and how often.</summary>
public sealed class BoxObserverTests
{
    readonly ManualTime _time = new();
    readonly List<(bool Bad, string Sentence)> _said = [];
    readonly BoxObserver _observer;

    public BoxObserverTests() => _observer = new BoxObserver((bad, sentence) => _said.Add((bad, sentence)), _time);

    void Look(BoxFacts box) => _observer.Look(Troubles.OfBox(box, StatusBed.Now));

    static BoxFacts WithFree(long free) => StatusBed.Box() with { Disk = new DiskFacts("/var/lib", "ext4", false, free, 29L << 30) };

    [Fact]
    public void A_disk_that_fills_is_told_once_and_so_is_its_end()
    {
        Look(StatusBed.Box());
        Assert.Empty(_said);
        foreach (long free in new[] { 900L << 20, 500L << 20, 0L })
        {
            Look(WithFree(free));
            _time.Advance(TimeSpan.FromSeconds(10));
        }
        (bool bad, string sentence) = Assert.Single(_said);
        Assert.True(bad);
        Assert.Equal("disk: /var/lib has 900 MiB left of 29.0 GiB; free space, or lower spool.max_size", sentence);
        Look(StatusBed.Box());
        Assert.Equal((false, "disk: no more: /var/lib has 900 MiB left of 29.0 GiB"), _said[^1]);
        Look(StatusBed.Box());
        Assert.Equal(2, _said.Count);
    }

    [Fact]
    public void What_lasts_is_told_again_after_an_hour_and_two_things_are_two()
    {
        BoxFacts dying = StatusBed.Box() with { Disk = new DiskFacts("/data", "ext4", true, 0, 29L << 30), Temperatures = [new Temperature("cpu-thermal", 91)], IsAppliance = true };
        for (int minute = 0; minute < 61; minute++, _time.Advance(TimeSpan.FromMinutes(1))) Look(dying);
        Assert.Equal(4, _said.Count);
        Assert.Equal(2, _said.Count(s => s.Sentence.StartsWith("disk: /data is read-only; take the power away", StringComparison.Ordinal)));
        Assert.Equal(2, _said.Count(s => s.Sentence.StartsWith("box: cpu-thermal is at 91 °C; ", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_clock_that_nobody_set_is_told_and_what_settings_and_updates_say_is_not_told_twice()
    {
        BoxFacts box = StatusBed.Box() with { Notes = BoxNotes.None with { Setup = ["nfr.txt line 3: nobody knows the name \"colour\""] } };
        Look(box);
        // A container never knows whether its clock is kept.
        Look(box with { Clock = box.Clock with { Kernel = box.Clock.Kernel!.Value with { IsSynchronised = false } } });
        Assert.Empty(_said);
        _observer.Look(Troubles.OfBox(box, DateTimeOffset.UnixEpoch));
        Assert.StartsWith("clock: the clock was never set: it says 1970-01-01; ", Assert.Single(_said).Sentence, StringComparison.Ordinal);
    }
}
