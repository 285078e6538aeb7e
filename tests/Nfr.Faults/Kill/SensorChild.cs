using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Nfr.Faults.Kill;

/// <summary>One life of a <see cref="SmallSensor"/>, or of another child of ours.</summary>
sealed class SensorChild : IDisposable
{
    /// <summary>Far above what any step needs, also on a busy machine.</summary>
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(120);

    readonly Process _process;

    /// <param name="folder">Where its notes lie.</param>
    /// <param name="life">Of these.</param>
    /// <param name="arguments">Of <see cref="Program"/>.</param>
    public SensorChild(RamFolder folder, int life, params string[] arguments)
    {
        Notes = LifeNotes.Make(folder.In(string.Create(CultureInfo.InvariantCulture, $"notes-{life}")));
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(SensorChild).Assembly.Location, .. arguments])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
            // Code that lives for a third of a second is not worth compiling twice.
            Environment = { ["DOTNET_TieredPGO"] = "0", ["DOTNET_TC_QuickJitForLoops"] = "1", ["DOTNET_gcServer"] = "0" },
        };
        _process = Process.Start(start)!;
    }

    public LifeNotes Notes { get; }

    public bool Gone => _process.HasExited;

    public async Task UntilReadyAsync()
    {
        using var limit = new CancellationTokenSource(s_limit);
        while (Notes.Ready == 0)
        {
            if (_process.HasExited) throw new InvalidOperationException($"the child ended with {_process.ExitCode}: {await _process.StandardError.ReadToEndAsync(CancellationToken.None)}");
            await Task.Delay(2, limit.Token);
        }
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(s_limit);
        Assert.Equal(128 + 9, _process.ExitCode);
    }

    /// <summary>SIGTERM; the time until it was gone.</summary>
    public async Task<TimeSpan> TerminateAsync()
    {
        long begin = Stopwatch.GetTimestamp();
        Assert.Equal(0, Kill(_process.Id, 15));
        await EndAsync();
        return Stopwatch.GetElapsedTime(begin);
    }

    /// <summary>Waits for an orderly end.</summary>
    public async Task EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(s_limit);
        Assert.True(_process.ExitCode == 0, $"the child ended with {_process.ExitCode}: {await _process.StandardError.ReadToEndAsync()}");
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Notes.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill")]
    static extern int Kill(int process, int signal);
}
