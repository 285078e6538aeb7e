using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

/// <summary>A temporary spool directory, the sentences that were said, and waiting with a limit.</summary>
sealed class UplinkBench : IDisposable
{
    /// <summary>Far above what any test needs, also on a busy machine.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    readonly List<UplinkNotice> _notices = [];

    public UplinkBench()
    {
        Directory = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "nfr-uplink-" + Guid.NewGuid().ToString("n"));
        System.IO.Directory.CreateDirectory(Directory);
        Spool = Open();
    }

    public string Directory { get; }
    public Spool Spool { get; private set; }

    public IReadOnlyList<UplinkNotice> Notices
    {
        get
        {
            lock (_notices) return [.. _notices];
        }
    }

    public void Notice(UplinkNotice notice)
    {
        lock (_notices) _notices.Add(notice);
    }

    /// <summary>Waits so short that a test need not wait, and jitter that is always the same.</summary>
    public static UploadOptions Fast(TimeSpan? flush = null) => new()
    {
        Dns = new UploadTypeOptions { FlushInterval = flush ?? TimeSpan.FromMilliseconds(20) },
        Ip = new UploadTypeOptions { FlushInterval = flush ?? TimeSpan.FromMilliseconds(20) },
        Http = new UploadTypeOptions { FlushInterval = flush ?? TimeSpan.FromMilliseconds(20) },
        Tls = new UploadTypeOptions { FlushInterval = flush ?? TimeSpan.FromMilliseconds(20) },
        BackoffBase = TimeSpan.FromMilliseconds(5),
        BackoffCap = TimeSpan.FromMilliseconds(50),
    };

    public static RequestPacer Pacer() => new(TimeProvider.System, TimeSpan.FromMilliseconds(1));

    public EngineOptions Engine(string host) => new() { Host = host, ApiKey = "secret-key-1", Version = "2.0.0", SensorId = Spool.SensorId };

    public EngineClient Client(string host, TimeSpan? timeout = null) =>
        new(Engine(host) with { TotalTimeout = timeout ?? TimeSpan.FromSeconds(30) }, TimeProvider.System);

    public Uploader Uploader(EngineClient client, UploadOptions? options = null) =>
        new(client, Spool, options ?? Fast(), Pacer(), TimeProvider.System, Notice);

    public string[] Append(EventType type, int count, int from = 0)
    {
        string[] lines = [.. Enumerable.Range(from, count).Select(i => $$"""{"ts":"2026-11-21T12:00:00Z","srcIP":"10.0.0.1","query":"host-{{i}}.example","qtype":"A"}""")];
        foreach (string line in lines) Spool.Append(type, 0, Encoding.UTF8.GetBytes(line));
        Assert.Null(Spool.Flush());
        return lines;
    }

    public static Alert Alert(int number) => new()
    {
        Threats = [new AlertThreat("c2_communication", "C2 communication", 5)],
        Flags = ["c2", "young_domain"],
        Event = new AlertEvent { Type = EventType.Dns, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", Query = $"virus-{number}.com", QType = "A" },
    };

    public void AppendAlerts(int count, int from = 0)
    {
        for (int i = from; i < from + count; i++) Spool.AppendAlert(Alert(i));
        Assert.Null(Spool.Flush());
    }

    /// <summary>Closes the spool and opens it again, as a restart does.</summary>
    public void Reopen()
    {
        Spool.Dispose();
        Spool = Open();
    }

    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        using CancellationTokenSource limit = new(Limit);
        while (!condition())
        {
            if (limit.IsCancellationRequested) Assert.Fail($"not within {Limit.TotalSeconds} s: {what}");
            await Task.Delay(5, CancellationToken.None);
        }
    }

    /// <summary>Runs a stage until the condition holds, then stops it and waits for its end.</summary>
    public static async Task RunUntilAsync(Func<CancellationToken, Task> stage, Func<bool> condition, string what)
    {
        using CancellationTokenSource stop = new();
        Task running = stage(stop.Token);
        try
        {
            await UntilAsync(condition, what);
        }
        finally
        {
            await stop.CancelAsync();
            await running.WaitAsync(Limit);
        }
    }

    Spool Open() => Spool.Open(new SpoolOptions { Directory = Directory }, TimeProvider.System);

    public void Dispose()
    {
        Spool.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
