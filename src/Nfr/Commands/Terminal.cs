namespace Nfr.Commands;

/// <summary>Where a command reads answers, writes results and writes complaints.</summary>
public sealed record Terminal(TextReader In, TextWriter Out, TextWriter Error)
{
    public static Terminal OfProcess() => new(Console.In, Console.Out, Console.Error);

    /// <summary>One line on stderr that says what to do; gives <paramref name="code"/> back.</summary>
    public int Fail(int code, string message)
    {
        Error.WriteLine("nfr: " + message);
        return code;
    }
}

/// <summary>What the process answers with.</summary>
public static class ExitCode
{
    public const int Good = 0;
    public const int Failed = 1;
    /// <summary>Wrong usage or a faulty config.</summary>
    public const int Usage = 2;
    /// <summary>The sensor runs and is in trouble ("nfr status").</summary>
    public const int Unwell = 3;
}
