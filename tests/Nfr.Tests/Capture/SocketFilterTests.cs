using System.Buffers.Binary;
using Nfr.Native;

namespace Nfr.Tests.Capture;

public sealed class SocketFilterTests
{
    /// <summary>An Ethernet frame with these tags inside its bytes, around UDP between the two ports.</summary>
    internal static byte[] Udp(int sourcePort, int destinationPort, params (ushort Tpid, ushort Tci)[] tags)
    {
        var bytes = new CaptureBytes(bigEndian: true).Raw(Convert.FromHexString("02AABBCC0001" + "02AABBCC0002"));
        foreach ((ushort tpid, ushort tci) in tags) bytes.U16(tpid).U16(tci);
        bytes.U16(0x0800).Raw(Convert.FromHexString("4500002400010000401100000A0000010A000002"));
        return bytes.U16(sourcePort).U16(destinationPort).U16(16).U16(0).Raw(new byte[8 + 18]).ToArray();
    }

    static readonly (ushort, ushort) Seven = (0x8100, 7);
    static readonly (ushort, ushort) Service = (0x88A8, 9);

    static bool Passes(string expression, byte[] frame, (ushort Tpid, ushort Tci)? kernelTag = null)
    {
        SocketFilterInstruction[]? program = SocketFilter.Compile(expression, ethernet: true, out string? error);
        Assert.True(program is not null, error);
        return Run(program, frame, kernelTag) != 0;
    }

    [Fact]
    public void An_expression_sees_through_every_tag()
    {
        foreach ((byte[] frame, (ushort, ushort)? kernelTag) in Wrappings(53))
        {
            Assert.True(Passes("udp port 53", frame, kernelTag));
            Assert.False(Passes("udp port 54", frame, kernelTag));
            Assert.False(Passes("not port 53", frame, kernelTag));
            Assert.True(Passes("host 10.0.0.2 and not port 80", frame, kernelTag));
            Assert.True(Passes("ether src 02:aa:bb:cc:00:02", frame, kernelTag));
            Assert.False(Passes("ether dst 02:aa:bb:cc:00:02", frame, kernelTag));
        }

        static IEnumerable<(byte[], (ushort, ushort)?)> Wrappings(int port) =>
        [
            (Udp(1000, port), null),
            (Udp(1000, port), Seven),
            (Udp(1000, port, Seven), null),
            (Udp(1000, port, Seven), Service),
            (Udp(1000, port, Service, Seven), null),
            (Udp(1000, port, Seven, Seven), Service),
        ];
    }

    [Fact]
    public void An_expression_with_vlan_in_it_means_what_it_means_to_tcpdump()
    {
        // The frame's own tag, whether it is still in the bytes or in the kernel's hands.
        foreach ((byte[] frame, (ushort, ushort)? kernelTag) in new[] { (Udp(1000, 53, Seven), null), (Udp(1000, 53), ((ushort, ushort)?)Seven) })
        {
            Assert.True(Passes("vlan", frame, kernelTag));
            Assert.True(Passes("vlan 7", frame, kernelTag));
            Assert.False(Passes("vlan 8", frame, kernelTag));
            Assert.True(Passes("vlan 7 and udp port 53", frame, kernelTag));
            Assert.False(Passes("vlan 7 and udp port 54", frame, kernelTag));
            Assert.True(Passes("udp port 53 or vlan", frame, kernelTag));
            Assert.False(Passes("not vlan", frame, kernelTag));
        }
        Assert.False(Passes("vlan", Udp(1000, 53)));
        Assert.True(Passes("not vlan", Udp(1000, 53)));
        Assert.True(Passes("vlan 9 and vlan 7 and port 53", Udp(1000, 53, Seven), Service));
        Assert.False(Passes("vlan 7 and vlan 9 and port 53", Udp(1000, 53, Seven), Service));
    }

    [Fact]
    public void A_frame_that_ends_early_does_not_pass()
    {
        byte[] whole = Udp(1000, 53, Service, Seven);
        for (int length = 0; length < 14 + 8 + 20 + 4; length++) Assert.False(Passes("udp dst port 53", whole[..length]));
    }

    [Fact]
    public void What_does_not_compile_is_answered_in_libpcaps_words()
    {
        Assert.Null(SocketFilter.Compile("udp prot 53", ethernet: true, out string? error));
        Assert.Contains("syntax error", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_too_long_for_the_kernel_is_refused_in_words()
    {
        string expression = string.Join(" or ", Enumerable.Range(0, 1500).Select(i => $"host 10.{i / 250}.{i % 250}.1"));
        Assert.Null(SocketFilter.Compile(expression, ethernet: true, out string? error));
        Assert.Contains("the kernel takes 4096", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hundred_hosts_fit_and_compile_quickly()
    {
        string expression = string.Join(" or ", Enumerable.Range(0, 100).Select(i => $"host 10.{i}.{i}.1")) + " or host 10.0.0.2";
        Assert.True(Passes(expression, Udp(1, 2, Seven), Service));
    }

    [Fact]
    public void Raw_ip_has_no_tags_to_see_through() => Assert.NotNull(SocketFilter.Compile("udp port 53", ethernet: false, out _));

    /// <summary>Classic BPF as the kernel runs it (Documentation/networking/filter.rst), as much of it as libpcap writes here.</summary>
    static uint Run(SocketFilterInstruction[] program, ReadOnlySpan<byte> frame, (ushort Tpid, ushort Tci)? tag)
    {
        uint a = 0, x = 0;
        uint[] memory = new uint[16];
        for (int at = 0; ; at++)
        {
            (ushort code, byte jumpTrue, byte jumpFalse, uint k) = program[at];
            uint operand = (code & 0x08) != 0 ? x : k;
            switch (code & 0x07)
            {
                case 0 or 1 when (code & 0xE0) is 0x00: Load(code, ref a, ref x, k); break;
                case 0 or 1 when (code & 0xE0) is 0x60: Load(code, ref a, ref x, memory[k]); break;
                case 0 when k == unchecked((uint)(-0x1000 + 44)): a = tag?.Tci ?? 0; break;
                case 0 when k == unchecked((uint)(-0x1000 + 48)): a = tag is null ? 0u : 1u; break;
                case 0 when k == unchecked((uint)(-0x1000 + 60)): a = tag?.Tpid ?? 0; break;
                case 0 or 1:
                    long offset = (code & 0xE0) == 0x40 ? (long)x + k : k;
                    int size = (code & 0x18) switch { 0x00 => 4, 0x08 => 2, _ => 1 };
                    if (offset + size > frame.Length) return 0;
                    ReadOnlySpan<byte> bytes = frame[(int)offset..];
                    if ((code & 0xE0) == 0xA0) x = (bytes[0] & 15u) * 4;
                    else a = size switch { 4 => BinaryPrimitives.ReadUInt32BigEndian(bytes), 2 => BinaryPrimitives.ReadUInt16BigEndian(bytes), _ => bytes[0] };
                    break;
                case 2: memory[k] = a; break;
                case 3: memory[k] = x; break;
                case 4:
                    a = (code & 0xF0) switch
                    {
                        0x00 => a + operand, 0x10 => a - operand, 0x40 => a | operand, 0x50 => a & operand,
                        0x60 => a << (int)operand, 0x70 => a >> (int)operand, _ => throw new NotSupportedException($"{code:x}"),
                    };
                    break;
                case 5 when (code & 0xF0) == 0: at += (int)k; break;
                case 5:
                    bool holds = (code & 0xF0) switch { 0x10 => a == operand, 0x20 => a > operand, 0x30 => a >= operand, _ => (a & operand) != 0 };
                    at += holds ? jumpTrue : jumpFalse;
                    break;
                case 6: return (code & 0x18) == 0x10 ? a : k;
                default: (a, x) = (code & 0xF8) == 0 ? (a, a) : (x, x); break;
            }
        }

        static void Load(ushort code, ref uint a, ref uint x, uint value)
        {
            if ((code & 7) == 0) a = value;
            else x = value;
        }
    }
}
