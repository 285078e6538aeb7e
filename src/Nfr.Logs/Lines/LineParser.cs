using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// Reads the lines of one format, with what it has to remember of one file: headers, queries that wait for their answers. Nothing throws, and nothing
/// is allocated per line. One thread. What it remembers depends on the lines alone, so that lines read again make the same of it.
/// </summary>
public abstract class LineParser
{
    readonly LineOptions _options;

    protected LineParser(LineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
    }

    protected LineOptions Options => _options;

    /// <summary>Where the line in hand begins: bytes from the beginning of its file, or what its input counts by. Set by the reader before each line.</summary>
    public long At { get; set; }

    /// <summary>Where the oldest line begins whose event is still held back; <see cref="long.MaxValue"/> when none is.</summary>
    public virtual long OldestHeld => long.MaxValue;

    /// <summary>
    /// Where the lines begin that say what the lines behind the one just read mean (Zeek's header): read before a file is taken up in its middle;
    /// -1 = none are needed.
    /// </summary>
    public virtual long HeaderAt => -1;

    /// <summary>Reads one line and gives its events to <paramref name="sink"/>.</summary>
    /// <param name="line">Without its end (LF or CR LF); any bytes.</param>
    /// <param name="sink">Gets events whose spans are good for the call.</param>
    public abstract LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink);

    /// <summary>No line will come for a while, or ever: what is held back goes out as it is.</summary>
    public virtual void Release(IEventSink sink)
    {
    }

    /// <summary>The file was begun anew: what was remembered of the old one holds no more. What is held back was released before.</summary>
    public virtual void Restart()
    {
    }

    /// <summary>
    /// The file goes on where another ended: what that one's lines said of the whole log holds in it too, such as that queries are logged. What is held back
    /// stays with the other.
    /// </summary>
    /// <param name="before">Of the file that came before; any format's.</param>
    internal virtual void Inherit(LineParser before)
    {
    }

    /// <summary>Another file is read from now on: its stamps may be older.</summary>
    internal void ForgetTime() => _options.Clock.Restart();

    protected bool Wants(EventType type) => _options.Types[(int)type];

    /// <summary>Sets when it was; the tick is the input's own.</summary>
    protected void Stamp(ref EventContext context, long nanoseconds)
    {
        context.Timestamp = nanoseconds;
        context.Tick = _options.Clock.Tick(nanoseconds);
    }

    /// <summary>The same for what is told when it ends.</summary>
    protected void Stamp(ref EventContext context, long nanoseconds, long duration)
    {
        context.Timestamp = nanoseconds;
        context.Tick = _options.Clock.Tick(nanoseconds, duration);
    }
}
