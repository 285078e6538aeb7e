using System.Text.Json;
using Nfr.Wire;

namespace Nfr.Tests.Oracles;

/// <summary>Why a connection of Zeek's is another in our ip events: rules that the row's own numbers bear out; null when nobody knows.</summary>
static class ZeekConnRules
{
    /// <summary>No event has the row's tuple.</summary>
    public static string? WhyNone(OracleRow row, DecodedCapture ours)
    {
        if (ours.Counters.Faults[(int)DecodeFault.LinkTypeUnknown] > 0) return "link type not read";
        // Zeek keeps a connection without a packet in it.
        if (row.Number("orig_pkts") == 0 && row.Number("resp_pkts") == 0 && ours.Counters.Faults.Sum() > 0) return "the capture cuts the transport header of its only packet: a fault, and no flow";
        return null;
    }

    /// <summary>Our client is Zeek's responder.</summary>
    public static string? WhySwapped(OracleRow row, string prefix)
    {
        if (row.Text("proto") == "icmp" && row.Text(prefix + "orig_p") is "131" or "134" or "136") return "an advertisement or a report answers (RFC 4861, RFC 2710); Zeek takes whoever sent it";
        return row.Text("history") == "H" ? "nothing but a SYN-ACK: its sender is the server; Zeek takes it for the client" : null;
    }

    /// <param name="rows">All rows of the case with this tuple, <paramref name="row"/> among them.</param>
    /// <param name="e">Our event of the tuple.</param>
    public static string? Why(string category, OracleRow row, OracleRow[] rows, JsonElement e) => category switch
    {
        "packets and bytes" => WhyPackets(row, rows, e),
        "state" => WhyState(row, rows, e),
        "service" => WhyService(row),
        _ => null,
    };

    static string? WhyPackets(OracleRow row, OracleRow[] rows, JsonElement e)
    {
        if (IsCut(rows, e)) return "Zeek ended the connection and began another on the same ports; together they are our flow";
        if (IsByFragments(row, e, "orig", "Out") && IsByFragments(row, e, "resp", "In")) return "Zeek counts a datagram that came in fragments once; we count each with its header";
        if (IsShort(row, "orig") || IsShort(row, "resp")) return "Zeek's bytes with headers are fewer than its bytes without: segments longer than their IP header says";
        return IsFiltered(row, e) ? "the case's own script keeps packets away from Zeek" : null;
    }

    static string? WhyState(OracleRow row, OracleRow[] rows, JsonElement e)
    {
        if (IsCut(rows, e)) return "Zeek ended the connection and began another on the same ports; together they are our flow";
        if (IsFiltered(row, e)) return "the case's own script keeps packets away from Zeek";
        string history = row.Text("history") ?? "";
        // F and R from one side before f from the other, or the other way round.
        int reset = history.IndexOf('R', StringComparison.Ordinal), answer = history.IndexOf('f', StringComparison.Ordinal);
        return row.Text("conn_state") == "SF" && reset >= 0 && reset < answer ? "one side aborted before the other had ended; Zeek counts both ends" : null;
    }

    static string? WhyService(OracleRow row) => row.Text("service") switch
    {
        "ftp-data" or "irc-dcc-data" => "a file and nothing around it: only the talk elsewhere that agreed on the ports names it",
        _ => null,
    };

    /// <summary>Zeek has several connections of these ports, and their packets add up to ours (a second run of the case may have it whole besides).</summary>
    static bool IsCut(OracleRow[] rows, JsonElement e)
    {
        rows = [.. rows.Where(r => r.Number("orig_ip_bytes") != Number(e, "bytesOut") || r.Number("resp_ip_bytes") != Number(e, "bytesIn"))];
        return rows.Length > 1 && rows.Sum(r => r.Number("orig_pkts")) == Number(e, "packetsOut") && rows.Sum(r => r.Number("resp_pkts")) == Number(e, "packetsIn")
        && rows.Sum(r => r.Number("orig_ip_bytes")) == Number(e, "bytesOut") && rows.Sum(r => r.Number("resp_ip_bytes")) == Number(e, "bytesIn");
    }

    /// <summary>Equal, or every packet more is one IPv4 header more.</summary>
    static bool IsByFragments(OracleRow row, JsonElement e, string side, string direction) =>
        Number(e, "packets" + direction) - row.Number(side + "_pkts") is >= 0 and var packets
        && Number(e, "bytes" + direction) - row.Number(side + "_ip_bytes") == packets * IPv4Packet.MinimumHeaderLength;

    static bool IsShort(OracleRow row, string side) => row.Number(side + "_ip_bytes") < row.Number(side + "_bytes");

    /// <summary>The case's script is asked about packets or hosts, and Zeek saw fewer of both sides' packets than the capture has.</summary>
    static bool IsFiltered(OracleRow row, JsonElement e) =>
        row.Document.TryGetProperty("custom_handlers", out JsonElement handlers) && handlers.EnumerateArray().Any(h => h.GetString() is "new_packet" or "NetControl::init")
        && row.Number("orig_pkts") < Number(e, "packetsOut") && row.Number("resp_pkts") < Number(e, "packetsIn");

    static long Number(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : 0;
}
