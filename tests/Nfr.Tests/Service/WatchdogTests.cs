using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Service;
using Serilog.Core;

namespace Nfr.Tests.Service;

public sealed class WatchdogTests
{
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    readonly ManualTime _time = new();
    readonly Pulse _capture = new("capture of eth1");
    readonly Pulse _pipeline = new("pipeline");

    Watchdog Watch() => new([_capture, _pipeline], s_patience, _time);

    [Fact]
    public void Loops_that_go_round_are_not_stuck_however_little_they_do()
    {
        Watchdog watchdog = Watch();
        for (int i = 0; i < 100; i++)
        {
            _time.Advance(s_patience * 0.9);
            _capture.Beat();
            _pipeline.Beat();
            Assert.Null(watchdog.Stuck(out _));
        }
    }

    [Fact]
    public void One_loop_that_stands_still_is_named_though_the_others_go_round()
    {
        Watchdog watchdog = Watch();
        for (int i = 0; i < 14; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _pipeline.Beat();
            Assert.Null(watchdog.Stuck(out _));
        }
        _time.Advance(TimeSpan.FromSeconds(3));
        _pipeline.Beat();
        Assert.Equal(_capture, watchdog.Stuck(out TimeSpan still));
        Assert.Equal(TimeSpan.FromSeconds(17), still);
    }

    [Fact]
    public void A_loop_that_never_began_is_stuck() => Assert.Equal(_pipeline, StuckAfter(_capture));

    [Fact]
    public void Of_two_the_one_that_has_stood_longer_is_named()
    {
        Watchdog watchdog = Watch();
        _time.Advance(TimeSpan.FromSeconds(5));
        _capture.Beat();
        Assert.Null(watchdog.Stuck(out _));
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(_pipeline, watchdog.Stuck(out _));
    }

    [Fact]
    public void A_loop_that_goes_on_is_well_at_once()
    {
        Watchdog watchdog = Watch();
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.NotNull(watchdog.Stuck(out _));
        _capture.Beat();
        _pipeline.Beat();
        Assert.Null(watchdog.Stuck(out _));
    }

    [Fact]
    public void A_jump_of_the_wall_clock_is_no_standstill()
    {
        Watchdog watchdog = Watch();
        _time.Utc += TimeSpan.FromDays(20_000);
        Assert.Null(watchdog.Stuck(out _));
    }

    Pulse? StuckAfter(Pulse goes)
    {
        Watchdog watchdog = Watch();
        _time.Advance(s_patience);
        goes.Beat();
        return watchdog.Stuck(out _);
    }

    /// <summary>Holds the pipeline's thread in the middle of an event, as a disk that does not answer does.</summary>
    sealed class Gate : MemoryStream
    {
        public ManualResetEventSlim Entered { get; } = new();
        public ManualResetEventSlim Opened { get; } = new();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Entered.Set();
            Opened.Wait(TimeSpan.FromSeconds(60));
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            Entered.Dispose();
            Opened.Dispose();
        }
    }

    [Fact]
    public void The_pipeline_beats_while_it_idles_and_not_while_it_is_stuck_in_an_event()
    {
        var ring = new EventRing();
        using var gate = new Gate();
        var pipeline = new PipelineThread([ring], new EventStage(null, null, null, gate), null, Logger.None);
        pipeline.Start();
        long idle = pipeline.Pulse.Rounds;
        Assert.True(SpinWait.SpinUntil(() => pipeline.Pulse.Rounds > idle + 3, TimeSpan.FromSeconds(20)), "an idle pipeline does not go round");

        var decoder = new FrameDecoder<RingSink>(new DecoderOptions(), new RingSink(ring, new long[EventTypes.Count], RingPatience.Endless));
        decoder.OnFrame(new global::Nfr.Wire.Frame(global::Nfr.Tests.Sensor.Frames.Udp("10.0.0.1", 1000, "192.0.2.1", 9, "x"u8), 52, 1, 1, global::Nfr.Wire.LinkType.Ethernet, 0, 0));
        decoder.Drain();
        Assert.True(gate.Entered.Wait(TimeSpan.FromSeconds(20)));
        var watchdog = new Watchdog([pipeline.Pulse], s_patience, _time);
        _time.Advance(s_patience);
        Assert.Equal(pipeline.Pulse, watchdog.Stuck(out _));

        gate.Opened.Set();
        Assert.True(SpinWait.SpinUntil(() => watchdog.Stuck(out _) is null, TimeSpan.FromSeconds(20)), "it goes on, and the watchdog does not see it");
        Assert.True(pipeline.Finish(TimeSpan.FromSeconds(20)));
    }
}
