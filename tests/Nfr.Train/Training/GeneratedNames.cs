using System.Text;
using Nfr.Train.Data;

namespace Nfr.Train.Training;

/// <summary>
/// Names that no family made: everyday words set side by side, pieces of words, and letters at random. They stand for what programs do in general, so that
/// the first head does not learn the habits of the known families alone. Suffixes are those of good names and of families by halves.
/// </summary>
static class GeneratedNames
{
    /// <summary>What <see cref="DgaRow.Type"/> and <see cref="DgaRow.Family"/> say of such a row.</summary>
    public const string Type = "generated";
    /// <summary>So many eighths of the made-up names there are: twice as many made the known families worse and the unknown no better. Hexadecimal and alphanumeric ones did harm: good machine names look the same.</summary>
    const int Share = 3, Seed = 7;

    /// <summary>Everyday English words, of Debian's wamerican (SCOWL).</summary>
    public const string WordsFile = "/usr/share/dict/american-english";

    /// <summary>The words that names are made of: 3 to 9 plain letters.</summary>
    /// <exception cref="FileNotFoundException">The list is not installed.</exception>
    public static string[] Words(string file = WordsFile) => File.Exists(file)
        ? [.. File.ReadLines(file).Where(word => word.Length is >= 3 and <= 9 && word.All(char.IsAsciiLetterLower))]
        : throw new FileNotFoundException($"The word list {file} is missing; install the package wamerican.", file);

    /// <returns>Three rows for each eight made-up names of families; the same for the same rows and words.</returns>
    public static IEnumerable<DgaRow> From(IReadOnlyList<DgaRow> rows, string[] words)
    {
        var random = new Random(Seed);
        byte[][] good = [.. rows.Where(row => !row.IsBad).Select(row => row.Suffix)];
        byte[][][] bad = [.. rows.Where(row => row.IsBad).GroupBy(row => row.Group).Select(family => family.Select(row => row.Suffix).ToArray())];
        int count = rows.Count(row => row.IsBad) * Share / 8;
        for (int i = 0; i < count; i++)
        {
            byte[] label = Encoding.ASCII.GetBytes((i % 3) switch { 0 => WordsTogether(random, words), 1 => Pieces(random, words), _ => Letters(random) });
            byte[][] suffixes = random.Next(2) == 0 ? good : bad[random.Next(bad.Length)];
            byte[] suffix = suffixes[random.Next(suffixes.Length)];
            yield return new DgaRow($"{Encoding.ASCII.GetString(label)}.{Encoding.ASCII.GetString(suffix)}", label, suffix, Type, Type, Type, "", MayTrain: true, Held: false);
        }
    }

    static string WordsTogether(Random random, string[] words) => string.Concat(Enumerable.Range(0, random.Next(2, 4)).Select(_ => words[random.Next(words.Length)]));

    /// <summary>Two or three letters of a word, and so on up to 7 to 16 letters.</summary>
    static string Pieces(Random random, string[] words)
    {
        var text = new StringBuilder();
        int length = random.Next(7, 17);
        while (text.Length < length)
        {
            string word = words[random.Next(words.Length)];
            int at = random.Next(word.Length - 2);
            text.Append(word, at, Math.Min(word.Length - at, random.Next(2, 4)));
        }
        return text.ToString();
    }

    static string Letters(Random random) => string.Concat(Enumerable.Range(0, random.Next(6, 25)).Select(_ => (char)('a' + random.Next(26))));
}
