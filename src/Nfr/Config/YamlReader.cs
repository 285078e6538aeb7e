using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Nfr.Config;

/// <summary>
/// YAML 1.2 to nodes with their lines, from the parser's events. Bounded in every direction: bytes, depth, and values once aliases are
/// written out, so that a file of any bytes gives nodes or a fault, never an exception.
/// </summary>
static class YamlReader
{
    /// <summary>Larger files are refused unread.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Deeper nesting than any key of ours has is refused.</summary>
    const int MaxDepth = 16;

    /// <summary>Values of a file after its aliases are written out; more is refused (nine lines of aliases can stand for 10⁹ values).</summary>
    const long MaxValues = 200_000;

    /// <summary>The mapping at the root; null when the file is empty or has a fault, which is then in <paramref name="faults"/>.</summary>
    public static YamlMap? Read(ReadOnlySpan<byte> bytes, FaultList faults)
    {
        if (bytes.Length > MaxBytes)
        {
            faults.Add(0, $"is larger than {MaxBytes} bytes; is this the right file?");
            return null;
        }
        if (bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        // The defaults: the parser is not even loaded for them.
        if (bytes.IsEmpty) return null;
        int invalid = FirstInvalidUtf8(bytes);
        if (invalid >= 0)
        {
            faults.Add(1 + bytes[..invalid].Count((byte)'\n'), "is not UTF-8 text; save the file as UTF-8");
            return null;
        }
        return Read(Encoding.UTF8.GetString(bytes), faults);
    }

    public static YamlMap? Read(string text, FaultList faults)
    {
        var composer = new Composer(new Parser(new StringReader(text)), faults);
        try
        {
            return composer.Root();
        }
        catch (YamlException fault)
        {
            int tab = TabLine(text, (int)fault.Start.Line, (int)fault.End.Line + 1);
            if (tab > 0) faults.Add(tab, "YAML: a tab stands where spaces belong; indent with spaces");
            else faults.Add((int)Math.Max(1, fault.Start.Line), Explain(fault));
        }
        // The parser promises YamlException only, and keeps the promise for most bytes.
        catch (Exception)
        {
            faults.Add(composer.Line, "is not YAML that can be read; look at this line and the one before");
        }
        return null;
    }

    // The first line from..to that is indented with a tab, or 0. The parser complains of other things when it meets one.
    static int TabLine(string text, int from, int to)
    {
        int number = 0;
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            if (++number > to) break;
            if (number >= from && line.TrimStart(' ').StartsWith('\t')) return number;
        }
        return 0;
    }

    static string Explain(YamlException fault)
    {
        string message = fault.Message.TrimEnd('.');
        int end = message.StartsWith('(') ? message.IndexOf("): ", StringComparison.Ordinal) : -1;
        if (end >= 0) message = message[(end + 3)..];
        if (message.Length > 0 && char.IsUpper(message[0])) message = char.ToLowerInvariant(message[0]) + message[1..];
        return $"YAML: {message}; look at the indentation, colons and quotes here and in the line before";
    }

    static int FirstInvalidUtf8(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (at < bytes.Length)
        {
            if (Rune.DecodeFromUtf8(bytes[at..], out _, out int length) != System.Buffers.OperationStatus.Done) return at;
            at += length;
        }
        return -1;
    }

    sealed class Composer(Parser parser, FaultList faults)
    {
        readonly Dictionary<string, YamlValue?> _anchors = [];
        bool _refused;

        public int Line { get; private set; } = 1;

        ParsingEvent Next()
        {
            if (!parser.MoveNext()) throw new YamlException("the file ends too early");
            ParsingEvent e = parser.Current!;
            Line = (int)Math.Max(1, e.Start.Line);
            return e;
        }

        public YamlMap? Root()
        {
            Next(); // stream start
            if (Next() is StreamEnd) return null;
            YamlValue? root = Value(Next(), 0);
            if (_refused || root is null) return null;
            Next(); // document end
            if (Next() is not StreamEnd)
            {
                faults.Add(Line, "a second YAML document begins here (\"---\"); one file holds one");
                return null;
            }
            if (root is YamlText { IsNull: true }) return null;
            if (root is YamlMap map) return map;
            faults.Add(root.Line, "expected \"key: value\" lines");
            return null;
        }

        YamlValue? Refuse(int line, string message)
        {
            if (!_refused) faults.Add(line, message);
            _refused = true;
            return null;
        }

        YamlValue? Value(ParsingEvent e, int depth)
        {
            int line = Line;
            if (depth > MaxDepth) return Refuse(line, $"is nested deeper than {MaxDepth} levels");
            if (e is AnchorAlias alias)
            {
                if (!_anchors.TryGetValue(alias.Value.Value, out YamlValue? target)) return Refuse(line, $"no anchor &{alias.Value.Value} stands before this alias");
                return target ?? Refuse(line, $"&{alias.Value.Value} contains itself");
            }
            string? anchor = e is NodeEvent { Anchor.IsEmpty: false } node ? node.Anchor.Value : null;
            if (anchor is not null) _anchors[anchor] = null;
            YamlValue? value = e switch
            {
                Scalar s => new YamlText(line, (int)s.Start.Column, (int)s.End.Line, (int)s.End.Column, s.Value, s.Style is ScalarStyle.Plain or ScalarStyle.Any),
                SequenceStart => List(line, depth),
                MappingStart m => Map(line, m.Style == MappingStyle.Flow, depth),
                _ => Refuse(line, "expected a value"),
            };
            if (anchor is not null) _anchors[anchor] = value;
            return value;
        }

        YamlList? List(int line, int depth)
        {
            var list = new YamlList(line);
            for (ParsingEvent e = Next(); e is not SequenceEnd; e = Next())
            {
                if (Value(e, depth + 1) is not { } item) return null;
                list.Items.Add(item);
                if (!Count(list, item)) return null;
            }
            return list;
        }

        YamlMap? Map(int line, bool flow, int depth)
        {
            var map = new YamlMap(line, flow);
            var seen = new Dictionary<string, int>();
            List<YamlMap> merged = [];
            for (ParsingEvent e = Next(); e is not MappingEnd; e = Next())
            {
                if (Value(e, depth + 1) is not { } key) return null;
                if (Value(Next(), depth + 1) is not { } value) return null;
                if (!Count(map, value)) return null;
                if (key is not YamlText name)
                {
                    faults.Add(key.Line, "a key must be plain text");
                    continue;
                }
                if (name is { Text: "<<", Plain: true } && value is YamlMap other)
                {
                    merged.Add(other);
                    continue;
                }
                if (!seen.TryAdd(name.Text, name.Line))
                {
                    faults.Add(name.Line, $"\"{name.Text}\" is set twice; first in line {seen[name.Text]}");
                    continue;
                }
                map.Entries.Add((name, value));
            }
            foreach ((YamlText Key, YamlValue Value) entry in merged.SelectMany(m => m.Entries))
            {
                if (seen.TryAdd(entry.Key.Text, entry.Key.Line)) map.Entries.Add(entry);
            }
            return map;
        }

        bool Count(YamlValue whole, YamlValue part)
        {
            whole.Weight += part.Weight;
            if (whole.Weight <= MaxValues) return true;
            Refuse(part.Line, $"stands for more than {MaxValues} values once its aliases are written out");
            return false;
        }
    }
}
