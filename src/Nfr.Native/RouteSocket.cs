using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>
/// rtnetlink(7): what the kernel counts for a link. The socket stays in the network namespace of the thread that opened it, whoever asks it later; /sys
/// shows the namespace that it was mounted in. Needs no privilege. For any thread.
/// </summary>
public sealed unsafe class RouteSocket : IDisposable
{
    const int AF_NETLINK = 16;
    const int NETLINK_ROUTE = 0;
    const int SOCK_NONBLOCK = 0x800;
    const ushort NLM_F_REQUEST = 1;
    const ushort RTM_NEWSTATS = 92;
    const ushort RTM_GETSTATS = 94;
    const ushort IFLA_STATS_LINK_64 = 1;

    // struct nlmsghdr: length, type, flags, sequence, port. struct if_stats_msg: family and padding, index, mask. struct nlattr: length, type.
    const int HeaderLength = 16;
    const int StatsLength = 12;
    const int AttributeLength = 4;

    readonly SafeFileHandle _socket;
    readonly Lock _lock = new();
    uint _sequence;

    RouteSocket(SafeFileHandle socket) => _socket = socket;

    /// <summary>In the calling thread's network namespace; null when the kernel refuses.</summary>
    public static RouteSocket? Open()
    {
        var socket = new SafeFileHandle(Libc.socket(AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE), ownsHandle: true);
        if (!socket.IsInvalid) return new RouteSocket(socket);
        socket.Dispose();
        return null;
    }

    /// <summary>The counters of the link with this index since it was made; null when there is none, or the socket is closed.</summary>
    public LinkStatistics? StatisticsOf(int index)
    {
        lock (_lock)
        {
            if (_socket.IsClosed || !Ask(index)) return null;
            // The kernel answers before write returns; the link's counters take 248 bytes with their headers.
            byte* reply = stackalloc byte[2048];
            while (true)
            {
                // SAFETY: the buffer has 2048 bytes.
                nint length = Libc.read(_socket, reply, 2048);
                if (length <= 0) return null;
                var message = new ReadOnlySpan<byte>(reply, (int)length);
                // What is left of a question that was not read to its end.
                if (message.Length >= HeaderLength && MemoryMarshal.Read<uint>(message[8..]) != _sequence) continue;
                return Read(message);
            }
        }
    }

    bool Ask(int index)
    {
        Span<byte> request = stackalloc byte[HeaderLength + StatsLength];
        request.Clear();
        // The kernel speaks the machine's byte order.
        MemoryMarshal.Write(request, (uint)request.Length);
        MemoryMarshal.Write(request[4..], RTM_GETSTATS);
        MemoryMarshal.Write(request[6..], NLM_F_REQUEST);
        MemoryMarshal.Write(request[8..], ++_sequence);
        MemoryMarshal.Write(request[(HeaderLength + 4)..], index);
        MemoryMarshal.Write(request[(HeaderLength + 8)..], 1u << (IFLA_STATS_LINK_64 - 1));
        // SAFETY: the kernel reads as many bytes as the span has.
        fixed (byte* bytes = request) return Libc.write(_socket, bytes, (nuint)request.Length) == request.Length;
    }

    static LinkStatistics? Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderLength + StatsLength || MemoryMarshal.Read<ushort>(message[4..]) != RTM_NEWSTATS) return null;
        ReadOnlySpan<byte> rest = message[(HeaderLength + StatsLength)..];
        while (rest.Length >= AttributeLength)
        {
            int length = MemoryMarshal.Read<ushort>(rest), type = MemoryMarshal.Read<ushort>(rest[2..]);
            if (length < AttributeLength || length > rest.Length) return null;
            if (type == IFLA_STATS_LINK_64) return Counters(rest[AttributeLength..length]);
            rest = rest[Math.Min(rest.Length, (length + 3) & ~3)..];
        }
        return null;
    }

    // struct rtnl_link_stats64; the numbers are the fields' places in it.
    static LinkStatistics? Counters(ReadOnlySpan<byte> stats)
    {
        return stats.Length >= 16 * sizeof(long)
            ? new LinkStatistics(ReceivedPackets: Field(stats, 0), ReceiveDropped: Field(stats, 6), ReceiveFifoErrors: Field(stats, 14), ReceiveMissedErrors: Field(stats, 15))
            : null;
        static long Field(ReadOnlySpan<byte> stats, int place) => MemoryMarshal.Read<long>(stats[(place * sizeof(long))..]);
    }

    public void Dispose()
    {
        lock (_lock) _socket.Dispose();
    }
}

/// <summary>Of struct rtnl_link_stats64 what concerns a port that only listens.</summary>
public readonly record struct LinkStatistics(long ReceivedPackets, long ReceiveDropped, long ReceiveFifoErrors, long ReceiveMissedErrors);
