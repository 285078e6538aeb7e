using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>
/// BlueCat DNS Edge's query log: objects with "time" (milliseconds since 1970), "source", "query", "queryType", "queryProtocol", and in newer versions
/// "response", "answers" and "queryId". Objects may be in an array or not, several in a line or over several lines: each of them is an event when it
/// is whole, and one that goes on in the next line is held back.
/// </summary>
public sealed class EdgeParser : LineParser
{
    /// <summary>Header, type and class of a query, around its name's text, whose length the message's is greater by two.</summary>
    const int QueryOverhead = 12 + 4 + 2;
    const int MaximumName = 1024;
    const int MaximumAnswers = 16 * 1024;

    readonly JsonRecords _records = new();
    readonly byte[] _name = new byte[MaximumName * 4], _answers = new byte[MaximumAnswers];
    long _heldAt = long.MaxValue;

    public EdgeParser(LineOptions options)
        : base(options)
    {
    }

    public override long OldestHeld => _heldAt;

    public override void Restart()
    {
        _records.Begin(0);
        _heldAt = long.MaxValue;
    }

    /// <summary>A line, or one record of a <see cref="JsonRecords"/>.</summary>
    /// <returns>An event where there was one, else what was wrong.</returns>
    public override LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink)
    {
        LineVerdict verdict = LineVerdict.Header;
        bool within = _records.IsWithin;
        while (true)
        {
            // A line's end goes with its last piece, since a text cannot go on behind it.
            Span<byte> room = _records.Room();
            int length = Math.Min(line.Length, room.Length - 1);
            line[..length].CopyTo(room);
            line = line[length..];
            if (line.IsEmpty) room[length++] = (byte)'\n';
            _records.Filled(length);
            for (LineFound found; (found = _records.TryNext(out ReadOnlySpan<byte> record)) != LineFound.None;)
            {
                LineVerdict one = found == LineFound.TooLong ? LineVerdict.TooLong : record.IsEmpty ? LineVerdict.Header : Record(record, sink);
                if (verdict == LineVerdict.Header || one == LineVerdict.Event) verdict = one;
            }
            if (line.IsEmpty) break;
        }
        if (!_records.IsWithin) _heldAt = long.MaxValue;
        // Where one object ends and another begins in a line, that can be told from the first one's line on.
        else if (!within) _heldAt = At;
        // Of half a record it is Header: what it is comes with its last line.
        return verdict;
    }

    /// <summary>Half an object at the end of all: it is no event.</summary>
    public override void Release(IEventSink sink) => Restart();

    LineVerdict Record(ReadOnlySpan<byte> record, IEventSink sink)
    {
        var e = new DnsEvent { ResponseCode = -1, Service = App.Dns };
        bool source = false, timed = false;
        long stamp = 0;
        JsonRaw name = default;
        ReadOnlySpan<byte> answers = default;
        JsonLineReader json = JsonLineReader.Object(record);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("time"u8)) timed = TryTime(value, out stamp);
            else if (key.SequenceEqual("source"u8)) source = EventWords.TryAddress(value, out e.Context.Source);
            else if (key.SequenceEqual("query"u8)) name = value;
            else if (key.SequenceEqual("queryType"u8)) e.QueryType = EventWords.QueryType(value.Bytes, App.Dns);
            else if (key.SequenceEqual("queryProtocol"u8)) e.Context.Protocol = EventWords.Protocol(value);
            else if (key.SequenceEqual("response"u8)) e.ResponseCode = EventWords.ResponseCode(value);
            else if (key.SequenceEqual("queryId"u8)) e.Id = value.TryNumber(out long id) && id is > 0 and <= ushort.MaxValue ? (ushort)id : (ushort)0;
            else if (key.SequenceEqual("answers"u8) && value.Kind == JsonKind.Array) answers = value.Bytes;
        }
        if (json.Failed) return LineVerdict.NotJson;
        if (!Wants(EventType.Dns)) return LineVerdict.Unwanted;
        if (!timed) return LineVerdict.Timestamp;
        if (!source) return LineVerdict.Source;
        if (!TryName(name, out int length)) return LineVerdict.Query;
        e.Query = _name.AsSpan(0, length);
        e.QueryLength = (ushort)(length + QueryOverhead);
        e.Answers = Answers(answers, out bool truncated);
        if (truncated) e.Notes |= DnsNotes.AnswersTruncated;
        Stamp(ref e.Context, stamp);
        sink.OnDns(e);
        return LineVerdict.Event;
    }

    static bool TryTime(JsonRaw value, out long nanoseconds)
    {
        nanoseconds = 0;
        if (value.Kind == JsonKind.String && EventTime.TryParse(value.Bytes, out nanoseconds)) return true;
        // Until 2261.
        if (!value.TryNumber(out long milliseconds) || milliseconds is <= 0 or > 9_200_000_000_000) return false;
        nanoseconds = milliseconds * 1_000_000;
        return true;
    }

    /// <summary>The model's form, as <see cref="EventJsonReader"/> has it.</summary>
    bool TryName(JsonRaw value, out int length)
    {
        length = 0;
        if (value.Kind != JsonKind.String || value.Bytes.Length is 0 or > MaximumName) return false;
        if (!JsonLineReader.TryUnescape(value.Bytes, _name, out int plain) || plain == 0) return false;
        Span<byte> name = _name;
        if (plain > 1 && name[plain - 1] == '.' && name[plain - 2] != '\\') plain--;
        int odd = 0;
        foreach (byte c in name[..plain]) odd += c is >= (byte)' ' and <= (byte)'~' ? 0 : 1;
        length = plain + (3 * odd);
        if (length > MaximumName) return false;
        // From behind, so that it grows in its place.
        for (int from = plain - 1, to = length; odd > 0; from--)
        {
            byte c = name[from];
            if (c is >= (byte)' ' and <= (byte)'~')
            {
                name[--to] = c;
                continue;
            }
            name[--to] = (byte)('0' + (c % 10));
            name[--to] = (byte)('0' + (c / 10 % 10));
            name[--to] = (byte)('0' + (c / 100));
            name[--to] = (byte)'\\';
            odd--;
        }
        return true;
    }

    ReadOnlySpan<byte> Answers(ReadOnlySpan<byte> array, out bool truncated)
    {
        truncated = false;
        if (array.IsEmpty) return default;
        var writer = new DnsAnswerWriter(_answers);
        JsonLineReader list = JsonLineReader.Array(array);
        while (list.Next(out JsonRaw item))
        {
            if (item.Kind != JsonKind.Object) continue;
            ushort type = 0;
            JsonRaw data = default;
            JsonLineReader json = JsonLineReader.Object(item.Bytes);
            while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
            {
                if (key.SequenceEqual("recordType"u8)) type = EventWords.QueryType(value.Bytes, App.Dns);
                else if (key.SequenceEqual("rData"u8)) data = value;
            }
            if (data.Kind != JsonKind.String || type == 0) continue;
            if (data.Bytes.Length > writer.TextSpace.Length)
            {
                truncated = true;
                break;
            }
            if (!JsonLineReader.TryUnescape(data.Bytes, writer.TextSpace, out int length)) continue;
            bool isName = type is DnsTypes.CNAME or DnsTypes.NS or DnsTypes.PTR or DnsTypes.DNAME;
            if (isName && length > 1 && writer.TextSpace[length - 1] == '.') length--;
            writer.Commit(type, 0, length);
        }
        return writer.Written;
    }
}
