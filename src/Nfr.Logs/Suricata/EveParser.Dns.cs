using Nfr.Events;

namespace Nfr.Logs.Suricata;

// dns, mdns and llmnr. A query waits for its answer: what the two have in common is the flow's number, the DNS id and the client.
public sealed partial class EveParser
{
    /// <summary>The header and the question's type and class, around the name.</summary>
    const int QueryOverhead = 12 + 4 + 2;

    readonly DnsPairs _pairs = new();
    readonly EveAnswers _open = new();
    bool _seesQueries;

    public override long OldestHeld => Math.Min(_pairs.OldestHeld, _open.At);

    public override void Release(IEventSink sink)
    {
        ReleaseAnswers(sink);
        _pairs.Release(sink);
    }

    public override void Restart() => _seesQueries = false;

    internal override void Inherit(LineParser before) => _seesQueries |= before is EveParser { _seesQueries: true };

    /// <summary>The object of a dns, mdns or llmnr record.</summary>
    ref struct DnsBody
    {
        public JsonRaw Type, Name, QueryType, Data, Queries, Answers, Grouped;
        public ushort Id, Flags;
        public short ResponseCode;
        public long TimeToLive;
        public int Version;

        public bool IsAnswer;
        /// <summary>Versions before 2 write a line for each record of an answer.</summary>
        public readonly bool IsOneOfMany => IsAnswer && Version < 2 && Answers.Kind == JsonKind.None && Grouped.Kind == JsonKind.None && Queries.Kind == JsonKind.None;

        public void Read(ReadOnlySpan<byte> text)
        {
            ResponseCode = -1;
            bool coded = false;
            JsonLineReader json = JsonLineReader.Object(text);
            while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
            {
                switch (key.Length)
                {
                    case 2:
                        if (key.SequenceEqual("id"u8)) Id = EveWords.Word(value);
                        break;
                    case 3:
                        if (key.SequenceEqual("ttl"u8)) TimeToLive = EveWords.Amount(value);
                        break;
                    case 4:
                        if (key.SequenceEqual("type"u8)) Type = value;
                        break;
                    case 5:
                        if (key.SequenceEqual("rcode"u8)) (ResponseCode, coded) = (EventWords.ResponseCode(value), true);
                        else if (key.SequenceEqual("flags"u8)) Flags = EveTime.Hex(value);
                        else if (key.SequenceEqual("rdata"u8)) Data = value;
                        break;
                    case 6:
                        if (key.SequenceEqual("rrname"u8)) Name = value;
                        else if (key.SequenceEqual("rrtype"u8)) QueryType = value;
                        break;
                    case 7:
                        if (key.SequenceEqual("version"u8)) Version = EveWords.Word(value);
                        else if (key.SequenceEqual("queries"u8)) Queries = value;
                        else if (key.SequenceEqual("answers"u8)) Answers = value;
                        else if (key.SequenceEqual("grouped"u8)) Grouped = value;
                        break;
                }
            }
            IsAnswer = Type.Kind == JsonKind.String ? Type.Bytes.SequenceEqual("answer"u8) || Type.Bytes.SequenceEqual("response"u8) : coded || Answers.Kind != JsonKind.None;
        }

        /// <summary>Question number <paramref name="n"/>; false when there are no more.</summary>
        public readonly bool Question(int n, ref JsonLineReader list, out JsonRaw name, out JsonRaw type)
        {
            name = Name;
            type = QueryType;
            if (Queries.Kind != JsonKind.Array) return n == 0;
            name = default;
            type = default;
            if (!list.Next(out JsonRaw item)) return false;
            if (item.Kind != JsonKind.Object) return true;
            JsonLineReader json = JsonLineReader.Object(item.Bytes);
            while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
            {
                if (key.SequenceEqual("rrname"u8)) name = value;
                else if (key.SequenceEqual("rrtype"u8)) type = value;
            }
            return true;
        }
    }

    LineVerdict ReadDns(ref EveRecord record, JsonRaw value, App service, IEventSink sink)
    {
        var body = default(DnsBody);
        if (value.Kind == JsonKind.Object) body.Read(value.Bytes);
        if (!_open.IsEmpty && !(body.IsOneOfMany && _open.Continues(record, body.Id))) ReleaseAnswers(sink);
        if (!Wants(EventType.Dns)) return LineVerdict.Unwanted;
        if (record.Fault is not LineVerdict.Event and var fault) return fault;
        if (value.Kind != JsonKind.Object) return LineVerdict.Query;
        Stamp(ref record.Context, record.Context.Timestamp);
        if (body.IsAnswer) return service == App.Mdns ? LineVerdict.Other : ReadAnswer(ref record, ref body, service, sink);

        _seesQueries = true;
        // Seldom: a query is what the client sends, and so it is logged.
        if (record.IsToClient) record.Exchange();
        JsonLineReader list = JsonLineReader.Array(body.Queries.Bytes);
        bool any = false;
        int mark = _text.Mark;
        for (int n = 0; body.Question(n, ref list, out JsonRaw name, out JsonRaw type); n++)
        {
            // What was made of the one before is copied.
            _text.Reset(mark);
            DnsEvent e = Event(record, body, service, name, type);
            if (e.Query.IsEmpty) continue;
            any = true;
            // The answers to mDNS come from others, at any time, or not at all.
            if (service == App.Mdns) sink.OnDns(e);
            else _pairs.Hold(e, KeyOf(record, body, n, e.Query), At, sink);
        }
        return !any ? LineVerdict.Query : service == App.Mdns ? LineVerdict.Event : LineVerdict.Held;
    }

    DnsEvent Event(scoped in EveRecord record, scoped in DnsBody body, App service, JsonRaw name, JsonRaw type)
    {
        ReadOnlySpan<byte> query = _text.Name(name);
        return new DnsEvent
        {
            Context = record.Context,
            Query = query,
            QueryType = type.Kind is JsonKind.String or JsonKind.Number ? EventWords.QueryType(type.Bytes, service) : (ushort)0,
            ResponseCode = -1,
            QueryLength = query.IsEmpty ? (ushort)0 : (ushort)(query.Length + QueryOverhead),
            Id = body.Id,
            Flags = body.Flags,
            Service = service,
        };
    }

    static DnsPairKey KeyOf(scoped in EveRecord record, scoped in DnsBody body, int question, ReadOnlySpan<byte> name) => new()
    {
        Client = record.Context.Source,
        ClientPort = record.Context.SourcePort,
        Id = ((uint)question << 16) | body.Id,
        // A line of an old version names a record of the answer, which need not be what was asked for.
        Name = !record.FlowId.Bytes.IsEmpty ? record.FlowId.Bytes : body.Version < 2 ? default : name,
    };

    LineVerdict ReadAnswer(ref EveRecord record, ref DnsBody body, App service, IEventSink sink)
    {
        // Versions differ in whether a record of the answer goes the answer's way or the flow's.
        if (record.IsToClient || (record.Context.SourcePort is 53 or 5355 && record.Context.DestinationPort is not (53 or 5355))) record.Exchange();
        if (body.IsOneOfMany)
        {
            JsonRaw type = body.QueryType;
            if (_open.IsEmpty) _open.Begin(record, Event(record, body, service, body.Name, type), body.ResponseCode, At);
            ushort number = type.Kind == JsonKind.String ? EventWords.QueryType(type.Bytes, service) : (ushort)0;
            _open.Add(number, body.TimeToLive, _text.Of(body.Data));
            return LineVerdict.Answer;
        }

        ReadOnlySpan<byte> packed = body.Answers.Kind == JsonKind.Array ? EveRecords.Pack(_text, body.Answers.Bytes) : EveRecords.PackGrouped(_text, body.Grouped);
        JsonLineReader list = JsonLineReader.Array(body.Queries.Bytes);
        bool any = false;
        int mark = _text.Mark;
        for (int n = 0; body.Question(n, ref list, out JsonRaw name, out JsonRaw type); n++)
        {
            _text.Reset(mark);
            DnsEvent e = Event(record, body, service, name, type);
            e.ResponseCode = body.ResponseCode;
            // Of several questions the first has them: which record answers which is not said.
            if (n == 0) e.Answers = packed;
            any |= Answer(ref e, KeyOf(record, body, n, e.Query), sink);
        }
        return any ? LineVerdict.Event : LineVerdict.Answer;
    }

    /// <summary>
    /// Gives an answer to its query. Where the log has no queries at all, the answer is an event itself; where it has, that of the query went out alone and this
    /// one is too late.
    /// </summary>
    /// <returns>It made an event by itself.</returns>
    bool Answer(ref DnsEvent e, DnsPairKey key, IEventSink sink)
    {
        if (_pairs.Answer(e, key, sink, alone: false)) return false;
        var other = new DnsPairKey { Client = e.Context.Destination, ClientPort = e.Context.DestinationPort, Id = key.Id, Name = key.Name };
        if (_pairs.Answer(e, other, sink, alone: false) || _seesQueries || e.Query.IsEmpty) return false;
        sink.OnDns(e);
        return true;
    }

    /// <summary>The lines of an answer have ended.</summary>
    void ReleaseAnswers(IEventSink sink)
    {
        if (_open.IsEmpty) return;
        _open.Take(out DnsEvent e, out DnsPairKey key);
        Answer(ref e, key, sink);
    }
}
