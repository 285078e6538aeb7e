using Nfr.Events;

namespace Nfr.Logs.Suricata;

/// <summary>The answer whose records are being read, a line each (EVE dns version 1), until another line comes.</summary>
sealed class EveAnswers
{
    /// <summary>Packed records; what is beyond is left out and noted.</summary>
    const int MaxAnswers = 16 * 1024;
    /// <summary>A flow's number has 20 digits at the most.</summary>
    const int MaxFlow = 32;

    readonly byte[] _answers = new byte[MaxAnswers];
    readonly byte[] _name = new byte[EveText.MaxName];
    readonly byte[] _flow = new byte[MaxFlow];
    EventContext _context;
    ushort _id, _flags, _queryType, _queryLength;
    short _responseCode;
    App _service;
    bool _truncated;
    int _length, _nameLength, _flowLength;

    public bool IsEmpty => At == long.MaxValue;

    /// <summary>Where its first line begins; <see cref="long.MaxValue"/> when there is none.</summary>
    public long At { get; private set; } = long.MaxValue;

    /// <summary>The line is of the same answer, whichever way it stands.</summary>
    public bool Continues(scoped in EveRecord record, ushort id)
    {
        if (id != _id || !record.FlowId.Bytes.SequenceEqual(_flow.AsSpan(0, _flowLength))) return false;
        ref readonly EventContext c = ref record.Context;
        return (c.Source == _context.Source && c.Destination == _context.Destination && c.SourcePort == _context.SourcePort && c.DestinationPort == _context.DestinationPort)
            || (c.Source == _context.Destination && c.Destination == _context.Source && c.SourcePort == _context.DestinationPort && c.DestinationPort == _context.SourcePort);
    }

    public void Begin(scoped in EveRecord record, scoped in DnsEvent e, short responseCode, long at)
    {
        At = at;
        _context = e.Context;
        (_id, _flags, _queryType, _queryLength, _service, _responseCode) = (e.Id, e.Flags, e.QueryType, e.QueryLength, e.Service, responseCode);
        (_length, _truncated) = (0, false);
        _nameLength = e.Query.Length;
        e.Query.CopyTo(_name);
        ReadOnlySpan<byte> flow = record.FlowId.Bytes;
        _flowLength = Math.Min(flow.Length, MaxFlow);
        flow[.._flowLength].CopyTo(_flow);
    }

    public void Add(ushort type, long timeToLive, ReadOnlySpan<byte> data)
    {
        // An alias is answered with what it stands for: that is what was asked for, as far as these lines say.
        if (type != 0 && _queryType is 5 or 0) _queryType = type;
        // A line without data says the code alone, or the zone that has no such name.
        if (data.IsEmpty) return;
        var writer = new DnsAnswerWriter(_answers.AsSpan(_length));
        if (writer.TextSpace.Length < data.Length)
        {
            _truncated = true;
            return;
        }
        data.CopyTo(writer.TextSpace);
        writer.Commit(type, (uint)Math.Min(timeToLive, uint.MaxValue), data.Length);
        _length += writer.Written.Length;
    }

    /// <summary>All of it, with its context on the client's side; empty then.</summary>
    public void Take(out DnsEvent e, out DnsPairKey key)
    {
        e = new DnsEvent
        {
            Context = _context,
            Query = _name.AsSpan(0, _nameLength),
            QueryType = _queryType,
            ResponseCode = _responseCode,
            Answers = _answers.AsSpan(0, _length),
            QueryLength = _queryLength,
            Id = _id,
            Flags = _flags,
            Service = _service,
            Notes = _truncated ? DnsNotes.AnswersTruncated : DnsNotes.None,
        };
        key = new DnsPairKey { Client = _context.Source, ClientPort = _context.SourcePort, Id = _id, Name = _flow.AsSpan(0, _flowLength) };
        At = long.MaxValue;
    }
}
