using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>outputs.targets: any number of places for alerts, several of one kind too.</summary>
static class TargetConfig
{
    /// <summary>The names of what is set by outputs.file, outputs.syslog, outputs.graylog and outputs.elastic: their bookmarks' names.</summary>
    static readonly string[] s_taken = ["file", "syslog", "graylog", "elastic"];

    /// <param name="Key">The section that makes an item one of this kind.</param>
    /// <param name="Formats">Words for <c>format</c>, the default first; empty = the kind has one way only.</param>
    /// <param name="Read">Reads the section to its end; null when a fault was found.</param>
    sealed record Kind(string Key, string[] Formats, Func<Section, SinkOptions?> Read);

    static readonly Kind[] s_kinds =
    [
        new("file", ["json", "cef", "leef", "ecs", "ocsf"], FileTarget.Read),
        new("syslog", ["json", "cef", "leef", "ecs", "ocsf"], SyslogTarget.Read),
        new("gelf", [], GelfTarget.Read),
        new("mail", [], MailTarget.Read),
        new("webhook", ["json", "ecs", "ocsf"], WebhookTarget.Read),
        new("elastic", ["ecs"], ElasticTarget.Read),
    ];

    public static IReadOnlyList<OutputOptions> Read(Section outputs)
    {
        List<OutputOptions> targets = [];
        foreach (Section item in outputs.Items("targets"))
        {
            if (ReadItem(item, targets) is { } target) targets.Add(target);
        }
        return targets;
    }

    static OutputOptions? ReadItem(Section item, List<OutputOptions> before)
    {
        string name = item.Text("name", expected: "a name") ?? "";
        Kind[] set = [.. s_kinds.Where(k => item.Has(k.Key))];
        string[] formats = set.Length == 1 ? set[0].Formats : [.. s_kinds.SelectMany(k => k.Formats).Distinct()];
        string format = formats.Length == 0 ? "" : item.Choice("format", formats[0], formats);
        if (formats.Length == 0 && item.Has("format")) item.Fault("format", $"{set[0].Key} has one format of its own; remove this key");
        if (formats.Length == 0) item.Text("format");
        SinkOptions? sink = null;
        foreach (Kind kind in s_kinds)
        {
            // An item that is not there is asked for all kinds' keys, to learn them.
            Section section = item.Under(kind.Key);
            if (item.Has(kind.Key) || !item.Present) sink = kind.Read(section);
        }
        AlertFilter filter = ReadFilter(item.Under("filter"));
        item.End();
        if (!item.Present) return null;
        if (name.Length == 0) item.Fault("name", "missing; each target needs a name of its own, which its progress is kept by");
        else if (s_taken.Contains(name) || before.Any(t => t.Name == name)) item.Fault("name", $"\"{name}\" is taken by another output; choose a name of its own, since its progress is kept by it");
        if (set.Length != 1) item.Fault("", $"expected exactly one of {string.Join(", ", s_kinds.Select(k => k.Key))}, found {(set.Length == 0 ? item.Has("stdout") || item.Has("stderr") ? "none; stdout and stderr are paths of file, as in file: {path: stdout}" : "none" : string.Join(" and ", set.Select(k => k.Key)))}");
        if (sink is null || name.Length == 0 || set.Length != 1) return null;
        return new OutputOptions { Name = name, Sink = sink, Format = FormatOf(format), Filter = filter };
    }

    static AlertFilter ReadFilter(Section s)
    {
        var filter = new AlertFilter { Severity = s.Integer("severity", 1, 1, 5), Groups = s.Texts("groups"), Threats = s.Texts("threats") };
        s.End();
        return filter;
    }

    /// <summary>False for kinds that have one way of their own.</summary>
    public static bool HasFormat(OutputOptions output) => output.Sink is FileSinkOptions or StreamSinkOptions or SyslogSinkOptions or WebhookSinkOptions;

    /// <summary>The word in the config.</summary>
    public static string WordOf(AlertFormat format) => format.ToString().ToLowerInvariant();

    public static AlertFormat FormatOf(string word) => word switch
    {
        "cef" => AlertFormat.Cef,
        "leef" => AlertFormat.Leef,
        "ecs" => AlertFormat.Ecs,
        "ocsf" => AlertFormat.Ocsf,
        _ => AlertFormat.Json,
    };
}
