using System.Text;
using Nfr.Config;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Pipeline;
using Serilog;
using Serilog.Core;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Nfr;

/// <summary>An input that tests play by hand: its lines are what <see cref="Lines"/> gives.</summary>
sealed class PlayedInput(string name, Action<PlayedInput, CancellationToken> run) : ILogInput
{
    LogOutlet? _outlet;

    public string Name => "logs";
    public LogCounters Counters { get; private set; } = new(name);
    public IReadOnlyList<InputReport> Reports => [new InputReport(name, name, null, null, null)];
    public bool IsDisposed { get; private set; }

    public void Open(LogOutlet outlet) => (_outlet, Counters) = (outlet, outlet.Open(name));

    public void Run(CancellationToken stop) => run(this, stop);

    public bool Line(LineVerdict verdict, int events = 0)
    {
        for (int i = 0; i < events; i++) _outlet!.OnDns(new DnsEvent { Query = "a.example"u8 });
        return _outlet!.Commit(Counters, new InputMark(InputMark.None, 0, 0, 0), verdict, 10);
    }

    /// <summary>An event without the end of its line.</summary>
    public void Half() => _outlet!.OnDns(new DnsEvent { Query = "half.example"u8 });

    public void Wait(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            _outlet!.Between();
            Thread.Sleep(5);
        }
    }

    public void Dispose() => IsDisposed = true;
}

public sealed class LogWorkerTests
{
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    static IReadOnlyList<LogCounters> Ask(LogWorker worker)
    {
        var shot = new LogShot();
        worker.Ask(shot);
        Assert.True(SpinWait.SpinUntil(() => shot.IsFilled, s_patience));
        return shot.Counters;
    }

    static Ledger LedgerOf(LogWorker worker, EventStage stage) => new()
    {
        Captures = [], Inputs = [new InputEntry(worker.Name, Ask(worker), worker.Mistakes)], Stage = stage.Counters.Copy(), IsClosing = true,
    };

    [Fact]
    public void Every_line_is_in_the_ledger_with_what_became_of_it_and_it_closes()
    {
        var input = new PlayedInput("/var/log/dns.log", (me, stop) =>
        {
            foreach (LineVerdict verdict in Enum.GetValues<LineVerdict>()) me.Line(verdict, verdict == LineVerdict.Event ? 2 : 0);
            me.Counters.LostBytes = 7;
            me.Wait(stop);
        });
        using var worker = new LogWorker(input, Logger.None);
        var stage = new EventStage(null, null, null);
        var pipeline = new PipelineThread([worker.Ring], stage, null, Logger.None);
        pipeline.Start();
        worker.Start();
        Assert.True(SpinWait.SpinUntil(() => Ask(worker)[0].Lines == LineVerdicts.Count && stage.Counters.Taken[0] == 2, s_patience));
        worker.RequestStop();
        Assert.True(worker.Join(s_patience) && pipeline.Finish(s_patience));

        Ledger end = LedgerOf(worker, stage);
        Assert.Empty(end.Gaps);
        Assert.Equal((LineVerdicts.Count, 2, 7), (end.Lines, end.EventsOf(EventType.Dns), end.LostLineBytes));
        string text = LedgerText.Write(end);
        Assert.Matches(@"\n  /var/log/dns\.log: lines read +17\r?\n    made events +1\r?\n", text);
        foreach (LineVerdict verdict in Enum.GetValues<LineVerdict>()) Assert.Matches($@"\n    {System.Text.RegularExpressions.Regex.Escape(InputEntry.Spell(verdict))} +1\r?\n", text);
        Assert.DoesNotContain("frames", text, StringComparison.Ordinal);
        Assert.EndsWith("The ledger closes: every line and every event is accounted for.", text, StringComparison.Ordinal);
        string metrics = MetricsText.Write(StatusBed.Well() with { Run = end });
        foreach (LineVerdict verdict in Enum.GetValues<LineVerdict>()) Assert.Contains($"nfr_log_lines_total{{input=\"/var/log/dns.log\",verdict=\"{verdict.Name()}\"}} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("nfr_log_lost_bytes_total{input=\"/var/log/dns.log\"} 7\n", metrics, StringComparison.Ordinal);
        ExpositionText.Parse(metrics);

        var interval = new LedgerInterval(default, 60, end.Since(new Ledger { Captures = [], Inputs = [new InputEntry("logs", [new LogCounters("/var/log/dns.log")], 0)], Stage = new StageCounters() }));
        Assert.Equal($"ledger: in 60 s 17 lines (11 could not be read) came, 2 events were made, 2 of them in scope, 0 alerts; lost: 7 bytes of logs, gone before they were read; it adds up", interval.Sentence());
        // What the pipeline has not taken, and an event that a line was counted for and never came, are gaps.
        end.Stage!.Taken[0]--;
        end.Stage.InScope[0]--;
        Assert.Equal("dns events = taken + dropped: 2 against 1", Assert.Single(end.Gaps));
        end.Inputs[0].Sources[0].Verdicts[(int)LineVerdict.Event] = 3;
        Assert.Contains("/var/log/dns.log: 3 lines made events, but only 2 events came", end.Gaps);
    }

    [Fact]
    public void A_mistake_of_ours_ends_no_input_and_its_half_line_is_taken_back()
    {
        int runs = 0;
        var input = new PlayedInput("x", (me, stop) =>
        {
            if (Interlocked.Increment(ref runs) == 1)
            {
                me.Half();
                throw new InvalidOperationException("a mistake");
            }
            me.Line(LineVerdict.Event, 1);
            me.Wait(stop);
        });
        using var worker = new LogWorker(input, Logger.None);
        var stage = new EventStage(null, null, null);
        var pipeline = new PipelineThread([worker.Ring], stage, null, Logger.None);
        pipeline.Start();
        worker.Start();
        Assert.True(SpinWait.SpinUntil(() => Ask(worker)[0].Lines == 1, s_patience));
        worker.RequestStop();
        Assert.True(worker.Join(s_patience) && pipeline.Finish(s_patience));
        Ledger end = LedgerOf(worker, stage);
        Assert.Equal((1, 1, 2), (end.EventsOf(EventType.Dns), stage.Counters.Taken[0], runs));
        Assert.Equal("logs: 1 mistakes in nfr itself, see the log", Assert.Single(end.Gaps));
        worker.Dispose();
        Assert.True(input.IsDisposed);
    }

    [Fact]
    public void What_a_full_ring_does_not_take_at_the_stop_is_read_again_and_nothing_waits_for_it_for_ever()
    {
        var input = new PlayedInput("x", (me, stop) =>
        {
            while (me.Line(LineVerdict.Event, 1))
            {
            }
        });
        using var worker = new LogWorker(input, Logger.None);
        worker.Start();
        // Nobody empties the ring.
        Assert.True(SpinWait.SpinUntil(() => worker.Ring.Waiting > worker.Ring.Capacity * 9 / 10, s_patience));
        worker.RequestStop();
        Assert.True(worker.Join(s_patience));
        LogCounters counters = Ask(worker)[0];
        var stage = new EventStage(null, null, null);
        var pipeline = new PipelineThread([worker.Ring], stage, null, Logger.None);
        pipeline.Start();
        Assert.True(pipeline.Finish(s_patience));
        Assert.Equal(counters.Events[0], stage.Counters.Taken[0]);
        Assert.Equal(counters.Lines, counters.Events[0]);
    }

    sealed class CountingStream(Func<EventRing> capture, List<long> waiting) : Stream
    {
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => 0;
        public override long Position { get; set; }
        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => 0;
        public override long Seek(long offset, SeekOrigin origin) => 0;
        public override void SetLength(long value)
        {
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        /// <summary>What still lay in the capture's ring when a log's event was taken.</summary>
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.IndexOf("from.log"u8) >= 0) waiting.Add(capture().Waiting);
        }
    }

    [Fact]
    public void A_backlog_of_lines_does_not_keep_a_capture_waiting()
    {
        var capture = new EventRing();
        var log = new EventRing(grouped: true);
        while (capture.TryWriteDns(new DnsEvent { Query = "from.packets"u8 }))
        {
        }
        int lines = 0;
        for (; log.TryWriteDns(new DnsEvent { Query = "from.log"u8 }) && log.TryWriteMark(new InputMark(InputMark.None, 0, 0, 0)); lines++)
        {
        }
        List<long> waiting = [];
        using var print = new CountingStream(() => capture, waiting);
        var stage = new EventStage(null, null, null, print);
        // The log comes first in the list, and second in its turn.
        var pipeline = new PipelineThread([log, capture], stage, null, Logger.None);
        pipeline.Start();
        Assert.True(pipeline.Finish(s_patience));
        Assert.Equal(lines, waiting.Count);
        int pressed = waiting.Count(w => w > capture.Capacity / 4);
        // Until the capture's ring is three quarters empty the log has a small part of the turns.
        Assert.InRange(pressed, 1, lines / 10);
    }
}
