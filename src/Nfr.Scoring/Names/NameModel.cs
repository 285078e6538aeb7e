namespace Nfr.Scoring.Names;

/// <summary>
/// How surprising a host or domain label is to somebody who has read many: a character trigram model (Witten-Bell smoothed), one byte a
/// cell. Low is like the names people choose, high is like random letters. The table is trained by code in the tests from lists whose
/// licences allow it (Models/README.md).
/// </summary>
public sealed class NameModel
{
    /// <summary>0 = before the first and after the last, 1-26 letters, 27-36 digits, 37 hyphen, 38 anything else.</summary>
    public const int Symbols = 39;
    public const int TableLength = Symbols * Symbols * Symbols;
    /// <summary>A cell holds bits times this; the greatest is 255/16 = 15.9 bits.</summary>
    public const int Scale = 16;
    const string Resource = "Nfr.Scoring.Models.names.bin";

    readonly byte[] _cells;

    public NameModel(byte[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, TableLength);
        _cells = cells;
    }

    /// <summary>The model that ships inside.</summary>
    public static NameModel Shipped { get; } = new(ReadShipped());

    public ReadOnlySpan<byte> Cells => _cells;

    static byte[] ReadShipped()
    {
        using Stream stream = typeof(NameModel).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The resource {Resource} is missing from this build.");
        byte[] cells = new byte[TableLength];
        stream.ReadExactly(cells);
        return cells;
    }

    public static int SymbolOf(byte c) => c switch
    {
        >= (byte)'a' and <= (byte)'z' => c - 'a' + 1,
        >= (byte)'A' and <= (byte)'Z' => c - 'A' + 1,
        >= (byte)'0' and <= (byte)'9' => c - '0' + 27,
        (byte)'-' => 37,
        _ => 38,
    };

    /// <summary>Mean bits per character of one label, its end counted as one; 0 for an empty label.</summary>
    public double BitsPerCharacter(ReadOnlySpan<byte> label)
    {
        if (label.IsEmpty) return 0;
        int a = 0, b = 0, sum = 0;
        foreach (byte octet in label)
        {
            int c = SymbolOf(octet);
            sum += _cells[(((a * Symbols) + b) * Symbols) + c];
            (a, b) = (b, c);
        }
        sum += _cells[((a * Symbols) + b) * Symbols];
        return (double)sum / Scale / (label.Length + 1);
    }
}
