using System.Diagnostics;
using System.Runtime.InteropServices;
using Nfr.Commands;
using Nfr.Config;
using Nfr.Logging;
using Serilog.Core;

namespace Nfr.Tests.Nfr;

public sealed class LogTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-log-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string Logged(LogConfig config, Action<Logger> write)
    {
        using (Logger log = Log.Open(config)) write(log);
        return File.ReadAllText(config.File);
    }

    [Fact]
    public void A_line_is_time_level_and_words_without_quotes()
    {
        string text = Logged(new LogConfig { File = $"{_folder}/nfr.log" }, log => log.Information("{Interface}: {Packets} packets in {Seconds:0.0} s", "eth0", 1234, 1.5));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d info  eth0: 1234 packets in 1\.5 s\n$", text);
    }

    [Theory]
    [InlineData(LogLevel.Debug, "debug info warn error")]
    [InlineData(LogLevel.Info, "info warn error")]
    [InlineData(LogLevel.Warn, "warn error")]
    [InlineData(LogLevel.Error, "error")]
    public void The_level_and_what_is_worse_is_written(LogLevel level, string written)
    {
        string text = Logged(new LogConfig { File = $"{_folder}/nfr.log", Level = level }, log =>
        {
            log.Debug("x");
            log.Information("x");
            log.Warning("x");
            log.Error("x");
        });
        Assert.Equal(written, string.Join(' ', text.TrimEnd().Split('\n').Select(l => l.Split(' ')[1])));
    }

    [Fact]
    public void Nothing_off_the_wire_forges_a_line_or_speaks_to_the_terminal()
    {
        string text = Logged(new LogConfig { File = $"{_folder}/nfr.log" }, log =>
        {
            log.Warning("query {Name}", "a\n2026-11-21T00:00:00.000+00:00 error forged\u001b[2J\u2028");
            log.Error(new InvalidOperationException("first\nsecond"), "stage stopped");
        });
        Assert.Equal(2, text.TrimEnd('\n').Split('\n').Length);
        Assert.DoesNotContain('\u001b', text);
        Assert.Contains("stage stopped: System.InvalidOperationException: first | second", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_file_is_followed_by_the_next_and_the_name_leads_to_it()
    {
        var config = new LogConfig { File = $"{_folder}/nfr.log", MaxSize = 64 << 10, Keep = 2 };
        string text = Logged(config, log =>
        {
            for (int i = 0; i < 5000; i++) log.Information("line {Number} of a log that is longer than one file may be", i);
        });
        Assert.EndsWith("line 4999 of a log that is longer than one file may be\n", text, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(_folder).Count(f => new FileInfo(f).LinkTarget is null));
        Assert.NotNull(new FileInfo(config.File).LinkTarget);
    }

    [Fact]
    public void A_plain_file_of_that_name_stays()
    {
        File.WriteAllText($"{_folder}/nfr.log", "of before");
        Assert.Equal("of before", Logged(new LogConfig { File = $"{_folder}/nfr.log" }, log => log.Information("x")));
    }

    [Fact]
    public async Task The_first_signal_drains_and_the_second_ends()
    {
        var exits = new List<int>();
        using var stop = new StopSignals(exits.Add);
        var first = new PosixSignalContext(PosixSignal.SIGTERM);
        stop.Receive(first);
        Assert.True(first.Cancel);
        var waited = Stopwatch.StartNew();
        while (!stop.Token.IsCancellationRequested && waited.Elapsed < TimeSpan.FromSeconds(10)) await Task.Delay(5);
        Assert.True(stop.Token.IsCancellationRequested);
        Assert.Empty(exits);
        stop.Receive(new PosixSignalContext(PosixSignal.SIGTERM));
        stop.Receive(new PosixSignalContext(PosixSignal.SIGINT));
        Assert.Equal([143, 130], exits);
    }
}
