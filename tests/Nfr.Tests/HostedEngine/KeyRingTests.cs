using Nfr.Engine;
using Nfr.Native;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Nfr.Tests.HostedEngine;

public sealed class KeyRingTests
{
    sealed class Lines : ILogEventSink
    {
        public List<string> Said { get; } = [];
        public void Emit(LogEvent logEvent) => Said.Add(logEvent.RenderMessage());
    }

    /// <summary>Fires once more after it was disposed of, as a timer may that is on its way.</summary>
    sealed class LateTimer : TimeProvider, ITimer
    {
        public Action Fire { get; private set; } = static () => { };

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Fire = () => callback(state);
            return this;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;
        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    [Fact]
    public void A_timer_that_fires_while_it_is_disposed_of_touches_nothing()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-ring-").FullName;
        var lines = new Lines();
        using Logger log = new LoggerConfiguration().WriteTo.Sink(lines).CreateLogger();
        var time = new LateTimer();
        using (EngineDatabase db = EngineDatabase.Open(folder))
        {
            var options = new HostedEngineOptions { Listen = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0), Data = folder, FeedsFolders = [], Time = time };
            var ring = new KeyRing(db, [], options, log);
            time.Fire();
            ring.Dispose();
        }
        time.Fire();
        Assert.Empty(lines.Said);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_disk_that_refused_is_not_well_again_because_nobody_writes()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-idle-").FullName;
        var lines = new Lines();
        using Logger log = new LoggerConfiguration().WriteTo.Sink(lines).CreateLogger();
        using (EngineDatabase keys = EngineDatabase.Open(folder), db = EngineDatabase.Open(folder))
        {
            var options = new HostedEngineOptions { Listen = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0), Data = folder, FeedsFolders = [] };
            using var ring = new KeyRing(keys, [], options, log);
            using var writer = new AlertWriter(db, ring, options, log, TimeSpan.FromMilliseconds(10));
            void Sql(string statement)
            {
                Assert.False(SqliteConnection.Open(Path.Combine(folder, "engine.db"), null, out SqliteConnection? raw).IsError);
                raw!.Execute(statement);
                raw.Dispose();
            }
            Assert.Null(await writer.Check());
            Sql("ALTER TABLE meta RENAME TO away");
            Assert.NotNull(await writer.Check());
            await Task.Delay(300);
            Assert.Equal((1L, 1L), (writer.Commits, writer.Faults));
            Assert.NotNull(writer.Trouble);
            Sql("ALTER TABLE away RENAME TO meta");
            Assert.Null(await writer.Check());
            Assert.Null(writer.Trouble);
            Assert.Equal(2, lines.Said.Count(l => l.StartsWith("store: ", StringComparison.Ordinal)));
        }
        Directory.Delete(folder, recursive: true);
    }
}
