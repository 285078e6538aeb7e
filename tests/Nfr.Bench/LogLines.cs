using System.Diagnostics;
using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Bench;

/// <summary>
/// "logs [NAME]… [--require NAME=LINES,…,bytes=BYTES]": how many lines of a log a second one core reads into events, through the grouped ring that the pipeline empties, and what each line allocates. The log
/// lies in memory, 32 MiB of made-up lines; the ring is emptied by the same thread, so that its cost is in the figure. The best of several rounds counts:
/// by the clock, and by what the thread used of a processor, which stands a busy machine. What is required is lines of a second of processor, by the start of
/// the sample's name (zeek is each of zeek's), and bytes that a line may allocate; exit code 1 when a figure falls short.
/// </summary>
static class LogLines
{
    const int Bytes = 32 << 20, Rounds = 5;

    public static int Run(string[] args)
    {
        if (!TryFloors(ref args, out Dictionary<string, double> floors))
        {
            Console.Error.WriteLine("logs: --require wants NAME=LINES,…,bytes=BYTES, such as zeek=300000,eve=200000,bytes=64");
            return 2;
        }
        LogSample[] wanted = args.Length == 0 ? LogSamples.All : [.. LogSamples.All.Where(s => args.Contains(s.Name))];
        if (wanted.Length == 0)
        {
            Console.Error.WriteLine("logs: names " + string.Join(", ", LogSamples.All.Select(s => s.Name)) + ", or nothing for all");
            return 2;
        }
        if (floors.Keys.FirstOrDefault(k => k != "bytes" && !wanted.Any(s => Is(s, k))) is { } unknown)
        {
            Console.Error.WriteLine($"logs: nothing is measured that {unknown} could be required of");
            return 2;
        }
        bool falls = false;
        Console.WriteLine("log            |  lines/s | lines/CPU s | MB/CPU s | events/line | bytes allocated/line");
        foreach (LogSample sample in wanted)
        {
            if (LogFormats.Parser(sample.Format, new LineOptions()) is null)
            {
                Console.WriteLine($"{sample.Name,-14} | not read yet");
                continue;
            }
            (double speed, double bytes) = Measure(sample);
            foreach ((string name, double floor) in floors)
            {
                string? shortfall = name == "bytes"
                    ? bytes > floor ? $"{bytes:F2} bytes allocated a line, {floor} allowed" : null
                    : Is(sample, name) && speed < floor ? $"{speed:F0} lines a second of processor, {floor} required" : null;
                if (shortfall is null) continue;
                falls = true;
                Console.WriteLine($"{sample.Name}: {shortfall}");
            }
        }
        return falls ? 1 : 0;
    }

    static bool Is(LogSample sample, string name) => sample.Name.StartsWith(name, StringComparison.Ordinal);

    static bool TryFloors(ref string[] args, out Dictionary<string, double> floors)
    {
        floors = [];
        int at = Array.IndexOf(args, "--require");
        if (at < 0) return true;
        if (at + 1 == args.Length) return false;
        foreach (string floor in args[at + 1].Split(','))
        {
            string[] sides = floor.Split('=');
            if (sides.Length != 2 || sides[0].Length == 0 || !double.TryParse(sides[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)) return false;
            floors[sides[0]] = value;
        }
        args = [.. args[..at], .. args[(at + 2)..]];
        return true;
    }

    static (double Speed, double Bytes) Measure(LogSample sample)
    {
        byte[] log = Make(sample);
        double best = double.MaxValue, bestOfCpu = double.MaxValue, allocated = double.MaxValue;
        long lines = 0, events = 0;
        // The first two compile.
        for (int round = 0; round < Rounds + 2; round++)
        {
            LineParser parser = LogFormats.Parser(sample.Format, new LineOptions())!;
            var outlet = new Emptied();
            long before = GC.GetAllocatedBytesForCurrentThread();
            double cpu = ThreadTime.Seconds;
            long from = Stopwatch.GetTimestamp();
            lines = Read(log, parser, outlet);
            double took = Stopwatch.GetElapsedTime(from).TotalSeconds;
            cpu = ThreadTime.Seconds - cpu;
            if (round < 2) continue;
            best = Math.Min(best, took);
            bestOfCpu = Math.Min(bestOfCpu, cpu);
            allocated = Math.Min(allocated, (double)(GC.GetAllocatedBytesForCurrentThread() - before) / lines);
            events = outlet.Count;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sample.Name,-14} | {lines / best,8:F0} | {lines / bestOfCpu,11:F0} | {log.Length / bestOfCpu / 1e6,8:F0} | {(double)events / lines,11:F2} | {allocated:F2}"));
        return (lines / bestOfCpu, allocated);
    }

    static long Read(byte[] log, LineParser parser, Emptied outlet)
    {
        long lines = 0;
        int at = 0;
        while (at < log.Length)
        {
            int end = log.AsSpan(at).IndexOf((byte)'\n');
            parser.At = at;
            parser.Read(log.AsSpan(at, end), outlet);
            outlet.Commit(at += end + 1);
            lines++;
        }
        parser.Release(outlet);
        outlet.Commit(at);
        outlet.Empty();
        return lines;
    }

    static byte[] Make(LogSample sample)
    {
        var log = new MemoryStream(Bytes + 4096);
        log.Write(Encoding.UTF8.GetBytes(sample.Header));
        for (int i = 0; log.Length < Bytes; i++) log.Write(Encoding.UTF8.GetBytes(sample.Line(i) + "\n"));
        return log.ToArray();
    }

    /// <summary>A grouped ring, emptied by the thread that fills it when it is a quarter full.</summary>
    sealed class Emptied : IEventSink
    {
        readonly EventRing _ring = new(EventRing.DefaultCapacity, grouped: true);
        Counting _reader;

        public long Count => _reader.Count;

        public void Commit(long offset)
        {
            _ring.TryWriteMark(new InputMark(0, 0, offset, offset));
            if (_ring.Waiting > EventRing.DefaultCapacity / 4) Empty();
        }

        public void Empty() => _ring.Read(ref _reader, int.MaxValue);

        public void OnDns(scoped in DnsEvent e) => _ring.TryWriteDns(e);
        public void OnIp(scoped in IpEvent e) => _ring.TryWriteIp(e);
        public void OnHttp(scoped in HttpEvent e) => _ring.TryWriteHttp(e);
        public void OnTls(scoped in TlsEvent e) => _ring.TryWriteTls(e);
        public void OnHost(scoped in HostEvent e) => _ring.TryWriteHost(e);
        public void OnAnomaly(scoped in AnomalyEvent e) => _ring.TryWriteAnomaly(e);
    }

    struct Counting : IEventSink
    {
        public long Count;
        public void OnDns(scoped in DnsEvent e) => Count++;
        public void OnIp(scoped in IpEvent e) => Count++;
        public void OnHttp(scoped in HttpEvent e) => Count++;
        public void OnTls(scoped in TlsEvent e) => Count++;
        public void OnHost(scoped in HostEvent e) => Count++;
        public void OnAnomaly(scoped in AnomalyEvent e) => Count++;
    }
}
