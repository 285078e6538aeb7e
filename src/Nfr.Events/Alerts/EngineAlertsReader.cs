using System.Text.Json;

namespace Nfr.Events;

/// <summary>One reply of the engine's <c>GET alerts</c>.</summary>
/// <param name="Follow">The bookmark for the next request; empty when the reply had none, and then the old one stays.</param>
/// <param name="More">Another page waits: ask again at once.</param>
/// <param name="Alerts">Without groups: the scope adds them (<see cref="Scope.WithGroups"/>).</param>
public sealed record EngineAlertPage(string Follow, bool More, IReadOnlyList<Alert> Alerts)
{
    /// <summary>Alerts of the page that could not be read: no known type, no event, no stamp, no threat.</summary>
    public int Skipped { get; init; }
}

/// <summary>
/// Reads the engine's alert pages. Unknown keys are ignored, so newer schemas pass; a threat that the page's dictionary lacks keeps its id as
/// title and counts as informational; severities are held within 1 to 5. A newer alert that lists only detections is read with these as threats.
/// "evidence" is our own engine's.
/// </summary>
public static class EngineAlertsReader
{
    /// <summary>Never throws: when the reply as a whole cannot be read, the error says why.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, out EngineAlertPage? page, out string? error)
    {
        page = null;
        try
        {
            var reader = new Utf8JsonReader(utf8);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            JsonElement json = document.RootElement;
            if (json.ValueKind != JsonValueKind.Object)
            {
                error = "the reply is no object";
                return false;
            }
            string follow = AlertFields.String(json, "follow") ?? "";
            Dictionary<string, AlertThreat> dictionary = Dictionary(json);
            var alerts = new List<Alert>();
            int skipped = 0;
            if (AlertFields.TryGet(json, "alerts", JsonValueKind.Array, out JsonElement array))
            {
                foreach (JsonElement item in array.EnumerateArray())
                {
                    if (ReadAlert(item, dictionary) is { } alert) alerts.Add(alert);
                    else skipped++;
                }
            }
            error = null;
            page = new EngineAlertPage(follow, AlertFields.Flag(json, "more"), alerts) { Skipped = skipped };
            return true;
        }
        catch (JsonException e)
        {
            error = e.Message;
        }
        catch (InvalidOperationException e)
        {
            error = e.Message;
        }
        return false;
    }

    static Alert? ReadAlert(JsonElement json, Dictionary<string, AlertThreat> dictionary)
    {
        try
        {
            if (json.ValueKind != JsonValueKind.Object
                || !AlertFields.TryReadType(AlertFields.String(json, "eventType"), out EventType type)
                || !AlertFields.TryGet(json, "event", JsonValueKind.Object, out JsonElement body)
                || !AlertFields.TryRead(body, type, out AlertEvent? e)) return null;
            List<AlertThreat> threats = Threats(json, dictionary);
            if (threats.Count == 0) return null;
            bool wise = AlertFields.TryGet(json, "wisdom", JsonValueKind.Object, out JsonElement wisdom);
            return new Alert
            {
                Threats = [.. threats.OrderByDescending(t => t.Severity)],
                Flags = wise ? AlertFields.Strings(wisdom, "flags") : [],
                Labels = wise ? AlertFields.Strings(wisdom, "labels") : [],
                Event = WithoutEmpty(e!),
                Evidence = AlertJson.ReadEvidence(json),
            };
        }
        catch (InvalidOperationException)
        {
            // A text that is no valid UTF-8 or holds half a surrogate pair: this alert only.
            return null;
        }
    }

    static List<AlertThreat> Threats(JsonElement json, Dictionary<string, AlertThreat> dictionary)
    {
        var threats = new List<AlertThreat>();
        foreach (string id in AlertFields.Strings(json, "threats")) Add(id, 1);
        if (threats.Count == 0 && AlertFields.TryGet(json, "detections", JsonValueKind.Array, out JsonElement detections))
        {
            foreach (JsonElement detection in detections.EnumerateArray())
            {
                if (detection.ValueKind == JsonValueKind.Object && AlertFields.String(detection, "id") is { } id) Add(id, Severity(detection));
            }
        }
        return threats;

        void Add(string id, int severity)
        {
            if (id.Length == 0 || threats.Exists(t => t.Id == id)) return;
            threats.Add(dictionary.TryGetValue(id, out AlertThreat? known) ? known : new AlertThreat(id, id, severity));
        }
    }

    static Dictionary<string, AlertThreat> Dictionary(JsonElement json)
    {
        var threats = new Dictionary<string, AlertThreat>(StringComparer.Ordinal);
        if (!AlertFields.TryGet(json, "threats", JsonValueKind.Object, out JsonElement list)) return threats;
        foreach (JsonProperty threat in list.EnumerateObject())
        {
            if (threat.Value.ValueKind != JsonValueKind.Object) continue;
            string title = AlertFields.String(threat.Value, "title") is { Length: > 0 } text ? text : threat.Name;
            threats[threat.Name] = new AlertThreat(threat.Name, title, Severity(threat.Value), AlertFields.Flag(threat.Value, "policy"));
        }
        return threats;
    }

    static int Severity(JsonElement json) => (int)Math.Clamp(AlertFields.Number(json, "severity") ?? 1, 1, 5);

    /// <summary>An upload says "" and status 0 for what is not known, and the engine repeats it; in an alert that is absent.</summary>
    static AlertEvent WithoutEmpty(AlertEvent e) => e with
    {
        SrcIP = Text(e.SrcIP),
        SrcHost = Text(e.SrcHost),
        SrcMac = Text(e.SrcMac),
        SrcUser = Text(e.SrcUser),
        SrcID = Text(e.SrcID),
        ConnID = Text(e.ConnID),
        Query = Text(e.Query),
        QType = Text(e.QType),
        DestIP = Text(e.DestIP),
        Proto = Text(e.Proto),
        Ja3 = Text(e.Ja3),
        Url = Text(e.Url),
        Method = Text(e.Method),
        Status = e.Status == 0 ? null : e.Status,
        Action = Text(e.Action),
        ContentType = Text(e.ContentType),
        Referrer = Text(e.Referrer),
        UserAgent = Text(e.UserAgent),
        CertHash = Text(e.CertHash),
        Issuer = Text(e.Issuer),
        Subject = Text(e.Subject),
        ValidFrom = Text(e.ValidFrom),
        ValidTo = Text(e.ValidTo),
        Ja3s = Text(e.Ja3s),
    };

    static string? Text(string? text) => text is { Length: > 0 } ? text : null;
}
