using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// What became of the lines (or documents) of one input. Lines = the sum of <see cref="Verdicts"/>; written by the input's thread alone.
/// </summary>
public sealed class LogCounters(string name)
{
    /// <summary>A file pattern, a listener, a search: what people call the input.</summary>
    public string Name { get; } = name;
    /// <summary>Bytes of the lines with their ends, as they were read (not as compressed).</summary>
    public long Bytes { get; set; }
    /// <summary>By <see cref="LineVerdict"/>.</summary>
    public long[] Verdicts { get; } = new long[LineVerdicts.Count];
    /// <summary>Events made, by <see cref="EventType"/>.</summary>
    public long[] Events { get; } = new long[EventTypes.Count];
    /// <summary>Files taken up anew behind one that was moved away, or begun again.</summary>
    public long Rotations { get; set; }
    /// <summary>Bytes that were in a file and gone before they were read: it was cut (copytruncate) or removed.</summary>
    public long LostBytes { get; set; }
    /// <summary>
    /// Files, pages or datagrams that are lost where no bytes can be counted, and each time a log was cut where it stands (copytruncate): what came between
    /// copy and cut was never seen, if there was anything; datagrams that the kernel dropped.
    /// </summary>
    public long Lost { get; set; }
    /// <summary>Datagrams and connections of those who may not send, or one too many: nothing of them was read.</summary>
    public long Refused { get; set; }
    /// <summary>Our own mistakes.</summary>
    public long Mistakes { get; set; }

    public long Lines => Verdicts.Sum();
    public long Skipped => LineVerdicts.Skips.Sum(v => Verdicts[(int)v]);

    public LogCounters Copy()
    {
        var copy = new LogCounters(Name);
        copy.Add(this, 1);
        return copy;
    }

    /// <summary>What came since an earlier copy.</summary>
    public LogCounters Since(LogCounters? earlier)
    {
        LogCounters since = Copy();
        if (earlier is not null) since.Add(earlier, -1);
        return since;
    }

    void Add(LogCounters other, int sign)
    {
        Bytes += sign * other.Bytes;
        Rotations += sign * other.Rotations;
        LostBytes += sign * other.LostBytes;
        Lost += sign * other.Lost;
        Refused += sign * other.Refused;
        Mistakes += sign * other.Mistakes;
        for (int i = 0; i < Verdicts.Length; i++) Verdicts[i] += sign * other.Verdicts[i];
        for (int i = 0; i < Events.Length; i++) Events[i] += sign * other.Events[i];
    }
}
