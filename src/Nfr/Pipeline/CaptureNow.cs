using System.Security.Cryptography;
using Nfr.Capture;
using Nfr.Config;
using Nfr.Uplink;
using Nfr.Wire;

namespace Nfr.Pipeline;

/// <summary>
/// "capture-now": the next packets of an interface into a pcap file in the data folder. It listens by a small ring of its own, so that the sensor's capture neither knows nor pays
/// for it; one at a time, bounded in time, packets and bytes, and it leaves the disk the room that the spool needs.
/// </summary>
/// <param name="dataFolder">Files lie in "captures" in it.</param>
/// <param name="interfaces">Those that the sensor listens on.</param>
/// <param name="filter">Of the sensor; null = every packet.</param>
/// <param name="time">The clock.</param>
/// <param name="limits">Of the disk; null = the usual ones.</param>
sealed class CaptureNow(string dataFolder, IReadOnlyList<string> interfaces, string? filter, TimeProvider time, CaptureLimits? limits = null) : IDisposable
{
    public const long MostSeconds = 300, MostPackets = 1_000_000;
    /// <summary>Between two looks at the disk, in time and in bytes written.</summary>
    static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);
    const long LookBytes = 1L << 20;
    /// <summary>A block is waited for as long as this, so that a stop is as quick.</summary>
    const int WaitMilliseconds = 100;
    /// <summary>At a stop; a disk that hangs is left behind, and what lies there half-done goes at the next start.</summary>
    static readonly TimeSpan s_goodbye = TimeSpan.FromSeconds(2);

    readonly CaptureFolder _folder = new(Path.Combine(dataFolder, "captures"), limits ?? new CaptureLimits());
    readonly CancellationTokenSource _stop = new();
    Thread? _thread;
    int _running;

    /// <summary>At the start of the sensor: what its last life left half-done goes. Null, or what could not be removed.</summary>
    public string? Sweep() => _folder.Sweep();

    /// <summary>Null = it is begun, and <paramref name="later"/> gets the answer; else why not.</summary>
    public string? Begin(string? port, long seconds, long packets, Action<FleetAnswer> later)
    {
        if (interfaces.Count == 0) return "this sensor listens on no interface";
        string chosen = port ?? interfaces[0];
        if (!interfaces.Contains(chosen)) return $"this sensor does not listen on that interface; it does on {string.Join(", ", interfaces)}";
        if (_stop.IsCancellationRequested) return "the sensor is about to end";
        if (Interlocked.Exchange(ref _running, 1) != 0) return "another capture is under way; ask again when it is over";
        _thread = new Thread(() =>
        {
            FleetAnswer answer;
            try
            {
                answer = Take(chosen, seconds, packets);
            }
            catch (Exception fault)
            {
                answer = Refused(fault is IOException or UnauthorizedAccessException ? $"the file cannot be written: {Reason.Of(fault)}" : $"a mistake in nfr itself: {fault.GetType().Name}: {fault.Message}");
            }
            Volatile.Write(ref _running, 0);
            later(answer);
        })
        { Name = "capture-now", IsBackground = true };
        _thread.Start();
        return null;
    }

    FleetAnswer Take(string port, long seconds, long packets)
    {
        var options = new LiveCaptureOptions { Interface = port, Filter = filter, BlockSize = 128 << 10, BlockCount = 16, Time = time };
        using LiveCapture? capture = LiveCapture.Open(options, out CaptureFault? fault);
        if (capture is null) return Refused(fault!.Message);
        if (_folder.MakeRoom() is { } full) return Refused(full);
        FileStream file = _folder.Create($"{time.GetUtcNow().UtcDateTime:yyyyMMdd-HHmmss-fff}-{port.Replace('/', '_')}", out string path);
        bool whole = false;
        try
        {
            long taken, bytes;
            string hash, end;
            using (var writer = new PcapWriter(file, capture.LinkType))
            {
                end = Fill(capture, writer, seconds, packets);
                if (end.Length == 0) return Refused("the sensor was stopped meanwhile; nothing is kept");
                if (!writer.Flush()) return Refused($"the file cannot be written: {Reason.Of(writer.Fault!)}");
                (taken, bytes) = (writer.Frames, file.Length);
                file.Position = 0;
                hash = Convert.ToHexStringLower(SHA256.HashData(file));
                // Before the name: else a power cut could leave a whole name with nothing behind it.
                file.Flush(flushToDisk: true);
            }
            _folder.Finish(path);
            whole = true;
            return Done(path, port, end, taken, bytes, hash, capture.Statistics.Dropped);
        }
        finally
        {
            if (!whole) _folder.Sweep();
        }
    }

    /// <summary>Until one of the limits: which one, as it is said to a person; empty = the sensor ends.</summary>
    string Fill(LiveCapture capture, PcapWriter writer, long seconds, long packets)
    {
        var sink = new Sink(writer, packets, _folder.Limits.MostBytes);
        long begin = time.GetTimestamp(), looked = begin, bytesThen = 0;
        TimeSpan limit = TimeSpan.FromSeconds(seconds);
        while (true)
        {
            if (_stop.IsCancellationRequested) return "";
            if (time.GetElapsedTime(begin) >= limit) return "time";
            if (sink.Count.Left <= 0) return "packets";
            if (sink.Count.IsFull) return "bytes";
            // The caller asks the writer what went wrong.
            if (writer.Fault is not null) return "disk";
            if (time.GetElapsedTime(looked) >= s_look || sink.Count.Bytes - bytesThen >= LookBytes)
            {
                (looked, bytesThen) = (time.GetTimestamp(), sink.Count.Bytes);
                if (_folder.Free < _folder.Limits.LeastFree) return "space";
            }
            if (capture.ReadBlock(ref sink, WaitMilliseconds) < 0) return "interface";
        }
    }

    FleetAnswer Done(string path, string port, string end, long taken, long bytes, string hash, long dropped)
    {
        string early = end switch
        {
            "bytes" => $"; it ended early, at {_folder.Limits.MostBytes >> 20} MiB",
            "space" => $"; it ended early, since less than {_folder.Limits.LeastFree >> 20} MiB of the disk are free",
            "interface" => $"; it ended early, since {port} went down or was removed",
            _ => "",
        };
        return new FleetAnswer
        {
            Ok = true,
            Why = $"{taken:N0} packet{(taken == 1 ? "" : "s")} of {port} lie{(taken == 1 ? "s" : "")} in {path}{early}",
            Result = FleetAnswer.ResultOf(json =>
            {
                json.WriteString("path", path);
                json.WriteString("interface", port);
                json.WriteString("end", end);
                json.WriteNumber("packets", taken);
                json.WriteNumber("dropped", dropped);
                json.WriteNumber("bytes", bytes);
                json.WriteString("sha256", hash);
            }),
        };
    }

    static FleetAnswer Refused(string why) => new() { Ok = false, Why = why };

    /// <summary>Ends a capture that is under way, and waits for its file to be gone.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        if (_thread is { IsAlive: true } thread) thread.Join(s_goodbye);
    }

    sealed class Tally(long left)
    {
        public long Left { get; set; } = left;
        public long Bytes { get; set; } = PcapWriter.FileHeaderLength;
        public bool IsFull { get; set; }
    }

    struct Sink(PcapWriter writer, long packets, long mostBytes) : IFrameSink
    {
        public Tally Count { get; } = new(packets);

        public readonly void OnFrame(scoped in Frame frame)
        {
            if (Count.Left <= 0 || Count.IsFull) return;
            long record = PcapWriter.MostLengthOf(frame);
            if (Count.Bytes + record > mostBytes)
            {
                Count.IsFull = true;
                return;
            }
            Count.Left--;
            Count.Bytes += record;
            writer.Write(frame);
        }

        public readonly void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
        {
        }
    }
}
