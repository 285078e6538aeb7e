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
    volatile Func<long>? _position;
    Func<long>? _length;
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

    /// <param name="position">Bytes of the file in hand that are read, as it lies on the disk.</param>
    /// <param name="length">All of its bytes, asked at the end.</param>
    public void Open(Func<long> position, Func<long> length) => (_length, _position) = (length, position);

    public void Close()
    {
        _position = null;
        if (_length is { } length) Interlocked.Add(ref _done, length());
        _length = null;
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
                while (!_end.Wait(100)) task.Value = Interlocked.Read(ref _done) + (_position?.Invoke() ?? 0);
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
