using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nfr.Tests.Uplink;

/// <summary>Graylog's own Go library as Debian has it, in a receiver of a few lines that is built here and listens on free ports of loopback.</summary>
sealed class GelfReceiver : IDisposable
{
    const string Library = "/usr/share/gocode/src/github.com/Graylog2/go-gelf/gelf";

    readonly string _directory = Directory.CreateTempSubdirectory("nfr-gelf-").FullName;
    readonly ConcurrentQueue<JsonNode> _messages = new();
    readonly Process _process;

    public GelfReceiver()
    {
        string overlay = Path.Combine(_directory, "overlay.json"), program = Path.Combine(_directory, "receiver");
        var replace = new Dictionary<string, string> { [Path.Combine(Library, "nfr_tcp.go")] = Path.Combine(Folder, "library_tcp.go") };
        File.WriteAllText(overlay, JsonSerializer.Serialize(new { Replace = replace }));
        using (Process go = Start("go", "build", "-overlay", overlay, "-o", program, Path.Combine(Folder, "receiver.go")))
        {
            string said = go.StandardError.ReadToEnd();
            go.WaitForExit();
            Assert.True(go.ExitCode == 0, "go build: " + said);
        }
        _process = Start(program);
        JsonNode ports = JsonNode.Parse(_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException(_process.StandardError.ReadToEnd()))!;
        (UdpPort, TcpPort) = (Port(ports["udp"]!), Port(ports["tcp"]!));
        _ = ReadAsync(_process.StandardOutput);
    }

    /// <summary>Null when a test can use it, else why not.</summary>
    public static string? Missing =>
        !Directory.Exists(Library) ? "Graylog's Go library (golang-github-graylog2-go-gelf-dev) is not installed"
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(d => File.Exists(Path.Combine(d, "go"))) ? null
        : "go (golang-go) is not installed";

    /// <summary>Where the receiver's source and the golden messages are.</summary>
    public static string Folder { get; } = Path.Combine(Path.GetDirectoryName(Nfr.ConfigTests.Shipped("Nfr.slnx"))!, "tests", "Nfr.Tests", "Uplink", "Gelf");

    public int UdpPort { get; }
    public int TcpPort { get; }

    /// <summary>Waits for so many messages and takes them.</summary>
    public async Task<JsonNode[]> TakeAsync(int count, string way)
    {
        await UplinkBench.UntilAsync(() => _messages.Count >= count, $"{count} messages by {way}");
        return [.. Enumerable.Range(0, count).Select(_ => _messages.TryDequeue(out JsonNode? message) ? message : null!)];
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    async Task ReadAsync(StreamReader lines)
    {
        while (await lines.ReadLineAsync() is { } line) _messages.Enqueue(JsonNode.Parse(line)!);
    }

    static int Port(JsonNode address) => new Uri("tcp://" + (string?)address).Port;

    Process Start(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // What Debian installed and nothing else.
        foreach ((string name, string value) in new[] { ("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", ""), ("GOTOOLCHAIN", "local"), ("GOCACHE", Path.Combine(_directory, "cache")) })
        {
            start.Environment[name] = value;
        }
        // The library's TCP reader spins while it waits: one core is enough for that.
        start.Environment["GOMAXPROCS"] = "1";
        return Process.Start(start)!;
    }
}
