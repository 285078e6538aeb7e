using Nfr.Capture;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Scoring;
using Nfr.Storage;
using Nfr.Tests.Storage;
using Nfr.Uplink;
using Nfr.Wire;
using Serilog;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Nfr;

/// <summary>The real parts from decoder to spool without a port: frames go in by hand, and the ledger is taken of all of them.</summary>
sealed class LedgerBed : IDisposable
{
    readonly SpoolTestBed _folder = new();
    readonly SpoolCounters _atStart;
    readonly FrameDecoder<RingSink> _decoder;
    readonly EventRing _ring = new(1 << 18);
    readonly long[] _dropped = new long[EventTypes.Count];
    long _mistakes;
    long _tick = 1_000_000_000;

    public LedgerBed(Scope? scope = null, Scorer? scorer = null, bool[]? wanted = null, Action<Alert>? onAlert = null, DecoderOptions? decoding = null, long spoolBytes = 64 << 20,
        Func<SpoolOptions, SpoolOptions>? spool = null, bool patient = true, Func<ClockQuality>? quality = null)
    {
        Spool = _folder.Open(spoolBytes, spool);
        _atStart = Spool.Counters;
        _decoder = new FrameDecoder<RingSink>(decoding ?? new DecoderOptions { MaximumFlows = 1024 }, new RingSink(_ring, _dropped, patient ? RingPatience.Endless : new RingPatience()));
        Stage = new EventStage(scope, scorer, Spool, alert: onAlert, wanted: wanted, quality: quality);
        Clock = new LedgerClock(Now(), TimeProvider.System);
    }

    public Spool Spool { get; }
    public EventStage Stage { get; }
    public LedgerClock Clock { get; }
    public EventRing Ring => _ring;
    public string SpoolPath => System.IO.Path.Combine(_folder.Path, "spool.db");

    public LedgerBed Frame(byte[] bytes, int originalLength = 0, LinkType link = LinkType.Ethernet)
    {
        _tick += 1_000_000;
        _decoder.OnFrame(new Frame(bytes, Math.Max(originalLength, bytes.Length), _tick, _tick, link, 0, 0));
        return this;
    }

    public void Wait(double seconds)
    {
        _tick += (long)(seconds * 1e9);
        _decoder.Advance(_tick);
    }

    public void Drain() => _decoder.Drain();

    /// <summary>The pipeline takes what is in the ring, and writes it down.</summary>
    public void Take()
    {
        var pipeline = new PipelineThread([_ring], Stage, Spool, Log.Logger);
        pipeline.Start();
        Assert.True(pipeline.Finish(TimeSpan.FromSeconds(20)));
        _mistakes += pipeline.Mistakes;
    }

    /// <summary>Between two steps, as the sensor takes it.</summary>
    public Ledger Now() => Make() with { Spool = Spool.Counters, IsExact = true };

    /// <summary>After everything.</summary>
    public Ledger End()
    {
        Drain();
        Take();
        return Make() with { Spool = Spool.CountRows(), IsClosing = true };
    }

    Ledger Make() => new()
    {
        Captures = [new CaptureEntry("files", null, null, DecodeCounters.Sum([_decoder.Counters]), [.. _decoder.Events], [.. _dropped], _decoder.ActiveFlows, 0)],
        Stage = Stage.Counters.Copy(), SpoolAtStart = _atStart, PipelineMistakes = _mistakes,
    };

    public void Dispose()
    {
        Spool.Dispose();
        _folder.Dispose();
    }
}
