using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Nfr.Native;

/// <summary>
/// linux/ethtool.h by the SIOCETHTOOL ioctl: switches off the offloads that make a virtual link carry frames no cable would
/// (segments larger than the MTU, checksums left for hardware to fill in).
/// </summary>
public static unsafe partial class Ethtool
{
    const int AfInet = 2;
    const int SockDgram = 2;
    const int SockCloexec = 0x80000;
    const nuint SiocEthtool = 0x8946;
    const int InterfaceNameSize = 16;

    // ETHTOOL_S… commands that take an ethtool_value (u32 cmd, u32 data).
    const uint SetReceiveChecksum = 0x15;
    const uint SetTransmitChecksum = 0x17;
    const uint SetScatterGather = 0x19;
    const uint SetTcpSegmentation = 0x1f;
    const uint SetGenericSegmentation = 0x24;
    const uint SetGenericReceive = 0x2c;

    /// <summary>
    /// Switches off segmentation, receive merging and checksum offload of <paramref name="interfaceName"/>. Returns null, or the reason why
    /// the kernel refused the one that matters (segmentation and transmit checksums).
    /// </summary>
    public static string? DisableOffloads(string interfaceName)
    {
        if (Encoding.ASCII.GetByteCount(interfaceName) >= InterfaceNameSize) return $"interface name too long: {interfaceName}";
        int fd = socket(AfInet, SockDgram | SockCloexec, 0);
        if (fd < 0) return LastError("socket");
        try
        {
            // Segmentation first: it depends on scatter-gather and checksums, and the kernel drops dependants by itself.
            foreach (uint command in (ReadOnlySpan<uint>)[SetTcpSegmentation, SetGenericSegmentation, SetGenericReceive, SetScatterGather,
                         SetTransmitChecksum, SetReceiveChecksum])
            {
                string? failure = Set(fd, interfaceName, command, 0);
                if (failure is not null && command is not (SetReceiveChecksum or SetGenericReceive or SetScatterGather)) return failure;
            }
            return null;
        }
        finally
        {
            _ = close(fd);
        }
    }

    static string? Set(int fd, string interfaceName, uint command, uint value)
    {
        // struct ifreq: 16 bytes of name, then a union of 24 bytes whose first 8 hold ifr_data.
        byte* request = stackalloc byte[40];
        uint* ethtoolValue = stackalloc uint[2];
        new Span<byte>(request, 40).Clear();
        ethtoolValue[0] = command;
        ethtoolValue[1] = value;
        // SAFETY: the name is shorter than 16 bytes (checked by the caller), so its terminating zero is inside the first field.
        _ = Encoding.ASCII.GetBytes(interfaceName, new Span<byte>(request, InterfaceNameSize));
        // SAFETY: 16 + 8 <= 40.
        *(uint**)(request + InterfaceNameSize) = ethtoolValue;
        return ioctl(fd, SiocEthtool, request) < 0 ? LastError($"SIOCETHTOOL 0x{command:x} on {interfaceName}") : null;
    }

    static string LastError(string what) => $"{what}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}";

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, byte* argument);
}
