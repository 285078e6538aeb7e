using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Nfr.Events;
using Serilog;

namespace Nfr.Engine;

/// <summary>What became of a body's lines.</summary>
sealed class IntakeResult
{
    public const string LineTooLong = "line_too_long", Mistake = "mistake";

    public long Received { get; set; }
    public long Accepted { get; set; }
    /// <summary>By <see cref="EventLineFault"/>.</summary>
    public long[] Faults { get; } = new long[(int)EventLineFault.Count];
    public long LongLines { get; set; }
    /// <summary>Lines that met a mistake in nfr itself.</summary>
    public long Mistakes { get; set; }

    public long Rejected => Received - Accepted;
    /// <summary>Lines that were taken when the body was here before; not among the others.</summary>
    public long Repeated { get; set; }

    /// <summary>This and what came before it.</summary>
    public IntakeResult With(IntakeResult before)
    {
        var sum = new IntakeResult
        {
            Received = Received + before.Received, Accepted = Accepted + before.Accepted, LongLines = LongLines + before.LongLines, Mistakes = Mistakes + before.Mistakes,
        };
        for (int fault = 0; fault < Faults.Length; fault++) sum.Faults[fault] = Faults[fault] + before.Faults[fault];
        return sum;
    }

    public IEnumerable<(string Reason, long Count)> Reasons()
    {
        for (int fault = 1; fault < Faults.Length; fault++)
        {
            if (Faults[fault] > 0) yield return (((EventLineFault)fault).Name(), Faults[fault]);
        }
        if (LongLines > 0) yield return (LineTooLong, LongLines);
        if (Mistakes > 0) yield return (Mistake, Mistakes);
    }
}

/// <summary>A body is longer than it may be.</summary>
sealed class BodyTooLongException() : Exception("the body is too long");

/// <summary>
/// Takes the lines of one body through the way: read, scored, their alerts handed to the writer. The body streams through a buffer of one line
/// and a little more; nothing waits for its end.
/// </summary>
sealed class EventIntake(HostedEngineOptions options, AlertWriter writer, ILogger log)
{
    /// <summary>Of decompressed text; a turn of the lane is as long as this takes.</summary>
    const int BufferSize = 32 << 10;
    /// <summary>A longer line costs as many events as it has of these: garbage without line ends is not free, and an honest event with all its fields is one.</summary>
    const int BytesOfAnEvent = 1024;

    /// <summary>What Content-Encoding may say; null for what is not understood.</summary>
    public static PipeReader? Open(string? encoding, PipeReader body)
    {
        switch (encoding?.Trim().ToLowerInvariant())
        {
            case null or "" or "identity":
                return body;
            case "gzip" or "x-gzip":
                return Pipe(new GZipStream(body.AsStream(), CompressionMode.Decompress));
            case "deflate":
                return Pipe(new DeflatedStream(body.AsStream()));
            default:
                return null;
        }

        static PipeReader Pipe(Stream stream) => PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: BufferSize, minimumReadSize: BufferSize / 4));
    }

    /// <summary>Reads to the end.</summary>
    /// <param name="key">Whose events they are.</param>
    /// <param name="type">Of the end point.</param>
    /// <param name="range">Which they are; null when the sensor does not say.</param>
    /// <param name="body">Decompressed; the caller completes it.</param>
    /// <param name="result">Counts of what is new go here while they happen: also a body that breaks off has them.</param>
    /// <param name="cancel">Ends the request.</param>
    /// <returns>What is to be answered, with the counts of an earlier time where the body was here before; and null when all alerts are on the disk, else why they are not.</returns>
    public async Task<(IntakeResult Answer, string? Trouble)> TakeAsync(SensorKey key, EventType type, BodyRange? range, PipeReader body, IntakeResult result, CancellationToken cancel)
    {
        var taking = new Taking(key, type, range, new LineSplitter(options.MaxLine), result);
        List<Task<string?>> stored = [];
        long length = 0;
        try
        {
            while (true)
            {
                ReadResult read = await body.ReadAsync(cancel).ConfigureAwait(false);
                ReadOnlySequence<byte> buffer = read.Buffer;
                long before = buffer.Length;
                List<AlertRow>? alerts = Turn(taking, ref buffer, read.IsCompleted);
                length += before - buffer.Length;
                body.AdvanceTo(buffer.Start, buffer.End);
                if (alerts is not null) stored.Add(writer.Append(alerts));
                if (length > options.MaxBody) throw new BodyTooLongException();
                if (read.IsCompleted) break;
            }
            // The disk may take longer than the sensor waits: its next try is told from here on.
            taking.Remember();
            // What an earlier request raised may still wait for the disk: this one may be its repeat, in which nothing is raised again.
            if (stored.Count == 0 && (writer.Trouble is not null || result.Repeated > 0)) stored.Add(writer.Check());
            string? trouble = null;
            foreach (Task<string?> commit in stored) trouble = await commit.ConfigureAwait(false) ?? trouble;
            return (taking.Answer(), trouble);
        }
        finally
        {
            Count(key, type, result);
            taking.Remember();
        }
    }

    /// <summary>The whole lines of the buffer in one turn of the site's lane; null when no alert was raised.</summary>
    List<AlertRow>? Turn(Taking taking, ref ReadOnlySequence<byte> buffer, bool last)
    {
        (SensorKey key, EventType type, IntakeResult result) = (taking.Key, taking.Type, taking.Result);
        Site site = key.Site;
        long lines = 0, length = buffer.Length;
        using ScoringLane.Turn turn = site.Lane.Enter(key, site);
        key.State.Begin((options.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Days);
        while (taking.Lines.Next(ref buffer, last, out ReadOnlySpan<byte> line, out bool tooLong))
        {
            lines++;
            if ((line.IsEmpty && !tooLong) || taking.IsRepeat(line)) continue;
            result.Received++;
            if (tooLong)
            {
                result.LongLines++;
                continue;
            }
            try
            {
                EventLineFault fault = turn.Score(type, line, key.State.Endpoints);
                if (fault == EventLineFault.None) result.Accepted++;
                else result.Faults[(int)fault]++;
            }
            catch (Exception mistake)
            {
                // One event that our own code cannot bear must not cost the others; the log is told of a body's first.
                if (result.Mistakes++ == 0) log.Error(mistake, "events/{Type}: a mistake in nfr itself; the engine goes on", type.Name());
            }
        }
        // At once, so that bodies side by side see each other's; a blank line is read as well as any.
        key.Events.Take(Math.Max(lines, (length - buffer.Length) / BytesOfAnEvent));
        if (turn.Raised.Count == 0) return null;
        return [.. turn.Raised.Select(a => new AlertRow(site.Name, EngineAlertsWriter.Dictionary(a.Threats), EngineAlertsWriter.Item(a)))];
    }

    static void Count(SensorKey key, EventType type, IntakeResult result)
    {
        lock (key.State)
        {
            key.State.Events[(int)type] += result.Accepted;
            key.State.Rejected += result.Rejected;
            key.State.Changed = true;
        }
    }

    /// <summary>One body that is being taken, and what is known of it from an earlier time.</summary>
    sealed class Taking(SensorKey key, EventType type, BodyRange? range, LineSplitter lines, IntakeResult result)
    {
        IntakeResult? _before;
        ulong _firstLine;
        bool _begun;

        public SensorKey Key => key;
        public EventType Type => type;
        public LineSplitter Lines => lines;
        public IntakeResult Result => result;

        /// <summary>Whether this line, the next one, was taken when the body was here before.</summary>
        public bool IsRepeat(ReadOnlySpan<byte> line)
        {
            if (range is null) return false;
            if (!_begun)
            {
                _begun = true;
                _firstLine = Repeats.Mark(line);
                _before = key.Repeats[(int)type].Find(range.Value, _firstLine);
            }
            if (_before is null || result.Repeated == _before.Received) return false;
            result.Repeated++;
            return true;
        }

        /// <summary>With the counts of the first time; of a shorter body it is not known which of its lines were refused then.</summary>
        public IntakeResult Answer() => _before is null ? result
            : result.Repeated == _before.Received ? result.With(_before)
            : new IntakeResult { Received = result.Repeated, Accepted = result.Repeated };

        /// <summary>Also when it broke off or the disk refused its alerts, which wait for it: what was scored is scored.</summary>
        public void Remember()
        {
            if (range is not null && _begun && result.Received > 0) key.Repeats[(int)type].Keep(range.Value, _firstLine, _before is null ? result : result.With(_before));
        }
    }
}
