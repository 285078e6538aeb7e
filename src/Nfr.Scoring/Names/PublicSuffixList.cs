using System.Globalization;
using System.IO.Compression;
using System.Text;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Names;

/// <summary>
/// Which part of a name somebody registered, by the Public Suffix List (publicsuffix.org/list, both its ICANN and its private section).
/// Rules are kept as 64-bit hashes of the names read from the right, so that one pass over a name meets every rule that could match;
/// 288 KB for the 9,500 rules of today.
/// </summary>
public sealed class PublicSuffixList
{
    const ulong Start = 0xCBF2_9CE4_8422_2325, Prime = 0x0000_0100_0000_01B3;
    /// <summary>The list has about 10,000 rules; a file with more than this is cut.</summary>
    const int MaxRules = 1 << 17;
    /// <summary>Fewer are no Public Suffix List but what is left of one.</summary>
    const int MinRules = 1000;
    const string Resource = "Nfr.Scoring.Models.public_suffix_list.gz";

    [Flags]
    enum Rule : byte { None = 0, Plain = 1, Wildcard = 2, Exception = 4, Private = 8 }

    ulong[] _keys = new ulong[1 << 10];
    Rule[] _rules = new Rule[1 << 10];
    int _count;
    bool _isPrivate;

    PublicSuffixList() { }

    public int Count => _count;

    /// <summary>The copy that ships inside; made when it is first asked for.</summary>
    public static PublicSuffixList Shipped => s_shipped.Value;

    static readonly Lazy<PublicSuffixList> s_shipped = new(ReadShipped);

    /// <summary>Reads the list; the copy inside serves when the file is absent, unreadable or too short to be the list.</summary>
    public static PublicSuffixList Load(string path)
    {
        try
        {
            using StreamReader reader = File.OpenText(path);
            PublicSuffixList list = Read(reader);
            if (list.Count >= MinRules) return list;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
        }
        return Shipped;
    }

    static PublicSuffixList ReadShipped()
    {
        using Stream stream = typeof(PublicSuffixList).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The resource {Resource} is missing from this build.");
        using var reader = new StreamReader(new GZipStream(stream, CompressionMode.Decompress));
        return Read(reader);
    }

    /// <summary>A rule a line; what is none is passed over.</summary>
    internal static PublicSuffixList Read(TextReader reader)
    {
        var list = new PublicSuffixList();
        while (reader.ReadLine() is { } line) list.AddLine(line);
        return list;
    }

    void AddLine(ReadOnlySpan<char> line)
    {
        line = line.Trim();
        // Suffixes of companies that let others register below them come last.
        if (line.Contains("===BEGIN PRIVATE DOMAINS===", StringComparison.Ordinal)) _isPrivate = true;
        int end = line.IndexOfAny(' ', '\t');
        if (end >= 0) line = line[..end];
        if (line.IsEmpty || line.StartsWith("//") || _count >= MaxRules) return;
        Rule rule = _isPrivate ? Rule.Plain | Rule.Private : Rule.Plain;
        if (line[0] == '!')
        {
            rule = Rule.Exception | (rule & Rule.Private);
            line = line[1..];
        }
        else if (line.StartsWith("*."))
        {
            rule = Rule.Wildcard | (rule & Rule.Private);
            line = line[2..];
        }
        // An exception to no rule: a suffix that is nothing.
        if (line.IsEmpty || ((rule & Rule.Exception) != 0 && !line.Contains('.'))) return;
        string name = line.ToString();
        if (!Ascii.IsValid(name))
        {
            try
            {
                name = new IdnMapping { AllowUnassigned = true }.GetAscii(name);
            }
            catch (ArgumentException)
            {
                return;
            }
        }
        Add(HashOf(Encoding.ASCII.GetBytes(name)), rule);
    }

    static ulong HashOf(ReadOnlySpan<byte> name)
    {
        ulong h = Start;
        for (int i = name.Length - 1; i >= 0; i--) h = (h ^ Mix.Lower(name[i])) * Prime;
        return Mix.Of(h);
    }

    void Add(ulong key, Rule rule)
    {
        if (_count * 2 >= _keys.Length)
        {
            (ulong[] keys, Rule[] rules) = (_keys, _rules);
            _keys = new ulong[keys.Length * 2];
            _rules = new Rule[keys.Length * 2];
            for (int i = 0; i < keys.Length; i++)
            {
                if (rules[i] != Rule.None) Slot(keys[i]) = rules[i];
            }
        }
        ref Rule slot = ref Slot(key);
        if (slot == Rule.None) _count++;
        slot |= rule;
    }

    ref Rule Slot(ulong key)
    {
        int mask = _keys.Length - 1, i = (int)key & mask;
        while (_rules[i] != Rule.None && _keys[i] != key) i = (i + 1) & mask;
        _keys[i] = key;
        return ref _rules[i];
    }

    Rule Find(ulong key)
    {
        int mask = _keys.Length - 1, i = (int)key & mask;
        while (_rules[i] != Rule.None)
        {
            if (_keys[i] == key) return _rules[i];
            i = (i + 1) & mask;
        }
        return Rule.None;
    }

    /// <summary>
    /// Where the registered domain starts within a name without its last dot; 0 when the name is itself a public suffix or one label.
    /// </summary>
    /// <param name="name">Presentation form, any case.</param>
    /// <param name="listed">Whether its top-level domain is on the list at all: false for names such as <c>printer.corp</c>.</param>
    /// <param name="suffixStart">Where the public suffix starts; the name's length when there is none to the right of a label.</param>
    public int RegisteredStart(ReadOnlySpan<byte> name, out bool listed, out int suffixStart)
    {
        ulong h = Start;
        listed = false;
        int labelEnd = name.Length, suffix = name.Length;
        bool wildcard = false, excepted = false;
        for (int i = name.Length - 1; i >= -1 && !excepted; i--)
        {
            if (i >= 0 && name[i] != '.')
            {
                h = (h ^ Mix.Lower(name[i])) * Prime;
                continue;
            }
            if (labelEnd == i + 1 && i >= 0 && labelEnd != name.Length) break;
            bool top = labelEnd == name.Length;
            Rule rule = Find(Mix.Of(h));
            if (top) listed = rule != Rule.None;
            if ((rule & Rule.Exception) != 0)
            {
                // The suffix is the rule without its leftmost label.
                suffix = labelEnd + 1;
                excepted = true;
            }
            else if (top || wildcard || (rule & Rule.Plain) != 0) suffix = i + 1;
            wildcard = (rule & Rule.Wildcard) != 0;
            labelEnd = i;
            if (i >= 0) h = (h ^ (byte)'.') * Prime;
        }
        suffixStart = suffix;
        if (suffix <= 1) return 0;
        int start = name[..(suffix - 1)].LastIndexOf((byte)'.');
        return start + 1;
    }

    /// <summary>Whether a name is itself a public suffix on the list, below which anybody may register; <paramref name="isPrivate"/> when a company runs it.</summary>
    public bool IsPublicSuffix(ReadOnlySpan<byte> name, out bool isPrivate)
    {
        RegisteredStart(name, out bool listed, out int suffixStart);
        int dot = name.IndexOf((byte)'.');
        isPrivate = (Find(HashOf(name)) & Rule.Private) != 0 || (dot > 0 && (Find(HashOf(name[(dot + 1)..])) & (Rule.Private | Rule.Wildcard)) == (Rule.Private | Rule.Wildcard));
        return listed && suffixStart == 0 && !name.IsEmpty;
    }

    /// <summary>The registered domain of a name: its public suffix and one label more, or the whole name when there is no more.</summary>
    public ReadOnlySpan<byte> RegisteredDomain(ReadOnlySpan<byte> name) => name[RegisteredStart(name, out _, out _)..];
}
