using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

/// <summary>The ticks of what is told of at its end.</summary>
public sealed class LogClockTests
{
    const long Second = 1_000_000_000, Hour = 3_600 * Second, Start = 1_700_000_000 * Second;

    [Fact]
    public void A_long_connection_among_short_ones_ends_when_it_is_told_of_and_not_in_the_future()
    {
        var clock = new LogClock(null);
        Assert.Equal(Start, clock.Tick(Start, Second));
        // Six hours long, it began before those that were told of ahead of it.
        Assert.Equal(Start - (6 * Hour), clock.Tick(Start - (6 * Hour), (6 * Hour) + (2 * Second)));
        Assert.Equal(Start + (3 * Second), clock.Tick(Start + (3 * Second), Second));
    }

    [Fact]
    public void Connections_in_the_order_of_their_beginnings_keep_them()
    {
        var clock = new LogClock(null);
        Assert.Equal(Start, clock.Tick(Start, 6 * Hour));
        Assert.Equal(Start + (30 * Second), clock.Tick(Start + (30 * Second), Second));
        Assert.Equal(Start + (60 * Second), clock.Tick(Start + (60 * Second), Second));
    }

    [Fact]
    public void What_a_clock_that_was_set_back_says_ends_no_earlier_than_what_was_told_of()
    {
        var clock = new LogClock(null);
        clock.Tick(Start);
        Assert.Equal(Start - Second, clock.Tick(0, Second));
    }

    [Fact]
    public void In_a_running_sensor_nothing_ends_later_than_now()
    {
        var time = new ManualTime();
        var clock = new LogClock(time);
        long now = time.GetElapsedTime(0, time.GetTimestamp()).Ticks * 100, stamp = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        Assert.Equal(now - Hour, clock.Tick(stamp - Hour, Hour));
        // A sender whose clock is ahead of ours.
        Assert.Equal(now - Hour, clock.Tick(stamp, Hour));
    }

    [Theory]
    [InlineData(long.MinValue, long.MinValue)]
    [InlineData(long.MinValue, long.MaxValue)]
    [InlineData(long.MaxValue, long.MaxValue)]
    public void Any_numbers_are_borne(long stamp, long duration)
    {
        var clock = new LogClock(new ManualTime());
        for (int i = 0; i < 3; i++) Assert.InRange(clock.Tick(stamp, duration), -(long.MaxValue / 8 * 7), long.MaxValue / 2);
    }

    [Fact]
    public void A_connection_of_Zeeks_has_the_tick_of_its_beginning()
    {
        var sink = new Ends();
        var parser = new ZeekParser(new LineOptions());
        foreach (string line in (ZeekSamples.Head + "#path\tconn\n" + ZeekSamples.ConnFields
            + "1700000000.0\tCa\t10.0.0.5\t1\t192.0.2.7\t443\ttcp\t-\t1.0\t1\t1\tSF\tT\tF\t0\tS\t1\t1\t1\t1\t-\t6\n"
            + "1699978400.0\tCb\t10.0.0.5\t2\t192.0.2.7\t443\ttcp\t-\t21602.0\t1\t1\tSF\tT\tF\t0\tS\t1\t1\t1\t1\t-\t6").Split('\n')) parser.Read(System.Text.Encoding.ASCII.GetBytes(line), sink);
        Assert.Equal([Start + Second, Start + (2 * Second)], sink.Told);
    }

    sealed class Ends : IEventSink
    {
        public List<long> Told { get; } = [];
        public void OnIp(scoped in IpEvent e) => Told.Add(e.Context.Tick + e.Duration);

        public void OnDns(scoped in DnsEvent e)
        {
        }

        public void OnHttp(scoped in HttpEvent e)
        {
        }

        public void OnTls(scoped in TlsEvent e)
        {
        }

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }
    }
}
