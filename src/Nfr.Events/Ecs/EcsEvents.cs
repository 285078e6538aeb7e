using System.Buffers;
using System.Text.Json;

namespace Nfr.Events;

/// <summary>
/// Spooled events as documents of the Elastic Common Schema, as near to Packetbeat's as what both know lets them be: its names, its "type" and "status", one document a DNS
/// exchange, flow, HTTP request or TLS handshake. One instance serves one thread.
/// </summary>
public sealed class EcsEvents(SensorIdentity sensor) : IDisposable
{
    readonly DocumentWriter _json = new();

    /// <summary>"nfr.dns", "nfr.flow", "nfr.http", "nfr.tls": event.dataset, and the data stream's middle part.</summary>
    public static string Dataset(EventType type) => type == EventType.Ip ? "nfr.flow" : "nfr." + type.Name();

    /// <summary>The document of one spooled line, without a line end; false when the line is no event with a stamp, and nothing was written.</summary>
    /// <param name="type">Of the line.</param>
    /// <param name="line">One JSON object, all fields or the engine API's alone.</param>
    /// <param name="id">event.id, the same whenever this line is written.</param>
    /// <param name="output">Taken as it is.</param>
    public bool TryWrite(EventType type, ReadOnlyMemory<byte> line, string id, IBufferWriter<byte> output)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (EventFields.Of(type, document.RootElement) is not { } e) return false;
            Write(e, id, output);
            return true;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // No JSON, or a text that holds half a surrogate pair. The spool checks sums, so this is another program's line.
            return false;
        }
    }

    void Write(EventFields e, string id, IBufferWriter<byte> output)
    {
        _json.Begin(output);
        _json.Text("@timestamp", DocumentWriter.Stamp(e.Time));
        _json.Text("type", e.Type == EventType.Ip ? "flow" : e.Type.Name());
        _json.Text("status", Status(e));
        Event(e, id);
        if (e.Type == EventType.Ip)
        {
            _json.Open("flow");
            _json.Text("id", e.Text("communityId"));
            _json.Flag("final", !e.Texts("notes").Contains("activeTimeout"));
            _json.Close();
        }
        EcsFields.Write(_json, e);
        EcsAlerts.Observer(_json, sensor);
        _json.End();
    }

    void Event(EventFields e, string id)
    {
        _json.Open("event");
        _json.Text("kind", "event");
        _json.Texts("category", e.Type == EventType.Http ? ["network", "web"] : ["network"]);
        _json.Texts("type", e.Type == EventType.Ip ? ["connection", .. Ends(e)] : ["connection", "protocol"]);
        _json.Text("action", e.Type == EventType.Ip ? "network_flow" : null);
        _json.Text("outcome", Status(e) switch { "OK" => "success", "Error" => "failure", _ => null });
        _json.Text("module", "nfr");
        _json.Text("dataset", Dataset(e.Type));
        _json.Text("id", id);
        _json.Text("start", DocumentWriter.Stamp(e.Time));
        if (e.Real("duration") is >= 0 and < 1e9 and { } seconds)
        {
            _json.Number("duration", (long)Math.Round(seconds * 1e9));
            _json.Text("end", DocumentWriter.Stamp(e.Time.AddTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond))));
        }
        _json.Close();
    }

    /// <summary>A flow that goes on, or whose beginning was not seen, has no end or no start.</summary>
    static IEnumerable<string> Ends(EventFields e)
    {
        IReadOnlyList<string> notes = e.Texts("notes");
        if (!notes.Contains("midstream")) yield return "start";
        if (!notes.Contains("activeTimeout")) yield return "end";
    }

    /// <summary>Packetbeat's word: whether the server answered as one wishes.</summary>
    static string? Status(EventFields e) => e.Type switch
    {
        EventType.Dns => e.Text("rcode") switch { "NOERROR" => "OK", null when !e.IsWhole => null, _ => "Error" },
        EventType.Http => e.Number("status") is >= 100 and < 400 ? "OK" : "Error",
        _ => null,
    };

    public void Dispose() => _json.Dispose();
}
