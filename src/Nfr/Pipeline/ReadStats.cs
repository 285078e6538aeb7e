using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Pipeline;

/// <summary>"nfr read --stats --json": the ledger as one object.</summary>
static class ReadStats
{
    public static void WriteJson(Ledger ledger, double seconds, long allocated, TextWriter output)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = false }))
        {
            json.WriteStartObject();
            json.WriteNumber("packets", ledger.Frames);
            json.WriteNumber("bytes", ledger.Bytes);
            json.WriteNumber("seconds", Math.Round(seconds, 6));
            json.WriteNumber("packetsPerSecond", Math.Round(ledger.Frames / Math.Max(seconds, 1e-9)));
            json.WriteNumber("allocatedBytesPerPacket", Math.Round((double)allocated / Math.Max(1, ledger.Frames), 6));
            json.WriteStartObject("faults");
            foreach ((DecodeFault fault, long count) in ledger.Faults) json.WriteNumber(JsonNamingPolicy.CamelCase.ConvertName(fault.ToString()), count);
            json.WriteEndObject();
            json.WriteStartObject("events");
            foreach (EventType type in EventTypes.All) json.WriteNumber(type.Name(), ledger.EventsOf(type));
            json.WriteEndObject();
            json.WriteStartObject("flows");
            json.WriteNumber("opened", ledger.FlowsOpened);
            json.WriteNumber("closed", ledger.FlowsClosed);
            json.WriteNumber("evicted", ledger.FlowsEvicted);
            json.WriteNumber("slices", ledger.FlowSlices);
            json.WriteEndObject();
            json.WriteNumber("parsed", ledger.Parsed);
            json.WriteNumber("nonIp", ledger.NonIp);
            json.WriteNumber("fragments", ledger.Fragments);
            json.WriteBoolean("closes", ledger.Closes);
            json.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length));
    }
}
