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
    /// <param name="body">Decompressed; the caller completes it.</param>
    /// <param name="result">Counts go here while they happen: also a body that breaks off has them.</param>
    /// <param name="cancel">Ends the request.</param>
    /// <returns>Null when all alerts are on the disk; else why they are not.</returns>
    public async Task<string?> TakeAsync(SensorKey key, EventType type, PipeReader body, IntakeResult result, CancellationToken cancel)
    {
        var lines = new LineSplitter(options.MaxLine);
        List<Task<string?>> stored = [];
        long length = 0;
        try
        {
            while (true)
            {
                ReadResult read = await body.ReadAsync(cancel).ConfigureAwait(false);
                ReadOnlySequence<byte> buffer = read.Buffer;
                long before = buffer.Length;
                List<AlertRow>? alerts = Turn(key, type, ref buffer, read.IsCompleted, lines, result);
                length += before - buffer.Length;
                body.AdvanceTo(buffer.Start, buffer.End);
                if (alerts is not null) stored.Add(writer.Append(alerts));
                if (length > options.MaxBody) throw new BodyTooLongException();
                if (read.IsCompleted) break;
            }
        }
        finally
        {
            Count(key, type, result);
        }
        // What an earlier request raised may still wait for the disk: this one may be its repeat, in which nothing is raised again.
        if (stored.Count == 0 && writer.Trouble is not null) stored.Add(writer.Check());
        string? trouble = null;
        foreach (Task<string?> commit in stored) trouble = await commit.ConfigureAwait(false) ?? trouble;
        return trouble;
    }

    /// <summary>The whole lines of the buffer in one turn of the site's lane; null when no alert was raised.</summary>
    List<AlertRow>? Turn(SensorKey key, EventType type, ref ReadOnlySequence<byte> buffer, bool last, LineSplitter lines, IntakeResult result)
    {
        Site site = key.Site;
        using ScoringLane.Turn turn = site.Lane.Enter(site);
        key.State.Begin((options.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Days);
        while (lines.Next(ref buffer, last, out ReadOnlySpan<byte> line, out bool tooLong))
        {
            if (tooLong)
            {
                result.Received++;
                result.LongLines++;
                continue;
            }
            if (line.IsEmpty) continue;
            result.Received++;
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
        if (turn.Raised.Count == 0) return null;
        return [.. turn.Raised.Select(a => new AlertRow(site.Name, EngineAlertsWriter.Dictionary(a.Threats), EngineAlertsWriter.Item(a)))];
    }

    static void Count(SensorKey key, EventType type, IntakeResult result)
    {
        key.Events.Take(result.Received);
        lock (key.State)
        {
            key.State.Events[(int)type] += result.Accepted;
            key.State.Rejected += result.Rejected;
            key.State.Changed = true;
        }
    }
}
