using System.Text;
using Nfr.Events;

namespace Nfr.Scoring.Indicators;

/// <summary>
/// Reads one list file into its table in two passes: the first counts, so that the second fills arrays of the right size and nothing
/// grows by copying. Takes plain lists, hosts files, and delimited rows whose indicator is in the first column or in one that the header
/// names (abuse.ch's lists). A line that cannot be used is a fault; the others are not touched by it.
/// </summary>
sealed class IndicatorFile
{
    /// <summary>Faults kept with their line; further ones are only counted.</summary>
    public const int MaxFaults = 100;
    /// <summary>A longer line is a fault and is skipped to its end.</summary>
    const int MaxLine = 4096;
    /// <summary>Of one file; further lines are faults.</summary>
    const int MaxIndicators = 1 << 22;
    const int MaxFields = 16;

    static readonly string[] s_indicatorColumns =
        ["dst_ip", "url", "sha1", "sha1_fingerprint", "ja3_md5", "ja3", "domain", "host", "fqdn", "ioc", "ioc_value", "indicator", "ip", "ip_address"];
    static readonly string[] s_labelColumns = ["malware", "listingreason", "family", "threat", "signature", "operator"];

    readonly string _path;
    readonly List<ListFault> _faults = [];
    readonly Dictionary<string, int> _labels = [];
    readonly HashSet<byte> _prefixes = [];
    string _name;
    AlertThreat _threat;
    List<string>? _flags;
    string _defaultFlag;
    int _indicatorColumn, _labelColumn, _portColumn, _line;
    bool _counting;
    int _entries;
    long _bytes;
    uint[] _slots = [];
    byte[] _texts = [];
    int _used, _distinct;

    IndicatorFile(string path)
    {
        _path = path;
        _name = Path.GetFileName(path);
        (_threat, _defaultFlag) = Threats.ByFileName(_name);
    }

    public long FaultCount { get; private set; }
    public IReadOnlyList<ListFault> Faults => _faults;

    /// <summary>Builds the table of a file. IO errors are thrown to the caller, who keeps the last good copy.</summary>
    public static IndicatorTable Load(string path, DateTimeOffset date, out IReadOnlyList<ListFault> faults, out long faultCount)
    {
        var file = new IndicatorFile(path);
        file.Pass(counting: true);
        file._texts = new byte[(int)Math.Min(file._bytes, IndicatorTable.MaxTexts)];
        // Four slots of five used: probes stay short and the table small.
        file._slots = file._entries == 0 ? [] : new uint[(int)Math.Min(file._entries * 5L / 4, int.MaxValue / 8) + 1];
        file.Pass(counting: false);
        faults = file.Faults;
        faultCount = file.FaultCount;
        IReadOnlyList<string> flags = file._flags ?? [file._defaultFlag];
        return new IndicatorTable(
            file._slots, file._texts, file._used, [.. file._labels.Keys], file._distinct, [.. file._prefixes],
            new ListHeader(file._name, file._threat, flags), path, date);
    }

    void Pass(bool counting)
    {
        _counting = counting;
        (_indicatorColumn, _labelColumn, _portColumn, _line) = (0, -1, -1, 0);
        using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        byte[] buffer = new byte[64 * 1024];
        int held = 0;
        bool skipping = false;
        while (true)
        {
            int read = stream.Read(buffer, held, buffer.Length - held);
            held += read;
            int start = 0;
            while (true)
            {
                int end = buffer.AsSpan(start, held - start).IndexOf((byte)'\n');
                if (end < 0) break;
                if (!skipping) Line(buffer.AsSpan(start, end));
                skipping = false;
                start += end + 1;
            }
            buffer.AsSpan(start, held - start).CopyTo(buffer);
            held -= start;
            if (read == 0)
            {
                if (held > 0 && !skipping) Line(buffer.AsSpan(0, held));
                return;
            }
            if (held <= MaxLine) continue;
            if (!skipping)
            {
                _line++;
                Fault("a line longer than 4096 bytes");
            }
            skipping = true;
            held = 0;
        }
    }

    void Fault(string message)
    {
        if (_counting) return;
        FaultCount++;
        if (_faults.Count < MaxFaults) _faults.Add(new ListFault(_path, _line, message));
    }

    void Line(ReadOnlySpan<byte> line)
    {
        _line++;
        if (line.Length > MaxLine)
        {
            Fault("a line longer than 4096 bytes");
            return;
        }
        if (_line == 1 && line.StartsWith("\uFEFF"u8)) line = line[3..];
        line = Trim(line);
        if (line.IsEmpty) return;
        if (line[0] is (byte)'#' or (byte)';' || line.StartsWith("//"u8))
        {
            Comment(Trim(line.TrimStart("#;/"u8)));
            return;
        }
        if (IsHosts(line, out ReadOnlySpan<byte> hosts))
        {
            HostsLine(hosts);
            return;
        }
        int comment = line.IndexOf(" #"u8);
        if (comment > 0) line = Trim(line[..comment]);
        Span<Range> fields = stackalloc Range[MaxFields];
        int count = Split(line, fields);
        if (count > 1 && TakeColumns(line, fields[..count])) return;
        if (_indicatorColumn >= count)
        {
            Fault($"no column {_indicatorColumn + 1}");
            return;
        }
        ReadOnlySpan<byte> text = Unquote(line[fields[_indicatorColumn]]);
        ReadOnlySpan<byte> label = default;
        if (_labelColumn >= 0 && _labelColumn < count) label = Unquote(line[fields[_labelColumn]]);
        else if (_labelColumn < 0 && _indicatorColumn == 0 && count == 2 && line.Contains((byte)'\t')) label = Unquote(line[fields[1]]);
        if (_portColumn >= 0 && _portColumn < count && !Unquote(line[fields[_portColumn]]).IsEmpty)
        {
            ReadOnlySpan<byte> port = Unquote(line[fields[_portColumn]]);
            Span<byte> joined = stackalloc byte[64];
            if (text.Length + port.Length + 3 > joined.Length)
            {
                Fault("neither an address nor a port");
                return;
            }
            bool six = text.Contains((byte)':');
            int n = 0;
            if (six) joined[n++] = (byte)'[';
            text.CopyTo(joined[n..]);
            n += text.Length;
            if (six) joined[n++] = (byte)']';
            joined[n++] = (byte)':';
            port.CopyTo(joined[n..]);
            Add(joined[..(n + port.Length)], label);
            return;
        }
        Add(text, label);
    }

    void Add(ReadOnlySpan<byte> text, ReadOnlySpan<byte> label)
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
        int labelIndex = LabelIndex(label);
        if (_counting)
        {
            _entries++;
            _bytes += length + (labelIndex >= 0 ? 4 : 2);
            return;
        }
        // The counting pass saw fewer lines than this one when the file is being written: the next look at it will load it again.
        if (_distinct >= Math.Min(_entries, MaxIndicators))
        {
            Fault("the list is full: more indicators than it may hold, or the file is still being written");
            return;
        }
        int size = IndicatorTable.Write(_texts.AsSpan(_used), kind, form[..length], labelIndex);
        if (size == 0)
        {
            Fault("the list is full: its texts take more than 64 MB");
            return;
        }
        if (!IndicatorTable.Insert(_slots, _texts, _used, IndicatorTable.HashOf(kind, form[..length]))) return;
        _used += size;
        _distinct++;
        if (kind == IndicatorKind.Network) _prefixes.Add(form[length - 1]);
    }

    int LabelIndex(ReadOnlySpan<byte> label)
    {
        if (label.IsEmpty || label.Length > 64) return -1;
        Span<char> text = stackalloc char[64];
        int n = Encoding.UTF8.GetChars(label, text);
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup = _labels.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(text[..n], out int index)) return index;
        if (!_counting || _labels.Count >= IndicatorTable.MaxLabels) return -1;
        _labels.Add(text[..n].ToString(), _labels.Count);
        return _labels.Count - 1;
    }

    /// <summary>"threat: id", "flags: a, b", "name: text", or the header row of a delimited file.</summary>
    void Comment(ReadOnlySpan<byte> text)
    {
        if (HeaderValue(text, "threat:"u8) is { } threat)
        {
            if (!Threats.TryFind(threat, out AlertThreat found)) Fault($"unknown threat '{threat}'");
            else
            {
                _threat = found;
                _defaultFlag = Threats.FlagOf(found);
            }
        }
        else if (HeaderValue(text, "flags:"u8) is { } flags) _flags = [.. flags.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries)];
        else if (HeaderValue(text, "name:"u8) is { Length: > 0 } name) _name = name;
        else
        {
            Span<Range> fields = stackalloc Range[MaxFields];
            int count = Split(text, fields);
            if (count > 1) TakeColumns(text, fields[..count]);
        }
    }

    static string? HeaderValue(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key) =>
        text.Length >= key.Length && Ascii.EqualsIgnoreCase(text[..key.Length], key) ? Encoding.UTF8.GetString(Trim(text[key.Length..])) : null;

    /// <summary>Whether a row names columns; if so, they hold from here on.</summary>
    bool TakeColumns(ReadOnlySpan<byte> line, ReadOnlySpan<Range> fields)
    {
        int indicator = -1, label = -1, port = -1;
        for (int i = 0; i < fields.Length; i++)
        {
            ReadOnlySpan<byte> field = Unquote(line[fields[i]]);
            // Column names are single words; prose that happens to name one is not a header.
            if (field.ContainsAny((byte)' ', (byte)'\t')) return false;
            if (indicator < 0 && IsOneOf(field, s_indicatorColumns)) indicator = i;
            else if (label < 0 && IsOneOf(field, s_labelColumns)) label = i;
            else if (port < 0 && Ascii.EqualsIgnoreCase(field, "dst_port")) port = i;
        }
        if (indicator < 0) return false;
        (_indicatorColumn, _labelColumn, _portColumn) = (indicator, label, port);
        return true;
    }

    static bool IsOneOf(ReadOnlySpan<byte> field, string[] names)
    {
        foreach (string name in names)
        {
            if (Ascii.EqualsIgnoreCase(field, name)) return true;
        }
        return false;
    }

    /// <summary>A line of a hosts file: an address that leads nowhere, then names.</summary>
    static bool IsHosts(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> names)
    {
        names = default;
        int blank = line.IndexOfAny((byte)' ', (byte)'\t');
        if (blank < 0) return false;
        ReadOnlySpan<byte> address = line[..blank];
        if (!address.SequenceEqual("0.0.0.0"u8) && !address.SequenceEqual("127.0.0.1"u8) && !address.SequenceEqual("::"u8) && !address.SequenceEqual("::1"u8)) return false;
        names = line[blank..];
        int comment = names.IndexOf((byte)'#');
        if (comment >= 0) names = names[..comment];
        return true;
    }

    void HostsLine(ReadOnlySpan<byte> names)
    {
        while (true)
        {
            names = Trim(names);
            if (names.IsEmpty) return;
            int blank = names.IndexOfAny((byte)' ', (byte)'\t');
            ReadOnlySpan<byte> name = blank < 0 ? names : names[..blank];
            names = blank < 0 ? default : names[blank..];
            // What every hosts file begins with.
            if (name.StartsWith("localhost"u8) || name.SequenceEqual("local"u8) || name.SequenceEqual("broadcasthost"u8) || name.StartsWith("ip6-"u8)) continue;
            Add(name, default);
        }
    }

    static int Split(ReadOnlySpan<byte> line, Span<Range> fields)
    {
        byte separator = line.Contains((byte)'\t') ? (byte)'\t' : (byte)',';
        int count = 0, start = 0;
        bool quoted = false;
        for (int i = 0; i <= line.Length; i++)
        {
            if (i < line.Length && line[i] == '"') quoted = !quoted;
            if (i < line.Length && (quoted || line[i] != separator)) continue;
            if (count == fields.Length) break;
            fields[count++] = start..i;
            start = i + 1;
        }
        return count;
    }

    static ReadOnlySpan<byte> Unquote(ReadOnlySpan<byte> field)
    {
        field = Trim(field);
        return field.Length >= 2 && field[0] == '"' && field[^1] == '"' ? field[1..^1] : field;
    }

    static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t\r"u8);
}
