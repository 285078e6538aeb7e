using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Nfr.Native;
using Nfr.Wire;

namespace Nfr.Capture;

/// <summary>
/// Frames of one interface, read in place from the kernel's ring. Needs CAP_NET_RAW and nothing else; never sends.
/// One thread reads; <see cref="Interrupt"/>, <see cref="Statistics"/> and <see cref="Nic"/> may be used from others.
/// </summary>
public sealed class LiveCapture : IDisposable
{
    /// <summary>The kernel's counters have 32 bits: fold them in long before a full 10-Gbit port can turn them over.</summary>
    const int BlocksBetweenFolds = 4096;

    static readonly TimeSpan LongestSample = TimeSpan.FromMicroseconds(20);

    readonly PacketRing _ring;
    readonly RouteSocket? _route;
    readonly NicStatistics? _nicAtOpen;
    readonly TimeProvider _time;
    readonly LinkType _linkType;
    readonly int _index;
    readonly int _blockTimeout;
    TickClock _clock = new();
    long _blocks;
    long _brokenBlocks;
    long _abandoned;
    CaptureFault? _lost;

    LiveCapture(PacketRing ring, RouteSocket? route, NicStatistics? nicAtOpen, CaptureInterface port, TimeProvider time, int blockTimeout)
    {
        _ring = ring;
        _route = route;
        _nicAtOpen = nicAtOpen;
        _blockTimeout = blockTimeout;
        _time = time;
        _linkType = port.LinkType!.Value;
        _index = port.Index;
        Interface = port.Name;
    }

    public string Interface { get; }

    public LinkType LinkType => _linkType;

    /// <summary>Set when <see cref="ReadBlock"/> has returned -1. Dispose this capture, then open it anew if you like.</summary>
    public CaptureFault? Fault { get; private set; }

    /// <summary>Cumulative since <see cref="Open"/>; each reading asks the kernel.</summary>
    public CaptureStatistics Statistics
    {
        get
        {
            PacketRingCounters counters = _ring.ReadCounters();
            return new CaptureStatistics(counters.Received, counters.Dropped, counters.Freezes, Volatile.Read(ref _brokenBlocks), Volatile.Read(ref _abandoned));
        }
    }

    /// <summary>The card's own counters since <see cref="Open"/>, whatever the asking thread's network namespace; null when it is gone.</summary>
    public NicStatistics? Nic => NicStatistics.Of(_route?.StatisticsOf(_index)) is { } now ? now - _nicAtOpen : null;

    /// <summary>Opens the interface, in the network namespace of the calling thread; null and the fault when the world says no.</summary>
    public static LiveCapture? Open(LiveCaptureOptions options, out CaptureFault? fault)
    {
        if (!Find(options, out CaptureInterface? port, out fault)) return null;
        if (!Compile(options, port, out SocketFilterInstruction[]? filter, out fault)) return null;
        var ringOptions = new PacketRingOptions
        {
            InterfaceIndex = port.Index,
            BlockSize = options.BlockSize,
            BlockCount = options.BlockCount,
            BlockTimeoutMilliseconds = options.BlockTimeoutMilliseconds,
            Promiscuous = options.Promiscuous,
            IgnoreOutgoing = options.IgnoreOutgoing ?? port.IsLoopback,
            FanoutGroup = options.FanoutGroup,
            Filter = filter,
        };
        // The card is asked first, so that no frame of the ring is missing in what it says.
        RouteSocket? route = RouteSocket.Open();
        NicStatistics? nic = NicStatistics.Of(route?.StatisticsOf(port.Index));
        PacketRing? ring = PacketRing.Open(ringOptions, out PacketRingError error);
        if (ring is not null) return new LiveCapture(ring, route, nic, port, options.Time, options.BlockTimeoutMilliseconds);
        route?.Dispose();
        fault = Refused(options, error);
        return null;
    }

    static bool Find(LiveCaptureOptions options, [NotNullWhen(true)] out CaptureInterface? port, out CaptureFault? fault)
    {
        fault = null;
        string name = options.Interface;
        IReadOnlyList<CaptureInterface> present = CaptureInterfaces.List();
        port = present.FirstOrDefault(i => i.Name == name);
        if (port is null)
        {
            fault = new CaptureFault(CaptureFaultKind.InterfaceMissing, CaptureInterfaces.Missing(name, present));
        }
        else if (!port.IsUp)
        {
            fault = new CaptureFault(CaptureFaultKind.InterfaceDown, $"capture: interface {name} is down: bring it up with: ip link set {name} up");
        }
        else if (port.LinkType is null)
        {
            fault = new CaptureFault(CaptureFaultKind.LinkTypeUnsupported,
                $"capture: interface {name} carries neither Ethernet nor raw IP (ARPHRD type {port.HardwareType}): listen on another one");
        }
        else if (!BitOperations.IsPow2(options.BlockSize) || options.BlockSize < 1 << 16 || options.BlockCount < 2
            || (long)options.BlockSize * options.BlockCount > int.MaxValue)
        {
            fault = new CaptureFault(CaptureFaultKind.OptionsInvalid,
                $"capture: a ring of {options.BlockCount} blocks of {options.BlockSize} bytes cannot be: take at least 2 blocks, each a power of two from 65536, below 2 GiB in all");
        }
        return fault is null;
    }

    static bool Compile(LiveCaptureOptions options, CaptureInterface port, out SocketFilterInstruction[]? filter, out CaptureFault? fault)
    {
        filter = null;
        fault = null;
        if (string.IsNullOrWhiteSpace(options.Filter)) return true;
        filter = SocketFilter.Compile(options.Filter, port.LinkType == LinkType.Ethernet, out string? error);
        if (filter is null)
        {
            fault = new CaptureFault(CaptureFaultKind.FilterInvalid, $"capture: the filter \"{options.Filter}\" does not compile: {error}");
        }
        return filter is not null;
    }

    static CaptureFault Refused(LiveCaptureOptions options, in PacketRingError error)
    {
        string name = options.Interface;
        if (error.IsPermission)
        {
            return new CaptureFault(CaptureFaultKind.PermissionDenied,
                $"capture: no permission to open a packet socket on {name}: run as root or give the binary CAP_NET_RAW (setcap cap_net_raw+ep {Environment.ProcessPath ?? "PATH"})");
        }
        if (error.IsInterfaceDown || error.IsInterfaceGone)
        {
            return new CaptureFault(CaptureFaultKind.InterfaceDown, $"capture: interface {name} went away while it was being opened: try again");
        }
        string advice = error.IsMemory
            ? $"capture: no memory for a ring of {(long)options.BlockSize * options.BlockCount >> 20} MiB on {name}: take fewer blocks"
            : $"capture: the kernel refuses the capture on {name}: {error.Reason}";
        return new CaptureFault(CaptureFaultKind.RingRefused, advice);
    }

    /// <summary>
    /// Gives the sink the frames of at most one block, waiting for it up to <paramref name="timeoutMilliseconds"/>. Returns how many
    /// they were: 0 when the time is up or <see cref="Interrupt"/> was called, -1 when <see cref="Fault"/> says why it is over.
    /// The frames end with the call. Nothing is allocated.
    /// </summary>
    public int ReadBlock<TSink>(ref TSink sink, int timeoutMilliseconds) where TSink : struct, IFrameSink, allows ref struct
    {
        if (Fault is not null) return -1;
        using PacketRingBlock ready = _ring.Take();
        if (!ready.IsNone) return Push(ready, ref sink);
        switch (_ring.Wait(_lost is null ? timeoutMilliseconds : 3 * _blockTimeout, out PacketRingError error))
        {
            case PacketRingWait.Interrupted:
                return 0;
            case PacketRingWait.Failed:
                if (_lost is not null) return End();
                // The block that was being filled is handed over after its time-out, also by an interface that is gone.
                _lost = Lost(error);
                _ring.Close(out _);
                return 0;
            default:
                using (PacketRingBlock waited = _ring.Take())
                {
                    if (!waited.IsNone) return Push(waited, ref sink);
                }
                return _lost is null ? 0 : End();
        }
    }

    int End()
    {
        Fault = _lost;
        return -1;
    }

    int Push<TSink>(PacketRingBlock block, ref TSink sink) where TSink : struct, IFrameSink, allows ref struct
    {
        SampleClocks();
        int frames = 0;
        // Two walks over the block, the first so many frames in front; only the second one counts.
        PacketRingBlock.Enumerator each = block.GetEnumerator(), ahead = block.GetEnumerator();
        try
        {
            for (int i = 0; i < PcapRecords.LookAhead && ahead.MoveNext(); i++) sink.OnAhead(ahead.Current.Bytes, _linkType);
            while (each.MoveNext())
            {
                if (ahead.MoveNext()) sink.OnAhead(ahead.Current.Bytes, _linkType);
                PacketRingFrame packet = each.Current;
                var frame = new Frame(packet.Bytes, packet.OriginalLength, packet.Timestamp, _clock.Tick(packet.Timestamp), _linkType,
                    packet.VlanTpid, packet.VlanTci);
                sink.OnFrame(frame);
                frames++;
            }
        }
        finally
        {
            // A sink that threw gives up what is behind that frame in the block, and a broken block hides it: neither may vanish uncounted.
            if (each.Unread > 0) Volatile.Write(ref _abandoned, _abandoned + each.Unread);
        }
        if (each.IsBroken) Volatile.Write(ref _brokenBlocks, _brokenBlocks + 1);
        if (++_blocks % BlocksBetweenFolds == 0) _ring.ReadCounters();
        return frames;
    }

    /// <summary>Both clocks at one moment: asked again when the thread was interrupted between the two readings.</summary>
    void SampleClocks()
    {
        for (int attempt = 0; ; attempt++)
        {
            long before = _time.GetTimestamp();
            long wall = (_time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) * 100;
            TimeSpan between = _time.GetElapsedTime(before);
            if (attempt < 3 && between > LongestSample) continue;
            _clock.Sample(_time.GetElapsedTime(0, before).Ticks * 100, wall);
            return;
        }
    }

    CaptureFault Lost(in PacketRingError error)
    {
        if (CaptureInterfaces.List().All(i => i.Index != _index))
        {
            return new CaptureFault(CaptureFaultKind.InterfaceLost, $"capture: interface {Interface} has been removed");
        }
        return error.IsInterfaceDown
            ? new CaptureFault(CaptureFaultKind.InterfaceLost, $"capture: interface {Interface} went down")
            : new CaptureFault(CaptureFaultKind.ReadFailed, $"capture: reading from {Interface} failed: {error.Reason}");
    }

    /// <summary>
    /// Lets no further frame in. Go on with <see cref="ReadBlock"/> until it gives 0: then everything that the kernel counted as received
    /// was either read or dropped. For the reading thread.
    /// </summary>
    public bool Close() => _ring.Close(out _);

    /// <summary>
    /// Makes a waiting <see cref="ReadBlock"/> return at once, or the next one that would wait. Blocks that are ready are still
    /// delivered, so check your own stop sign after each call.
    /// </summary>
    public void Interrupt() => _ring.Interrupt();

    /// <summary>After the reading thread has left.</summary>
    public void Dispose()
    {
        _ring.Dispose();
        _route?.Dispose();
    }
}
