using System.Collections.Concurrent;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Faults.Servers;

/// <summary>
/// One output whose server is bad and a file beside it, over one spool: the file has each alert once and in order while the other is still in trouble; the trouble is one sentence
/// that names the server.
/// </summary>
sealed class AllOutputs : IDisposable
{
    readonly RamFolder _folder = new();
    readonly Spool _spool;
    readonly TimeProvider _time;
    readonly CancellationTokenSource _stop = new();
    CancellationTokenSource _stopBad = new();
    readonly AlertOutput _file;
    readonly Task _writing;
    Task _running = Task.CompletedTask;
    int _stored;

    public AllOutputs(TimeProvider time)
    {
        _time = time;
        _spool = Spool.Open(new SpoolOptions { Directory = _folder.Path }, TimeProvider.System);
        _file = Open("file", new FileSinkOptions { Path = _folder.In("alerts.json") });
        _writing = _file.RunAsync(_stop.Token);
    }

    public Spool Spool => _spool;
    public AlertOutput Bad { get; private set; } = null!;

    AlertOutput Open(string name, SinkOptions sink) => new(_spool, new OutputOptions { Name = name, Sink = sink }, new SensorIdentity("2.0.0", _spool.SensorId, "box"), _time, _ => { });

    public void Append(int count, int bulk)
    {
        EachMood.Append(_spool, _stored, _stored + count, bulk);
        _stored += count;
    }

    public void Start(SinkOptions sink)
    {
        Bad = Open("out", sink);
        _running = Bad.RunAsync(_stopBad.Token);
    }

    /// <summary>Ends the bad one, as a change of the config does, and starts it with other settings.</summary>
    public async Task RestartAsync(SinkOptions sink)
    {
        await StopBadAsync();
        Bad.Dispose();
        _stopBad.Dispose();
        _stopBad = new CancellationTokenSource();
        Start(sink);
    }

    public Task UntilAsync(Func<bool> condition, Func<string> what) => EachMood.UntilAsync(condition, _running, what);

    /// <summary>The other output has all, whatever this one does.</summary>
    public async Task AssertOtherIsWellAsync()
    {
        await EachMood.UntilAsync(() => _file.State.Alerts >= _stored, _writing, () => $"the file has all while the other waits: {_file.State}");
        Assert.Equal(Enumerable.Range(0, _stored), File.ReadLines(_folder.In("alerts.json")).Select(EachMood.Number));
        Assert.Equal((0, null), (_file.State.FailedWrites, _file.State.LastError));
    }

    /// <summary>Keeps what was said of the trouble, by the kind of server.</summary>
    public void AssertTold(string server, string? says, string kind, ConcurrentDictionary<string, string> sentences)
    {
        if (Bad.State.LastError is not { } error) return;
        string told = Bad.State.Trouble ?? $"{Bad.State.Target} takes no alerts ({error})";
        Assert.Contains(server, told, StringComparison.Ordinal);
        if (says is not null) Assert.Contains(says, error, StringComparison.Ordinal);
        // One sentence for people: of one line, not endless, without our own exceptions or the other side's control codes.
        Assert.DoesNotContain("Exception", told, StringComparison.Ordinal);
        Assert.False(told.Any(char.IsControl), told);
        Assert.InRange(told.Length, 20, 500);
        sentences.TryAdd(error, kind);
    }

    public async Task StopAsync()
    {
        await StopBadAsync();
        await _stop.CancelAsync();
        await _writing.WaitAsync(EachMood.Limit);
    }

    async Task StopBadAsync()
    {
        await _stopBad.CancelAsync();
        await _running.WaitAsync(EachMood.Limit);
    }

    public void Dispose()
    {
        Bad?.Dispose();
        _file.Dispose();
        _spool.Dispose();
        _stop.Dispose();
        _stopBad.Dispose();
        _folder.Dispose();
    }
}
