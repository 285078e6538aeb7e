using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using Nfr.Service;

namespace Nfr.Tests.Service;

[SupportedOSPlatform("linux")]
public sealed class NotifierTests
{
    static Notifier? Of(params (string Name, string Value)[] environment) =>
        Notifier.Of(name => environment.FirstOrDefault(e => e.Name == name).Value, 4711, TimeProvider.System, out _);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_said_comes_as_one_datagram_to_a_path_and_to_an_abstract_name(bool isAbstract)
    {
        using var socket = new NotifySocket(isAbstract);
        using Notifier notifier = socket.Notifier();
        Assert.True(notifier.Ready());
        Assert.True(notifier.Status("Recording eth1"));
        Assert.True(notifier.Alive());
        Assert.True(notifier.Stopping(TimeSpan.FromSeconds(10), "Stopping"));
        Assert.Equal(["READY=1", "STATUS=Recording eth1", "WATCHDOG=1", "STOPPING=1\nEXTEND_TIMEOUT_USEC=10000000\nSTATUS=Stopping"], [socket.Next(), socket.Next(), socket.Next(), socket.Next()]);
    }

    [Fact]
    public void Not_started_by_systemd_there_is_none() => Assert.Null(Of());

    [Theory]
    [InlineData("vsock:2:1234")]
    [InlineData("relative/path")]
    [InlineData("@")]
    [InlineData("/a/path/that/is/far/longer/than/the/hundred/and/eight/bytes/that/the/name/of/a/local/socket/may/have/in/any/unix")]
    public void A_socket_that_cannot_be_spoken_to_is_told_with_its_name(string name)
    {
        Assert.Null(Notifier.Of(n => n == "NOTIFY_SOCKET" ? name : null, 1, TimeProvider.System, out string? trouble));
        Assert.Contains(name, trouble!, StringComparison.Ordinal);
    }

    [Fact]
    public void The_watchdog_of_another_process_is_not_ours()
    {
        using Notifier? ours = Of(("NOTIFY_SOCKET", "/run/x"), ("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", "4711"));
        using Notifier? anothers = Of(("NOTIFY_SOCKET", "/run/x"), ("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", "4712"));
        using Notifier? nobodys = Of(("NOTIFY_SOCKET", "/run/x"), ("WATCHDOG_USEC", "none"));
        Assert.Equal([TimeSpan.FromSeconds(30), null, null], [ours!.WatchdogPeriod, anothers!.WatchdogPeriod, nobodys!.WatchdogPeriod]);
    }

    [Fact]
    public void A_reload_says_since_when_by_the_monotonic_clock_and_asks_the_watchdog_for_patience()
    {
        using var socket = new NotifySocket();
        using Notifier notifier = socket.Notifier(TimeSpan.FromSeconds(30));
        long before = Stopwatch.GetTimestamp();
        Assert.True(notifier.Reloading(TimeSpan.FromMinutes(2), "Reloading"));
        string[] lines = socket.Next().Split('\n');
        Assert.Equal(["RELOADING=1", "WATCHDOG_USEC=120000000", "WATCHDOG=1", "STATUS=Reloading"], [lines[0], lines[2], lines[3], lines[4]]);
        long since = long.Parse(lines[1]["MONOTONIC_USEC=".Length..], CultureInfo.InvariantCulture);
        // clock_gettime(CLOCK_MONOTONIC), which the kernel also tells as the first number of /proc/uptime where nothing slept.
        Assert.InRange(since, (long)Stopwatch.GetElapsedTime(0, before).TotalMicroseconds, (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds);
        Assert.True(notifier.Ready());
        Assert.Equal("READY=1\nWATCHDOG_USEC=30000000", socket.Next());
    }

    [Fact]
    public void A_status_is_one_line_and_can_bring_no_variable_of_its_own()
    {
        using var socket = new NotifySocket();
        using Notifier notifier = socket.Notifier();
        notifier.Status("engine says:\nREADY=1\r\n\u001b[31m" + new string('x', 5000));
        string came = socket.Next();
        Assert.StartsWith("STATUS=engine says: READY=1 \\u001B[31mxxx", came, StringComparison.Ordinal);
        Assert.Equal("STATUS=".Length + Notifier.LongestStatus, came.Length);
        Assert.EndsWith("...", came, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_at_the_other_end_is_false_and_no_exception()
    {
        using Notifier? notifier = Of(("NOTIFY_SOCKET", "/nowhere/at/all"));
        Assert.False(notifier!.Ready());
        Assert.False(notifier.Alive());
    }

    [Fact]
    public void A_socket_that_nobody_empties_holds_a_word_up_for_a_second_and_no_longer()
    {
        using var socket = new NotifySocket();
        using Notifier notifier = socket.Notifier();
        int said = 0;
        var clock = Stopwatch.StartNew();
        while (notifier.Alive() && said < 100_000) said++;
        // net.unix.max_dgram_qlen, 10 or 512, is what fits.
        Assert.InRange(said, 1, 99_999);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.9, 20);
    }
}
