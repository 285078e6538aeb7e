using System.Text;
using Nfr.Events;

namespace Nfr.Scoring.Indicators;

/// <summary>
/// Gathers the indicators of one file, in two passes over it: the first counts and learns what the list says of itself, so that the second
/// fills arrays of the right size and nothing grows by copying. Beside the table itself it takes 64 KiB and the texts of labels.
/// </summary>
sealed class ListBuilder
{
    /// <summary>Faults kept with their line; further ones are only counted.</summary>
    public const int MaxFaults = 100;
    /// <summary>Of one file; further lines are faults. A trusted list takes 16 bytes for each too, and needs no more than the popular part.</summary>
    const int MaxIndicators = 1 << 22, MaxTrusted = 1 << 18;
    const int MaxLabelLength = 64;

    readonly string _path;
    readonly ListAbout _about;
    readonly Breadth? _breadth;
    readonly List<ListFault> _faults = [];
    readonly Dictionary<string, int> _labels = [];
    readonly HashSet<byte> _prefixes = [];
    readonly string _fileName;
    AlertThreat _threat;
    string _defaultFlag;
    List<string>? _flags;
    string? _name;
    DateTimeOffset? _date;
    bool _exact;
    uint _kinds;
    int _entries, _used;
    ulong[] _hashes = [], _facts = [];

    /// <param name="path">Of the file.</param>
    /// <param name="about">What the config says of it.</param>
    /// <param name="breadth">Null: nothing is too broad.</param>
    public ListBuilder(string path, ListAbout about, Breadth? breadth)
    {
        (_path, _about, _breadth) = (path, about, breadth);
        _fileName = Path.GetFileName(path);
        (_threat, _defaultFlag) = Threats.ByFileName(_fileName);
        _exact = about.Exact;
    }

    public int Line { get; set; }
    /// <summary>The first pass.</summary>
    public bool IsCounting { get; private set; } = true;
    public int Entries => _entries;
    public IReadOnlyList<ListFault> Faults => _faults;
    public long FaultCount { get; private set; }

    AlertThreat Threat => _about.Threat ?? _threat;

    public void BeginFilling()
    {
        IsCounting = false;
        Line = 0;
        FaultCount = 0;
        _faults.Clear();
        _hashes = new ulong[Math.Min(_entries, _about.Trusted ? MaxTrusted : MaxIndicators)];
        _facts = new ulong[_hashes.Length];
    }

    public IndicatorTable Build(DateTimeOffset written)
    {
        IReadOnlyList<string> flags = _about.Flags ?? _flags ?? [_about.Threat is { } threat ? Threats.FlagOf(threat) : _defaultFlag];
        var header = new ListHeader(_about.Name ?? _name ?? _fileName, Threat, flags, _path, _about.Url, _date ?? written);
        return new IndicatorTable(_hashes, _facts, _used, [.. _labels.Keys], [.. _prefixes], _kinds, header);
    }

    public void Fault(string message)
    {
        FaultCount++;
        if (_faults.Count < MaxFaults) _faults.Add(new ListFault(_path, Line, message));
    }

    public void Add(ReadOnlySpan<byte> text, ReadOnlySpan<byte> label, ReadOnlySpan<byte> date)
    {
        if (text.IsEmpty)
        {
            Fault("an empty indicator");
            return;
        }
        Span<byte> form = stackalloc byte[IndicatorText.MaxLength + 1];
        string? fault = IndicatorText.Read(text, form, out IndicatorKind kind, out int length);
        if (fault is not null)
        {
            Fault(fault);
            return;
        }
        if (_exact && kind == IndicatorKind.Domain && !_about.Trusted) kind = IndicatorKind.Host;
        int number = LabelNumber(label);
        Put(kind, form[..length], number, date);
        // What is above a trusted name would match it too.
        if (!_about.Trusted || kind != IndicatorKind.Domain) return;
        ReadOnlySpan<byte> above = form[..length];
        while (above.IndexOf((byte)'.') is > 0 and var dot && above[(dot + 1)..].Contains((byte)'.'))
        {
            above = above[(dot + 1)..];
            Put(kind, above, number, date);
        }
    }

    void Put(IndicatorKind kind, ReadOnlySpan<byte> form, int label, ReadOnlySpan<byte> date)
    {
        if (IsCounting)
        {
            _entries++;
            return;
        }
        if (_breadth?.Fault(kind, form, Threat) is { } broad)
        {
            Fault(broad);
            return;
        }
        // The counting pass saw fewer lines than this one when the file is being written: the next look at it will load it again.
        if (_used == _hashes.Length)
        {
            Fault("the list is full: more indicators than it may hold, or the file is still being written");
            return;
        }
        _hashes[_used] = IndicatorHash.Of(kind, form);
        _facts[_used++] = IndicatorTable.Facts(Line, label, ListDate.TryParse(date, out DateOnly day) ? IndicatorTable.DayOf(day) : 0);
        _kinds |= 1u << (int)kind;
        if (kind == IndicatorKind.Network) _prefixes.Add(form[^1]);
    }

    int LabelNumber(ReadOnlySpan<byte> label)
    {
        if (label.IsEmpty || label.Length > MaxLabelLength || Ascii.EqualsIgnoreCase(label, "none") || label.ContainsAnyInRange((byte)0, (byte)31)) return 0;
        Span<char> text = stackalloc char[MaxLabelLength];
        int n = Encoding.UTF8.GetChars(label, text);
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup = _labels.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(text[..n], out int number)) return number;
        if (!IsCounting || _labels.Count >= IndicatorTable.MaxLabels) return 0;
        _labels.Add(text[..n].ToString(), _labels.Count + 1);
        return _labels.Count;
    }

    /// <summary>"threat: id", "flags: a, b", "name: text", "match: exact" and the list's own date.</summary>
    /// <returns>Whether the comment was one of these.</returns>
    public bool Comment(ReadOnlySpan<byte> text)
    {
        if (Value(text, "threat:"u8) is { } threat)
        {
            if (!Threats.TryFind(threat, out AlertThreat found)) Fault($"unknown threat '{threat}'");
            else (_threat, _defaultFlag) = (found, Threats.FlagOf(found));
        }
        else if (Value(text, "flags:"u8) is { } flags) _flags = [.. flags.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries)];
        else if (Value(text, "name:"u8) is { Length: > 0 } name) _name = name;
        else if (Value(text, "match:"u8) is { } match) _exact |= match.Equals("exact", StringComparison.OrdinalIgnoreCase);
        else
        {
            ReadOnlySpan<byte> date = After(text, "last updated:"u8);
            if (date.IsEmpty) date = After(text, "last modified:"u8);
            if (date.IsEmpty) date = After(text, "updated:"u8);
            if (date.IsEmpty) date = After(text, "date:"u8);
            if (date.IsEmpty || !ListDate.TryParse(date, out DateTimeOffset moment)) return false;
            _date = moment;
        }
        return true;
    }

    /// <summary>A member of a MISP warning list.</summary>
    public void Member(ReadOnlySpan<byte> name, string value)
    {
        if (name.SequenceEqual("name"u8)) _name = value;
        else if (name.SequenceEqual("type"u8) && value == "string") _exact = true;
    }

    static ReadOnlySpan<byte> After(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key) =>
        text.Length >= key.Length && Ascii.EqualsIgnoreCase(text[..key.Length], key) ? text[key.Length..].Trim(" \t#"u8) : default;

    static string? Value(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key) =>
        text.Length >= key.Length && Ascii.EqualsIgnoreCase(text[..key.Length], key) ? Encoding.UTF8.GetString(text[key.Length..].Trim(" \t"u8)) : null;
}
