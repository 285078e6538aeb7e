using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// Something that lines or documents come from, with a thread of its own: followed files, a listener, searches. Its faults are told once, tried again
/// and taken back by itself: it never ends for one.
/// </summary>
public interface ILogInput : IDisposable
{
    /// <summary>"logs", "syslog", "elastic": the thread's name.</summary>
    string Name { get; }

    /// <summary>Its counters, opened at the outlet, before <see cref="Run"/>.</summary>
    void Open(LogOutlet outlet);

    /// <summary>Reads until told to stop, within a tenth of a second; the line in hand is ended first.</summary>
    void Run(CancellationToken stop);

    /// <summary>How each source is at this moment; for any thread.</summary>
    IReadOnlyList<InputReport> Reports { get; }
}

/// <summary>An input that knows where it stands, and goes on from there after a restart.</summary>
public interface IMarkedInput
{
    /// <summary>Of its state in the spool; lasts over restarts and changes of other inputs.</summary>
    string Key { get; }

    /// <summary>All events up to this mark are with the spool now. Pipeline thread, per line: it only notes it.</summary>
    void Accept(in InputMark mark);

    /// <summary>The place to go on from, with all that was accepted; null when it has not changed since the last call. Pipeline thread.</summary>
    string? Position();
}

/// <summary>How one source is.</summary>
/// <param name="Name">As its counters are called.</param>
/// <param name="Where">The file, address or server that is read at the moment.</param>
/// <param name="Trouble">What keeps it from being read, and what to do; null = all is well.</param>
/// <param name="Behind">Bytes (files) or documents (searches) that are known and not read yet; null = not known.</param>
/// <param name="LastLine">When something came last; null = nothing yet.</param>
public sealed record InputReport(string Name, string Where, string? Trouble, long? Behind, DateTimeOffset? LastLine);

/// <summary>What an input has to say to the log: few sentences, each with file and line, server or address.</summary>
/// <param name="IsTrouble">Something is wrong; else it is well again, or news.</param>
/// <param name="Sentence">For people: what, where, what to do.</param>
public readonly record struct LogNotice(bool IsTrouble, string Sentence);
