using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>One instruction of classic BPF: Linux's sock_filter and libpcap's bpf_insn, which are the same eight bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SocketFilterInstruction(ushort Code, byte JumpTrue, byte JumpFalse, uint K);

/// <summary>
/// A libpcap expression as a program for SO_ATTACH_FILTER.
/// <para>
/// The kernel takes the outermost VLAN tag out of a received frame before any filter sees it, and an inner tag (QinQ) stays in
/// the bytes. Plain libpcap code would therefore match <c>udp port 53</c> under one tag by luck and never under two, and
/// <c>vlan 7</c> never. So there are two readings:
/// </para>
/// <para>
/// An expression without the word <c>vlan</c> sees through tags: it is compiled once for untagged frames, and the program looks for
/// up to two tags left in the bytes and runs the copy of the code whose offsets lie 4 or 8 bytes further on.
/// </para>
/// <para>
/// An expression with the word <c>vlan</c> means what it means to tcpdump on the frame as it was on the wire: where the kernel holds
/// a tag back, a copy of the code runs that takes TPID and TCI from the kernel and everything behind them 4 bytes earlier.
/// </para>
/// </summary>
public static class SocketFilter
{
    /// <summary>BPF_MAXINSNS of the kernel.</summary>
    public const int MaximumLength = 4096;

    /// <summary>
    /// libpcap's optimizer takes time with the third power of an expression: 0.5 s at this length, minutes at 30,000 characters.
    /// Longer ones are compiled as they stand.
    /// </summary>
    const int LongestOptimized = 4096;

    const ushort LoadHalfAbsolute = 0x28;
    const ushort LoadWordAbsolute = 0x20;
    const ushort JumpAlways = 0x05;
    const ushort JumpEqual = 0x15;
    const uint TypeOffset = 12;
    const uint TagLength = 4;
    /// <summary>SKF_AD_OFF + SKF_AD_VLAN_…: loads that the kernel answers from its own record of the frame (linux/filter.h).</summary>
    const uint KernelVlanTci = unchecked((uint)(-0x1000 + 44));
    const uint KernelVlanPresent = unchecked((uint)(-0x1000 + 48));
    const uint KernelVlanTpid = unchecked((uint)(-0x1000 + 60));

    /// <summary>A program that lets nothing through: in force while a socket is being set up.</summary>
    internal static readonly SocketFilterInstruction[] DropAll = [new(0x06, 0, 0, 0)];

    /// <summary>Compiles <paramref name="expression"/>, or returns null and libpcap's own words in <paramref name="error"/>.</summary>
    public static SocketFilterInstruction[]? Compile(string expression, bool ethernet, out string? error)
    {
        SocketFilterInstruction[]? program;
        try
        {
            program = CompilePlain(expression, ethernet ? Libpcap.DLT_EN10MB : Libpcap.DLT_RAW, out error);
        }
        catch (DllNotFoundException)
        {
            error = "libpcap.so.0.8 is not installed (apt install libpcap0.8)";
            return null;
        }
        if (program is null || !ethernet) return program;
        program = NamesVlan(expression) ? WithKernelTag(program) : ThroughTags(program);
        if (program.Length <= MaximumLength) return program;
        error = $"the expression needs {program.Length} instructions, the kernel takes {MaximumLength}";
        return null;
    }

    static unsafe SocketFilterInstruction[]? CompilePlain(string expression, int linkType, out string? error)
    {
        error = null;
        void* pcap = Libpcap.pcap_open_dead(linkType, Libpcap.MAXIMUM_SNAPLEN);
        if (pcap == null)
        {
            error = "libpcap has no memory";
            return null;
        }
        try
        {
            bpf_program program;
            int optimize = expression.Length <= LongestOptimized ? 1 : 0;
            if (Libpcap.pcap_compile(pcap, &program, expression, optimize, Libpcap.PCAP_NETMASK_UNKNOWN) != 0)
            {
                // SAFETY: a NUL-terminated text inside the handle, which lives until the finally below.
                error = Marshal.PtrToStringUTF8((nint)Libpcap.pcap_geterr(pcap)) ?? "not a filter expression";
                return null;
            }
            // SAFETY: libpcap allocated bf_len instructions at bf_insns; they are copied before pcap_freecode.
            SocketFilterInstruction[] copy = new ReadOnlySpan<SocketFilterInstruction>(program.bf_insns, (int)program.bf_len).ToArray();
            Libpcap.pcap_freecode(&program);
            return copy;
        }
        finally
        {
            Libpcap.pcap_close(pcap);
        }
    }

    /// <summary>Tests for a tag at each depth; behind each test the code for that depth, then the next test.</summary>
    internal static SocketFilterInstruction[] ThroughTags(ReadOnlySpan<SocketFilterInstruction> plain)
    {
        var program = new List<SocketFilterInstruction>(plain.Length * 3 + 10);
        for (uint depth = 0; depth < 2; depth++)
        {
            program.Add(new(LoadHalfAbsolute, 0, 0, TypeOffset + depth * TagLength));
            program.Add(new(JumpEqual, 2, 0, 0x8100));
            program.Add(new(JumpEqual, 1, 0, 0x88A8));
            program.Add(new(JumpEqual, 0, 1, 0x9100));
            program.Add(new(JumpAlways, 0, 0, (uint)plain.Length));
            AddShifted(program, plain, depth * TagLength);
        }
        AddShifted(program, plain, 2 * TagLength);
        return [.. program];
    }

    /// <summary>Offsets from the EtherType on move by <paramref name="shift"/>; addresses before it and the kernel's own loads stay.</summary>
    static void AddShifted(List<SocketFilterInstruction> program, ReadOnlySpan<SocketFilterInstruction> plain, uint shift)
    {
        foreach (SocketFilterInstruction instruction in plain)
        {
            bool moves = IsPacketLoad(instruction.Code) && instruction.K is >= TypeOffset and <= int.MaxValue;
            program.Add(moves ? instruction with { K = instruction.K + shift } : instruction);
        }
    }

    /// <summary>When the kernel holds a tag: the same code, with the tag read from the kernel. Otherwise the code as it is.</summary>
    internal static SocketFilterInstruction[] WithKernelTag(ReadOnlySpan<SocketFilterInstruction> plain)
    {
        var program = new List<SocketFilterInstruction>(plain.Length * 2 + 3)
        {
            new(LoadWordAbsolute, 0, 0, KernelVlanPresent),
            new(JumpEqual, 1, 0, 0),
            new(JumpAlways, 0, 0, (uint)plain.Length),
        };
        program.AddRange(plain);
        foreach (SocketFilterInstruction instruction in plain)
        {
            program.Add(instruction switch
            {
                { Code: LoadHalfAbsolute, K: TypeOffset } => instruction with { Code = LoadWordAbsolute, K = KernelVlanTpid },
                { Code: LoadHalfAbsolute, K: TypeOffset + 2 } => instruction with { Code = LoadWordAbsolute, K = KernelVlanTci },
                { K: >= TypeOffset + TagLength and <= int.MaxValue } when IsPacketLoad(instruction.Code) =>
                    instruction with { K = instruction.K - TagLength },
                _ => instruction,
            });
        }
        return [.. program];
    }

    /// <summary>BPF_LD and BPF_LDX with mode BPF_ABS, BPF_IND or BPF_MSH: the loads that read the frame.</summary>
    static bool IsPacketLoad(ushort code) => (code & 0x07) <= 1 && (code & 0xE0) is 0x20 or 0x40 or 0xA0;

    static bool NamesVlan(string expression)
    {
        for (int at = expression.IndexOf("vlan", StringComparison.Ordinal); at >= 0;
             at = expression.IndexOf("vlan", at + 4, StringComparison.Ordinal))
        {
            bool starts = at == 0 || !char.IsLetterOrDigit(expression[at - 1]);
            bool ends = at + 4 == expression.Length || !char.IsLetterOrDigit(expression[at + 4]);
            if (starts && ends) return true;
        }
        return false;
    }
}
