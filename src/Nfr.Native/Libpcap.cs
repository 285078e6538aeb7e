using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>libpcap's expression compiler, pcap-filter(7); nothing is captured or read with this library.</summary>
static unsafe partial class Libpcap
{
    internal const int DLT_EN10MB = 1;
    internal const int DLT_RAW = 12;
    internal const uint PCAP_NETMASK_UNKNOWN = 0xFFFFFFFF;
    internal const int MAXIMUM_SNAPLEN = 262144;

    [LibraryImport("libpcap.so.0.8")]
    internal static partial void* pcap_open_dead(int linkType, int snapLength);

    [LibraryImport("libpcap.so.0.8", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int pcap_compile(void* pcap, bpf_program* program, string expression, int optimize, uint netmask);

    [LibraryImport("libpcap.so.0.8")]
    internal static partial void pcap_freecode(bpf_program* program);

    /// <summary>The text belongs to the handle: copy it before <see cref="pcap_close"/>.</summary>
    [LibraryImport("libpcap.so.0.8")]
    internal static partial byte* pcap_geterr(void* pcap);

    [LibraryImport("libpcap.so.0.8")]
    internal static partial void pcap_close(void* pcap);
}

unsafe struct bpf_program
{
    internal uint bf_len;
    internal SocketFilterInstruction* bf_insns;
}
