using System.Globalization;
using System.Text.Json;
using Nfr.Config;
using Spectre.Console;

namespace Nfr.Commands;

/// <summary>A status answer for people: tables on a terminal, plain rows where the output goes elsewhere.</summary>
static class StatusScreen
{
    sealed record Row(string Name, string Value, string Interval = "");

    public static void Write(byte[] answer, Terminal terminal)
    {
        using JsonDocument document = JsonDocument.Parse(answer);
        JsonElement root = document.RootElement;
        IEnumerable<(string Title, List<Row> Rows)> tables = Tables(root);
        if (Console.IsOutputRedirected || !ReferenceEquals(terminal.Out, Console.Out)) Plain(tables, terminal.Out);
        else Draw(tables);
    }

    static void Plain(IEnumerable<(string Title, List<Row> Rows)> tables, TextWriter output)
    {
        foreach ((string title, List<Row> rows) in tables)
        {
            output.WriteLine(title);
            foreach (Row row in rows) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {row.Name,-34} {row.Value,18} {row.Interval,18}").TrimEnd());
        }
    }

    static void Draw(IEnumerable<(string Title, List<Row> Rows)> tables)
    {
        foreach ((string title, List<Row> rows) in tables)
        {
            var table = new Table { Border = TableBorder.Rounded };
            table.AddColumn(new TableColumn(Markup.Escape(title)));
            table.AddColumn(new TableColumn("").RightAligned());
            table.AddColumn(new TableColumn("").RightAligned());
            foreach (Row row in rows) table.AddRow(Markup.Escape(row.Name), Markup.Escape(row.Value), Markup.Escape(row.Interval));
            AnsiConsole.Write(table);
        }
    }

    static IEnumerable<(string, List<Row>)> Tables(JsonElement root)
    {
        JsonElement clock = root.GetProperty("clock"), run = root.GetProperty("run");
        JsonElement? moved = root.TryGetProperty("interval", out JsonElement interval) ? interval.GetProperty("moved") : null;
        List<Row> sensor =
        [
            new("version", Text(root, "version")),
            new("running for", TimeSpan.FromSeconds(Math.Round(clock.GetProperty("uptimeSeconds").GetDouble())).ToString("c", CultureInfo.InvariantCulture)),
            new("clock", clock.GetProperty("now").GetDateTime().ToString("u", CultureInfo.InvariantCulture)),
            new("clock set since the start by", string.Create(CultureInfo.InvariantCulture, $"{clock.GetProperty("setSeconds").GetDouble():0.0} s")),
        ];
        sensor.AddRange(root.GetProperty("troubles").EnumerateArray().Select(t => new Row("TROUBLE", t.GetString()!)));
        yield return ("Sensor", sensor);

        string last = moved is null ? "" : string.Create(CultureInfo.InvariantCulture, $"last {interval.GetProperty("seconds").GetDouble():0} s");
        List<Row> capture = [new("", "whole run", last)];
        foreach (JsonProperty port in run.GetProperty("interfaces").EnumerateObject())
        {
            JsonElement? then = moved?.GetProperty("interfaces").GetProperty(port.Name);
            foreach (JsonProperty number in port.Value.EnumerateObject()) capture.Add(Pair($"{port.Name} {Words(number.Name)}", number.Value, then, number.Name));
        }
        foreach (string name in (string[])["packets", "bytes", "parsed", "nonIp", "fragments", "packetFaults"]) capture.Add(Pair(Words(name), run.GetProperty(name), moved, name));
        foreach (JsonProperty fault in run.GetProperty("faults").EnumerateObject()) capture.Add(Pair("fault: " + Words(fault.Name), fault.Value, moved?.GetProperty("faults"), fault.Name));
        Section(capture, "tcp", run, moved, "tcp ");
        yield return ("Capture", capture);

        List<Row> events = [new("", "whole run", last)];
        Section(events, "flows", run, moved, "flows ");
        Section(events, "events", run, moved, "events ");
        Section(events, "droppedEvents", run, moved, "dropped ");
        Section(events, "pipeline", run, moved, "");
        events.Add(Pair("mistakes in nfr itself", run.GetProperty("mistakes"), moved, "mistakes"));
        yield return ("Events", events);

        List<Row> spool = [new("", "whole run", last)];
        Section(spool, "spool", run, moved, "events ");
        Section(spool, "alertSpool", run, moved, "alerts ");
        if (root.TryGetProperty("spool", out JsonElement now))
        {
            spool.Add(new("on disk", $"{ByteSize.Format(now.GetProperty("bytesOnDisk").GetInt64())}"));
            spool.Add(new("at most", ByteSize.Format(now.GetProperty("maxBytes").GetInt64())));
            spool.Add(new("faults", Number(now.GetProperty("faults"))));
        }
        yield return ("Spool", spool);

        List<Row> away = [new("engine", Text(root.GetProperty("uplink"), "engine"))];
        if (root.GetProperty("uplink").TryGetProperty("types", out JsonElement types))
        {
            foreach (JsonProperty type in types.EnumerateObject()) away.Add(new($"{type.Name} delivered", Number(type.Value.GetProperty("deliveredEvents")), Text(type.Value, "phase")));
        }
        foreach (JsonElement output in root.GetProperty("outputs").EnumerateArray()) away.Add(new($"alerts to {Text(output, "target")}", Number(output.GetProperty("alerts"))));
        yield return ("Uplink and outputs", away);

        List<Row> sums = [new("whole run", run.GetProperty("closes").GetBoolean() ? "adds up" : "does NOT add up")];
        sums.AddRange(run.GetProperty("gaps").EnumerateArray().Select(g => new Row(g.GetString()!, "")));
        if (moved is { } m)
        {
            sums.Add(new(last, m.GetProperty("closes").GetBoolean() ? "adds up" : "does NOT add up"));
            sums.AddRange(m.GetProperty("gaps").EnumerateArray().Select(g => new Row(g.GetString()!, "")));
        }
        yield return ("Ledger", sums);
    }

    static void Section(List<Row> rows, string name, JsonElement run, JsonElement? moved, string lead)
    {
        if (!run.TryGetProperty(name, out JsonElement section)) return;
        JsonElement? then = moved is { } m && m.TryGetProperty(name, out JsonElement part) ? part : null;
        foreach (JsonProperty number in section.EnumerateObject())
        {
            if (number.Value.ValueKind == JsonValueKind.Number) rows.Add(Pair(lead + Words(number.Name), number.Value, then, number.Name));
            else Section(rows, number.Name, section, then, Words(number.Name) + ": ");
        }
    }

    static Row Pair(string name, JsonElement value, JsonElement? moved, string key) =>
        new(name, Number(value), moved is { } m && m.TryGetProperty(key, out JsonElement then) ? Number(then) : "");

    static string Number(JsonElement value) => value.TryGetInt64(out long whole) ? whole.ToString("N0", CultureInfo.InvariantCulture) : value.GetDouble().ToString("0.######", CultureInfo.InvariantCulture);

    static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? "";

    /// <summary>"lostBeforeSpool" as "lost before spool".</summary>
    static string Words(string name) => string.Concat(name.Select(c => char.IsUpper(c) ? " " + char.ToLowerInvariant(c) : c == '_' ? " " : c.ToString()));
}
