using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>What a <see cref="PacketRing"/> is opened with; sizes are checked by the kernel, which refuses bad ones.</summary>
public readonly record struct PacketRingOptions
{
    public required int InterfaceIndex { get; init; }
    /// <summary>Bytes of one block: a multiple of the page size. A frame longer than a block is cut.</summary>
    public required int BlockSize { get; init; }
    public required int BlockCount { get; init; }
    /// <summary>After this long the kernel hands over a block that is not full.</summary>
    public required int BlockTimeoutMilliseconds { get; init; }
    public bool Promiscuous { get; init; }
    public bool IgnoreOutgoing { get; init; }
    /// <summary>Sockets with the same group share the traffic by flow hash; null = this socket takes it all.</summary>
    public ushort? FanoutGroup { get; init; }
    /// <summary>Null or empty = every frame.</summary>
    public SocketFilterInstruction[]? Filter { get; init; }
}

/// <summary>The call that the kernel refused, with its errno.</summary>
public readonly record struct PacketRingError(string Call, int Errno)
{
    public bool IsPermission => Errno is Libc.EPERM or Libc.EACCES;
    public bool IsMemory => Errno == Libc.ENOMEM;
    public bool IsInterfaceDown => Errno == Libc.ENETDOWN;
    public bool IsInterfaceGone => Errno is Libc.ENODEV or Libc.ENXIO;
    public string Reason => $"{Call}: {Marshal.GetPInvokeErrorMessage(Errno)} (errno {Errno})";
}

/// <summary>What ended a <see cref="PacketRing.Wait"/>.</summary>
public enum PacketRingWait
{
    /// <summary>Time is up, or a block may be ready: look.</summary>
    Look,
    Interrupted,
    /// <summary>The socket reports an error, found in <c>error</c>.</summary>
    Failed,
}

/// <summary>The kernel's counters since the ring was opened.</summary>
/// <param name="Received">Frames that passed the filter, those that found the ring full among them.</param>
/// <param name="Dropped">Frames that found the ring full.</param>
/// <param name="Freezes">How often the ring was full.</param>
public readonly record struct PacketRingCounters(long Received, long Dropped, long Freezes);

/// <summary>
/// An AF_PACKET socket with a TPACKET_V3 receive ring: the kernel writes frames into blocks that this process reads in place
/// (Documentation/networking/packet_mmap.rst). One thread reads; <see cref="Interrupt"/> and <see cref="ReadCounters"/> may be
/// called from others. Dispose after the reading thread has left.
/// <code>
///   ring   | block 0 | block 1 | … | block n-1 |      each BlockSize bytes
///   block  | version u32 | offset_to_priv u32 | block_status u32 | num_pkts u32 | offset_to_first_pkt u32 | blk_len u32 | … | frames
///   frame  | tp_next_offset u32 | sec u32 | nsec u32 | snaplen u32 | len u32 | status u32 | mac u16 | net u16 | rxhash u32
///          | vlan_tci u32 | vlan_tpid u16 | pad | sockaddr_ll at 48 | … | bytes at mac
/// </code>
/// Ownership of a block is its status word: bit 0 set = ours. The kernel sets it with a write barrier after the frames; we read it
/// with acquire and give the block back with a release store, so no read of ours can move out of the time in which the block is
/// ours. On x64 a plain access would seem to work; on ARM it would not.
/// </summary>
public sealed unsafe class PacketRing : IDisposable
{
    readonly SafeFileHandle _socket;
    readonly SafeFileHandle _wake;
    readonly int _blockSize;
    readonly int _blockCount;
    readonly Lock _countersLock = new();
    byte* _map;
    int _next;
    bool _lent;
    PacketRingCounters _counters;

    PacketRing(SafeFileHandle socket, SafeFileHandle wake, in PacketRingOptions options)
    {
        _socket = socket;
        _wake = wake;
        _blockSize = options.BlockSize;
        _blockCount = options.BlockCount;
    }

    /// <summary>Opens, fills in and binds a ring; null and the refused call when the kernel says no.</summary>
    public static PacketRing? Open(in PacketRingOptions options, out PacketRingError error)
    {
        error = default;
        // Protocol 0 receives nothing: filter and ring are in place before the first frame can come.
        var socket = new SafeFileHandle(Libc.socket(Libc.AF_PACKET, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, 0), ownsHandle: true);
        if (socket.IsInvalid)
        {
            error = LastError("socket");
            return null;
        }
        var wake = new SafeFileHandle(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK), ownsHandle: true);
        var ring = new PacketRing(socket, wake, options);
        if (wake.IsInvalid) error = LastError("eventfd");
        else if (ring.SetUp(options, out error)) return ring;
        ring.Dispose();
        return null;
    }

    bool SetUp(in PacketRingOptions options, out PacketRingError error)
    {
        const uint frameSize = 2048; // Only checked for shape in version 3, where frames lie end to end.
        var request = new tpacket_req3
        {
            tp_block_size = (uint)options.BlockSize,
            tp_block_nr = (uint)options.BlockCount,
            tp_frame_size = frameSize,
            tp_frame_nr = (uint)options.BlockSize / frameSize * (uint)options.BlockCount,
            tp_retire_blk_tov = (uint)options.BlockTimeoutMilliseconds,
        };
        if (!Set(Libc.PACKET_VERSION, Libc.TPACKET_V3, "PACKET_VERSION", out error)) return false;
        if (!Set(Libc.PACKET_RX_RING, request, "PACKET_RX_RING", out error)) return false;
        if (options.IgnoreOutgoing && !Set(Libc.PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING", out error)) return false;

        nuint length = (nuint)options.BlockSize * (nuint)options.BlockCount;
        void* map = Libc.mmap(null, length, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, _socket, 0);
        if ((nint)map == -1) return Refused("mmap", out error);
        _map = (byte*)map;

        // In a fan-out group the socket must be bound before it may join; until then it would take the other workers' frames too.
        SocketFilterInstruction[]? filter = options.Filter is { Length: > 0 } ? options.Filter : null;
        SocketFilterInstruction[]? first = options.FanoutGroup is null ? filter : SocketFilter.DropAll;
        if (first is not null && !Attach(first, out error)) return false;

        var address = new sockaddr_ll
        {
            sll_family = Libc.AF_PACKET,
            sll_protocol = (ushort)System.Net.IPAddress.HostToNetworkOrder((short)Libc.ETH_P_ALL),
            sll_ifindex = options.InterfaceIndex,
        };
        // SAFETY: the address is a local of exactly the length that is passed.
        if (Libc.bind(_socket, &address, (uint)sizeof(sockaddr_ll)) != 0) return Refused("bind", out error);

        if (options.FanoutGroup is ushort group)
        {
            int fanout = group | (Libc.PACKET_FANOUT_HASH | Libc.PACKET_FANOUT_FLAG_DEFRAG) << 16;
            if (!Set(Libc.PACKET_FANOUT, fanout, "PACKET_FANOUT", out error)) return false;
            if (filter is not null ? !Attach(filter, out error) : !Detach(out error)) return false;
        }

        // Membership, not IFF_PROMISC: the kernel counts it and takes it back when the socket closes, however the process ends.
        var membership = new packet_mreq { mr_ifindex = options.InterfaceIndex, mr_type = Libc.PACKET_MR_PROMISC };
        return !options.Promiscuous || Set(Libc.PACKET_ADD_MEMBERSHIP, membership, "PACKET_ADD_MEMBERSHIP", out error);
    }

    bool Set<T>(int option, T value, string name, out PacketRingError error) where T : unmanaged
    {
        error = default;
        // SAFETY: the value is a by-value parameter of exactly the length that is passed.
        return Libc.setsockopt(_socket, Libc.SOL_PACKET, option, &value, (uint)sizeof(T)) == 0 || Refused(name, out error);
    }

    bool Attach(SocketFilterInstruction[] filter, out PacketRingError error)
    {
        error = default;
        fixed (SocketFilterInstruction* instructions = filter)
        {
            var program = new sock_fprog { len = (ushort)filter.Length, filter = instructions };
            // SAFETY: the kernel copies len instructions during the call, while the array is pinned.
            return Libc.setsockopt(_socket, Libc.SOL_SOCKET, Libc.SO_ATTACH_FILTER, &program, (uint)sizeof(sock_fprog)) == 0
                || Refused("SO_ATTACH_FILTER", out error);
        }
    }

    bool Detach(out PacketRingError error)
    {
        error = default;
        int ignored = 0;
        // SAFETY: a local int of the length that is passed.
        return Libc.setsockopt(_socket, Libc.SOL_SOCKET, Libc.SO_DETACH_FILTER, &ignored, sizeof(int)) == 0
            || Refused("SO_DETACH_FILTER", out error);
    }

    static PacketRingError LastError(string call) => new(call, Marshal.GetLastPInvokeError());

    static bool Refused(string call, out PacketRingError error)
    {
        error = LastError(call);
        return false;
    }

    /// <summary>Lends the next block if the kernel has handed it over, else an empty value. Give it back (<c>using</c>) before the next.</summary>
    public PacketRingBlock Take()
    {
        if (_lent) throw new InvalidOperationException("The block before has not been given back.");
        ObjectDisposedException.ThrowIf(_map == null, this);
        // SAFETY: _next < _blockCount, so the block lies inside the mapping.
        byte* block = _map + (nint)_next * _blockSize;
        // SAFETY: a block is at least a page, its header 48 bytes.
        if ((Volatile.Read(ref *(uint*)(block + PacketRingBlock.StatusOffset)) & PacketRingBlock.StatusUser) == 0) return default;
        _lent = true;
        return new PacketRingBlock(this, block, _blockSize);
    }

    internal void GiveBack(byte* block)
    {
        // SAFETY: the block came from Take and the mapping still stands, since _lent was set.
        Volatile.Write(ref *(uint*)(block + PacketRingBlock.StatusOffset), 0u);
        _lent = false;
        if (++_next == _blockCount) _next = 0;
    }

    /// <summary>Sleeps until a block is ready, the time is up, or <see cref="Interrupt"/> was called (also before this call).</summary>
    public PacketRingWait Wait(int timeoutMilliseconds, out PacketRingError error)
    {
        error = default;
        pollfd* files = stackalloc pollfd[2];
        files[0] = new pollfd { fd = (int)_socket.DangerousGetHandle(), events = Libc.POLLIN };
        files[1] = new pollfd { fd = (int)_wake.DangerousGetHandle(), events = Libc.POLLIN };
        // SAFETY: two entries on the stack, two passed; Dispose comes after the reading thread, so both files are open.
        if (Libc.poll(files, 2, timeoutMilliseconds) < 0)
        {
            error = LastError("poll");
            return error.Errno == Libc.EINTR ? PacketRingWait.Look : PacketRingWait.Failed;
        }
        if ((files[0].revents & (Libc.POLLERR | Libc.POLLHUP | Libc.POLLNVAL)) != 0)
        {
            int errno = 0;
            uint length = sizeof(int);
            // SAFETY: a local int and its length.
            if (Libc.getsockopt(_socket, Libc.SOL_SOCKET, Libc.SO_ERROR, &errno, &length) != 0) errno = Marshal.GetLastPInvokeError();
            if (errno != 0)
            {
                error = new PacketRingError("poll", errno);
                return PacketRingWait.Failed;
            }
        }
        if ((files[1].revents & Libc.POLLIN) == 0) return PacketRingWait.Look;
        ulong count;
        // SAFETY: an eventfd gives exactly 8 bytes.
        _ = Libc.read(_wake, &count, sizeof(ulong));
        return PacketRingWait.Interrupted;
    }

    /// <summary>
    /// Lets no further frame in; what the ring holds can still be taken. So the kernel's counters and what was taken can be compared to the frame.
    /// </summary>
    public bool Close(out PacketRingError error) => Attach(SocketFilter.DropAll, out error);

    /// <summary>Wakes the reading thread, or the next <see cref="Wait"/> if it is not asleep. From any thread; harmless after Dispose.</summary>
    public void Interrupt()
    {
        ulong one = 1;
        try
        {
            // SAFETY: an eventfd takes exactly 8 bytes. It can only refuse when it already holds 2^64 - 2 wake-ups.
            _ = Libc.write(_wake, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // The reader has left already: there is nobody to wake.
        }
    }

    /// <summary>Asks the kernel and adds up: PACKET_STATISTICS starts again at 0 with every reading, and has 32 bits.</summary>
    public PacketRingCounters ReadCounters()
    {
        lock (_countersLock)
        {
            tpacket_stats_v3 now = default;
            uint length = (uint)sizeof(tpacket_stats_v3);
            // SAFETY: a local struct and its length. A closed socket has nothing to add.
            if (!_socket.IsClosed && Libc.getsockopt(_socket, Libc.SOL_PACKET, Libc.PACKET_STATISTICS, &now, &length) == 0)
            {
                _counters = new PacketRingCounters(
                    _counters.Received + now.tp_packets, _counters.Dropped + now.tp_drops, _counters.Freezes + now.tp_freeze_q_cnt);
            }
            return _counters;
        }
    }

    public void Dispose()
    {
        _ = _socket.IsInvalid ? default : ReadCounters();
        lock (_countersLock)
        {
            _socket.Dispose();
            _wake.Dispose();
        }
        if (_map == null) return;
        // SAFETY: the length mmap was called with; no block is lent out, the reading thread has left.
        _ = Libc.munmap(_map, (nuint)_blockSize * (nuint)_blockCount);
        _map = null;
    }
}
