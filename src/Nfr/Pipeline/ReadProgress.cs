using System.Diagnostics;
using System.Globalization;
using Nfr.Commands;
using Nfr.Health;
using Spectre.Console;

namespace Nfr.Pipeline;

/// <summary>
/// A progress bar on stderr while files are read, when that is a terminal; nothing otherwise. Drawn by a thread of its own from the files' positions. With
/// standard input among them nobody knows the end: then it says what was read so far.
/// </summary>
sealed class ReadProgress : IDisposable
{
    /// <summary>A read shorter than this needs no bar.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(400);

    readonly long? _total;
    readonly ManualResetEventSlim _end = new();
    readonly Thread? _thread;
    readonly long _begin = Stopwatch.GetTimestamp();
    volatile Func<long>? _position;
    Func<long>? _length;
    long _done;

    /// <param name="terminal">Whose stderr it is drawn on.</param>
    /// <param name="files">To be read; - is standard input.</param>
    /// <param name="beside">Something is printed to stdout meanwhile: on the same terminal the bar would wipe it away.</param>
    public ReadProgress(Terminal terminal, IReadOnlyList<string> files, bool beside)
    {
        if (!IsWatched(terminal) || (beside && !Console.IsOutputRedirected)) return;
        _total = files.Contains("-") ? null : files.Sum(LengthOf);
        if (_total == 0) return;
        _thread = new Thread(Draw) { IsBackground = true, Name = "progress" };
        _thread.Start();
    }

    /// <summary>Lines that are read, for what has lines; any thread.</summary>
    public Func<long>? Lines { get; init; }

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

    long Position => Interlocked.Read(ref _done) + (_position?.Invoke() ?? 0);

    void Draw()
    {
        if (_end.Wait(s_patience)) return;
        // Standard input may be what is read: nobody is asked anything.
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error), Interactive = InteractionSupport.Yes });
        Progress progress = console.Progress().AutoClear(true).HideCompleted(true);
        if (_total is { } total)
        {
            progress.Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn()).Start(context =>
            {
                ProgressTask task = context.AddTask("reading", maxValue: total);
                while (!_end.Wait(100)) task.Value = Position;
                task.Value = total;
            });
            return;
        }
        // What cannot move its cursor would get a line after the other of a bar without an end.
        if (!console.Profile.Capabilities.Ansi) return;
        progress.Columns(new SpinnerColumn(), new TaskDescriptionColumn()).Start(context =>
        {
            ProgressTask task = context.AddTask("reading", maxValue: 1);
            while (!_end.Wait(100)) task.Description = SoFar();
            task.Value = 1;
        });
    }

    string SoFar()
    {
        double seconds = Stopwatch.GetElapsedTime(_begin).TotalSeconds;
        string bytes = "reading: " + Sizes.Of(Position);
        return Lines?.Invoke() is { } lines and > 0 ? string.Create(CultureInfo.InvariantCulture, $"{bytes}, {lines:N0} lines, {lines / seconds:N0} lines/s") : bytes;
    }

    static long LengthOf(string path)
    {
        try
        {
            return new FileInfo(path) is { Exists: true } file ? file.Length : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
