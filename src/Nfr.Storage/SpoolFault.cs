namespace Nfr.Storage;

/// <summary>Why the spool could not do what it was asked, for a stage to decide on.</summary>
/// <param name="Kind">What to do about it.</param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Code">SQLite's extended result code; 0 when the file system itself refused.</param>
public sealed record SpoolFault(SpoolFaultKind Kind, string Message, int Code = 0);

public enum SpoolFaultKind
{
    /// <summary>The disk refuses; what is pending stays and is tried again.</summary>
    Io,
    /// <summary>No space, even after everything that may go went.</summary>
    DiskFull,
    /// <summary>The directory or its files may only be read.</summary>
    ReadOnly,
    /// <summary>The file was not what was written; it is in quarantine and a new one is in its place.</summary>
    Corrupt,
    /// <summary>Anything else; SQLite's words are in the message.</summary>
    Other,
}

/// <summary>The spool's directory cannot be made or written: nothing can be kept. The message is a sentence for a person.</summary>
public sealed class SpoolException(string message, Exception? inner = null) : IOException(message, inner);
