using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Pairs DNS queries with their answers (RFC 1035 4.1.1: same endpoints, same id, same question) and emits one event for each query: with
/// its answer when that comes, without after <see cref="Timeout"/>. A query sent again while it waits is the same query (RFC 1035 4.2.1: a retransmission keeps
/// its id): its event says so by <see cref="DnsNotes.Repeated"/>, and <see cref="DecodeCounters.DnsRepeated"/> counts it. An answer whose query was not seen (half of a mirrored
/// link, a start in the middle) gives an event of its own. When the table is full, the oldest is emitted unanswered.
/// </summary>
sealed class DnsTransactions<TSink>
    where TSink : struct, IEventSink
{
    /// <summary>Resolvers give up after five seconds, twice.</summary>
    public const long Timeout = 10_000_000_000;

    const int None = WaitingQueries.None;

    readonly Emitter<TSink> _emitter;
    readonly DecodeCounters _counters;
    readonly WaitingQueries _waiting;
    // Questions answered a moment ago, by hash: their repeated answers are not events.
    readonly uint[] _answered = new uint[WaitingQueries.Capacity];
    readonly byte[] _name = new byte[DnsName.MaxTextLength + 1];
    readonly byte[] _answers = new byte[8 * 1024];

    public DnsTransactions(Emitter<TSink> emitter, BufferPool buffers, DecodeCounters counters)
    {
        _emitter = emitter;
        _counters = counters;
        _waiting = new WaitingQueries(buffers);
    }

    public int Waiting => _waiting.Count;

    /// <inheritdoc cref="WaitingQueries.Steps"/>
    public long Steps => _waiting.Steps;

    /// <param name="context">Of the packet that brought the message: source and destination as on the wire.</param>
    /// <param name="scope">See <see cref="FlowScope"/>.</param>
    /// <param name="message">The bytes of a DNS message.</param>
    /// <param name="service">What carried it: Dns, Mdns, Llmnr, Nbns, Doh.</param>
    public DecodeFault OnMessage(in EventContext context, uint scope, ReadOnlySpan<byte> message, App service)
    {
        DecodeFault fault = DnsMessage.TryRead(message, out DnsMessage dns);
        if (fault != DecodeFault.None) return fault;
        if (!dns.HasQuestion && !dns.IsResponse) return DecodeFault.None;
        ushort type = dns.QuestionType;
        int length;
        if (service != App.Nbns) length = dns.ReadQuestionName(_name);
        else if ((fault = NbnsMessage.ReadSubject(dns, _name, out length, out type)) != DecodeFault.None) return fault;
        ReadOnlySpan<byte> name = _name.AsSpan(0, length);
        if (dns.IsResponse) OnResponse(context, scope, dns, name, type, service);
        else OnQuery(context, scope, dns, name, service);
        return DecodeFault.None;
    }

    /// <summary>Emits the queries that have waited too long.</summary>
    public void Expire(long tick)
    {
        for (int i; (i = _waiting.Oldest) != None && tick - _waiting[i].Context.Tick > Timeout;) EmitUnanswered(i);
    }

    public void Drain()
    {
        while (_waiting.Oldest != None) EmitUnanswered(_waiting.Oldest);
    }

    void OnQuery(in EventContext context, uint scope, in DnsMessage dns, ReadOnlySpan<byte> name, App service)
    {
        Records records = Read(dns, service, default, out _);
        ushort payloadSize = records.HasOpt ? records.PayloadSize : (ushort)0;
        // A question to many (mDNS, LLMNR, a NetBIOS broadcast) is answered from elsewhere, by many or by nobody.
        if (IsMulticast(context.Destination) || (service == App.Nbns && NbnsMessage.IsBroadcast(dns)))
        {
            _emitter.Dns(new DnsEvent
            {
                Context = context,
                Query = name,
                QueryType = dns.QuestionType,
                ResponseCode = -1,
                QueryLength = LengthOf(dns),
                Id = dns.Id,
                Flags = dns.Flags,
                EdnsPayloadSize = payloadSize,
                Notes = records.Notes,
                Service = service,
            });
            return;
        }
        uint transaction = _waiting.TransactionHash(context, scope, dns.Id);
        uint hash = _waiting.QuestionHash(transaction, dns.QuestionType, name);
        int index = _waiting.Find(hash, context, scope, dns.Id, dns.QuestionType, name);
        if (index != None)
        {
            _waiting[index].Notes |= DnsNotes.Repeated;
            _counters.DnsRepeated++;
            return;
        }
        if (_waiting.IsFull) EmitUnanswered(_waiting.Oldest);
        ref WaitingQuery entry = ref _waiting[_waiting.Add(hash, transaction, context, scope, dns.Id, dns.QuestionType, name)];
        entry.Flags = dns.Flags;
        entry.QueryLength = LengthOf(dns);
        entry.EdnsPayloadSize = payloadSize;
        entry.Notes = records.Notes;
        entry.Service = service;
    }

    /// <summary>The type is the question's, or of a NetBIOS answer, which has no question, the first record's.</summary>
    void OnResponse(in EventContext context, uint scope, in DnsMessage dns, ReadOnlySpan<byte> name, ushort type, App service)
    {
        EventContext asked = context;
        (asked.Source, asked.Destination) = (context.Destination, context.Source);
        (asked.SourcePort, asked.DestinationPort) = (context.DestinationPort, context.SourcePort);
        Records records = Read(dns, service, _answers, out int length);
        ReadOnlySpan<byte> answers = _answers.AsSpan(0, length);
        uint hash = _waiting.TransactionHash(asked, scope, dns.Id);
        int index;
        if (dns.HasQuestion)
        {
            hash = _waiting.QuestionHash(hash, dns.QuestionType, name);
            index = _waiting.Find(hash, asked, scope, dns.Id, dns.QuestionType, name);
        }
        else
        {
            index = _waiting.Find(hash, asked, scope, dns.Id);
        }
        // RFC 6891 6.1.3: the OPT record has the upper eight bits.
        short code = (short)((records.ExtendedCode << 4) | dns.ResponseCode);
        ref uint remembered = ref _answered[hash % (uint)_answered.Length];
        if (index != None)
        {
            remembered = hash;
            Emit(index, code, answers, LengthOf(dns), dns.Flags, records.Notes);
            return;
        }
        if (remembered == hash || name.IsEmpty || IsMulticast(context.Destination)) return;
        remembered = hash;
        _emitter.Dns(new DnsEvent
        {
            Context = asked,
            Query = name,
            QueryType = type,
            ResponseCode = code,
            Answers = answers,
            ResponseLength = LengthOf(dns),
            Id = dns.Id,
            Flags = dns.Flags,
            // The DO bit is the query's, and a server copies it (RFC 3225 3).
            Notes = records.Notes,
            Service = service,
        });
    }

    /// <summary>What the records say besides the answers' texts.</summary>
    struct Records
    {
        public DnsNotes Notes;
        public bool HasOpt;
        public ushort PayloadSize;
        public int ExtendedCode;
    }

    /// <summary>Walks all records once: answers are packed into <paramref name="space"/> (none when it is empty), OPT and ech are looked at.</summary>
    Records Read(in DnsMessage dns, App service, Span<byte> space, out int length)
    {
        var found = default(Records);
        var writer = new DnsAnswerWriter(space);
        int kept = 0;
        DnsRecordReader records = dns.Records;
        while (records.MoveNext())
        {
            if (records.Type == DnsTypes.OPT && records.Section == DnsSection.Additional && !found.HasOpt)
            {
                // RFC 6891 6.1.2 and 6.1.3: the class is the payload size; the TTL the upper bits of the code, a version, and DO.
                found.HasOpt = true;
                found.PayloadSize = records.Class;
                found.ExtendedCode = (int)(records.TimeToLive >> 24);
                found.Notes |= DnsNotes.Edns;
                if ((records.TimeToLive & 0x8000) != 0) found.Notes |= DnsNotes.DnssecOk;
                continue;
            }
            if (records.Type is DnsTypes.SVCB or DnsTypes.HTTPS && records.HasEncryptedClientHello) found.Notes |= DnsNotes.EncryptedClientHello;
            if (space.IsEmpty || records.Section != DnsSection.Answer || writer.Truncated) continue;
            Span<byte> text = writer.TextSpace;
            if (text.Length < DnsName.MaxTextLength)
            {
                writer.Truncate();
                continue;
            }
            bool cut;
            writer.Commit(records.Type, records.TimeToLive, service == App.Nbns ? NbnsMessage.FormatData(records, text, out cut) : records.FormatData(text, out cut));
            if (!cut) kept++;
        }
        if (records.Fault != DecodeFault.None) _counters.Faults[(int)records.Fault]++;
        if (!space.IsEmpty && kept < dns.AnswerCount) found.Notes |= DnsNotes.AnswersTruncated;
        length = writer.Written.Length;
        return found;
    }

    static ushort LengthOf(in DnsMessage dns) => (ushort)Math.Min(dns.Bytes.Length, ushort.MaxValue);

    void EmitUnanswered(int index) => Emit(index, -1, default, 0, _waiting[index].Flags, DnsNotes.None);

    void Emit(int index, short responseCode, ReadOnlySpan<byte> answers, ushort responseLength, ushort flags, DnsNotes notes)
    {
        ref WaitingQuery entry = ref _waiting[index];
        _emitter.Dns(new DnsEvent
        {
            Context = entry.Context,
            Query = _waiting.NameOf(index),
            QueryType = entry.QueryType,
            ResponseCode = responseCode,
            Answers = answers,
            QueryLength = entry.QueryLength,
            ResponseLength = responseLength,
            Id = entry.Id,
            Flags = flags,
            EdnsPayloadSize = entry.EdnsPayloadSize,
            Notes = entry.Notes | notes,
            Service = entry.Service,
        });
        _waiting.Remove(index);
    }

    static bool IsMulticast(in Address address) => address.IsV4 ? address.V4 >> 28 == 14 : address.High >> 56 == 0xFF;
}
