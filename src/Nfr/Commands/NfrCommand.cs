using System.CommandLine;

namespace Nfr.Commands;

/// <summary>A command with what its help says beyond its options.</summary>
class NfrCommand(string name, string description) : Command(name, description)
{
    /// <summary>Paragraphs under the description.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];
    /// <summary>Command lines without "nfr", each with what it does.</summary>
    public IReadOnlyList<(string Line, string What)> Examples { get; init; } = [];

    /// <summary>The words after "nfr" that call it.</summary>
    public static string PathOf(Symbol command)
    {
        List<string> words = [];
        for (Symbol? at = command; at is not null and not System.CommandLine.RootCommand; at = at.Parents.FirstOrDefault()) words.Insert(0, at.Name);
        return string.Join(' ', words);
    }
}
