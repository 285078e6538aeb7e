using Nfr.Health;
using Nfr.Native;

namespace Nfr.Tests.Nfr;

/// <summary>What is known of the machine: disk, thermometers, throttling, clock.</summary>
public sealed class BoxTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-box-").FullName;

    void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, path))!);
        File.WriteAllText(Path.Combine(_folder, path), text + "\n");
    }

    static readonly string[] s_mounts =
    [
        "22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw",
        "23 22 0:5 / /var/lib rw,relatime shared:2 master:7 - ext4 /dev/sda1 rw",
        "24 23 0:6 / /var/lib/nfr ro,relatime - ext4 /dev/sda2 rw",
        "25 23 0:7 / /var/lib/nfr/card rw,relatime - vfat /dev/sda3 ro,errors=remount-ro",
        @"26 22 0:8 / /mnt/my\040disk rw - xfs /dev/sdb rw",
        "27 22 0:9 / /over rw - ext4 /dev/sdc rw",
        "28 27 0:10 / /over rw - tmpfs tmpfs rw",
        "29 22 0:11 / /failed rw,noatime - ext4 /dev/sdd rw,errors=remount-ro,emergency_ro",
        "30 22 0:12 / /down rw,noatime - ext4 /dev/sde rw,shutdown",
        "cut short", "", "1 2 3 4 5 6 7",
    ];

    [Theory]
    [InlineData("/etc/nfr", "/", "ext4", false)]
    [InlineData("/var/lib/nfr2/spool", "/var/lib", "ext4", false)]
    [InlineData("/var/lib/nfr/spool", "/var/lib/nfr", "ext4", true)]
    [InlineData("/var/lib/nfr/card/spool", "/var/lib/nfr/card", "vfat", true)]
    [InlineData("/mnt/my disk", "/mnt/my disk", "xfs", false)]
    [InlineData("/over/spool", "/over", "tmpfs", false)]
    [InlineData("/failed/spool", "/failed", "ext4", true)]
    [InlineData("/down/spool", "/down", "ext4", true)]
    public void A_folder_lies_on_the_longest_mount_that_it_begins_with(string folder, string point, string kind, bool readOnly) =>
        Assert.Equal((point, kind, readOnly), DiskFacts.Mount(folder, s_mounts));

    [Fact]
    public void The_disk_of_a_folder_of_this_machine_is_known()
    {
        DiskFacts disk = DiskFacts.Read(_folder)!;
        Assert.False(disk.IsReadOnly);
        Assert.InRange(disk.Free, 1, disk.Size);
    }

    [Fact]
    public void Each_thermometer_has_a_name_of_its_own_and_what_is_no_temperature_is_left_out()
    {
        Write("thermal/thermal_zone0/type", "cpu-thermal");
        Write("thermal/thermal_zone0/temp", "52300");
        Write("thermal/thermal_zone1/type", "cpu-thermal");
        Write("thermal/thermal_zone1/temp", "-4000");
        Write("thermal/thermal_zone2/type", "off");
        Write("thermal/thermal_zone2/temp", "-274000");
        Write("thermal/thermal_zone3/temp", "no number");
        Write("hwmon/hwmon0/temp1_input", "99000");
        Assert.Equal([new("cpu-thermal", 52.3), new("cpu-thermal 2", -4)], Temperature.Read(_folder));
    }

    [Fact]
    public void Where_there_are_no_thermal_zones_the_chips_are_asked()
    {
        Write("hwmon/hwmon0/name", "k10temp");
        Write("hwmon/hwmon0/temp1_input", "41000");
        Write("hwmon/hwmon0/temp1_label", "Tctl");
        Write("hwmon/hwmon0/temp2_input", "39500");
        Assert.Equal([new("Tctl", 41), new("k10temp", 39.5)], Temperature.Read(_folder));
    }

    [Fact]
    public void A_server_with_dozens_of_thermometers_tells_of_a_few()
    {
        for (int i = 10; i < 40; i++) Write($"thermal/thermal_zone{i}/temp", "30000");
        Assert.Equal(Temperature.Most, Temperature.Read(_folder).Count);
        Assert.Empty(Temperature.Read(Path.Combine(_folder, "none")));
    }

    [Theory]
    [InlineData("50005", Throttling.UnderVoltage | Throttling.Throttled | Throttling.UnderVoltageSinceBoot | Throttling.ThrottledSinceBoot)]
    [InlineData("0x1", Throttling.UnderVoltage)]
    [InlineData("0", Throttling.None)]
    public void The_boards_own_word_on_throttling_is_a_number_in_hex(string text, object expected)
    {
        Write("get_throttled", text);
        Assert.Equal((Throttling)expected, ThrottlingFile.Read(Path.Combine(_folder, "get_throttled")));
    }

    [Fact]
    public void Other_boards_say_nothing_of_throttling()
    {
        Write("get_throttled", "garbage");
        Assert.Null(ThrottlingFile.Read(Path.Combine(_folder, "get_throttled")));
        Assert.Null(ThrottlingFile.Read(Path.Combine(_folder, "none")));
    }

    [Fact]
    public void The_upstream_kernels_driver_tells_of_the_supply_alone()
    {
        Write("hwmon0/name", "cpu_thermal");
        Write("hwmon0/in0_lcrit_alarm", "1");
        Assert.Null(ThrottlingFile.Alarm(_folder));
        Write("hwmon3/name", "rpi_volt\n");
        Write("hwmon3/in0_lcrit_alarm", "1\n");
        string alarm = Assert.IsType<string>(ThrottlingFile.Alarm(_folder));
        Assert.Equal(Throttling.UnderVoltage, ThrottlingFile.OfAlarm(alarm));
        Write("hwmon3/in0_lcrit_alarm", "0\n");
        Assert.Equal(Throttling.None, ThrottlingFile.OfAlarm(alarm));
        Write("hwmon3/in0_lcrit_alarm", "?");
        Assert.Null(ThrottlingFile.OfAlarm(alarm));
        Assert.Null(ThrottlingFile.OfAlarm(alarm + ".gone"));
    }

    [Fact]
    public void A_clock_that_is_set_is_seen_and_time_that_passes_is_not()
    {
        var time = new ManualTime();
        var watch = new ClockWatch(time, () => new ClockStatus(true, default, default, default));
        for (int i = 0; i < 100; i++)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            Assert.Equal(0, watch.Look().Jumps);
        }
        time.Utc += TimeSpan.FromHours(3);
        time.Advance(TimeSpan.FromSeconds(10));
        ClockFacts forward = watch.Look();
        Assert.Equal((1, TimeSpan.FromHours(3), time.Utc), (forward.Jumps, forward.LastJump, forward.LastJumpAt));
        time.Utc -= TimeSpan.FromMinutes(1);
        ClockFacts back = watch.Look();
        Assert.Equal((2, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(179)), (back.Jumps, back.LastJump, back.Set));
        Assert.Equal(2, watch.Look().Jumps);
    }

    [Fact]
    public void Many_steps_too_small_for_one_look_are_found_together()
    {
        var time = new ManualTime();
        var watch = new ClockWatch(time, () => null);
        for (int i = 0; i < 3; i++)
        {
            time.Utc += TimeSpan.FromMilliseconds(100);
            watch.Look();
        }
        Assert.Equal((1, TimeSpan.FromMilliseconds(300)), (watch.Look().Jumps, watch.Look().Set));
    }

    [Fact]
    public void Rates_are_those_of_the_last_window()
    {
        var time = new ManualTime();
        var rates = new PortRates(time);
        Assert.Null(rates.Rate);
        time.Advance(TimeSpan.FromSeconds(10));
        rates.Look(1000, 125_000);
        Assert.Equal(new PortRate(100, 100_000, 10), rates.Rate);
        time.Advance(TimeSpan.FromSeconds(5));
        rates.Look(1000, 125_000);
        Assert.Equal(new PortRate(0, 0, 5), rates.Rate);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
