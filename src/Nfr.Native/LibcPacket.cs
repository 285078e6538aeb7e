using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>The part of the C library that a packet socket needs: packet(7), poll(2), eventfd(2). Names and shapes are the C ones.</summary>
static unsafe partial class Libc
{
    // errno, the same on x86, arm and riscv.
    internal const int EPERM = 1;
    internal const int ENOENT = 2;
    internal const int EINTR = 4;
    internal const int ENXIO = 6;
    internal const int ENOMEM = 12;
    internal const int EACCES = 13;
    internal const int ENODEV = 19;
    internal const int EINVAL = 22;
    internal const int ENETDOWN = 100;

    internal const int AF_INET = 2;
    internal const int AF_INET6 = 10;
    internal const int AF_PACKET = 17;
    internal const int SOCK_RAW = 3;
    internal const int SOCK_CLOEXEC = 0x80000;
    internal const int SOL_SOCKET = 1;
    internal const int SO_ERROR = 4;
    internal const int SO_ATTACH_FILTER = 26;
    internal const int SO_DETACH_FILTER = 27;

    internal const int SOL_PACKET = 263;
    internal const int PACKET_ADD_MEMBERSHIP = 1;
    internal const int PACKET_RX_RING = 5;
    internal const int PACKET_STATISTICS = 6;
    internal const int PACKET_VERSION = 10;
    internal const int PACKET_FANOUT = 18;
    internal const int PACKET_IGNORE_OUTGOING = 23;
    internal const int PACKET_MR_PROMISC = 1;
    internal const int PACKET_FANOUT_HASH = 0;
    internal const int PACKET_FANOUT_FLAG_DEFRAG = 0x8000;
    internal const int TPACKET_V3 = 2;
    internal const ushort ETH_P_ALL = 3;

    internal const int PROT_READ = 1;
    internal const int PROT_WRITE = 2;
    internal const int MAP_SHARED = 1;

    internal const short POLLIN = 1;
    internal const short POLLERR = 8;
    internal const short POLLHUP = 16;
    internal const short POLLNVAL = 32;

    internal const int EFD_CLOEXEC = 0x80000;
    internal const int EFD_NONBLOCK = 0x800;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int bind(SafeFileHandle socket, sockaddr_ll* address, uint addressLength);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setsockopt(SafeFileHandle socket, int level, int name, void* value, uint valueLength);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getsockopt(SafeFileHandle socket, int level, int name, void* value, uint* valueLength);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial void* mmap(void* address, nuint length, int protection, int flags, SafeFileHandle file, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int munmap(void* address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int poll(pollfd* files, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint read(SafeFileHandle file, void* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint write(SafeFileHandle file, void* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial uint if_nametoindex(string name);
}

#pragma warning disable CS8981 // Lower-case type names: they are C's own.

struct pollfd
{
    internal int fd;
    internal short events;
    internal short revents;
}

struct sockaddr_ll
{
    internal ushort sll_family;
    internal ushort sll_protocol;
    internal int sll_ifindex;
    internal ushort sll_hatype;
    internal byte sll_pkttype;
    internal byte sll_halen;
    internal ulong sll_addr;
}

struct tpacket_req3
{
    internal uint tp_block_size;
    internal uint tp_block_nr;
    internal uint tp_frame_size;
    internal uint tp_frame_nr;
    internal uint tp_retire_blk_tov;
    internal uint tp_sizeof_priv;
    internal uint tp_feature_req_word;
}

struct tpacket_stats_v3
{
    internal uint tp_packets;
    internal uint tp_drops;
    internal uint tp_freeze_q_cnt;
}

struct packet_mreq
{
    internal int mr_ifindex;
    internal ushort mr_type;
    internal ushort mr_alen;
    internal ulong mr_address;
}

unsafe struct sock_fprog
{
    internal ushort len;
    internal SocketFilterInstruction* filter;
}
