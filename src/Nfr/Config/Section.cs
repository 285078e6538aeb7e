using System.Globalization;

namespace Nfr.Config;

/// <summary>
/// Reads the keys of one mapping. What is asked for is what is known: <see cref="End"/> makes a fault of every other key, and reading an
/// empty file with <see cref="ConfigSource.AskAll"/> lists every key there is. A faulty value gives its default and a fault.
/// </summary>
sealed class Section(ConfigSource source, string path, YamlMap? map, int line)
{
    readonly HashSet<string> _asked = [];

    public int Line => line;
    public bool Present => map is not null;

    // The empty key is the section itself.
    string Full(string key) => path.Length == 0 ? key : key.Length == 0 ? path : path + "." + key;

    /// <summary>The line of a key, or of the section when the key is not there.</summary>
    public int LineOf(string key) => map?.Find(key, out YamlText? k) is not null ? k!.Line : line;

    public bool Has(string key) => map?.Find(key, out _) is { } v && v is not YamlText { IsNull: true };

    public void Fault(string key, string message) => source.Faults.Add(LineOf(key), $"{Full(key)}: {message}");

    public void Note(string key, string message) => source.Faults.Note(LineOf(key), $"{Full(key)}: {message}");

    YamlValue? Take(string key)
    {
        _asked.Add(key);
        source.Know(Full(key));
        if (map?.Find(key, out YamlText? k) is not { } value) return null;
        source.Lines[Full(key)] = k!.Line;
        return value is YamlText { IsNull: true } ? null : value;
    }

    YamlText? Scalar(string key, string expected)
    {
        YamlValue? value = Take(key);
        if (value is null or YamlText) return value as YamlText;
        source.Faults.Add(value.Line, $"{Full(key)}: expected {expected}, found {(value is YamlList ? "a list" : "more keys")}");
        return null;
    }

    void Wrong(string key, YamlText value, string expected) =>
        source.Faults.Add(value.Line, $"{Full(key)}: expected {expected}, found \"{Short(value.Text)}\"");

    /// <summary>A fault at a line of a value rather than of a key.</summary>
    public void FaultAt(int atLine, string key, string message) => source.Faults.Add(atLine, $"{Full(key)}: {message}");

    /// <summary>A path as seen from the folder of the config file.</summary>
    public string FullPath(string text) => Path.GetFullPath(text, source.Folder);

    static string Short(string text) => text.Length <= 60 ? text : text[..57] + "...";

    /// <summary>Text; nothing and the empty text are <paramref name="fallback"/>.</summary>
    public string? Text(string key, string? fallback = null, string expected = "text")
    {
        YamlText? value = Scalar(key, expected);
        return string.IsNullOrEmpty(value?.Text) ? fallback : value.Text;
    }

    /// <summary>True when the key is there and holds the empty text in quotes: "none" to some keys.</summary>
    public bool IsEmptyText(string key) => map?.Find(key, out _) is YamlText { Text: "", Plain: false };

    public bool Flag(string key, bool fallback)
    {
        const string Expected = "true or false";
        YamlText? value = Scalar(key, Expected);
        if (value is null) return fallback;
        if (value.Plain)
        {
            switch (value.Text.ToLowerInvariant())
            {
                // Go's reader takes the YAML 1.1 words too.
                case "true" or "yes" or "on" or "y": return true;
                case "false" or "no" or "off" or "n": return false;
                default: break;
            }
        }
        Wrong(key, value, value.Plain ? Expected : Expected + " without quotes");
        return fallback;
    }

    public int Integer(string key, int fallback, int least, int most)
    {
        string expected = most == int.MaxValue ? $"a whole number of at least {least}" : $"a whole number from {least} to {most}";
        YamlText? value = Scalar(key, expected);
        if (value is null) return fallback;
        if (value.Plain && int.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            && number >= least && number <= most) return number;
        Wrong(key, value, expected);
        return fallback;
    }

    // bareSeconds: a number without a unit is seconds; else it is a fault, because nobody can know what was meant.
    public TimeSpan Duration(string key, TimeSpan fallback, TimeSpan least, TimeSpan most, bool bareSeconds = false)
    {
        string expected = $"a duration from {GoDuration.Format(least)} to {GoDuration.Format(most)}, such as {GoDuration.Format(fallback)}";
        YamlText? value = Scalar(key, expected);
        if (value is null) return fallback;
        bool bare = decimal.TryParse(value.Text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal seconds);
        TimeSpan duration;
        if (bare && bareSeconds && seconds <= 1_000_000_000) duration = new TimeSpan((long)(seconds * TimeSpan.TicksPerSecond));
        else if (!GoDuration.TryParse(value.Text, out duration))
        {
            Wrong(key, value, bare && !bareSeconds ? expected + " (a number needs a unit: ms, s, m or h)" : expected);
            return fallback;
        }
        if (duration >= least && duration <= most) return duration;
        Wrong(key, value, expected);
        return fallback;
    }

    public long Size(string key, long fallback, long least, long most)
    {
        string expected = $"a size from {ByteSize.Format(least)} to {ByteSize.Format(most)}, such as {ByteSize.Format(fallback)}";
        YamlText? value = Scalar(key, expected);
        if (value is null) return fallback;
        if (ByteSize.TryParse(value.Text, out long bytes) && bytes >= least && bytes <= most) return bytes;
        Wrong(key, value, expected);
        return fallback;
    }

    /// <summary>One of a few words; "" in <paramref name="words"/> lets the empty text stand.</summary>
    public string Choice(string key, string fallback, params ReadOnlySpan<string> words)
    {
        string expected = "one of " + string.Join(", ", words.ToArray().Where(w => w.Length > 0));
        YamlText? value = Scalar(key, expected);
        if (string.IsNullOrEmpty(value?.Text)) return fallback;
        foreach (string word in words)
        {
            if (word == value.Text) return word;
        }
        Wrong(key, value, expected);
        return fallback;
    }

    /// <summary>A path; a relative one is seen from the folder of the config file. <paramref name="words"/> (stdout, …) stay as they are.</summary>
    public string? FilePath(string key, string? fallback, params ReadOnlySpan<string> words)
    {
        string? text = Text(key, fallback, "a path");
        if (text is null) return null;
        foreach (string word in words)
        {
            if (text == word) return text;
        }
        if (!text.Contains('\0', StringComparison.Ordinal)) return Path.GetFullPath(text, source.Folder);
        Fault(key, "a path cannot hold a zero byte");
        return fallback;
    }

    public IReadOnlyList<string> Texts(string key) => [.. Entries(key).Select(e => e.Text)];

    /// <summary>A list of texts with their lines; one text stands for a list of one.</summary>
    public IReadOnlyList<(string Text, int Line)> Entries(string key)
    {
        List<(string, int)> texts = [];
        YamlValue? value = Take(key);
        if (value is YamlText one)
        {
            if (one.Text.Length > 0) texts.Add((one.Text, one.Line));
        }
        else if (value is YamlList list)
        {
            foreach (YamlValue item in list.Items)
            {
                if (item is YamlText { IsNull: true }) continue;
                if (item is YamlText { Text.Length: > 0 } text) texts.Add((text.Text, text.Line));
                else source.Faults.Add(item.Line, $"{Full(key)}: expected text in each item of the list");
            }
        }
        else if (value is not null) source.Faults.Add(value.Line, $"{Full(key)}: expected a list of texts, found more keys");
        return texts;
    }

    /// <summary>The section under a key; an absent or empty one reads as all defaults.</summary>
    public Section Under(string key)
    {
        YamlValue? value = Take(key);
        if (value is not null and not YamlMap)
            source.Faults.Add(value.Line, $"{Full(key)}: expected keys under it, found {(value is YamlList ? "a list" : "a value")}");
        return new Section(source, Full(key), value as YamlMap, value is null ? LineOf(key) : Math.Min(value.Line, LineOf(key)));
    }

    /// <summary>The sections of a list under a key.</summary>
    public IEnumerable<Section> Items(string key)
    {
        YamlValue? value = Take(key);
        if (value is YamlList list)
        {
            for (int i = 0; i < list.Items.Count; i++)
            {
                YamlValue item = list.Items[i];
                if (item is YamlText { IsNull: true }) continue;
                if (item is YamlMap map) yield return new Section(source, $"{Full(key)}[{i}]", map, item.Line);
                else source.Faults.Add(item.Line, $"{Full(key)}: expected keys in each item of the list");
            }
        }
        else if (value is not null) source.Faults.Add(value.Line, $"{Full(key)}: expected a list, each item beginning with \"- \"");
        else if (source.AskAll) yield return new Section(source, Full(key) + "[0]", null, line);
    }

    /// <summary>A list whose items are texts or sections; one text stands for a list of one.</summary>
    public IEnumerable<(YamlText? Text, Section? Section)> Mixed(string key, string expected)
    {
        YamlValue? value = Take(key);
        if (value is YamlText one)
        {
            if (one.Text.Length > 0) yield return (one, null);
        }
        else if (value is YamlList list)
        {
            for (int i = 0; i < list.Items.Count; i++)
            {
                YamlValue item = list.Items[i];
                if (item is YamlText { IsNull: true }) continue;
                if (item is YamlText { Text.Length: > 0 } text) yield return (text, null);
                else if (item is YamlMap map) yield return (null, new Section(source, $"{Full(key)}[{i}]", map, item.Line));
                else source.Faults.Add(item.Line, $"{Full(key)}: expected {expected} in each item of the list");
            }
        }
        else if (value is not null) source.Faults.Add(value.Line, $"{Full(key)}: expected {expected}, or a list of these");
        else if (source.AskAll) yield return (null, new Section(source, Full(key) + "[0]", null, line));
    }

    /// <summary>Texts under keys that the file's author names, with their lines.</summary>
    public IEnumerable<(string Name, string Text, int Line)> Pairs(string key)
    {
        YamlValue? value = Take(key);
        if (value is YamlMap named)
        {
            foreach ((YamlText name, YamlValue under) in named.Entries)
            {
                if (under is YamlText text) yield return (name.Text, text.IsNull ? "" : text.Text, name.Line);
                else source.Faults.Add(under.Line, $"{Full(key)}.{name.Text}: expected text");
            }
        }
        else if (value is not null) source.Faults.Add(value.Line, $"{Full(key)}: expected names with a text behind each");
    }

    /// <summary>The sections under keys that the file's author names.</summary>
    public IEnumerable<(string Name, Section Section)> Named(string key)
    {
        YamlValue? value = Take(key);
        if (value is YamlMap named)
        {
            foreach ((YamlText name, YamlValue under) in named.Entries)
            {
                if (under is YamlMap or YamlText { IsNull: true })
                    yield return (name.Text, new Section(source, $"{Full(key)}.{name.Text}", under as YamlMap, name.Line));
                else source.Faults.Add(under.Line, $"{Full(key)}.{name.Text}: expected keys under it, found {(under is YamlList ? "a list" : "a value")}");
            }
        }
        else if (value is not null) source.Faults.Add(value.Line, $"{Full(key)}: expected names with keys under them");
        else if (source.AskAll) yield return ("NAME", new Section(source, Full(key) + ".NAME", null, line));
    }

    /// <summary>Every key that nobody asked for is a fault that names the nearest known one.</summary>
    public void End()
    {
        if (map is null) return;
        foreach ((YamlText key, _) in map.Entries)
        {
            if (_asked.Contains(key.Text)) continue;
            string where = path.Length == 0 ? "" : $" in {path}";
            string advice = Renamed.TryGetValue(Full(key.Text), out string? now) ? $"it is called {now} now"
                : Nearest.To(key.Text, _asked) is { } near ? $"did you mean \"{near}\"?"
                : _asked.Count > 12 ? "see the shipped config.yml for all keys"
                : "known are " + string.Join(", ", _asked.Order(StringComparer.Ordinal));
            source.Faults.Add(key.Line, $"unknown key \"{Short(key.Text)}\"{where}; {advice}");
        }
    }

    // Root keys of the tool before its version 1.1.
    static readonly Dictionary<string, string> Renamed = new()
    {
        ["alphasoc"] = "engine",
        ["network"] = "inputs.sniffer",
        ["events"] = "outputs (alerts) and engine.alerts (polling)",
        ["queries"] = "dns_events",
    };
}

/// <summary>What the sections of one file share.</summary>
sealed class ConfigSource(FaultList faults, string folder, bool askAll = false)
{
    public FaultList Faults => faults;
    /// <summary>Relative paths are seen from here.</summary>
    public string Folder => folder;
    /// <summary>Also ask for the keys of list items that are not there, to learn every key.</summary>
    public bool AskAll => askAll;
    public SortedSet<string> Known { get; } = new(StringComparer.Ordinal);
    /// <summary>Lines of the keys that the file has, by full name such as inputs.monitor[0].file.</summary>
    public Dictionary<string, int> Lines { get; } = [];

    public void Know(string fullKey)
    {
        if (askAll) Known.Add(fullKey.Replace("[0]", "[]", StringComparison.Ordinal));
    }
}
