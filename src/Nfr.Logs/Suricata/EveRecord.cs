using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs.Suricata;

/// <summary>One EVE line: what every kind has, and the objects of the kinds that are read. Its spans lie in the line.</summary>
ref struct EveRecord
{
    /// <summary>Of the packet or flow that was logged: source and destination as they stand in the line.</summary>
    public EventContext Context;
    public JsonRaw Type, FlowId, Direction;
    public JsonRaw Dns, Flow, Tcp, Http, Tls, Quic, Alert, Mdns, Llmnr;
    public App App;
    public bool HasTime, HasSource, HasDestination, BadDestination;
    byte _icmpType, _icmpCode;
    bool _hasIcmp;

    /// <summary>False: no JSON object.</summary>
    public bool Read(ReadOnlySpan<byte> line, EveStamps stamps)
    {
        JsonLineReader json = JsonLineReader.Object(line);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            switch (key.Length)
            {
                case 3:
                    if (key.SequenceEqual("dns"u8)) Dns = value;
                    else if (key.SequenceEqual("tcp"u8)) Tcp = value;
                    else if (key.SequenceEqual("tls"u8)) Tls = value;
                    break;
                case 4:
                    if (key.SequenceEqual("flow"u8)) Flow = value;
                    else if (key.SequenceEqual("http"u8)) Http = value;
                    else if (key.SequenceEqual("quic"u8)) Quic = value;
                    else if (key.SequenceEqual("mdns"u8)) Mdns = value;
                    else if (key.SequenceEqual("vlan"u8)) Context.Vlan = Vlan(value);
                    break;
                case 5:
                    if (key.SequenceEqual("proto"u8)) Context.Protocol = EveWords.Protocol(value);
                    else if (key.SequenceEqual("alert"u8)) Alert = value;
                    else if (key.SequenceEqual("llmnr"u8)) Llmnr = value;
                    break;
                case 6:
                    if (key.SequenceEqual("src_ip"u8)) HasSource = EventWords.TryAddress(value, out Context.Source);
                    break;
                case 7:
                    if (key.SequenceEqual("dest_ip"u8))
                    {
                        HasDestination = EventWords.TryAddress(value, out Context.Destination);
                        BadDestination = !HasDestination && value.Kind is not JsonKind.Null && !value.Bytes.IsEmpty;
                    }
                    else if (key.SequenceEqual("flow_id"u8)) FlowId = value;
                    break;
                case 8:
                    if (key.SequenceEqual("src_port"u8)) Context.SourcePort = EveWords.Word(value);
                    break;
                case 9:
                    if (key.SequenceEqual("dest_port"u8)) Context.DestinationPort = EveWords.Word(value);
                    else if (key.SequenceEqual("timestamp"u8)) HasTime = stamps.TryParse(value, out Context.Timestamp);
                    else if (key.SequenceEqual("app_proto"u8)) App = EveWords.AppOf(value);
                    else if (key.SequenceEqual("direction"u8)) Direction = value;
                    else if (key.SequenceEqual("icmp_type"u8)) (_hasIcmp, _icmpType) = (true, (byte)EveWords.Word(value));
                    else if (key.SequenceEqual("icmp_code"u8)) _icmpCode = (byte)EveWords.Word(value);
                    break;
                case 10:
                    if (key.SequenceEqual("event_type"u8)) Type = value;
                    break;
            }
        }
        if (json.Failed) return false;
        // What the decoder makes of ICMP: the type, and that of its answer or else the code.
        if (_hasIcmp && Context.Protocol is IPProtocol.Icmp or IPProtocol.IcmpV6)
        {
            int counter = IcmpMessage.CounterType(_icmpType, Context.Protocol == IPProtocol.IcmpV6);
            Context.SourcePort = _icmpType;
            Context.DestinationPort = counter >= 0 ? (ushort)counter : _icmpCode;
        }
        return true;
    }

    /// <summary>What keeps a record of a kind that is read from being an event; <see cref="LineVerdict.Event"/> when nothing does.</summary>
    public readonly LineVerdict Fault =>
        !HasTime ? LineVerdict.Timestamp
        : !HasSource ? LineVerdict.Source
        : BadDestination ? LineVerdict.Destination : LineVerdict.Event;

    /// <summary>The line speaks of a packet that the server sent; found by the flow's own tuple or by "direction", where the line has either.</summary>
    public readonly bool IsToClient
    {
        get
        {
            if (Flow.Kind == JsonKind.Object)
            {
                Address client = default;
                ushort port = 0;
                bool said = false;
                JsonLineReader flow = JsonLineReader.Object(Flow.Bytes);
                while (flow.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
                {
                    if (key.SequenceEqual("src_ip"u8)) said = EventWords.TryAddress(value, out client);
                    else if (key.SequenceEqual("src_port"u8)) port = EveWords.Word(value);
                }
                if (said)
                {
                    return client == Context.Destination && (client != Context.Source || (port == Context.DestinationPort && port != Context.SourcePort));
                }
            }
            return Direction.Kind == JsonKind.String && Direction.Bytes.SequenceEqual("to_client"u8);
        }
    }

    /// <summary>Source is whom the line calls the destination.</summary>
    public void Exchange()
    {
        (Context.Source, Context.Destination) = (Context.Destination, Context.Source);
        (Context.SourcePort, Context.DestinationPort) = (Context.DestinationPort, Context.SourcePort);
    }

    /// <summary>A number, or a list from the outermost tag inwards.</summary>
    static ushort Vlan(JsonRaw value)
    {
        if (value.Kind != JsonKind.Array) return EveWords.Word(value);
        JsonLineReader tags = JsonLineReader.Array(value.Bytes);
        return tags.Next(out JsonRaw tag) ? EveWords.Word(tag) : (ushort)0;
    }
}
