using System.Diagnostics;
using System.Globalization;

namespace Nfr.Bench;

/// <summary>
/// "compare FILE [--nfr PATH] [--print] [--cpu N] [--tool NAME=COMMAND]...": <c>nfr read</c> beside other tools that read the same capture, by turns, whole processes. <c>--print</c> lets ours
/// write every event as JSON; in a tool's command {file} stands for the capture and {out} for an empty folder. Without <c>--tool</c>: tcpdump and nfpcapd, where installed.
/// </summary>
static class ToolComparison
{
    const int Rounds = 3;

    readonly record struct Timing(double Wall, double Cpu);

    public static int Run(string[] args)
    {
        string? file = null, nfr = null, cpu = null;
        bool print = false;
        List<(string Name, string Command)> tools = [];
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--nfr" when i + 1 < args.Length:
                    nfr = args[++i];
                    break;
                case "--cpu" when i + 1 < args.Length:
                    cpu = args[++i];
                    break;
                case "--tool" when i + 1 < args.Length && args[i + 1].IndexOf('=', StringComparison.Ordinal) is > 0 and int at:
                    tools.Add((args[i + 1][..at], args[i + 1][(at + 1)..]));
                    i++;
                    break;
                case "--print":
                    print = true;
                    break;
                default:
                    file = args[i];
                    break;
            }
        }
        if (file is null || !File.Exists(file))
        {
            Console.Error.WriteLine("compare: names one pcap file, as made by: generate --out FILE");
            return 2;
        }
        if (tools.Count == 0) tools.AddRange([("tcpdump", "tcpdump -r {file} -w /dev/null"), ("nfpcapd", "nfpcapd -r {file} -w {out}")]);
        string own = nfr is null ? $"dotnet {Path.Combine(AppContext.BaseDirectory, "nfr.dll")}" : nfr.EndsWith(".dll", StringComparison.Ordinal) ? $"dotnet {nfr}" : nfr;
        tools.Insert(0, ("nfr", $"{own} read {(print ? "--print events" : "--stats --json")} {{file}}"));
        var times = tools.ToDictionary(t => t.Name, _ => new List<Timing>());
        for (int round = 0; round <= Rounds; round++)
        {
            foreach ((string name, string command) in tools)
            {
                if (Time(command, file, cpu) is not { } timing)
                {
                    if (round == 0) Console.Error.WriteLine($"compare: {name} is not installed, or failed: {command}");
                    continue;
                }
                // The first round fills the page cache.
                if (round > 0) times[name].Add(timing);
            }
        }
        double ours = Median(times["nfr"].ConvertAll(t => t.Cpu)), oursWall = Median(times["nfr"].ConvertAll(t => t.Wall));
        Console.WriteLine("tool       | wall s (median, min) | CPU s (median, min) | nfr is faster: wall, CPU");
        foreach ((string name, _) in tools)
        {
            List<double> wall = times[name].ConvertAll(t => t.Wall), used = times[name].ConvertAll(t => t.Cpu);
            if (wall.Count == 0) continue;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{name,-10} | {Median(wall),11:F3}, {wall.Min(),7:F3} | {Median(used),10:F2}, {used.Min(),7:F2} | {Median(wall) / oursWall,16:F2}, {Median(used) / ours,6:F2}"));
        }
        return 0;
    }

    /// <summary>Null when it could not be started or ended with a fault. Its output goes nowhere.</summary>
    static Timing? Time(string command, string file, string? cpu)
    {
        string folder = Directory.CreateTempSubdirectory("nfr-compare-").FullName;
        try
        {
            string text = command.Replace("{file}", file, StringComparison.Ordinal).Replace("{out}", folder, StringComparison.Ordinal);
            var start = new ProcessStartInfo("sh", ["-c", $"{(cpu is null ? "" : $"taskset -c {cpu} ")}{text} > /dev/null 2>&1"]);
            double before = Children.Cpu();
            long from = Stopwatch.GetTimestamp();
            using Process process = Process.Start(start)!;
            process.WaitForExit();
            double wall = Stopwatch.GetElapsedTime(from).TotalSeconds;
            return process.ExitCode == 0 ? new Timing(wall, Children.Cpu() - before) : null;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted[sorted.Length / 2];
    }
}
