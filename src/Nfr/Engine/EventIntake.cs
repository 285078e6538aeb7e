using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Nfr.Events;
using Serilog;

namespace Nfr.Engine;

/// <summary>What became of a line: from <see cref="Fault"/> on it is an <see cref="EventLineFault"/> and so much more.</summary>
enum LineOutcome : byte
{
    Accepted,
    TooLong,
    Mistake,
    Fault,
}

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
    /// <summary>Lines that were taken when they were here before; not among the others.</summary>
    public long Repeated { get; set; }

    public void Add(LineOutcome outcome)
    {
        Received++;
        switch (outcome)
        {
            case LineOutcome.Accepted: Accepted++; break;
            case LineOutcome.TooLong: LongLines++; break;
            case LineOutcome.Mistake: Mistakes++; break;
            default: Faults[outcome - LineOutcome.Fault]++; break;
        }
    }

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

/// <summary>What a request says of its body.</summary>
/// <param name="Sensor">X-NFR-Sensor; empty when it is not said.</param>
/// <param name="Range">Which events they are; null when the sensor does not say.</param>
/// <param name="Sent">The sensor's own clock (Date; RFC 9110, 6.6.1); null when it does not say.</param>
/// <param name="At">The engine's clock when the request came.</param>
readonly record struct UploadHead(string Sensor, BodyRange? Range, DateTimeOffset? Sent, DateTimeOffset At);

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
    /// <param name="head">What the sensor says of them.</param>
    /// <param name="body">Decompressed; the caller completes it.</param>
    /// <param name="result">Counts of what is new go here while they happen: also a body that breaks off has them.</param>
    /// <param name="cancel">Ends the request.</param>
    /// <returns>What is to be answered, with the counts of an earlier time where the body was here before; and null when all alerts are on the disk, else why they are not.</returns>
    public async Task<(IntakeResult Answer, string? Trouble)> TakeAsync(SensorKey key, EventType type, UploadHead head, PipeReader body, IntakeResult result, CancellationToken cancel)
    {
        var taking = new Taking(key, type, head, new LineSplitter(options.MaxLine), result);
        List<Task<string?>> stored = [];
        long length = 0;
        try
        {
            while (true)
            {
                ReadResult read = await body.ReadAsync(cancel).ConfigureAwait(false);
                ReadOnlySequence<byte> buffer = read.Buffer;
                long before = buffer.Length;
                List<AlertRow>? alerts = taking.Lines.Comes(ref buffer, read.IsCompleted) ? Turn(taking, ref buffer, read.IsCompleted) : null;
                length += before - buffer.Length;
                // At once, so that bodies side by side see each other's.
                taking.Pay(before - buffer.Length);
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
        using ScoringLane.Turn turn = site.Lane.Enter(site, taking.Clock);
        taking.Begin();
        key.State.Begin((options.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Days);
        while (taking.Lines.Next(ref buffer, last, out ReadOnlySpan<byte> line, out bool tooLong))
        {
            taking.Came++;
            if ((line.IsEmpty && !tooLong) || taking.IsRepeat(line)) continue;
            LineOutcome outcome = LineOutcome.TooLong;
            if (!tooLong)
            {
                try
                {
                    EventLineFault fault = turn.Score(type, line, key.State.Endpoints);
                    outcome = fault == EventLineFault.None ? LineOutcome.Accepted : LineOutcome.Fault + (byte)fault;
                }
                catch (Exception mistake)
                {
                    // One event that our own code cannot bear must not cost the others; the log is told of a body's first.
                    outcome = LineOutcome.Mistake;
                    if (result.Mistakes == 0) log.Error(mistake, "events/{Type}: a mistake in nfr itself; the engine goes on", type.Name());
                }
            }
            taking.Took(outcome);
        }
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
    sealed class Taking(SensorKey key, EventType type, UploadHead head, LineSplitter lines, IntakeResult result)
    {
        /// <summary>Lines that are compared in vain for one body: some milliseconds.</summary>
        const long MaxSearched = 256L * Repeats.MaxLines;

        readonly Repeats.Body? _body = head.Range is { } range ? new Repeats.Body(range) : null;
        readonly List<ulong> _marks = [];
        /// <summary>What was taken before and may come again here, each from where it was last met on.</summary>
        List<(ulong[] Marks, int At)> _before = [];
        readonly IntakeResult _repeated = new();
        ulong _mark;
        long _owed, _missed;
        bool _begun;

        public SensorKey Key => key;
        public EventType Type => type;
        public LineSplitter Lines => lines;
        public IntakeResult Result => result;
        public SensorClock Clock { get; } = key.Clocks.Of(head.Sensor);
        /// <summary>Lines that are not paid for yet.</summary>
        public long Came { get; set; }

        /// <summary>Before the first line, in the turn of the lane.</summary>
        public void Begin()
        {
            if (_begun) return;
            _begun = true;
            Clock.Begin(head.Sent, head.At);
            if (_body is not null) _before = [.. key.Repeats[(int)type].Meeting(_body.Range).Select(marks => (marks, 0))];
        }

        /// <summary>Whether this line was taken when it was here before.</summary>
        public bool IsRepeat(ReadOnlySpan<byte> line)
        {
            if (_body is null) return false;
            _mark = LineMark.Of(line);
            bool known = false;
            ulong taken = 0;
            for (int i = 0; i < _before.Count; i++)
            {
                (ulong[] marks, int at) = _before[i];
                // Always further on: lines that are alike are as many as there were.
                int found = LineMark.IndexIn(marks.AsSpan(at), _mark);
                // Nothing in all of it: a body that only has the numbers of this one (a cloned sensor, a forger) is not searched through for each line.
                if (found < 0 && (_missed += marks.Length - at) > MaxSearched)
                {
                    _before.RemoveAt(i--);
                    continue;
                }
                // Behind a gap an event tells where it goes on; of what is none, which may be all alike, only the next counts.
                if (found < 0 || (found > 0 && LineMark.OutcomeOf(marks[at + found]) != LineOutcome.Accepted)) continue;
                known = true;
                taken = marks[at + found];
                _before[i] = (marks, at + found + 1);
            }
            if (!known) return false;
            result.Repeated++;
            _repeated.Add(LineMark.OutcomeOf(taken));
            if (_marks.Count < Repeats.MaxLines) _marks.Add(taken);
            return true;
        }

        /// <summary>What became of the line that was no repeat.</summary>
        public void Took(LineOutcome outcome)
        {
            result.Add(outcome);
            if (_body is not null && _marks.Count < Repeats.MaxLines) _marks.Add(LineMark.With(_mark, outcome));
        }

        /// <summary>For what was read: a blank line is read as well as any, and what is less than an event is paid for with what follows.</summary>
        public void Pay(long bytes)
        {
            _owed += bytes;
            long price = Math.Max(Came, _owed / BytesOfAnEvent);
            if (price > 0) key.Events.Take(price);
            _owed = Math.Max(0, _owed - (price * BytesOfAnEvent));
            Came = 0;
        }

        /// <summary>With what became of its repeated lines the first time.</summary>
        public IntakeResult Answer() => result.Repeated == 0 ? result : result.With(_repeated);

        /// <summary>Also when it broke off or the disk refused its alerts, which wait for it: what was scored is scored.</summary>
        public void Remember()
        {
            if (_body is not null && result.Received > 0) key.Repeats[(int)type].Keep(_body, _marks);
        }
    }
}
