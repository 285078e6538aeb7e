using System.Text;
using System.Text.Json;

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
            if (ledger.Inputs.Count > 0)
            {
                json.WriteNumber("lineBytes", ledger.LineBytes);
                json.WriteNumber("linesPerSecond", Math.Round(ledger.Lines / Math.Max(seconds, 1e-9)));
                json.WriteNumber("allocatedBytesPerLine", Math.Round((double)allocated / Math.Max(1, ledger.Lines), 6));
            }
            json.WriteNumber("allocatedBytesPerPacket", Math.Round((double)allocated / Math.Max(1, ledger.Frames), 6));
            LedgerJson.WriteFields(json, ledger);
            json.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length));
    }
}
