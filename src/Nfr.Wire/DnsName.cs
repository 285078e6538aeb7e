using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Nfr.Wire;

/// <summary>
/// Domain names, RFC 1035 3.1 and 4.1.4. A compression pointer must point before the start of the labels it ends, so every jump goes
/// backwards and no message can make the reader loop; a name is at most 255 bytes on the wire, however it is compressed.
/// </summary>
public static class DnsName
{
    /// <summary>RFC 1035 2.3.4: length bytes and the root included.</summary>
    public const int MaxWireLength = 255;

    /// <summary>The longest presentation form: 250 bytes of data in four labels, each as \DDD, and three dots.</summary>
    public const int MaxTextLength = 1003;

    /// <summary>
    /// Reads the name at <paramref name="offset"/> into presentation form without the trailing dot ("." is the root), its case kept;
    /// '.' and '\' inside a label are escaped by a backslash, bytes outside printable ASCII as \DDD. Moves <paramref name="offset"/>
    /// past the name only when it says None. A <paramref name="destination"/> too short gives DnsNameTooLong;
    /// <see cref="MaxTextLength"/> bytes always suffice.
    /// </summary>
    public static DecodeFault Read(ReadOnlySpan<byte> message, ref int offset, Span<byte> destination, out int written)
    {
        written = 0;
        var labels = new Labels(message, offset);
        int n = 0;
        while (labels.MoveNext())
        {
            if (n > 0 && !Put(destination, ref n, (byte)'.')) return DecodeFault.DnsNameTooLong;
            if (TryCopyPlain(labels.Current, destination, ref n)) continue;
            foreach (byte b in labels.Current)
            {
                bool escape = b is (byte)'.' or (byte)'\\';
                if (escape && !Put(destination, ref n, (byte)'\\')) return DecodeFault.DnsNameTooLong;
                if (b is > 0x20 and < 0x7F)
                {
                    if (!Put(destination, ref n, b)) return DecodeFault.DnsNameTooLong;
                    continue;
                }
                if (destination.Length - n < 4) return DecodeFault.DnsNameTooLong;
                destination[n++] = (byte)'\\';
                destination[n++] = (byte)('0' + (b / 100));
                destination[n++] = (byte)('0' + (b / 10 % 10));
                destination[n++] = (byte)('0' + (b % 10));
            }
        }
        if (labels.Fault != DecodeFault.None) return labels.Fault;
        if (n == 0 && !Put(destination, ref n, (byte)'.')) return DecodeFault.DnsNameTooLong;
        written = n;
        offset = labels.End;
        return DecodeFault.None;
    }

    /// <summary>Checks the name at <paramref name="offset"/> as <see cref="Read"/> does, and moves past it.</summary>
    public static DecodeFault Skip(ReadOnlySpan<byte> message, ref int offset)
    {
        var labels = new Labels(message, offset);
        while (labels.MoveNext()) { }
        if (labels.Fault == DecodeFault.None) offset = labels.End;
        return labels.Fault;
    }

    /// <summary>A pointer and nothing before it: the two bytes of RFC 1035 4.1.4.</summary>
    internal const int PointerLength = 2;

    /// <summary>Where the name at <paramref name="offset"/> continues when it is a pointer alone; -1 when it is not.</summary>
    internal static int PointerAt(ReadOnlySpan<byte> message, int offset) =>
        message.Length - offset >= PointerLength && message[offset] >= Labels.PointerMask ? ((message[offset] & 0x3F) << 8) | message[offset + 1] : -1;

    /// <summary>Nearly all labels have nothing to escape; false, and <paramref name="n"/> stays, for the others. Eight bytes a step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static bool TryCopyPlain(ReadOnlySpan<byte> label, Span<byte> destination, ref int n)
    {
        if (destination.Length - n < label.Length + sizeof(ulong)) return false;
        Span<byte> place = destination[n..];
        int at = 0;
        for (; label.Length - at >= sizeof(ulong); at += sizeof(ulong))
        {
            ulong eight = BinaryPrimitives.ReadUInt64LittleEndian(label[at..]);
            if (HasSpecial(eight)) return false;
            BinaryPrimitives.WriteUInt64LittleEndian(place[at..], eight);
        }
        if (at < label.Length)
        {
            ulong rest = 0;
            for (int i = label.Length - 1; i >= at; i--) rest = (rest << 8) | label[i];
            // What lies behind the label is written over by the next one, or is not part of the text.
            if (HasSpecial(rest | (Each('a') << (8 * (label.Length - at))))) return false;
            BinaryPrimitives.WriteUInt64LittleEndian(place[at..], rest);
        }
        n += label.Length;
        return true;
    }

    static ulong Each(int value) => (ulong)value * 0x0101_0101_0101_0101;

    /// <summary>One of eight bytes is no printable ASCII, or a dot, or a backslash. Which one it is, a borrow may blur; whether there is one, it cannot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static bool HasSpecial(ulong eight)
    {
        ulong dot = eight ^ Each('.'), backslash = eight ^ Each('\\'), delete = eight ^ Each(0x7F);
        ulong found = ((eight - Each(0x21)) & ~eight) | ((dot - Each(1)) & ~dot) | ((backslash - Each(1)) & ~backslash) | ((delete - Each(1)) & ~delete) | eight;
        return (found & Each(0x80)) != 0;
    }

    static bool Put(Span<byte> destination, ref int n, byte value)
    {
        if (n >= destination.Length) return false;
        destination[n++] = value;
        return true;
    }

    ref struct Labels(ReadOnlySpan<byte> message, int offset)
    {
        public const int PointerMask = 0xC0;

        // A name has 127 labels at most; pointers that lead to pointers beyond that only cost time, 8,000 steps a name.
        const int MaximumJumps = 127;
        readonly ReadOnlySpan<byte> _message = message;
        int _position = offset;
        // Where this run of labels began: a pointer that ends the run must lead to before it.
        int _runStart = offset;
        int _wireLength = 1;
        int _end = -1;
        int _jumps;

        public ReadOnlySpan<byte> Current { get; private set; }
        public DecodeFault Fault { get; private set; }

        /// <summary>The offset after the name where it stands, which is after the first pointer if there is one.</summary>
        public readonly int End => _end;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool MoveNext()
        {
            while (true)
            {
                if ((uint)_position >= (uint)_message.Length) return Stop(DecodeFault.DnsNameTruncated);
                int length = _message[_position];
                if (length == 0)
                {
                    if (_end < 0) _end = _position + 1;
                    return false;
                }
                if ((length & PointerMask) == 0)
                {
                    if (_message.Length - _position - 1 < length) return Stop(DecodeFault.DnsNameTruncated);
                    _wireLength += length + 1;
                    if (_wireLength > MaxWireLength) return Stop(DecodeFault.DnsNameTooLong);
                    Current = _message.Slice(_position + 1, length);
                    _position += length + 1;
                    return true;
                }
                if ((length & PointerMask) != PointerMask) return Stop(DecodeFault.DnsLabelTypeUnknown);
                if (_message.Length - _position < 2) return Stop(DecodeFault.DnsNameTruncated);
                int target = ((length & 0x3F) << 8) | _message[_position + 1];
                if (target >= _runStart || ++_jumps > MaximumJumps) return Stop(DecodeFault.DnsCompressionLoop);
                if (_end < 0) _end = _position + 2;
                _position = _runStart = target;
            }
        }

        bool Stop(DecodeFault fault)
        {
            Fault = fault;
            return false;
        }
    }
}
