using System.Diagnostics;
using System.Globalization;
using Nfr.Capture;
using Xunit.Abstractions;

namespace Nfr.Tests.Capture;

/// <summary>The captures made by others, where they lie beside the checkout.</summary>
public sealed class CorpusCaptures(ITestOutputHelper output)
{
    internal static string? Folder { get; } = Find();

    static string? Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (!File.Exists(Path.Combine(at.FullName, "Nfr.slnx"))) continue;
            string corpus = Path.Combine(at.FullName, "..", "shared", "corpus");
            return Directory.Exists(corpus) ? corpus : null;
        }
        return null;
    }

    static string[] Captures() =>
    [
        .. Directory.EnumerateFiles(Folder!, "*", SearchOption.AllDirectories)
            .Where(p => Path.GetExtension(p) is ".pcap" or ".pcapng" or ".cap")
            .Order(StringComparer.Ordinal),
    ];

    [CorpusFact]
    public void Every_capture_is_read_to_its_end_or_to_a_fault_with_words()
    {
        long frames = 0;
        int captures = 0;
        foreach (string path in Captures())
        {
            using CaptureFile? capture = CaptureFile.Open(path, out string? error);
            Assert.True(capture is null == error is not null);
            captures++;
            if (capture is null)
            {
                output.WriteLine(error);
                continue;
            }
            var sink = new CountFrames();
            while (capture.Read(ref sink))
            {
            }
            Assert.Equal(sink.Frames, capture.Frames);
            Assert.False(sink.TickSteppedBack);
            if (capture.Fault is null) Assert.Equal(capture.Length, capture.Position);
            else output.WriteLine(capture.Fault.Message);
            frames += capture.Frames;
        }
        output.WriteLine($"{captures} captures, {frames} frames");
        Assert.True(frames > 0);
    }

    [CorpusFact]
    public void Tcpdump_counts_the_same_packets()
    {
        if (!File.Exists("/usr/bin/tcpdump"))
        {
            output.WriteLine("not compared: there is no tcpdump here");
            return;
        }
        string[] all = Captures();
        int compared = 0;
        // A spread over all topics, without starting a thousand processes.
        for (int i = 0; i < all.Length; i += Math.Max(1, all.Length / 40))
        {
            using CaptureFile? capture = CaptureFile.Open(all[i], out _);
            if (capture is null) continue;
            var sink = new CountFrames();
            while (capture.Read(ref sink))
            {
            }
            if (Count(all[i]) is not long expected) continue;
            Assert.True(expected == capture.Frames, $"{all[i]}: tcpdump has {expected} packets, we {capture.Frames} ({capture.Fault?.Message})");
            compared++;
        }
        output.WriteLine($"{compared} captures compared");
    }

    /// <summary>Null when tcpdump itself refuses the file (several link types in one pcapng, for one).</summary>
    static long? Count(string path)
    {
        using var tcpdump = Process.Start(new ProcessStartInfo("tcpdump", ["-r", path, "--count"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = tcpdump.StandardError.ReadToEndAsync();
        string text = tcpdump.StandardOutput.ReadToEnd();
        errors.Wait();
        tcpdump.WaitForExit();
        return tcpdump.ExitCode == 0 ? long.Parse(text.AsSpan(0, text.IndexOf(' ', StringComparison.Ordinal)), CultureInfo.InvariantCulture) : null;
    }
}

/// <summary>A test on captures of others; skipped where they are not.</summary>
sealed class CorpusFactAttribute : FactAttribute
{
    public CorpusFactAttribute()
    {
        if (CorpusCaptures.Folder is null) Skip = "the corpus is not beside this checkout (../shared/corpus)";
    }
}
