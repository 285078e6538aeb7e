using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Nfr.Tests.Sensor;

/// <summary>The real program as a child process, with what it says and how it ends. Whatever a test does, it does not outlive the test.</summary>
sealed class NfrProcess : IDisposable
{
    /// <summary>Far above what any step needs, also on a busy machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;

    readonly Process _process;
    readonly StringBuilder _output = new();
    readonly StringBuilder _error = new();
    bool _disposed;

    NfrProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(_error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The program beside this test's own files.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "nfr.dll");

    public static string Dotnet { get; } = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    public int Id => _process.Id;
    public string Output => Text(_output);
    public string Error => Text(_error);
    public bool HasExited => _process.HasExited;

    /// <param name="arguments">Of nfr.</param>
    /// <param name="prefix">A program that becomes nfr (nsenter, setpriv), with its arguments.</param>
    /// <param name="folder">The working directory.</param>
    /// <param name="input">What stdin holds; null = nothing.</param>
    /// <param name="program">Another copy of the program.</param>
    public static NfrProcess Start(IEnumerable<string> arguments, IEnumerable<string>? prefix = null, string? folder = null, byte[]? input = null, string? program = null)
        => StartAs([.. prefix ?? [], Dotnet, program ?? Program, .. arguments], folder, input);

    /// <param name="command">All of it: a program that runs nfr (a shell, a terminal), with its arguments.</param>
    /// <param name="folder">The working directory.</param>
    /// <param name="input">What stdin holds; null = nothing.</param>
    public static NfrProcess StartAs(string[] command, string? folder = null, byte[]? input = null)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        // So that nothing depends on who runs the tests, nor is written to a home directory.
        start.Environment["DOTNET_CLI_HOME"] = Path.GetTempPath();
        start.Environment.Remove("NFR_TRACE");
        var process = new NfrProcess(Process.Start(start)!);
        try
        {
            if (input is not null) process._process.StandardInput.BaseStream.Write(input);
            process._process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It wanted to read no further.
        }
        return process;
    }

    /// <summary>Runs to the end.</summary>
    public static Ended Run(IEnumerable<string> arguments, IEnumerable<string>? prefix = null, string? folder = null, byte[]? input = null, string? program = null)
    {
        using NfrProcess process = Start(arguments, prefix, folder, input, program);
        return process.End();
    }

    /// <summary>Waits for its end.</summary>
    public Ended End(TimeSpan? within = null)
    {
        TimeSpan limit = within ?? Patience;
        if (!_process.WaitForExit(limit)) Assert.Fail($"nfr did not end within {limit.TotalSeconds} s\n{Output}\n{Error}");
        // Without a limit it also waits for the last lines.
        _process.WaitForExit();
        return new Ended(_process.ExitCode, Output, Error);
    }

    public void Signal(int signal) => Assert.True(kill(_process.Id, signal) == 0, "the process is gone");

    /// <summary>Waits until stdout or stderr has the text.</summary>
    public void Expect(string text, int times = 1) =>
        Until(() => Count(Output + Error, text) >= times, $"\"{text}\" ×{times}");

    public void Until(Func<bool> condition, string what, TimeSpan? within = null) => Until(condition, () => what, within);

    /// <param name="condition">Asked every 20 ms.</param>
    /// <param name="what">Said when it does not come true.</param>
    /// <param name="within">Null = <see cref="Patience"/>.</param>
    public void Until(Func<bool> condition, Func<string> what, TimeSpan? within = null)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (_process.HasExited)
            {
                _process.WaitForExit();
                if (condition()) return;
                Assert.Fail($"nfr ended with {_process.ExitCode} before {what()}\n{Output}\n{Error}");
            }
            if (clock.Elapsed > (within ?? Patience)) Assert.Fail($"not in time: {what()}\n{Output}\n{Error}");
            Thread.Sleep(20);
        }
    }

    public static int Count(string text, string part) => text.Split(part).Length - 1;

    /// <summary>User and system time so far; /proc/PID/stat fields 14 and 15, in hundredths of a second.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            string stat = File.ReadAllText($"/proc/{Id}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>A line of /proc/PID/status, in MiB.</summary>
    public double Memory(string name = "VmRSS")
    {
        string line = File.ReadLines($"/proc/{Id}/status").First(l => l.StartsWith(name + ":", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].TrimStart(':').Trim(), CultureInfo.InvariantCulture) / 1024;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    static void Keep(StringBuilder lines, string? line)
    {
        if (line is null) return;
        lock (lines) lines.Append(line).Append('\n');
    }

    static string Text(StringBuilder lines)
    {
        lock (lines) return lines.ToString();
    }

    [DllImport("libc", SetLastError = true)]
    static extern int kill(int pid, int signal);
}

/// <summary>How a run of the program ended.</summary>
sealed record Ended(int Code, string Output, string Error)
{
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>One clear line on stderr, and this exit code.</summary>
    public void Fails(int code, string says)
    {
        Assert.True(Code == code, $"exit code {Code} instead of {code}\n{Output}\n{Error}");
        string line = Assert.Single(ErrorLines);
        Assert.Contains(says, line, StringComparison.Ordinal);
    }
}
