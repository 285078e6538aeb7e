using Nfr.Commands;
using Nfr.Config;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Pipeline;

/// <summary>The log files of a read: lines become events on the calling thread and go to a grouped ring, as those of a running sensor.</summary>
sealed class LogRead
{
    /// <summary>After a stop the ring is waited for no longer than this.</summary>
    static readonly TimeSpan s_drain = TimeSpan.FromSeconds(2);

    /// <summary>Sentences about lines that were skipped: the first of each reason and file, and no more of them than somebody reads.</summary>
    const int MostTold = 20;

    readonly LogCounters _counters;
    readonly LogOutlet _outlet;
    readonly FileRead _files;
    readonly Terminal _terminal;
    readonly CancellationToken _stop;
    int _told;

    public LogRead(ReadOptions options, InputsConfig config, LogFormat format, Terminal terminal, CancellationToken stop)
    {
        (_terminal, _stop) = (terminal, stop);
        Ring = new EventRing(grouped: true);
        _outlet = new LogOutlet(Ring, s_drain, stop);
        _counters = _outlet.Open("files");
        var lines = new LineOptions { Types = LineOptions.TypesOf(options.Type), Zone = config.Timezone, MsdnsTimeFormat = config.MsdnsTimeFormat };
        _files = new FileRead(_outlet, _counters, () => LogFormats.Parser(format, lines with { Clock = new LogClock(null) })!, Tell)
        {
            Format = format,
            RecordParser = () => LogFormats.Parser(LogFormat.Edge, lines with { Clock = new LogClock(null) })!,
        };
    }

    public EventRing Ring { get; }
    public InputEntry Entry => new("files", [_counters], 0);
    public IReadOnlyList<string> Faults => _files.Faults;
    public long Bytes => _counters.Bytes;
    public long Lines => _counters.Lines;

    /// <summary>Bytes of the file in hand that are read, for a progress bar.</summary>
    public long Position => _files.Position;

    public void Read(string path, Stream? input)
    {
        _outlet.Commit(_counters, InputMark.Anew, null, 0);
        _files.Read(path, _stop, input);
    }

    void Tell(LogNotice notice)
    {
        if (_told++ < MostTold) _terminal.Error.WriteLine("nfr: " + notice.Sentence);
        else if (_told == MostTold + 1) _terminal.Error.WriteLine("nfr: more lines are left out for other reasons or in other files; --stats counts them");
    }
}
