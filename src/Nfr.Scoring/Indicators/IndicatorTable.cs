using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Scoring.Indicators;

/// <summary>
/// The indicators of one list file, immutable once built. Drawing of the memory:
/// <code>
/// slots  u32[count / 0.8]   0 = empty, else 6 bits of hash and 26 bits of (offset + 1); open addressing, linear probing
/// texts  one blob of        kind and "has a label" u8, length u8, [label u16,] bytes
/// </code>
/// That is 7 bytes an indicator and its text, with 2 more where the list has a second column worth keeping (a family, an operator).
/// </summary>
public sealed class IndicatorTable
{
    /// <summary>Texts of one file; further lines are faults.</summary>
    internal const int MaxTexts = (1 << 26) - 2;
    /// <summary>Different labels of one file; the indicators of further ones have none.</summary>
    internal const int MaxLabels = ushort.MaxValue;
    const byte Labelled = 0x80;
    const int OffsetBits = 26;
    const uint OffsetMask = (1u << OffsetBits) - 1;

    readonly uint[] _slots;
    readonly byte[] _texts;
    readonly string[] _labels;

    internal IndicatorTable(
        uint[] slots, byte[] texts, int textsUsed, string[] labels, int count, IReadOnlyList<byte> prefixes, ListHeader header, string path, DateTimeOffset date)
    {
        (_slots, _texts, TextsUsed, _labels, Count, Prefixes) = (slots, texts, textsUsed, labels, count, prefixes);
        (Name, Threat, Flags, Path, Date) = (header.Name, header.Threat, header.Flags, path, date);
    }

    public string Name { get; }
    public string Path { get; }
    /// <summary>When the file was last written.</summary>
    public DateTimeOffset Date { get; }
    public AlertThreat Threat { get; }
    public IReadOnlyList<string> Flags { get; }
    public int Count { get; }
    /// <summary>Bytes held by the tables.</summary>
    public long Bytes => (_slots.Length * 4L) + _texts.Length;
    internal int TextsUsed { get; }
    /// <summary>Prefix lengths of the networks in it, each once.</summary>
    internal IReadOnlyList<byte> Prefixes { get; }

    /// <returns>The offset of the entry, -1 when absent.</returns>
    internal int Find(IndicatorKind kind, ulong hash, ReadOnlySpan<byte> text)
    {
        if (_slots.Length == 0) return -1;
        uint tag = TagOf(hash);
        int i = SlotOf(hash, _slots.Length);
        while (_slots[i] != 0)
        {
            if ((_slots[i] & ~OffsetMask) == tag)
            {
                int offset = (int)(_slots[i] & OffsetMask) - 1;
                if (Matches(_texts, offset, kind, text)) return offset;
            }
            if (++i == _slots.Length) i = 0;
        }
        return -1;
    }

    internal static int SlotOf(ulong hash, int length) => (int)(((hash & 0xFFFF_FFFF) * (ulong)length) >> 32);
    internal static uint TagOf(ulong hash) => (uint)(hash >> 58) << OffsetBits;

    /// <summary>Puts an entry's slot; false when the same indicator is there already.</summary>
    internal static bool Insert(uint[] slots, byte[] texts, int offset, ulong hash)
    {
        (IndicatorKind kind, int start, int length) = Head(texts, offset);
        uint tag = TagOf(hash);
        int i = SlotOf(hash, slots.Length);
        while (slots[i] != 0)
        {
            if ((slots[i] & ~OffsetMask) == tag && Matches(texts, (int)(slots[i] & OffsetMask) - 1, kind, texts.AsSpan(start, length))) return false;
            if (++i == slots.Length) i = 0;
        }
        slots[i] = tag | (uint)(offset + 1);
        return true;
    }

    /// <summary>Writes an entry and returns the bytes used, 0 when it does not fit.</summary>
    internal static int Write(Span<byte> texts, IndicatorKind kind, ReadOnlySpan<byte> text, int label)
    {
        int head = label >= 0 ? 4 : 2;
        if (head + text.Length > texts.Length) return 0;
        texts[0] = (byte)((byte)kind | (label >= 0 ? Labelled : 0));
        texts[1] = (byte)text.Length;
        if (label >= 0) BinaryPrimitives.WriteUInt16LittleEndian(texts[2..], (ushort)label);
        text.CopyTo(texts[head..]);
        return head + text.Length;
    }

    static (IndicatorKind Kind, int Start, int Length) Head(byte[] texts, int offset) =>
        ((IndicatorKind)(texts[offset] & ~Labelled), offset + ((texts[offset] & Labelled) != 0 ? 4 : 2), texts[offset + 1]);

    static bool Matches(byte[] texts, int offset, IndicatorKind kind, ReadOnlySpan<byte> text)
    {
        (IndicatorKind k, int start, int length) = Head(texts, offset);
        if (k != kind || length != text.Length) return false;
        ReadOnlySpan<byte> stored = texts.AsSpan(start, length);
        return IndicatorHash.IsText(kind) ? Ascii.EqualsIgnoreCase(stored, text) : stored.SequenceEqual(text);
    }

    /// <summary>The hash of every entry, for the filter before all tables.</summary>
    internal void ForEachHash<TState>(ref TState state, HashAction<TState> action) where TState : allows ref struct
    {
        foreach (uint slot in _slots)
        {
            if (slot == 0) continue;
            (IndicatorKind kind, int start, int length) = Head(_texts, (int)(slot & OffsetMask) - 1);
            action(ref state, HashOf(kind, _texts.AsSpan(start, length)));
        }
    }

    internal delegate void HashAction<TState>(ref TState state, ulong hash) where TState : allows ref struct;

    internal static ulong HashOf(IndicatorKind kind, ReadOnlySpan<byte> text) =>
        IndicatorHash.IsText(kind) ? IndicatorHash.Of(kind, text) : IndicatorHash.OfBinary(kind, text);

    /// <summary>The second column of the indicator's line (a malware family, a sinkhole's operator); null when there was none.</summary>
    internal string? LabelOf(int offset) =>
        (_texts[offset] & Labelled) != 0 ? _labels[BinaryPrimitives.ReadUInt16LittleEndian(_texts.AsSpan(offset + 2))] : null;

    /// <summary>The indicator as text.</summary>
    internal string TextOf(int offset)
    {
        (IndicatorKind kind, int start, int length) = Head(_texts, offset);
        ReadOnlySpan<byte> text = _texts.AsSpan(start, length);
        return kind switch
        {
            IndicatorKind.Address => ReadAddress(text).ToString(),
            IndicatorKind.AddressPort => WithPort(ReadAddress(text), BinaryPrimitives.ReadUInt16BigEndian(text[^2..])),
            IndicatorKind.Network => Network(ReadAddress(text), text[^1]),
            IndicatorKind.Ja3 or IndicatorKind.Certificate => Convert.ToHexStringLower(text),
            _ => Encoding.UTF8.GetString(text),
        };
    }

    static Address ReadAddress(ReadOnlySpan<byte> form) => form.Length < 16 ? Address.ReadV4(form) : Address.ReadV6(form);

    static string WithPort(Address address, ushort port) => address.IsV4
        ? string.Create(CultureInfo.InvariantCulture, $"{address}:{port}")
        : string.Create(CultureInfo.InvariantCulture, $"[{address}]:{port}");

    static string Network(Address address, int prefix) =>
        string.Create(CultureInfo.InvariantCulture, $"{address}/{(address.IsV4 ? prefix - 96 : prefix)}");
}
