using System.Globalization;
using System.Text.Json;
using Nfr.Health;
using Nfr.Logs;
using Nfr.Pipeline;
using Nfr.Wire;

namespace Nfr.Commands;

/// <summary>
/// "nfr status --ledger", 78 columns wide: a section a stage with the whole run and the last interval side by side, and each list. What is zero and usually is
/// stays away; --json has it.
/// </summary>
static class LedgerScreen
{
    const int NameWidth = 42;
    const int NumberWidth = 17;

    enum Kind
    {
        Always,
        IfAny,
        /// <summary>Shown if any, and marked: something is gone.</summary>
        Loss,
    }

    sealed record Row(string Name, string Run, string Interval = "", ScreenMark Mark = ScreenMark.None);

    sealed record Section(string Title, IReadOnlyList<Row> Rows, bool HasIntervals = false);

    static readonly (string Path, string Name, Kind Kind)[] s_port =
    [
        ("nicPackets", "frames on the card", Kind.IfAny), ("nicDropped", "dropped on the card", Kind.Loss), ("nicMissed", "missed by the card", Kind.Loss),
        ("nicFifoErrors", "overrun on the card", Kind.Loss), ("received", "frames that came in", Kind.Always), ("dropped", "dropped by the kernel, ring full", Kind.Loss),
        ("abandoned", "given up in their block", Kind.Loss), ("lostToMistakes", "lost to mistakes in nfr itself", Kind.Loss), ("waiting", "waiting in the ring", Kind.IfAny),
    ];

    static readonly (string Path, string Name, Kind Kind)[] s_input =
    [
        ("lines", "lines read", Kind.Always), ("bytes", "bytes", Kind.Always), ("rotations", "files taken up anew", Kind.IfAny), ("lostBytes", "bytes gone before they were read", Kind.Loss),
        ("lost", "messages or files gone before they were read", Kind.Loss), ("refused", "refused, from who may not send", Kind.IfAny), ("mistakes", "lost to mistakes in nfr itself", Kind.Loss),
    ];

    static readonly (string Path, string Name, Kind Kind)[] s_decoding =
    [
        ("packets", "frames", Kind.Always), ("bytes", "bytes", Kind.Always), ("parsed", "put to a flow", Kind.Always), ("nonIp", "not IP", Kind.IfAny), ("fragments", "fragments", Kind.IfAny),
        ("truncated", "cut short by the capture", Kind.IfAny), ("tcp.payloadBytes", "TCP payload, bytes", Kind.IfAny), ("tcp.missedBytes", "TCP bytes missed before our port", Kind.Loss),
    ];

    static readonly (string Path, string Name, Kind Kind)[] s_flows =
    [
        ("flows.opened", "flows opened", Kind.Always), ("flows.closed", "flows ended", Kind.Always), ("flows.evicted", "of them early, table full", Kind.Loss), ("flows.open", "flows open now", Kind.Always),
        ("flows.detailsRefused", "without details, their table full", Kind.IfAny), ("flows.tunnelsShared", "sharing a tunnel's entry", Kind.IfAny),
    ];

    static readonly (string Path, string Name, Kind Kind)[] s_stage =
    [
        ("dnsRepeated", "DNS queries sent again", Kind.IfAny), ("pipeline.queued", "waiting for the pipeline", Kind.IfAny), ("pipeline.lostToMistakes", "lost to mistakes in nfr itself", Kind.Loss),
        ("pipeline.unwanted", "of a type that is switched off", Kind.IfAny), ("pipeline.inScope", "in scope", Kind.Always), ("pipeline.scored", "part of a finding", Kind.IfAny),
        ("pipeline.alerts", "alerts raised", Kind.Always), ("pipeline.alertsHeld", "alerts held back, too many of one threat", Kind.Loss), ("pipeline.alertsFetched", "alerts fetched from the engine", Kind.IfAny), ("pipeline.alertsLostToMistakes", "alerts lost to mistakes in nfr itself", Kind.Loss),
    ];

    static readonly (string Path, string Name, Kind Kind)[] s_spool =
    [
        ("spooled", "spooled", Kind.Always), ("delivered", "delivered", Kind.IfAny), ("pending", "waiting to be written down", Kind.IfAny), ("lostBeforeSpool", "lost before the spool", Kind.Loss),
        ("evicted", "evicted, spool full", Kind.Loss), ("quarantined", "put aside as unreadable", Kind.Loss), ("inSpool", "in the spool now", Kind.Always),
    ];

    public static IEnumerable<ScreenLine> Lines(JsonElement root)
    {
        foreach (Section section in Sections(root))
        {
            yield return new(Head(section, root), ScreenMark.Head);
            foreach (Row row in section.Rows)
                yield return new(string.Create(CultureInfo.InvariantCulture, $"  {row.Name.PadRight(NameWidth)}{row.Run,NumberWidth}{row.Interval,NumberWidth}"), row.Mark);
        }
    }

    static string Head(Section section, JsonElement root)
    {
        if (!section.HasIntervals) return section.Title;
        string last = root.TryGetProperty("interval", out JsonElement interval) ? string.Create(CultureInfo.InvariantCulture, $"last {interval.GetProperty("seconds").GetDouble():0} s") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{section.Title.PadRight(NameWidth + 2)}{"whole run",NumberWidth}{last,NumberWidth}");
    }

    static IEnumerable<Section> Sections(JsonElement root)
    {
        JsonElement run = root.GetProperty("run");
        JsonElement? moved = root.TryGetProperty("interval", out JsonElement interval) ? interval.GetProperty("moved") : null;
        yield return Sensor(root, run, moved);
        foreach (JsonProperty port in run.GetProperty("interfaces").EnumerateObject())
            yield return new($"Port {port.Name}", Rows(s_port, port.Value, Find(moved, "interfaces")?.GetProperty(port.Name)), HasIntervals: true);

        foreach ((JsonElement input, int i) in Inputs(run).Select((input, i) => (input, i)))
            yield return new("Input " + End(Text(input, "name"), NameWidth - 8), Lines(input, moved is { } m ? Inputs(m).ElementAtOrDefault(i) : null), HasIntervals: true);

        List<Row> decoding = Rows(s_decoding, run, moved);
        if (Find(run, "tcp.missedRatio") is { } ratio && ratio.GetDouble() > 0)
            decoding.Add(new("of what was acknowledged", ratio.GetDouble().ToString("P2", CultureInfo.InvariantCulture), Find(moved, "tcp.missedRatio")?.GetDouble().ToString("P2", CultureInfo.InvariantCulture) ?? ""));
        foreach (JsonProperty fault in run.GetProperty("faults").EnumerateObject()) decoding.Add(Pair("fault: " + FaultWords(fault.Name), fault.Value, Find(moved, "faults"), fault.Name));
        decoding.AddRange(Rows(s_flows, run, moved));
        yield return new("Decoding", decoding, HasIntervals: true);

        List<Row> events = [];
        foreach (JsonProperty type in run.GetProperty("events").EnumerateObject()) events.Add(Pair(type.Name, type.Value, Find(moved, "events"), type.Name));
        foreach (JsonProperty type in run.GetProperty("droppedEvents").EnumerateObject().Where(t => t.Value.GetInt64() != 0)) events.Add(Pair($"{type.Name} dropped, pipeline behind", type.Value, Find(moved, "droppedEvents"), type.Name, ScreenMark.Bad));
        foreach (JsonProperty reason in Find(run, "pipeline.outOfScope")?.EnumerateObject() ?? default) events.Add(Pair("not in scope: " + Words(reason.Name), reason.Value, Find(moved, "pipeline.outOfScope"), reason.Name));
        events.AddRange(Rows(s_stage, run, moved));
        yield return new("Events", events, HasIntervals: true);

        List<Row> spool = Rows(s_spool, Find(run, "spool"), Find(moved, "spool"), "events ");
        spool.AddRange(Rows(s_spool, Find(run, "alertSpool"), Find(moved, "alertSpool"), "alerts "));
        if (Find(root, "spool") is { } now)
        {
            spool.Add(new("on disk", Sizes.Of(now.GetProperty("bytesOnDisk").GetInt64()), "of " + Sizes.Of(now.GetProperty("maxBytes").GetInt64())));
            if (now.GetProperty("faults").GetInt64() is > 0 and var faults) spool.Add(new("faults", Number(faults), "", ScreenMark.Bad));
        }
        yield return new("Spool", spool, HasIntervals: true);
        if (root.TryGetProperty("lists", out JsonElement lists) && lists.GetArrayLength() > 0) yield return new("Lists", Lists(lists));
    }

    /// <summary>Of each source the same place in every ledger; an older sensor has none.</summary>
    static JsonElement[] Inputs(JsonElement ledger) => ledger.TryGetProperty("inputs", out JsonElement inputs) ? [.. inputs.EnumerateArray()] : [];

    static List<Row> Lines(JsonElement input, JsonElement? moved)
    {
        List<Row> rows = Rows(s_input, input, moved), verdicts = [];
        foreach (LineVerdict verdict in Enum.GetValues<LineVerdict>())
        {
            string path = "verdicts." + verdict.Name();
            if (Find(input, path) is { } count && count.GetInt64() != 0) verdicts.Add(Pair("  " + Begin(InputEntry.Spell(verdict), NameWidth - 2), count, moved, path, verdict.IsSkip() ? ScreenMark.Notice : ScreenMark.None));
        }
        rows.InsertRange(1, verdicts);
        return rows;
    }

    static string Begin(string text, int width) => text.Length <= width ? text : text[..(width - 3)] + "...";

    /// <summary>A path's end says more than its beginning.</summary>
    static string End(string text, int width) => text.Length <= width ? text : "..." + text[^(width - 3)..];

    /// <summary>Indicators of each, and the age of a fetched one's copy; what hinders it stands below.</summary>
    static List<Row> Lists(JsonElement lists)
    {
        List<Row> rows = [];
        foreach (JsonElement list in lists.EnumerateArray())
        {
            string age = list.TryGetProperty("ageSeconds", out JsonElement seconds) ? Ages.Of(TimeSpan.FromSeconds(Math.Max(0, seconds.GetDouble()))) + " old" : "";
            string name = Text(list, "name");
            bool failing = list.GetProperty("problem").ValueKind == JsonValueKind.String;
            rows.Add(new(name.Length < NameWidth ? name : name[..(NameWidth - 4)] + "...", Number(list.GetProperty("indicators").GetInt64()), age, failing ? ScreenMark.Bad : ScreenMark.None));
            if (list.GetProperty("faults").GetInt64() is > 0 and var faults) rows.Add(new("  lines that cannot be used", Number(faults)));
            if (failing) rows.Add(new("  " + Text(list, "problem"), "", "", ScreenMark.Bad));
        }
        return rows;
    }

    static Section Sensor(JsonElement root, JsonElement run, JsonElement? moved)
    {
        JsonElement clock = root.GetProperty("clock");
        List<Row> rows = [];
        rows.Add(new("running for", TimeSpan.FromSeconds(Math.Round(clock.GetProperty("uptimeSeconds").GetDouble())).ToString("c", CultureInfo.InvariantCulture)));
        rows.Add(new("clock", clock.GetProperty("now").GetDateTime().ToString("u", CultureInfo.InvariantCulture)));
        if (clock.GetProperty("setSeconds").GetDouble() is var set && Math.Abs(set) >= 1) rows.Add(new("clock set since the start by", string.Create(CultureInfo.InvariantCulture, $"{set:0.0} s")));
        // A word, not a sentence: the eye goes along the column.
        rows.Add(Sums("the ledger", run));
        if (moved is { } last) rows.Add(Sums("the ledger of the last interval", last));
        foreach (JsonElement gap in run.GetProperty("gaps").EnumerateArray()) rows.Add(new("  " + gap.GetString(), "", "", ScreenMark.Bad));
        return new($"Sensor {Text(root, "sensor")}, nfr {Text(root, "version")}", rows);
    }

    static Row Sums(string name, JsonElement ledger) => ledger.GetProperty("closes").GetBoolean()
        ? new(name, ledger.GetProperty("exact").GetBoolean() ? "adds up" : "no time to ask", "", ScreenMark.Good)
        : new(name, "does NOT add up", "", ScreenMark.Bad);

    static List<Row> Rows((string Path, string Name, Kind Kind)[] what, JsonElement? run, JsonElement? moved, string lead = "")
    {
        List<Row> rows = [];
        foreach ((string path, string name, Kind kind) in what)
        {
            if (Find(run, path) is not { } value) continue;
            long count = value.GetInt64();
            if (count != 0 || kind == Kind.Always) rows.Add(Pair(lead + name, value, moved, path, kind == Kind.Loss ? ScreenMark.Bad : ScreenMark.None));
        }
        return rows;
    }

    static Row Pair(string name, JsonElement value, JsonElement? moved, string path, ScreenMark mark = ScreenMark.None) =>
        new(name, Number(value.GetInt64()), moved is null ? "" : Number(Find(moved, path)?.GetInt64() ?? 0), mark);

    static JsonElement? Find(JsonElement? element, string path)
    {
        foreach (string name in path.Split('.'))
        {
            if (element is not { } parent || !parent.TryGetProperty(name, out JsonElement child)) return null;
            element = child;
        }
        return element;
    }

    static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    static string Text(JsonElement element, string name) => Printable.Of(element.GetProperty(name).GetString() ?? "");

    static string FaultWords(string name) => Enum.TryParse(name, ignoreCase: true, out DecodeFault fault) ? LedgerText.Spell(fault) : Words(name);

    /// <summary>"lostBeforeSpool" as "lost before spool".</summary>
    static string Words(string name) => string.Concat(name.Select(c => char.IsUpper(c) ? " " + char.ToLowerInvariant(c) : c == '_' ? " " : c.ToString()));
}
