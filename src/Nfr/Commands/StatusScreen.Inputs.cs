using System.Globalization;
using System.Text.Json;
using Nfr.Health;

namespace Nfr.Commands;

// What is read beside packets: logs, listeners, searches.
static partial class StatusScreen
{
    /// <summary>An older sensor does not have the key.</summary>
    static JsonElement[] Inputs(JsonElement root) => root.TryGetProperty("inputs", out JsonElement inputs) ? [.. inputs.EnumerateArray()] : [];

    static IEnumerable<ScreenLine> Inputs(JsonElement root, DateTime now)
    {
        JsonElement[] inputs = Inputs(root);
        if (inputs.Length > 0) yield return new("Inputs                                   lines      events   skipped  last ago", ScreenMark.Head);
        foreach (JsonElement input in inputs)
        {
            bool failing = Said(input, "trouble");
            string last = Moment(input, "lastLine") is { } at ? Ages.Of(now > at ? now - at : TimeSpan.Zero) : "never";
            string name = End("  ", Text(input, "name"), failing ? 25 : 33) + (failing ? " FAILING" : "");
            long skipped = Count(input, "skipped"), behind = Count(input, "behind"), lost = Count(input, "lostBytes"), gone = Count(input, "lost"), refused = Count(input, "refused");
            yield return new(string.Create(CultureInfo.InvariantCulture, $"{name,-33}{Number(Count(input, "lines")),13}{Number(Count(input, "events")),12}{Number(skipped),10}{last,10}"), failing ? ScreenMark.Bad : ScreenMark.None);
            if (failing) yield return new(Cut($"    {Text(input, "trouble")}", Width), ScreenMark.Bad);
            string where = Text(input, "where");
            string rest = string.Join(", ", new[]
            {
                behind == 0 ? "" : Text(input, "input") == "elastic" ? $"{Number(behind)} documents behind" : $"{Sizes.Of(behind)} behind",
                lost == 0 ? "" : $"{Sizes.Of(lost)} gone unread",
                gone == 0 ? "" : $"{Number(gone)} lost unread",
                refused == 0 ? "" : $"{Number(refused)} refused",
            }.Where(w => w.Length > 0));
            if (rest.Length > 0 || (where.Length > 0 && where != Text(input, "name"))) yield return new(rest.Length == 0 ? End("    ", where, Width) : Cut("    " + rest, Width), lost + gone > 0 ? ScreenMark.Notice : ScreenMark.None);
        }
    }

    /// <summary>A path's end says more than its beginning.</summary>
    static string End(string lead, string text, int width) => lead + (lead.Length + text.Length <= width ? text : "..." + text[^(width - lead.Length - 3)..]);
}
