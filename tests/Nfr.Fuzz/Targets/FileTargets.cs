using Nfr.Capture;
using Nfr.Config;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Fuzz;

/// <summary>A capture file, by its path on a file system in memory.</summary>
abstract class CaptureTarget : Target
{
    readonly string _path = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"nfr-fuzz-{Environment.ProcessId}");

    public override bool MayAllocate => true;
    public override int MaximumLength => 4096;

    public override void Run(ReadOnlySpan<byte> input)
    {
        File.WriteAllBytes(_path, input);
        try
        {
            using CaptureFile? capture = CaptureFile.Open(_path, out string? error);
            if (capture is null != error is not null) throw new InvalidOperationException("neither a capture nor a reason");
            if (capture is null) return;
            var count = new Count();
            while (capture.Read(ref count))
            {
            }
            if (capture.Frames > input.Length) throw new InvalidOperationException("more frames than bytes");
        }
        finally
        {
            File.Delete(_path);
        }
    }

    struct Count : IFrameSink
    {
        long _bytes;

        public void OnFrame(scoped in Frame frame)
        {
            foreach (byte b in frame.Bytes) _bytes += b;
        }
    }
}

sealed class PcapTarget : CaptureTarget
{
    public override string Name => "pcap";
    public override int Runs => 15_000;
    public override IReadOnlyList<byte[]> Words { get; } = [[0xD4, 0xC3, 0xB2, 0xA1], [0xA1, 0xB2, 0xC3, 0xD4], [0x4D, 0x3C, 0xB2, 0xA1], [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 4, 0], [0x1F, 0x8B, 8, 0]];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => seeds.Files.Where(f => new FileInfo(f).Length <= 4096).Select(File.ReadAllBytes).Where(b => b.Length > 4 && b[0] != 0x0A);
}

sealed class PcapngTarget : CaptureTarget
{
    public override string Name => "pcapng";
    public override int Runs => 15_000;
    public override IReadOnlyList<byte[]> Words { get; } = [[0x0A, 0x0D, 0x0D, 0x0A], [0x4D, 0x3C, 0x2B, 0x1A], [1, 0, 0, 0], [6, 0, 0, 0], [3, 0, 0, 0], [9, 0, 1, 0], [0xFF, 0xFF, 0xFF, 0xFF], [12, 0, 0, 0]];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => seeds.Files.Where(f => new FileInfo(f).Length <= 4096).Select(File.ReadAllBytes).Where(b => b.Length > 4 && b[0] == 0x0A)
        .Append([0x0A, 0x0D, 0x0D, 0x0A, 28, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 28, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 20, 0, 0, 0]);
}

/// <summary>A user's config.yml.</summary>
sealed class ConfigTarget : Target
{
    public override string Name => "config";
    public override int Runs => 12_000;
    public override bool MayAllocate => true;
    public override int MaximumLength => 32 * 1024;
    public override IReadOnlyList<byte[]> Words { get; } = [.. ((string[])["engine:", "spool:", "  ", "- ", "&a ", "*a", "!!int ", "{", "}", "[", "]", "\t", "max_size: ", "9999999999GB", "-1", "~", "|", ">", "---", "\n"]).Select(System.Text.Encoding.UTF8.GetBytes)];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => [System.Text.Encoding.UTF8.GetBytes(ShippedFiles.Config), "engine:\n  address: http://a\n"u8.ToArray()];

    public override void Run(ReadOnlySpan<byte> input)
    {
        NfrConfig? config = NfrConfig.Parse("config.yml", input, out IReadOnlyList<ConfigFault> faults);
        if (config is null && faults.Count == 0) throw new InvalidOperationException("refused without a reason");
    }
}

/// <summary>A user's scope.yml.</summary>
sealed class ScopeTarget : Target
{
    public override string Name => "scope";
    public override int Runs => 12_000;
    public override bool MayAllocate => true;
    public override int MaximumLength => 32 * 1024;
    public override IReadOnlyList<byte[]> Words { get; } = [.. ((string[])["groups:", "  ", "- ", "10.0.0.0/8", "::/0", "/33", "*.a.b", "&a ", "*a", "{", "[", "\t", "\n", "in_scope:", "out_scope:", "trusted_domains:"]).Select(System.Text.Encoding.UTF8.GetBytes)];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => [System.Text.Encoding.UTF8.GetBytes(ShippedFiles.Scope)];

    public override void Run(ReadOnlySpan<byte> input)
    {
        IReadOnlyList<ScopeGroupSection>? groups = ScopeFile.Parse("scope.yml", input, out IReadOnlyList<ConfigFault> faults);
        if (groups is null && faults.Count == 0) throw new InvalidOperationException("refused without a reason");
    }
}

/// <summary>What an engine answers: a page of alerts as JSON.</summary>
sealed class EngineTarget : Target
{
    public override string Name => "engine";
    public override int Runs => 100_000;
    public override bool MayAllocate => true;
    public override IReadOnlyList<byte[]> Words { get; } = [.. ((string[])["{", "}", "[", "]", "\"", ":", ",", "null", "true", "1e999", "\\ud800", "\"events\":", "\"threats\":", "\"follow\":", "\"more\":true"]).Select(System.Text.Encoding.UTF8.GetBytes)];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) =>
    [
        """{"follow":"2026-01-01T00:00:00Z","more":false,"alerts":[{"eventType":"dns","event":{"ts":"2026-01-01T00:00:00Z","srcIP":"10.0.0.1","query":"a.b","qtype":"A"},"threats":["c2"],"wisdom":{"flags":["x"]}}],"threats":{"c2":{"title":"t","desc":"d","severity":5}}}"""u8.ToArray(),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (!EngineAlertsReader.TryRead(input, out EngineAlertPage? page, out string? error) && string.IsNullOrEmpty(error)) throw new InvalidOperationException("refused without a reason");
        _ = page;
    }
}
