using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Nfr.Bench.Traffic;

namespace Nfr.Bench;

/// <summary>
/// "read FILE": <c>nfr read --stats --json FILE</c> and <c>tcpdump -r FILE -w /dev/null</c> by turns, so that what else the machine does falls on
/// both, and their medians. Without a file, a mixed capture of a million packets is generated first. Only ratios of one run mean anything.
/// </summary>
static class ReadComparison
{
    const int Runs = 5;

    readonly record struct Timing(double Wall, double Cpu);

    public static int Run(string[] args)
    {
        string? file = null, nfr = null;
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--nfr" && i + 1 < args.Length) nfr = args[++i];
            else file = args[i];
        }
        string? own = null;
        if (file is null)
        {
            file = own = Path.Combine(Path.GetTempPath(), $"nfr-bench-{Environment.ProcessId}.pcap");
            if (TrafficGenerator.Run(["--out", file]) is var code and not 0) return code;
        }
        try
        {
            return Compare(file, nfr);
        }
        finally
        {
            if (own is not null) File.Delete(own);
        }
    }

    static int Compare(string file, string? nfr)
    {
        // The sensor that was built with this program, or one that is named: the published file, another version.
        string[] command = nfr is null ? ["dotnet", Path.Combine(AppContext.BaseDirectory, "nfr.dll")] : nfr.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", nfr] : [nfr];
        string? tcpdump = Find("tcpdump");
        var sensor = new List<Timing>();
        var decode = new List<double>();
        var floor = new List<Timing>();
        double packets = 0, allocated = 0;
        // The first round warms the page cache and is not counted.
        for (int run = 0; run <= Runs; run++)
        {
            Timing timing = Time([.. command, "read", "--stats", "--json", file], out string output);
            if (output.Length == 0 || output[0] != '{')
            {
                Console.Error.WriteLine($"read: {string.Join(' ', command)} gave no statistics for {file}: {output}");
                return 1;
            }
            using JsonDocument statistics = JsonDocument.Parse(output);
            packets = statistics.RootElement.GetProperty("packets").GetDouble();
            allocated = statistics.RootElement.GetProperty("allocatedBytesPerPacket").GetDouble();
            Timing other = tcpdump is null ? default : Time([tcpdump, "-r", file, "-w", "/dev/null"], out _);
            if (run == 0) continue;
            sensor.Add(timing);
            decode.Add(statistics.RootElement.GetProperty("seconds").GetDouble());
            floor.Add(other);
        }
        Console.WriteLine("what                  | wall s (median, min) | CPU s (median, min) | packets/s wall | packets/CPU s");
        Row("nfr, decoding alone", decode, [], packets);
        Row("nfr, whole process", sensor.ConvertAll(t => t.Wall), sensor.ConvertAll(t => t.Cpu), packets);
        if (tcpdump is null)
        {
            Console.WriteLine("tcpdump is not installed: no ratio");
        }
        else
        {
            Row("tcpdump -w /dev/null", floor.ConvertAll(t => t.Wall), floor.ConvertAll(t => t.Cpu), packets);
            double floorWall = Median(floor.ConvertAll(t => t.Wall));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"ratio nfr/tcpdump in packets/s: {floorWall / Median(decode):F2} decoding, {floorWall / Median(sensor.ConvertAll(t => t.Wall)):F2} whole process, {Median(floor.ConvertAll(t => t.Cpu)) / Median(sensor.ConvertAll(t => t.Cpu)):F2} by CPU time"));
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{allocated:0.######} bytes allocated per packet"));
        return 0;
    }

    static void Row(string what, List<double> wall, List<double> cpu, double packets) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{what,-21} | {Median(wall),11:F3}, {wall.Min(),7:F3} | {(cpu.Count == 0 ? "" : $"{Median(cpu),10:F2}, {cpu.Min(),7:F2}"),19} | {packets / Median(wall),14:N0} | {(cpu.Count == 0 ? "" : $"{packets / Median(cpu):N0}")}"));

    static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    static Timing Time(string[] command, out string output)
    {
        double cpu = Children.Cpu();
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        long from = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        double wall = Stopwatch.GetElapsedTime(from).TotalSeconds;
        if (process.ExitCode != 0) output += error.Result;
        return new Timing(wall, Children.Cpu() - cpu);
    }

    static string? Find(string tool) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin")
        .Select(folder => Path.Combine(folder, tool)).FirstOrDefault(File.Exists);
}
