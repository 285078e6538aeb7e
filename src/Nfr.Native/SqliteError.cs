namespace Nfr.Native;

/// <summary>What SQLite refused: its extended result code and its own words. <c>default</c> = nothing.</summary>
/// <param name="Code">Extended result code (sqlite.org/rescode.html); 0 = no error.</param>
/// <param name="Message">SQLite's sentence, in English.</param>
public readonly record struct SqliteError(int Code, string? Message)
{
    public const int Internal = 2;
    public const int Permission = 3;
    public const int Busy = 5;
    public const int ReadOnly = 8;
    public const int Interrupt = 9;
    public const int Io = 10;
    public const int Corrupt = 11;
    public const int Full = 13;
    public const int CantOpen = 14;
    public const int NotADatabase = 26;

    /// <summary>The code's low byte: the family.</summary>
    public int Primary => Code & 0xFF;

    public bool IsError => Code != 0;

    public override string ToString() => $"{Message} (SQLite {Primary}/{Code})";
}
