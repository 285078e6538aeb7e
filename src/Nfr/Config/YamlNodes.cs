namespace Nfr.Config;

/// <summary>A value of a YAML file and the line where it begins.</summary>
abstract class YamlValue(int line)
{
    public int Line => line;
    /// <summary>Values in it when its aliases are written out.</summary>
    public long Weight = 1;
}

/// <summary>A scalar. <see cref="Plain"/> = written without quotes, so that it may be a number, a truth value or nothing.</summary>
sealed class YamlText(int line, int column, int endLine, int endColumn, string text, bool plain) : YamlValue(line)
{
    /// <summary>From 1, as the columns below.</summary>
    public int Column => column;
    public int EndLine => endLine;
    /// <summary>The column after its last character.</summary>
    public int EndColumn => endColumn;
    public string Text => text;
    public bool Plain => plain;
    public bool IsNull => plain && text is "" or "~" or "null" or "Null" or "NULL" && plain;
}

sealed class YamlList(int line) : YamlValue(line)
{
    public readonly List<YamlValue> Items = [];
}

sealed class YamlMap(int line, bool flow) : YamlValue(line)
{
    public bool Flow => flow;
    public readonly List<(YamlText Key, YamlValue Value)> Entries = [];

    public YamlValue? Find(string key, out YamlText? keyNode)
    {
        foreach ((YamlText k, YamlValue value) in Entries)
        {
            if (k.Text != key) continue;
            keyNode = k;
            return value;
        }
        keyNode = null;
        return null;
    }
}
