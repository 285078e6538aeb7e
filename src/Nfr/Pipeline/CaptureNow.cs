using System.Security.Cryptography;
using Nfr.Capture;
using Nfr.Uplink;
using Nfr.Wire;

namespace Nfr.Pipeline;

/// <summary>
/// "capture-now": the next packets of an interface into a pcap file in the data folder. It listens by a small ring of its own, so that the sensor's capture neither knows nor pays
/// for it; one at a time, bounded in time, packets and bytes, and the oldest file goes when there are too many.
/// </summary>
sealed class CaptureNow(string dataFolder, IReadOnlyList<string> interfaces, string? filter, TimeProvider time) : IDisposable
{
    public const long MostSeconds = 300, MostPackets = 1_000_000;
    const long MostBytes = 64L << 20;
    const int MostFiles = 4;

    readonly CancellationTokenSource _stop = new();
    int _running;

    /// <summary>Null = it is begun, and <paramref name="later"/> gets the answer; else why not.</summary>
    public string? Begin(string? port, long seconds, long packets, Action<FleetAnswer> later)
    {
        if (interfaces.Count == 0) return "this sensor listens on no interface";
        string chosen = port ?? interfaces[0];
        if (!interfaces.Contains(chosen)) return $"this sensor does not listen on that interface; it does on {string.Join(", ", interfaces)}";
        if (Interlocked.Exchange(ref _running, 1) != 0) return "another capture is under way; ask again when it is over";
        var thread = new Thread(() =>
        {
            FleetAnswer answer;
            try
            {
                answer = Take(chosen, seconds, packets);
            }
            catch (Exception fault)
            {
                answer = new FleetAnswer { Ok = false, Why = fault is IOException or UnauthorizedAccessException ? $"the file cannot be written: {Config.Reason.Of(fault)}" : $"{fault.GetType().Name}: {fault.Message}" };
            }
            Volatile.Write(ref _running, 0);
            later(answer);
        })
        { Name = "capture-now", IsBackground = true };
        thread.Start();
        return null;
    }

    FleetAnswer Take(string port, long seconds, long packets)
    {
        var options = new LiveCaptureOptions { Interface = port, Filter = filter, BlockSize = 128 << 10, BlockCount = 16 };
        using LiveCapture? capture = LiveCapture.Open(options, out CaptureFault? fault);
        if (capture is null) return new FleetAnswer { Ok = false, Why = fault!.Message };
        string folder = Path.Combine(dataFolder, "captures");
        Directory.CreateDirectory(folder);
        MakeRoom(folder);
        string path = Path.Combine(folder, $"{time.GetUtcNow().UtcDateTime:yyyyMMdd-HHmmss-fff}-{port.Replace('/', '_')}.pcap");
        long taken, bytes;
        using (var writer = new PcapWriter(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0), capture.LinkType))
        {
            var sink = new Sink(writer, packets);
            long begin = time.GetTimestamp();
            TimeSpan limit = TimeSpan.FromSeconds(seconds);
            while (!_stop.IsCancellationRequested && time.GetElapsedTime(begin) < limit && sink.Count.Left > 0 && sink.Count.Bytes < MostBytes && writer.Error is null)
            {
                if (capture.ReadBlock(ref sink, 100) < 0) break;
            }
            writer.Flush();
            (taken, bytes) = (writer.Frames, 0);
            if (writer.Error is { } refused) return new FleetAnswer { Ok = false, Why = $"the file cannot be written: {refused}" };
        }
        string hash;
        using (FileStream file = File.OpenRead(path))
        {
            bytes = file.Length;
            hash = Convert.ToHexStringLower(SHA256.HashData(file));
        }
        return new FleetAnswer
        {
            Ok = true,
            Why = $"{taken:N0} packets of {port} lie in {path}",
            Result = FleetAnswer.ResultOf(json =>
            {
                json.WriteString("path", path);
                json.WriteString("interface", port);
                json.WriteNumber("packets", taken);
                json.WriteNumber("dropped", capture.Statistics.Dropped);
                json.WriteNumber("bytes", bytes);
                json.WriteString("sha256", hash);
            }),
        };
    }

    static void MakeRoom(string folder)
    {
        string[] files = [.. Directory.GetFiles(folder, "*.pcap").Order(StringComparer.Ordinal)];
        foreach (string old in files.Take(Math.Max(0, files.Length - MostFiles + 1))) File.Delete(old);
    }

    public void Dispose() => _stop.Cancel();

    sealed class Tally(long left)
    {
        public long Left { get; set; } = left;
        public long Bytes { get; set; }
    }

    struct Sink(PcapWriter writer, long packets) : IFrameSink
    {
        public Tally Count { get; } = new(packets);

        public readonly void OnFrame(scoped in Frame frame)
        {
            if (Count.Left <= 0 || Count.Bytes >= MostBytes) return;
            Count.Left--;
            Count.Bytes += frame.Bytes.Length + 20;
            writer.Write(frame);
        }

        public readonly void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
        {
        }
    }
}
