using System.Runtime.Versioning;

namespace Nfr.Tests.Image;

/// <summary>What DHCP says of time servers, and what chrony says of the clock, on folders; a few lines of shell stand for chronyc.</summary>
[SupportedOSPlatform("linux")]
public sealed class TimeServersTests : IDisposable
{
    readonly string _root = Directory.CreateTempSubdirectory("nfr-time-").FullName;

    public TimeServersTests()
    {
        Directory.CreateDirectory(At("run/systemd/netif"));
        Chronyc("echo \"$*\" >> calls");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    string At(string path) => Path.Combine(_root, path);

    void Chronyc(string body)
    {
        File.WriteAllText(At("chronyc"), $"#!/bin/sh\ncd '{_root}' || exit 1\n{body}\n");
        File.SetUnixFileMode(At("chronyc"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>networkd's state with such servers of DHCP; null = it has none.</summary>
    string Run(string? servers)
    {
        File.WriteAllText(At("run/systemd/netif/state"), $"# This is private data. Do not parse.\nOPER_STATE=routable\nDNS=10.0.2.3\n{(servers is null ? "" : $"NTP={servers}\n")}DOMAINS=x\n");
        return Shell.Run($"sh {Shell.Scripts}/time-servers", ("NFR_ROOT", _root), ("NFR_CHRONYC", At("chronyc")));
    }

    string? Sources => File.Exists(At("run/chrony-dhcp/nfr.sources")) ? File.ReadAllText(At("run/chrony-dhcp/nfr.sources")) : null;

    int Calls => File.Exists(At("calls")) ? File.ReadAllLines(At("calls")).Count(l => l == "reload sources") : 0;

    [Fact]
    public void Servers_of_DHCP_reach_chrony_and_go_with_the_lease()
    {
        Run("192.168.1.1 ntp.example.net 2001:db8::123");
        Assert.Equal("server 192.168.1.1 iburst\nserver ntp.example.net iburst\nserver 2001:db8::123 iburst\n", Sources);
        Assert.Equal(1, Calls);
        // The same lease again is no news.
        Assert.Equal("", Run("192.168.1.1 ntp.example.net 2001:db8::123"));
        Assert.Equal(1, Calls);
        Run("10.0.0.1");
        Assert.Equal(("server 10.0.0.1 iburst\n", 2), (Sources, Calls));
        Assert.Contains("no time server any more", Run(null), StringComparison.Ordinal);
        Assert.Equal((null, 3), (Sources, Calls));
        Run(null);
        Assert.Equal(3, Calls);
    }

    [Fact]
    public void A_lease_that_comes_while_the_one_before_is_taken_is_not_missed()
    {
        // The next one is written while chrony reads this one, as when a link comes up.
        Chronyc("echo \"$*\" >> calls; [ $(wc -l < calls) -gt 1 ] || echo NTP=192.0.2.9 > run/systemd/netif/state");
        Run("192.0.2.5");
        Assert.Equal(("server 192.0.2.9 iburst\n", 2), (Sources, Calls));
    }

    [Fact]
    public void A_network_that_says_something_else_each_time_holds_nobody_up()
    {
        Chronyc("echo \"$*\" >> calls; echo NTP=192.0.2.$(wc -l < calls) > run/systemd/netif/state");
        Run("192.0.2.99");
        Assert.Equal(5, Calls);
    }

    [Fact]
    public void What_the_path_unit_missed_the_timer_finds()
    {
        string timer = File.ReadAllText(Shell.Appliance("usr/lib/systemd/system/nfr-time-servers.timer"));
        // Of the service by the same name, counted from its end: one that runs is not started twice.
        Assert.Contains("\nOnUnitInactiveSec=5min\n", timer, StringComparison.Ordinal);
        Assert.DoesNotContain("\nUnit=", timer, StringComparison.Ordinal);
        Assert.Contains("\nWantedBy=timers.target\n", timer, StringComparison.Ordinal);
        Assert.Contains("\nenable nfr-*.timer\n", File.ReadAllText(Shell.Appliance("etc/systemd/system-preset/00-nfr.preset")), StringComparison.Ordinal);
        Assert.Contains("PathChanged=/run/systemd/netif/state", File.ReadAllText(Shell.Appliance("usr/lib/systemd/system/nfr-time-servers.path")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_network_says_with_backslashes_is_shown_as_it_is() =>
        Assert.Contains(@"the time server ""\033[31m\nx\c"", which is none", Run(@"\033[31m\nx\c"), StringComparison.Ordinal);

    [Fact]
    public void Without_networkd_there_is_nothing_to_say()
    {
        Assert.Equal("", Shell.Run($"sh {Shell.Scripts}/time-servers", ("NFR_ROOT", _root), ("NFR_CHRONYC", At("chronyc"))));
        Assert.Equal((null, 0), (Sources, Calls));
    }

    [Theory]
    [InlineData("999.1.1.1")]
    [InlineData("1.2.3")]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.1.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::1")]
    [InlineData("ff02::101")]
    [InlineData("localhost")]
    [InlineData("$(touch${IFS}ran)")]
    [InlineData("*")]
    [InlineData("a;b")]
    [InlineData("-x")]
    [InlineData("ntp.example.net\toffset=3")]
    [InlineData("\e[31mred")]
    public void What_is_no_server_is_named_and_left_out(string wrong)
    {
        string said = Run(wrong + " 192.0.2.5");
        Assert.Contains("which is none that can be asked", said, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', said);
        Assert.Equal("server 192.0.2.5 iburst\n", Sources);
        Assert.False(File.Exists(At("ran")));
        // Once: the timer looks every five minutes.
        Assert.Equal("", Run(wrong + " 192.0.2.5"));
    }

    [Fact]
    public void A_server_that_names_hundreds_of_them_gets_eight()
    {
        Assert.Contains("more than eight", Run(string.Join(' ', Enumerable.Range(1, 200).SelectMany(i => new[] { $"192.0.2.{i}", $"192.0.2.{i}" }))), StringComparison.Ordinal);
        Assert.Equal(8, Sources!.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());
        Run(new string('x', 100_000));
        Assert.Null(Sources);
    }

    [Fact]
    public void A_chrony_that_does_not_run_yet_reads_them_when_it_starts()
    {
        Chronyc("exit 1");
        Assert.Contains("reads", Run("192.0.2.5"), StringComparison.Ordinal);
        Assert.NotNull(Sources);
        Assert.Contains("sourcedir /run/chrony-dhcp", File.ReadAllText(Shell.Appliance("etc/chrony/chrony.conf")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_chrony_says_of_the_clock_lies_where_the_sensor_reads_it()
    {
        Directory.CreateDirectory(At("time"));
        const string Line = "C0000209,192.0.2.9,2,1795358141.212006320,-0.000005399,0.000000120,0.000000120,0.222,0.000,24.039,0.000014662,0.000148884,2.0,Normal";
        Chronyc($"[ \"$*\" = '-c -n tracking' ] && echo '{Line}'");
        Shell.Run($"sh {Shell.Scripts}/timekeeping", ("NFR_ONCE", "1"), ("NFR_TIME", At("time")), ("NFR_CHRONYC", At("chronyc")));
        Assert.Equal(Line + "\n", File.ReadAllText(At("time/tracking")));
        var places = new global::Nfr.Health.TimeKeepingPlaces(At("time/tracking"), At("none"));
        Assert.True(global::Nfr.Health.TimeKeeping.Read(places, TimeProvider.System, () => null)!.Value.IsSynchronised);
        // A chrony that is gone keeps nothing.
        Chronyc("echo '506 Cannot talk to daemon' >&2; exit 1");
        Shell.Run($"sh {Shell.Scripts}/timekeeping", ("NFR_ONCE", "1"), ("NFR_TIME", At("time")), ("NFR_CHRONYC", At("chronyc")));
        Assert.Empty(Directory.GetFiles(At("time")));
        Assert.Equal("/run/nfr-time/tracking", global::Nfr.Health.TimeKeepingPlaces.Default.Chrony);
        Assert.Contains("RuntimeDirectory=nfr-time", File.ReadAllText(Shell.Appliance("usr/lib/systemd/system/nfr-timekeeping.service")), StringComparison.Ordinal);
    }
}
