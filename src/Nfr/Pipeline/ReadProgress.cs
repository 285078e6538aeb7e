using Nfr.Capture;
using Nfr.Commands;
using Spectre.Console;

namespace Nfr.Pipeline;

/// <summary>A progress bar on stderr while files are read, when that is a terminal; nothing otherwise. Drawn by a thread of its own from the files' positions.</summary>
sealed class ReadProgress : IDisposable
{
    /// <summary>A read shorter than this needs no bar.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(400);

    readonly long _total;
    readonly ManualResetEventSlim _end = new();
    readonly Thread? _thread;
    volatile CaptureFile? _file;
    long _done;

    public ReadProgress(Terminal terminal, IReadOnlyList<string> files)
    {
        if (!IsWatched(terminal)) return;
        _total = files.Sum(LengthOf);
        if (_total == 0) return;
        _thread = new Thread(Draw) { IsBackground = true, Name = "progress" };
        _thread.Start();
    }

    /// <summary>Whether somebody sits before stderr.</summary>
    public static bool IsWatched(Terminal terminal) => !Console.IsErrorRedirected && ReferenceEquals(terminal.Error, Console.Error);

    public void Open(CaptureFile file) => _file = file;

    public void Close()
    {
        if (_file is { } file) Interlocked.Add(ref _done, file.Length ?? file.Position);
        _file = null;
    }

    public void Dispose()
    {
        _end.Set();
        _thread?.Join();
        _end.Dispose();
    }

    void Draw()
    {
        if (_end.Wait(s_patience)) return;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask("reading", maxValue: _total);
                while (!_end.Wait(100)) task.Value = Interlocked.Read(ref _done) + (_file?.Position ?? 0);
                task.Value = _total;
            });
    }

    static long LengthOf(string path)
    {
        try
        {
            return path == "-" ? 0 : new FileInfo(path) is { Exists: true } file ? file.Length : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
