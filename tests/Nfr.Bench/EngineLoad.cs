using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Nfr.Engine;

namespace Nfr.Bench;

/// <summary>
/// <c>engine [--program FILE] [--cpu N] [--keys N] [--seconds N] [--senders N] [--batch N] [--plain] [--rate N] [--scorers N]</c>: starts "nfr engine" as a
/// process (on one processor with --cpu), uploads batches of mixed events of an office's kind under many keys, and prints what it took.
/// </summary>
static class EngineLoad
{
    const int Variants = 64;

    public static int Run(string[] args)
    {
        string Of(string name, string normal) => Array.IndexOf(args, "--" + name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : normal;
        int Number(string name, int normal) => int.Parse(Of(name, normal.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        int keyCount = Number("keys", 1000), seconds = Number("seconds", 20), senders = Number("senders", 8), batch = Number("batch", 500), rate = Number("rate", 0);
        bool plain = args.Contains("--plain");
        string program = Of("program", Path.Combine(AppContext.BaseDirectory, "nfr.dll"));
        string folder = Directory.CreateTempSubdirectory("nfr-engine-load-").FullName;
        try
        {
            string[] keys = MakeKeys(Path.Combine(folder, "data"), keyCount);
            List<string> command = [.. Of("cpu", "") is { Length: > 0 } cpu ? new[] { "taskset", "-c", cpu } : [], .. program.EndsWith(".dll", StringComparison.Ordinal) ? new[] { "dotnet", program } : [program],
                "engine", "--listen", "127.0.0.1:0", "--data", Path.Combine(folder, "data"), "--feeds", Path.Combine(folder, "feeds"), "--rate", "10000000", "--scorers", Of("scorers", "4")];
            var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true };
            using Process engine = Process.Start(start)!;
            try
            {
                string address = Address(engine);
                double rssIdle = Rss(engine.Id);
                Load load = SendAsync(address, keys, Bodies(batch, plain), batch, senders, seconds, rate, plain).GetAwaiter().GetResult();
                engine.Refresh();
                double cpuSeconds = CpuOf(engine.Id);
                long events = load.Events;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
                    keys {keyCount}, batches of {batch} {(plain ? "plain" : "gzip")}, {senders} senders, {load.Seconds:0.0} s
                    events accepted        {events:N0}, rejected {load.Rejected:N0}, requests refused {load.Refused:N0}
                    events/s               {events / load.Seconds:N0}
                    engine CPU             {cpuSeconds:0.00} s, {cpuSeconds / Math.Max(events, 1) * 1e6:0.00} us an event: {events / Math.Max(cpuSeconds, 0.01):N0} events a second of one core
                    engine RSS             {rssIdle:0} MB idle, {Rss(engine.Id):0} MB now, {Rss(engine.Id, "VmHWM"):0} MB at most
                    answer p50 / p99       {load.Percentile(0.5):0.0} / {load.Percentile(0.99):0.0} ms
                    alerts raised          {Metric(address, "nfr_engine_alerts_raised_total")}
                    """));
                return events > 0 ? 0 : 1;
            }
            finally
            {
                if (!engine.HasExited) engine.Kill();
                engine.WaitForExit();
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    sealed class Load
    {
        public long Events, Rejected, Refused;
        public double Seconds;
        public List<double> Waits = [];

        public double Percentile(double share)
        {
            Waits.Sort();
            return Waits.Count == 0 ? 0 : Waits[(int)Math.Min(Waits.Count - 1, Waits.Count * share)];
        }
    }

    static string[] MakeKeys(string data, int count)
    {
        using EngineDatabase db = EngineDatabase.Open(data);
        string[] keys = new string[count];
        for (int i = 0; i < count; i++)
        {
            keys[i] = ApiKeys.New();
            db.AddKey(new KeyRow(0, ApiKeys.Hash(keys[i]), ApiKeys.Shadow(keys[i]), $"sensor-{i}", "", [], 1, 0, true, ""));
        }
        return keys;
    }

    static string Address(Process engine)
    {
        while (engine.StandardError.ReadLine() is { } line)
        {
            if (Regex.Match(line, "listening on (http://[0-9.:]+)") is { Success: true } found)
            {
                // What it says later must not fill the pipe.
                _ = Task.Run(() => engine.StandardError.ReadToEnd());
                return found.Groups[1].Value;
            }
        }
        throw new InvalidOperationException("the engine did not start");
    }

    /// <summary>Bodies of all four types, in the shares of an office: half dns, a third ip, the rest http and tls. Clients, names and ports differ from body to body.</summary>
    static (string Type, byte[] Body)[] Bodies(int batch, bool plain)
    {
        var random = new Random(5);
        string[] types = ["dns", "dns", "dns", "ip", "ip", "tls"];
        var bodies = new (string, byte[])[Variants];
        for (int v = 0; v < Variants; v++)
        {
            string type = v % 16 == 15 ? "http" : types[v % types.Length];
            var text = new StringBuilder();
            DateTime at = DateTime.UtcNow.AddSeconds(-30);
            for (int i = 0; i < batch; i++)
            {
                string ts = at.AddMilliseconds(i * 30_000.0 / batch).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
                string client = $"10.0.{random.Next(4)}.{1 + random.Next(250)}", server = $"93.184.{random.Next(256)}.{1 + random.Next(250)}";
                int port = random.Next(32768, 60999);
                text.Append(type switch
                {
                    "dns" => $$"""{"ts":"{{ts}}","srcIP":"{{client}}","query":"{{Names[random.Next(Names.Length)]}}{{random.Next(300)}}.example{{random.Next(40)}}.com","qtype":"A","rcode":"NOERROR"}""",
                    "ip" => $$"""{"ts":"{{ts}}","srcIP":"{{client}}","srcPort":{{port}},"destIP":"{{server}}","destPort":443,"proto":"tcp","bytesIn":{{random.Next(100, 90000)}},"bytesOut":{{random.Next(100, 9000)}},"ja3":"","duration":{{random.Next(100)}}.25,"packetsIn":12,"packetsOut":10,"tcpFlags":"FSPA","state":"SF","app":"tls"}""",
                    "http" => $$"""{"ts":"{{ts}}","srcIP":"{{client}}","srcPort":{{port}},"url":"http://{{Names[random.Next(Names.Length)]}}.example{{random.Next(40)}}.com/path/{{random.Next(1000)}}","method":"GET","status":200,"action":"","bytesIn":{{random.Next(9000)}},"bytesOut":0,"contentType":"text/html","referrer":"","userAgent":"Mozilla/5.0"}""",
                    _ => $$"""{"ts":"{{ts}}","srcIP":"{{client}}","srcPort":{{port}},"destIP":"{{server}}","destPort":443,"ja3":"4d7a28d6f2263ed61de88ca66eb011e3","ja3s":"","sni":"{{Names[random.Next(Names.Length)]}}.example{{random.Next(40)}}.com","version":"TLS 1.3"}""",
                }).Append('\n');
            }
            byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
            bodies[v] = (type, plain ? bytes : Gzip(bytes));
        }
        return bodies;
    }

    static readonly string[] Names = ["www", "mail", "cdn", "api", "static", "login", "files", "update", "news", "shop", "images", "docs"];

    static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return packed.ToArray();
    }

    static async Task<Load> SendAsync(string address, string[] keys, (string Type, byte[] Body)[] bodies, int batch, int senders, int seconds, int rate, bool plain)
    {
        var load = new Load();
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = senders });
        var clock = Stopwatch.StartNew();
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, senders).Select(_ => Task.Run(async () =>
        {
            while (clock.Elapsed.TotalSeconds < seconds)
            {
                int n = Interlocked.Increment(ref next);
                if (rate > 0 && (double)n * batch / rate - clock.Elapsed.TotalSeconds is > 0 and var early) await Task.Delay(TimeSpan.FromSeconds(early));
                (string type, byte[] body) = bodies[n % bodies.Length];
                using var request = new HttpRequestMessage(HttpMethod.Post, $"{address}/v1/events/{type}") { Content = new ByteArrayContent(body) };
                request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(keys[n % keys.Length] + ":")));
                if (!plain) request.Content.Headers.ContentEncoding.Add("gzip");
                long began = Stopwatch.GetTimestamp();
                using HttpResponseMessage answer = await http.SendAsync(request);
                string text = await answer.Content.ReadAsStringAsync();
                double wait = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                lock (load)
                {
                    load.Waits.Add(wait);
                    if (answer.StatusCode != HttpStatusCode.OK)
                    {
                        load.Refused++;
                        continue;
                    }
                    Match counts = Regex.Match(text, "\"received\":([0-9]+),\"accepted\":([0-9]+)");
                    long accepted = long.Parse(counts.Groups[2].Value, CultureInfo.InvariantCulture);
                    load.Events += accepted;
                    load.Rejected += long.Parse(counts.Groups[1].Value, CultureInfo.InvariantCulture) - accepted;
                }
            }
        })));
        load.Seconds = clock.Elapsed.TotalSeconds;
        return load;
    }

    static string Metric(string address, string name)
    {
        using var http = new HttpClient();
        string metrics = http.GetStringAsync(address + "/metrics").GetAwaiter().GetResult();
        return Regex.Match(metrics, $"^{name} ([0-9]+)", RegexOptions.Multiline).Groups[1].Value;
    }

    static double Rss(int pid, string name = "VmRSS") =>
        double.Parse(Regex.Match(File.ReadAllText($"/proc/{pid}/status"), name + @":\s+([0-9]+)").Groups[1].Value, CultureInfo.InvariantCulture) / 1024;

    /// <summary>proc(5): fields 14 and 15 of stat, in hundredths of a second.</summary>
    static double CpuOf(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
    }
}
