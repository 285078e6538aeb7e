using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text.Json;
using Nfr.Capture;
using Nfr.Pipeline;
using Nfr.Tests.Capture;
using Nfr.Uplink;
using Nfr.Wire;
using Xunit.Abstractions;
using Frames = Nfr.Tests.Sensor.Frames;

namespace Nfr.Tests.Fleet;

/// <summary>"capture-now" on a real cable, with real files on real disks.</summary>
[SupportedOSPlatform("linux")]
public sealed class CaptureNowTests(ITestOutputHelper output) : IDisposable
{
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-capture-").FullName;
    NetworkNamespace? _network;
    string? _mounted;

    NetworkNamespace Network => _network ??= new NetworkNamespace();

    string Captures => Path.Combine(_folder, "captures");

    string[] Files => Directory.Exists(Captures) ? [.. Directory.GetFiles(Captures).Select(Path.GetFileName).Order(StringComparer.Ordinal)!] : [];

    CaptureNow Now(CaptureLimits? limits = null, string? filter = null) =>
        new(_folder, ["near", "other"], filter, TimeProvider.System, (limits ?? new CaptureLimits()) with { LeastFree = limits?.LeastFree ?? 0 });

    /// <summary>Number in its payload; each tenth is in VLAN 7.</summary>
    static byte[] Numbered(int number, int length = 40)
    {
        byte[] payload = new byte[length];
        BinaryPrimitives.WriteInt32BigEndian(payload, number);
        byte[] frame = Frames.Udp("10.0.0.1", 1000 + (number % 5000), "10.0.0.2", 9, payload);
        return number % 10 != 0 ? frame : [.. frame[..12], 0x81, 0, 0, 7, .. frame[12..]];
    }

    /// <summary>Asks for a capture and sends numbered frames until it is answered.</summary>
    FleetAnswer Ask(CaptureNow capture, long seconds, long packets, int length = 40, int pauseEach = 1)
    {
        using var done = new ManualResetEventSlim();
        FleetAnswer? answer = null;
        using Socket far = Network.Sender("far");
        string? refused = Network.Inside(() => capture.Begin("near", seconds, packets, said =>
        {
            answer = said;
            done.Set();
        }));
        if (refused is not null) return new FleetAnswer { Ok = false, Why = refused };
        long begin = Stopwatch.GetTimestamp();
        for (int i = 0; !done.IsSet; i++)
        {
            Assert.True(Stopwatch.GetElapsedTime(begin) < s_patience, "no answer");
            try
            {
                far.Send(Numbered(i, length));
            }
            catch (SocketException)
            {
                // A test has taken the cable away.
            }
            if (i % pauseEach == 0) done.Wait(1);
        }
        return answer!;
    }

    static (string Path, string End, long Packets, long Bytes, string Hash) ResultOf(FleetAnswer answer)
    {
        Assert.True(answer.Ok, answer.Why);
        using JsonDocument json = JsonDocument.Parse(answer.Result!);
        JsonElement root = json.RootElement;
        Assert.Equal("near", root.GetProperty("interface").GetString());
        return (root.GetProperty("path").GetString()!, root.GetProperty("end").GetString()!, root.GetProperty("packets").GetInt64(), root.GetProperty("bytes").GetInt64(), root.GetProperty("sha256").GetString()!);
    }

    struct Take(List<(byte[] Bytes, long Stamp, LinkType Link)> frames) : IFrameSink
    {
        public readonly void OnFrame(scoped in Frame frame) => frames.Add((frame.Bytes.ToArray(), frame.Timestamp, frame.LinkType));

        public readonly void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
        {
        }
    }

    static List<(byte[] Bytes, long Stamp, LinkType Link)> Read(string path)
    {
        List<(byte[], long, LinkType)> frames = [];
        using CaptureFile file = CaptureFile.Open(path, out _)!;
        var sink = new Take(frames);
        while (file.Read(ref sink))
        {
        }
        Assert.Null(file.Fault);
        return frames;
    }

    static int NumberIn(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadInt32BigEndian(frame[(frame[12] == 0x81 ? 46 : 42)..]);

    [CableFact]
    public void The_packets_that_pass_lie_in_a_file_of_nanoseconds_with_their_tags_and_its_name_is_in_the_answer()
    {
        using CaptureNow capture = Now();
        long before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000;
        (string path, string end, long packets, long bytes, string hash) = ResultOf(Ask(capture, 60, 200));
        Assert.Equal(("packets", 200L, new FileInfo(path).Length, Captures), (end, packets, bytes, Path.GetDirectoryName(path)));
        Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(path));
        Assert.Equal((UnixFileMode)0, File.GetUnixFileMode(Captures) & (UnixFileMode.OtherRead | UnixFileMode.OtherExecute));
        byte[] head = File.ReadAllBytes(path)[..24];
        Assert.Equal((0xA1B23C4Du, 1u), (BinaryPrimitives.ReadUInt32LittleEndian(head), BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(20))));
        List<(byte[] Bytes, long Stamp, LinkType Link)> frames = Read(path);
        int first = NumberIn(frames[0].Bytes);
        for (int i = 0; i < frames.Count; i++)
        {
            Assert.Equal(Numbered(first + i), frames[i].Bytes);
            Assert.InRange(frames[i].Stamp, before, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000);
        }
        Assert.Contains(frames, f => f.Stamp % 1000 != 0);
        Assert.Equal([Path.GetFileName(path)], Files);
    }

    [CableFact]
    public async Task Tcpdump_reads_it()
    {
        const string program = "/usr/bin/tcpdump";
        if (!File.Exists(program))
        {
            output.WriteLine("not compared: there is no tcpdump here");
            return;
        }
        using CaptureNow capture = Now();
        string path = ResultOf(Ask(capture, 60, 50)).Path;
        int first = NumberIn(Read(path)[0].Bytes);
        using Process process = Process.Start(new ProcessStartInfo(program, ["-nnett", "--time-stamp-precision=nano", "-r", path]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string[] lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        Assert.Contains("link-type EN10MB (Ethernet)", await errors, StringComparison.Ordinal);
        Assert.Equal(50, lines.Length);
        for (int i = 0; i < lines.Length; i++)
        {
            Assert.Matches(@"^\d+\.\d{9} ", lines[i]);
            Assert.Contains($"10.0.0.1.{1000 + ((first + i) % 5000)} > 10.0.0.2.9: UDP, length 40", lines[i], StringComparison.Ordinal);
            Assert.Equal((first + i) % 10 == 0, lines[i].Contains("vlan 7", StringComparison.Ordinal));
        }
    }

    [CableFact]
    public void It_ends_at_the_time_at_the_bytes_and_takes_what_the_sensors_filter_lets_by()
    {
        using CaptureNow brief = Now(filter: "udp port 1003");
        (string path, string end, long packets, _, _) = ResultOf(Ask(brief, 1, 1_000_000));
        Assert.Equal("time", end);
        Assert.Equal(packets, Read(path).Count);
        Assert.All(Read(path), f => Assert.Equal(3, NumberIn(f.Bytes) % 5000));
        using CaptureNow small = Now(new CaptureLimits { MostBytes = 64 << 10, LeastFree = 0 });
        FleetAnswer answer = Ask(small, 60, 1_000_000, length: 1000, pauseEach: 100);
        (path, end, _, long bytes, _) = ResultOf(answer);
        Assert.Equal("bytes", end);
        Assert.InRange(bytes, (64 << 10) - 1200, 64 << 10);
        Assert.Equal(bytes, new FileInfo(path).Length);
    }

    [CableFact]
    public void The_oldest_file_goes_by_its_age_whatever_it_is_called()
    {
        Directory.CreateDirectory(Captures);
        string[] names = ["d-oldest.pcap", "c.pcap", "b.pcap", "a-newest.pcap"];
        for (int i = 0; i < names.Length; i++)
        {
            File.WriteAllText(Path.Combine(Captures, names[i]), "x");
            File.SetLastWriteTimeUtc(Path.Combine(Captures, names[i]), DateTime.UtcNow.AddHours(i - 10));
        }
        File.WriteAllText(Path.Combine(Captures, "notes.txt"), "a person's own");
        using CaptureNow capture = Now();
        string path = ResultOf(Ask(capture, 60, 1)).Path;
        Assert.Equal([.. new[] { Path.GetFileName(path), "a-newest.pcap", "b.pcap", "c.pcap", "notes.txt" }.Order(StringComparer.Ordinal)], Files);
    }

    [CableFact]
    public void What_a_kill_left_half_done_goes_at_the_start_and_a_stop_leaves_nothing_half_done()
    {
        Directory.CreateDirectory(Captures);
        File.WriteAllText(Path.Combine(Captures, "20261122-100000-000-near.pcap.partial"), "half");
        File.WriteAllText(Path.Combine(Captures, "whole.pcap"), "whole");
        CaptureNow capture = Now();
        Assert.Null(capture.Sweep());
        Assert.Equal(["whole.pcap"], Files);
        using var done = new ManualResetEventSlim();
        FleetAnswer? answer = null;
        Assert.Null(Network.Inside(() => capture.Begin("near", 60, 1000, said =>
        {
            answer = said;
            done.Set();
        })));
        MqttEar.Until(() => Files.Any(f => f.EndsWith(".partial", StringComparison.Ordinal)), "a capture under way", 60);
        Assert.Contains("another capture is under way", Network.Inside(() => capture.Begin("near", 60, 1000, _ => { })), StringComparison.Ordinal);
        capture.Dispose();
        Assert.True(done.Wait(s_patience));
        Assert.Equal((false, "the sensor was stopped meanwhile; nothing is kept"), (answer!.Ok, answer.Why));
        Assert.Equal(["whole.pcap"], Files);
        Assert.Equal("the sensor is about to end", capture.Begin("near", 1, 1, _ => { }));
    }

    [CableFact]
    public void A_disk_without_room_is_left_alone_and_one_that_runs_out_of_it_ends_the_capture()
    {
        Mount(10);
        using CaptureNow capture = Now(new CaptureLimits { LeastFree = 6 << 20 });
        // In the end 6 of 10 MiB have to be free: what is under it begins nothing, and throws nothing away.
        Directory.CreateDirectory(Captures);
        for (int i = 0; i < 3; i++) File.WriteAllBytes(Path.Combine(Captures, $"{i}.pcap"), new byte[2 << 20]);
        FleetAnswer refused = Ask(capture, 1, 1);
        Assert.False(refused.Ok);
        Assert.Matches(@"^the disk of \S+/captures has \d MiB free and 6 MiB have to stay for the spool: remove what is not needed, such as the 3 older captures there$", refused.Why);
        Assert.Equal(["0.pcap", "1.pcap", "2.pcap"], Files);
        // A fourth would make the oldest go, and with it there is room.
        File.WriteAllBytes(Path.Combine(Captures, "3.pcap"), []);
        File.SetLastWriteTimeUtc(Path.Combine(Captures, "0.pcap"), DateTime.UtcNow.AddHours(-1));
        Assert.Equal("packets", ResultOf(Ask(capture, 60, 1)).End);
        Assert.DoesNotContain("0.pcap", Files);
        foreach (string file in Files) File.Delete(Path.Combine(Captures, file));
        FleetAnswer stopped = Ask(capture, 60, 1_000_000, length: 1400, pauseEach: 64);
        (string path, string end, long packets, long bytes, _) = ResultOf(stopped);
        Assert.Equal("space", end);
        Assert.EndsWith("it ended early, since less than 6 MiB of the disk are free", stopped.Why, StringComparison.Ordinal);
        Assert.Equal(packets, Read(path).Count);
        // A look at each MiB, and what is between two of them with the writer's buffer.
        Assert.InRange(bytes, 3 << 20, (6 << 20) + (1 << 19));
    }

    [CableFact]
    public void A_disk_that_is_full_all_at_once_refuses_the_capture_and_keeps_no_half_of_it()
    {
        Mount(1);
        using CaptureNow capture = Now();
        FleetAnswer answer = Ask(capture, 60, 1_000_000, length: 1400, pauseEach: 64);
        Assert.Equal((false, "the file cannot be written: the disk is full"), (answer.Ok, answer.Why));
        Assert.Empty(Files);
    }

    [CableFact]
    public async Task A_cable_that_is_pulled_out_ends_it_early_with_what_came_until_then()
    {
        using CaptureNow capture = Now();
        NetworkNamespace network = Network;
        Task pull = Task.Run(() =>
        {
            // Its file is made when the capture is open.
            MqttEar.Until(() => Files.Length > 0, "a capture that runs", 60);
            Thread.Sleep(200);
            network.InIp("link", "set", "near", "down");
        });
        FleetAnswer answer = Ask(capture, 60, 1_000_000);
        await pull;
        (string path, string end, long packets, _, _) = ResultOf(answer);
        Assert.Equal("interface", end);
        Assert.Contains("it ended early, since near went down or was removed", answer.Why, StringComparison.Ordinal);
        Assert.Equal(packets, Read(path).Count);
    }

    [CableFact]
    public void A_port_that_is_not_the_sensors_or_not_there_is_refused_in_words()
    {
        using CaptureNow capture = Now();
        Assert.Equal("this sensor does not listen on that interface; it does on near, other", capture.Begin("eth9", 1, 1, _ => { }));
        using var nowhere = new CaptureNow(_folder, [], null, TimeProvider.System);
        Assert.Equal("this sensor listens on no interface", nowhere.Begin(null, 1, 1, _ => { }));
        using var done = new ManualResetEventSlim();
        string? why = null;
        Assert.Null(Network.Inside(() => capture.Begin("other", 1, 1, said =>
        {
            why = said.Why;
            done.Set();
        })));
        Assert.True(done.Wait(s_patience));
        Assert.Contains("interface other", why, StringComparison.Ordinal);
        Assert.Empty(Files);
    }

    void Mount(int megabytes)
    {
        Directory.CreateDirectory(Captures);
        using Process mount = Process.Start("mount", ["-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", Captures]);
        mount.WaitForExit();
        Assert.Equal(0, mount.ExitCode);
        _mounted = Captures;
    }

    public void Dispose()
    {
        if (_mounted is not null)
        {
            using Process umount = Process.Start("umount", [_mounted]);
            umount.WaitForExit();
        }
        _network?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
