using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

/// <summary>Groups that are too great, and ends that never come.</summary>
public sealed class LogOutletTests
{
    const int Capacity = 4 * EventEncoding.MaximumLength;

    struct Counting : IEventSink
    {
        public int Events, Marks;
        public void OnDns(scoped in DnsEvent e) => Events++;
        public void OnMark(in InputMark mark) => Marks++;
        public readonly void OnIp(scoped in IpEvent e) => throw new InvalidOperationException();
        public readonly void OnHttp(scoped in HttpEvent e) => throw new InvalidOperationException();
        public readonly void OnTls(scoped in TlsEvent e) => throw new InvalidOperationException();
        public readonly void OnHost(scoped in HostEvent e) => throw new InvalidOperationException();
        public readonly void OnAnomaly(scoped in AnomalyEvent e) => throw new InvalidOperationException();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_held_back_and_is_more_than_the_ring_holds_goes_in_parts_and_is_counted_once(bool takenBack)
    {
        const int Events = 5000;
        var ring = new EventRing(Capacity, grouped: true);
        using var stop = new CancellationTokenSource();
        var outlet = new LogOutlet(ring, TimeSpan.FromSeconds(1), stop.Token);
        LogCounters counters = outlet.Open("x");
        Task release = Task.Run(() =>
        {
            for (int i = 0; i < Events; i++) outlet.OnDns(new DnsEvent { Query = "waits.for.its.answer.example"u8 });
            if (takenBack) outlet.Rollback();
            outlet.Commit(counters, new InputMark(InputMark.None, 0, 0, 0), null, 0);
        });
        var sink = new Counting();
        Assert.True(SpinWait.SpinUntil(() =>
        {
            ring.Read(ref sink, 256);
            return release.IsCompleted && ring.IsEmpty;
        }, TimeSpan.FromSeconds(30)), "neither side goes on");
        await release;
        // What the pipeline has already cannot be taken back; what it has is what is counted.
        Assert.Equal((sink.Events, 1), ((int)counters.Events[0], sink.Marks));
        Assert.InRange(sink.Events, takenBack ? 100 : Events, takenBack ? Events - 1 : Events);
    }

    [Fact]
    public void A_fault_within_a_group_leaves_the_rest_of_it_to_be_taken_before_anything_is_committed()
    {
        var ring = new EventRing(Capacity, grouped: true);
        Assert.True(ring.TryWriteDns(default) && ring.TryWriteHttp(default) && ring.TryWriteDns(default));
        Assert.True(ring.TryWriteMark(new InputMark(3, 0, 9, 9)));
        var sink = new Counting();
        Assert.False(ring.IsHalfRead);
        Assert.Throws<InvalidOperationException>(() => ring.Read(ref sink, 1));
        Assert.Equal(1, sink.Events);
        ring.SkipOne();
        Assert.True(ring.IsHalfRead);
        // One is asked for, and all up to the mark come.
        Assert.Equal(2, ring.Read(ref sink, 1));
        Assert.Equal((2, 1, false), (sink.Events, sink.Marks, ring.IsHalfRead));
    }
}
