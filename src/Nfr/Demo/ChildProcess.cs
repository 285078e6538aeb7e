using System.Diagnostics;

namespace Nfr.Demo;

/// <summary>
/// This program once more, in a network namespace of its own. We talk by lines; when our end of its input closes, it ends, so nothing is
/// left behind whichever way we go.
/// </summary>
sealed class ChildProcess : IDisposable
{
    readonly Process _process;

    ChildProcess(Process process) => _process = process;

    /// <summary>Also the handle of its namespace, for <c>ip link … netns PID</c>: unshare becomes the program it starts.</summary>
    public int Id => _process.Id;

    public static ChildProcess Start(string role)
    {
        var start = new ProcessStartInfo("unshare") { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (string argument in (string[])["--net", .. NetworkTools.Self(), "demo", role]) start.ArgumentList.Add(argument);
        return new ChildProcess(Process.Start(start) ?? throw new InvalidOperationException("unshare did not start"));
    }

    public async Task SayAsync(string line)
    {
        try
        {
            await _process.StandardInput.WriteLineAsync(line).ConfigureAwait(false);
            await _process.StandardInput.FlushAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It is gone; whoever waits for its next line learns that.
        }
    }

    /// <summary>Its next line; null when it has ended.</summary>
    public async Task<string?> HearAsync(CancellationToken stop) => await _process.StandardOutput.ReadLineAsync(stop).ConfigureAwait(false);

    /// <summary>Whether the next line is <paramref name="line"/>.</summary>
    public async Task<bool> ExpectAsync(string line, TimeSpan within, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(within);
        try
        {
            return await HearAsync(limit.Token).ConfigureAwait(false) == line;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Reading the console blocks even when asked not to; this keeps the caller free.</summary>
    public static Task<string?> ReadLineAsync(TextReader input) => Task.Run(() => input.ReadLine());

    public void Dispose()
    {
        try
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(1_000)) _process.Kill();
        }
        catch (Exception failure) when (failure is InvalidOperationException or IOException or System.ComponentModel.Win32Exception)
        {
            // It ended by itself.
        }
        _process.Dispose();
    }
}
