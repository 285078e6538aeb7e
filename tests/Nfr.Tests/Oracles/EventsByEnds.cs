using System.Globalization;
using System.Net;
using System.Text.Json;
using Nfr.Wire;

namespace Nfr.Tests.Oracles;

/// <summary>The events of a capture by the two ends they name, whichever of them spoke first.</summary>
sealed class EventsByEnds
{
    readonly ILookup<string, JsonElement> _events;

    public EventsByEnds(DecodedCapture capture)
    {
        BrokenHellos = new[] { DecodeFault.TlsHelloTruncated, DecodeFault.TlsExtensionTruncated, DecodeFault.TlsRecordVersionUnknown, DecodeFault.TlsRecordTooLong }.Sum(f => capture.Counters.Faults[(int)f]);
        _events = capture.Events.Where(e => Port(e, "destPort") >= 0 || Has(e, "destIP"))
            .ToLookup(e => Key(Text(e, "srcIP")!, Port(e, "srcPort"), Text(e, "destIP") ?? "0.0.0.0", Port(e, "destPort")), StringComparer.Ordinal);
    }

    /// <summary>Hellos of the capture that were refused, or read as far as they were whole, and counted.</summary>
    public long BrokenHellos { get; }

    /// <summary>Events of one type between two ends.</summary>
    public List<JsonElement> Between(string type, string address, int port, string otherAddress, int otherPort) =>
        [.. _events[Key(address, port, otherAddress, otherPort)].Where(e => Text(e, "type") == type)];

    static string Key(string address, int port, string otherAddress, int otherPort)
    {
        string one = End(address, port), other = End(otherAddress, otherPort);
        return string.CompareOrdinal(one, other) < 0 ? one + " " + other : other + " " + one;
    }

    static string End(string address, int port) =>
        string.Create(CultureInfo.InvariantCulture, $"{(IPAddress.TryParse(address, out IPAddress? ip) ? ip.ToString() : address)}|{Math.Max(port, 0)}");

    static int Port(JsonElement e, string key) => e.TryGetProperty(key, out JsonElement port) && port.ValueKind == JsonValueKind.Number ? port.GetInt32() : -1;

    public static bool Has(JsonElement e, string key) => e.TryGetProperty(key, out _);

    /// <summary>A value of the event as text; null when it has none.</summary>
    public static string? Text(JsonElement e, string key) => e.TryGetProperty(key, out JsonElement value) ? value.ToString() : null;
}
