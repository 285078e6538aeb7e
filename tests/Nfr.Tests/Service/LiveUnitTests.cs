using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Nfr.Tests.Capture;
using Nfr.Tests.Sensor;

namespace Nfr.Tests.Service;

/// <summary>The real program with a NOTIFY_SOCKET of ours, as systemd starts it.</summary>
[SupportedOSPlatform("linux")]
public sealed class LiveUnitTests : IDisposable
{
    const int HangUp = 1;

    readonly SensorBench _bench = new();
    readonly NotifySocket _socket = new();

    public void Dispose()
    {
        _bench.Dispose();
        _socket.Dispose();
    }

    NfrProcess Start(int watchdogMilliseconds) => _bench.Start("env", $"NOTIFY_SOCKET={_socket.Name}", $"WATCHDOG_USEC={watchdogMilliseconds}000");

    [CableFact]
    public void It_is_ready_when_it_records_and_reloads_in_the_same_process_unless_the_config_has_mistakes()
    {
        NfrProcess sensor = Start(20_000);
        _socket.Next("READY=1");
        sensor.Expect("capture: listening on near");
        _socket.Next("STATUS=Recording near");

        string good = File.ReadAllText(_bench.ConfigPath);
        File.WriteAllText(_bench.ConfigPath, good + "nonsense: 1\n");
        sensor.Signal(HangUp);
        _socket.Next("STATUS=The config was not reloaded");
        sensor.Expect("unknown key");

        // The change is that it has another interval; what tells is the second start in the log of one process.
        File.WriteAllText(_bench.ConfigPath, good.Replace("interval: 60s", "interval: 30s", StringComparison.Ordinal));
        sensor.Signal(HangUp);
        Assert.Contains("MONOTONIC_USEC=", _socket.Next("RELOADING=1"), StringComparison.Ordinal);
        _socket.Next("READY=1");
        Assert.False(sensor.HasExited);
        sensor.Expect("capture: listening on near", times: 2);
        sensor.Expect("The ledger closes");

        sensor.Signal(NfrProcess.Terminate);
        _socket.Next("STOPPING=1");
        Ended end = sensor.End();
        Assert.Equal(0, end.Code);
        Assert.Equal(2, NfrProcess.Count(end.Output, "The ledger closes"));
    }

    [CableTheory]
    [InlineData("capture near", "capture of near")]
    [InlineData("pipeline", "pipeline")]
    public void A_thread_that_is_stuck_in_the_living_process_is_named_and_the_watchdog_is_not_fed(string thread, string loop)
    {
        NfrProcess sensor = Start(2000);
        _socket.Next("WATCHDOG=1");
        // What a tracer stops is one thread: the process and its other threads go on, as when one waits for a lock or a dead disk.
        int id = ThreadOf(sensor.Id, thread);
        Assert.True(ptrace(Seize, id, 0, 0) == 0, $"ptrace: {Marshal.GetLastPInvokeErrorMessage()}");
        Assert.Equal(0, ptrace(Interrupt, id, 0, 0));
        Assert.StartsWith($"STATUS=The {loop} has been stuck for", _socket.Next("stuck"), StringComparison.Ordinal);
        _socket.Waiting();
        Thread.Sleep(1000);
        Assert.DoesNotContain("WATCHDOG=1", _socket.Waiting());
        Assert.Equal(0, ptrace(Detach, id, 0, 0));
        _socket.Next("WATCHDOG=1");
        sensor.Signal(NfrProcess.Terminate);
        Assert.Equal(0, sensor.End().Code);
    }

    static int ThreadOf(int process, string name) =>
        int.Parse(Path.GetFileName(Directory.GetDirectories($"/proc/{process}/task").Single(t => File.ReadAllText(Path.Combine(t, "comm")).Trim() == name)), System.Globalization.CultureInfo.InvariantCulture);

    const int Detach = 17;
    const int Seize = 0x4206;
    const int Interrupt = 0x4207;

    [DllImport("libc", SetLastError = true)]
    static extern nint ptrace(nint request, int thread, nint address, nint data);
}
