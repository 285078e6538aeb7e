using Nfr.Events;

namespace Nfr.Storage;

/// <summary>
/// Events of one type, oldest first, as whole rows of the spool: <see cref="Body"/> is gzip members end to end (RFC 1952 2.2), each with JSON
/// lines, ready to be a request body with <c>Content-Encoding: gzip</c>.
/// </summary>
public sealed record SpoolBatch(EventType Type, long FirstSequence, long LastSequence, int Count, ReadOnlyMemory<byte> Body)
{
    /// <summary>The rows' ranges of sequence numbers, ascending; between them events were evicted or quarantined. Empty = one range without gap.</summary>
    public IReadOnlyList<SequenceRange> Ranges { get; init; } = [];

    /// <summary>The sequence number of the line at <paramref name="index"/>.</summary>
    public long SequenceOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        foreach (SequenceRange range in Ranges)
        {
            if (index < range.Count) return range.First + index;
            index -= range.Count;
        }
        return FirstSequence + index;
    }

    /// <summary>The events as JSON, without line ends.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Lines()
    {
        var inflater = new Inflater();
        ReadOnlyMemory<byte> text = inflater.Inflate(Body.Span) ? inflater.Text.ToArray() : default;
        var lines = new List<ReadOnlyMemory<byte>>(Count);
        while (!text.IsEmpty)
        {
            int end = text.Span.IndexOf((byte)'\n');
            if (end < 0) end = text.Length;
            lines.Add(text[..end]);
            text = text[Math.Min(end + 1, text.Length)..];
        }
        return lines;
    }

    /// <summary>As <see cref="Slice"/>, without the lines: enough to settle them, and nothing is inflated.</summary>
    public SpoolBatch Numbers(int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return new SpoolBatch(Type, SequenceOf(start), SequenceOf(start + count - 1), count, default);
    }

    /// <summary>The part of <paramref name="count"/> events from <paramref name="start"/> as a batch of its own: how a refused batch is halved.</summary>
    public SpoolBatch Slice(int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + count, Count);
        using var deflater = new Deflater();
        IReadOnlyList<ReadOnlyMemory<byte>> lines = Lines();
        var ranges = new List<SequenceRange>();
        for (int i = start; i < start + count; i++)
        {
            long sequence = SequenceOf(i);
            if (ranges.Count > 0 && ranges[^1].Last + 1 == sequence) ranges[^1] = ranges[^1] with { Count = ranges[^1].Count + 1 };
            else ranges.Add(new SequenceRange(sequence, 1));
            deflater.Write(lines[i].Span);
            deflater.Write("\n"u8);
        }
        return new SpoolBatch(Type, ranges[0].First, ranges[^1].Last, count, deflater.Finish().ToArray()) { Ranges = ranges };
    }
}

/// <summary><paramref name="Count"/> sequence numbers from <paramref name="First"/> on.</summary>
public readonly record struct SequenceRange(long First, int Count)
{
    public long Last => First + Count - 1;
}

/// <summary>An alert with its place in the spool; outputs remember that place.</summary>
public sealed record StoredAlert(long Sequence, Alert Alert)
{
    readonly Alert? _original;

    /// <summary>As it lies in the spool, where <see cref="Alert"/> was put right since: what follows from an alert for ever follows from this.</summary>
    public Alert Original
    {
        get => _original ?? Alert;
        init => _original = value;
    }
}
