using Nfr.Capture;
using Nfr.Events;
using Nfr.Service;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>
/// One thread, one packet ring, one decode loop, one event ring. Ends when told to; an interface that goes away is waited for. On the way out it
/// lets no further frame in, reads what the kernel still holds, and exports every flow.
/// </summary>
sealed class CaptureWorker
{
    /// <summary>The longest sleep without frames: time-outs of flows are looked at after it.</summary>
    const int WaitMilliseconds = 100;

    static readonly TimeSpan s_reopen = TimeSpan.FromSeconds(5);

    /// <summary>Reading out a ring of 32 MiB takes well under a second; a stop must not take longer than this.</summary>
    static readonly TimeSpan s_readOut = TimeSpan.FromSeconds(1);

    /// <summary>At the end no frame waits behind an event: a full table is exported no faster than the pipeline takes it.</summary>
    static readonly TimeSpan s_drain = TimeSpan.FromSeconds(2.2);

    readonly RingPatience _patience = new();
    readonly LiveCaptureOptions _options;
    readonly FrameDecoder<RingSink> _decoder;
    readonly ILogger _log;
    readonly TimeProvider _time;
    readonly Thread _thread;
    readonly ManualResetEventSlim _stop = new();
    LiveCapture? _capture;
    readonly Lock _statisticsLock = new();
    CaptureStatistics _before;
    NicStatistics? _nicNow;
    NicStatistics? _nicBefore;
    volatile CaptureShot? _asked;

    public CaptureWorker(LiveCapture capture, LiveCaptureOptions options, DecoderOptions decoding, ILogger log)
    {
        _capture = capture;
        _options = options;
        _log = log;
        _time = options.Time;
        Ring = new EventRing();
        Pulse = new Pulse("capture of " + options.Interface);
        _decoder = new FrameDecoder<RingSink>(decoding, new RingSink(Ring, DroppedEvents, _patience));
        _thread = new Thread(Run) { Name = "capture " + options.Interface, IsBackground = true };
    }

    public string Interface => _options.Interface;
    public EventRing Ring { get; }

    /// <summary>Goes with each round of the loop, idle ones too: at least ten a second.</summary>
    public Pulse Pulse { get; }

    /// <summary>Events that found the ring full, by type.</summary>
    public long[] DroppedEvents { get; } = new long[EventTypes.Count];
    public DecodeCounters Counters => _decoder.Counters;
    public long[] Events => _decoder.Events;
    public int ActiveFlows => _decoder.ActiveFlows;

    /// <summary>Our own mistakes, counted; the frame or the time-out that met one is left out, and what came behind it in its block.</summary>
    public long Mistakes { get; private set; }

    /// <summary>Frames that ended in a mistake of ours and in no other count.</summary>
    public long MistakenFrames { get; private set; }

    /// <summary>Bytes this thread has allocated on the managed heap since its loop began.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>The interface is there and being read.</summary>
    public bool IsOpen => _capture is not null;

    public CaptureStatistics Statistics
    {
        get
        {
            // A capture's counts move to those before it in the moment in which it goes: never twice, never not at all.
            lock (_statisticsLock) return _before + (_capture?.Statistics ?? default);
        }
    }

    /// <summary>
    /// What the card has counted while this worker listened; null when the system does not tell. A card that is put in anew begins at nothing, and what it
    /// had said before is kept.
    /// </summary>
    public NicStatistics? Nic
    {
        get
        {
            lock (_statisticsLock)
            {
                // One that is gone does not answer any more: its last word holds.
                _nicNow = _capture?.Nic ?? _nicNow;
                return _nicBefore is { } before ? before + (_nicNow ?? default) : _nicNow;
            }
        }
    }

    public void Start() => _thread.Start();

    public void RequestStop()
    {
        _stop.Set();
        _capture?.Interrupt();
    }

    public bool Join(TimeSpan limit) => _thread.Join(limit);

    void Run()
    {
        var inlet = new DecoderInlet<RingSink>(_decoder);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        while (!_stop.IsSet)
        {
            Pulse.Beat();
            if (_capture is null && !TryReopen()) continue;
            if (Step(ref inlet, WaitMilliseconds) < 0) Lose();
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Answer();
        }
        _patience.Begin(s_drain);
        ReadOut(ref inlet);
        Export();
        GiveUpCapture()?.Dispose();
    }

    LiveCapture? GiveUpCapture()
    {
        lock (_statisticsLock)
        {
            LiveCapture? capture = _capture;
            if (capture is not null) _before += capture.Statistics;
            (_nicBefore, _nicNow) = (Nic, null);
            _capture = null;
            return capture;
        }
    }

    /// <summary>Wants the counts of a moment at which no frame is in hand: filled between two blocks, within a tenth of a second.</summary>
    public void Ask(CaptureShot shot) => _asked = shot;

    void Answer()
    {
        if (_asked is not { } shot) return;
        _asked = null;
        shot.Fill(Statistics, Counters, Events, DroppedEvents, ActiveFlows, Mistakes, MistakenFrames);
    }

    int Step(ref DecoderInlet<RingSink> inlet, int wait)
    {
        try
        {
            int frames = _capture!.ReadBlock(ref inlet, wait);
            if (frames == 0) _decoder.Advance(_time.GetElapsedTime(0, _time.GetTimestamp()).Ticks * 100);
            return frames;
        }
        catch (Exception mistake)
        {
            Report(mistake);
            return 0;
        }
    }

    void ReadOut(ref DecoderInlet<RingSink> inlet)
    {
        if (_capture is null || !_capture.Close()) return;
        long start = _time.GetTimestamp();
        // A block that is open is handed over after its time-out; twice that with nothing new means that it is empty.
        int wait = _options.BlockTimeoutMilliseconds * 3;
        while (Step(ref inlet, wait) > 0 || _time.GetElapsedTime(start) < TimeSpan.FromMilliseconds(wait))
        {
            if (_time.GetElapsedTime(start) > s_readOut) break;
        }
    }

    /// <summary>Every flow into the ring. A mistake costs the one flow that met it, not those behind it.</summary>
    void Export()
    {
        for (int attempt = 0; attempt < 100; attempt++)
        {
            try
            {
                _decoder.Drain();
                return;
            }
            catch (Exception mistake)
            {
                Report(mistake);
            }
        }
    }

    void Lose()
    {
        _log.Warning("{Fault}; the sensor waits for it and looks every {Seconds} s", _capture!.Fault?.Message, (int)s_reopen.TotalSeconds);
        GiveUpCapture()?.Dispose();
    }

    bool TryReopen()
    {
        try
        {
            return Reopen();
        }
        catch (Exception mistake)
        {
            Report(mistake);
            return false;
        }
    }

    bool Reopen()
    {
        long start = _time.GetTimestamp();
        while (_time.GetElapsedTime(start) < s_reopen)
        {
            if (_stop.Wait(WaitMilliseconds)) return false;
            Pulse.Beat();
            Answer();
        }
        _decoder.Advance(_time.GetElapsedTime(0, _time.GetTimestamp()).Ticks * 100);
        LiveCapture? capture = LiveCapture.Open(_options, out _);
        if (capture is null) return false;
        _capture = capture;
        _log.Information("capture: interface {Interface} is back", Interface);
        return true;
    }

    void Report(Exception mistake)
    {
        Mistakes++;
        // The frame in hand was counted as a frame and may have come to none of its ends.
        DecodeCounters d = Counters;
        if (d.Frames > d.Parsed + d.NonIp + d.FragmentsHeld + d.PacketFaults + MistakenFrames) MistakenFrames++;
        if (Mistakes is 1 or 10 or 100 or 1000)
            _log.Error(mistake, "capture: a mistake in nfr itself on {Interface} ({Count} so far); what met it is left out and the sensor goes on", Interface, Mistakes);
    }
}
