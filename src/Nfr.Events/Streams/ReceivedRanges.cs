using System.Runtime.CompilerServices;

namespace Nfr.Events;

/// <summary>
/// Which bytes of a buffer have come: at most <see cref="Maximum"/> ranges, sorted and apart. Laying bytes down keeps what was there
/// first: an overlap never changes a byte that has been seen.
/// </summary>
struct ReceivedRanges
{
    /// <summary>A receiver with more holes than this is not reordering, it is being attacked or losing; the caller gives up.</summary>
    public const int Maximum = 16;

    struct Range
    {
        public int Start;
        public int End;
    }

    [InlineArray(Maximum)]
    struct Ranges
    {
        Range _first;
    }

    Ranges _ranges;

    public int Count { get; private set; }

    /// <summary>Bytes without a hole from the buffer's start.</summary>
    public readonly int Ready => Count > 0 && _ranges[0].Start == 0 ? _ranges[0].End : 0;

    /// <summary>Where the first hole ends; 0 when there is none.</summary>
    public readonly int HoleEnd => Count == 0 ? 0 : _ranges[0].Start > 0 ? _ranges[0].Start : Count > 1 ? _ranges[1].Start : 0;

    /// <summary>One past the last known byte; 0 when there is none.</summary>
    public readonly int End => Count > 0 ? _ranges[Count - 1].End : 0;

    public void Clear() => Count = 0;

    /// <summary>Copies what is new of <paramref name="payload"/> to <paramref name="buffer"/> at <paramref name="offset"/>. False: too many holes, nothing was laid.</summary>
    public bool TryLay(Span<byte> buffer, int offset, ReadOnlySpan<byte> payload, out bool differs)
    {
        differs = false;
        int start = offset, end = offset + payload.Length;
        int first = -1, last = -1;
        for (int i = 0; i < Count; i++)
        {
            if (_ranges[i].End < start || _ranges[i].Start > end) continue;
            if (first < 0) first = i;
            last = i;
        }
        if (first < 0)
        {
            if (Count == Maximum) return false;
            payload.CopyTo(buffer[start..]);
            Insert(start, end);
            return true;
        }
        int cursor = start;
        for (int i = first; i <= last; i++)
        {
            Range range = _ranges[i];
            if (range.Start > cursor) payload[(cursor - offset)..(range.Start - offset)].CopyTo(buffer[cursor..]);
            int from = Math.Max(range.Start, start), to = Math.Min(range.End, end);
            if (to > from && !payload[(from - offset)..(to - offset)].SequenceEqual(buffer[from..to])) differs = true;
            cursor = Math.Max(cursor, range.End);
        }
        if (cursor < end) payload[(cursor - offset)..].CopyTo(buffer[cursor..]);
        _ranges[first] = new Range { Start = Math.Min(_ranges[first].Start, start), End = Math.Max(_ranges[last].End, end) };
        int gone = last - first;
        for (int i = last + 1; i < Count; i++) _ranges[i - gone] = _ranges[i];
        Count -= gone;
        return true;
    }

    /// <summary>Forgets the first <paramref name="bytes"/> and moves the rest down, ranges and buffer alike.</summary>
    public void Shift(Span<byte> buffer, int bytes)
    {
        int end = End;
        if (bytes >= end)
        {
            Count = 0;
            return;
        }
        buffer[bytes..end].CopyTo(buffer);
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (_ranges[i].End <= bytes) continue;
            _ranges[kept++] = new Range { Start = Math.Max(0, _ranges[i].Start - bytes), End = _ranges[i].End - bytes };
        }
        Count = kept;
    }

    void Insert(int start, int end)
    {
        int at = Count;
        while (at > 0 && _ranges[at - 1].Start > start)
        {
            _ranges[at] = _ranges[at - 1];
            at--;
        }
        _ranges[at] = new Range { Start = start, End = end };
        Count++;
    }
}
