using System.Buffers.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs.Suricata;

public sealed partial class EveParser
{
    /// <summary>Suricata counts whole frames: Ethernet and IPv4, then TCP with time stamps (RFC 7323), or what UDP and ICMP have.</summary>
    const int LowerHeaders = 14 + 20, TcpHeader = 32, OtherHeader = 8, LongerIPv6 = 20;

    LineVerdict ReadFlow(ref EveRecord record, IEventSink sink)
    {
        if (!Wants(EventType.Ip)) return LineVerdict.Unwanted;
        if (record.Fault is not LineVerdict.Event and var fault) return fault;
        if (!record.HasDestination) return LineVerdict.Destination;
        var e = default(IpEvent);
        e.Context = record.Context;
        e.App = record.App;
        long start = record.Context.Timestamp, end = long.MinValue, age = -1;
        bool emergency = false;
        JsonLineReader json = JsonLineReader.Object(record.Flow.Bytes);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            switch (key.Length)
            {
                case 3:
                    if (key.SequenceEqual("end"u8)) end = _ends.TryParse(value, out long last) ? last : end;
                    else if (key.SequenceEqual("age"u8)) age = EveWords.Amount(value);
                    break;
                case 5:
                    if (key.SequenceEqual("start"u8)) start = _starts.TryParse(value, out long first) ? first : start;
                    break;
                case 9:
                    if (key.SequenceEqual("emergency"u8)) emergency = value.Kind == JsonKind.True;
                    break;
                case 13:
                    if (key.SequenceEqual("pkts_toserver"u8)) e.PacketsOut = EveWords.Amount(value);
                    else if (key.SequenceEqual("pkts_toclient"u8)) e.PacketsIn = EveWords.Amount(value);
                    break;
                case 14:
                    if (key.SequenceEqual("bytes_toserver"u8)) e.BytesOut = EveWords.Amount(value);
                    else if (key.SequenceEqual("bytes_toclient"u8)) e.BytesIn = EveWords.Amount(value);
                    break;
            }
        }
        // "age" is whole seconds, and older versions count it from elsewhere; what both stamps say is better.
        const long Longest = long.MaxValue / 4;
        e.Duration = end != long.MinValue ? Math.Clamp(end - start, 0, Longest) : age > 0 ? Math.Min(age, Longest / 1_000_000_000) * 1_000_000_000 : 0;
        if (emergency) e.Notes |= FlowNotes.Evicted;
        ReadTcp(record.Tcp, ref e);
        if (e.App == App.Unknown)
        {
            e.App = e.Context.Protocol switch
            {
                IPProtocol.Icmp or IPProtocol.IcmpV6 => App.Icmp,
                IPProtocol.Igmp => App.Igmp,
                IPProtocol.Esp or IPProtocol.AuthenticationHeader => App.Esp,
                _ => App.Unknown,
            };
        }
        // Payload is not said. What was never answered carried none.
        if (e.State is not (ConnectionState.S0 or ConnectionState.REJ or ConnectionState.RSTOS0 or ConnectionState.SH) || e.Context.Protocol != IPProtocol.Tcp)
        {
            int headers = LowerHeaders + (e.Context.Protocol == IPProtocol.Tcp ? TcpHeader : OtherHeader) + (e.Context.Source.IsV4 ? 0 : LongerIPv6);
            e.PayloadIn = Math.Max(0, e.BytesIn - (e.PacketsIn * headers));
            e.PayloadOut = Math.Max(0, e.BytesOut - (e.PacketsOut * headers));
        }
        // The input's clock goes by when a flow ends, as the records come; a flow's own tick is its beginning's.
        Stamp(ref e.Context, start, e.Duration);
        sink.OnIp(e);
        return LineVerdict.Event;
    }

    static void ReadTcp(JsonRaw tcp, ref IpEvent e)
    {
        if (e.Context.Protocol == IPProtocol.Udp)
        {
            e.State = e.PacketsOut > 0 ? e.PacketsIn > 0 ? ConnectionState.SF : ConnectionState.S0 : e.PacketsIn > 0 ? ConnectionState.SHR : ConnectionState.OTH;
        }
        if (tcp.Kind != JsonKind.Object || e.Context.Protocol != IPProtocol.Tcp) return;
        byte client = 0, server = 0;
        JsonLineReader json = JsonLineReader.Object(tcp.Bytes);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("tcp_flags"u8)) e.TcpFlags = Flags(value);
            else if (key.SequenceEqual("tcp_flags_ts"u8)) client = Flags(value);
            else if (key.SequenceEqual("tcp_flags_tc"u8)) server = Flags(value);
            else if ((key.SequenceEqual("ts_gap"u8) || key.SequenceEqual("tc_gap"u8)) && value.Kind == JsonKind.True) e.Notes |= FlowNotes.MissedBytes;
        }
        if (e.TcpFlags == 0) e.TcpFlags = (byte)(client | server);
        if (client == 0 && server == 0) return;
        e.State = StateOf(client, server);
        if (((client | server) & Syn) == 0) e.Notes |= FlowNotes.Midstream;
    }

    const byte Fin = 1, Syn = 2, Rst = 4;

    /// <summary>Zeek's conn_state by the flags of either side; in which order they came is not said.</summary>
    static ConnectionState StateOf(byte client, byte server)
    {
        bool begun = (client & Syn) != 0, answered = (server & Syn) != 0;
        if (server == 0)
        {
            if (!begun) return ConnectionState.OTH;
            return (client & Rst) != 0 ? ConnectionState.RSTOS0 : (client & Fin) != 0 ? ConnectionState.SH : ConnectionState.S0;
        }
        if (begun && !answered) return (server & Rst) != 0 ? ConnectionState.REJ : ConnectionState.OTH;
        if (!begun) return !answered ? ConnectionState.OTH : (server & Rst) != 0 ? ConnectionState.RSTRH : (server & Fin) != 0 ? ConnectionState.SHR : ConnectionState.OTH;
        bool clientEnds = (client & Fin) != 0, serverEnds = (server & Fin) != 0;
        if (clientEnds && serverEnds) return ConnectionState.SF;
        if ((client & Rst) != 0) return ConnectionState.RSTO;
        if ((server & Rst) != 0) return ConnectionState.RSTR;
        return clientEnds ? ConnectionState.S2 : serverEnds ? ConnectionState.S3 : ConnectionState.S1;
    }

    /// <summary>"1b".</summary>
    static byte Flags(JsonRaw value) =>
        value.Kind == JsonKind.String && Utf8Parser.TryParse(value.Bytes, out byte flags, out int used, 'x') && used == value.Bytes.Length ? flags : (byte)0;
}
