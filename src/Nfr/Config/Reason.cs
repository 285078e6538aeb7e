namespace Nfr.Config;

/// <summary>Why the world refused, in a few words. The platform's own messages are cut from the published file (UseSystemResourceKeys).</summary>
static class Reason
{
    public static string Of(Exception fault) => fault switch
    {
        FileNotFoundException => "no such file",
        DirectoryNotFoundException => "no such folder",
        UnauthorizedAccessException => "permission denied",
        PathTooLongException => "the path is too long",
        // HResult of an IOException on Unix is errno.
        IOException { HResult: 28 } => "the disk is full",
        IOException { HResult: 30 } => "the file system is read-only",
        IOException { HResult: 20 } => "part of the path is no folder",
        IOException { HResult: 40 } => "too many symbolic links",
        _ => OneLine(fault.Message),
    };

    static string OneLine(string text)
    {
        int end = text.AsSpan().IndexOfAny('\r', '\n');
        return (end >= 0 ? text[..end] : text).Trim();
    }
}
