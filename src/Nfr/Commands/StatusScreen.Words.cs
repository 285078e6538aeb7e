using System.Globalization;
using System.Text.Json;
using Nfr.Health;

namespace Nfr.Commands;

// How the screen reads an answer and says numbers.
static partial class StatusScreen
{
    static JsonElement? Find(JsonElement? element, string path)
    {
        foreach (string name in path.Split('.'))
        {
            if (element is not { ValueKind: JsonValueKind.Object } parent || !parent.TryGetProperty(name, out JsonElement child)) return null;
            element = child;
        }
        return element;
    }

    /// <summary>0 when it is not there: a sensor of another version may not tell it.</summary>
    static long Count(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : 0;

    /// <summary>Made fit for a terminal: names and reasons may be another machine's words.</summary>
    static string Text(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) ? Printable.Of(value.GetString() ?? "") : "";

    static DateTime? Moment(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetDateTime() : null;

    static DateTime? Latest(IEnumerable<JsonElement> elements, string name) => elements.Max(e => Moment(e, name));

    static string Ago(DateTime at, DateTime now) => at > now ? "just now" : Ages.Of(now - at) + " ago";

    static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Three digits and a letter: 1.23 M.</summary>
    static string Short(double value)
    {
        string[] units = ["", " k", " M", " G", " T"];
        int unit = 0;
        for (; Math.Abs(value) >= 1000 && unit < units.Length - 1; unit++) value /= 1000;
        return value.ToString(unit == 0 ? "0.#" : Math.Abs(value) >= 99.95 ? "0" : "0.0", CultureInfo.InvariantCulture) + units[unit];
    }

    static string Seconds(double seconds) => seconds switch
    {
        < 0.001 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:0} µs"),
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
    };

    static double Share(long part, long whole) => whole > 0 ? (double)part / whole : 0;

    /// <summary>"3 d 04:05" or "04:05:06".</summary>
    static string Up(TimeSpan span) => span.TotalDays >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{span.Days} d {span.Hours:00}:{span.Minutes:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{span.Hours:00}:{span.Minutes:00}:{span.Seconds:00}");

    static string NotZero(long count, string what) => count == 0 ? "" : $", {Number(count)} {what}";

    static string Join(IEnumerable<string> parts) => string.Join(", ", parts);

    /// <summary>One at each side; the left one gives way.</summary>
    static string Apart(string left, string right) => Cut(left, Width - right.Length - 2).PadRight(Width - right.Length) + right;

    static string Cut(string text, int most) => text.Length <= most ? text : text[..Math.Max(0, most - 3)] + "...";

    static IEnumerable<string> Wrap(string text, int width)
    {
        while (text.Length > width)
        {
            int at = text.LastIndexOf(' ', width);
            if (at <= 0) at = width;
            yield return text[..at];
            text = text[at..].TrimStart();
        }
        if (text.Length > 0) yield return text;
    }

    /// <summary>"underVoltage" as "under voltage".</summary>
    static string Words(string name) => string.Concat(name.Select(c => char.IsUpper(c) ? " " + char.ToLowerInvariant(c) : c.ToString()));
}
