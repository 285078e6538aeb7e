using System.Buffers.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>dns.log: a query with its answer.</summary>
public sealed partial class ZeekParser
{
    /// <summary>A name in presentation form: 255 bytes (RFC 1035 2.3.4), each \DDD at the most.</summary>
    const int MaxName = 1024;
    /// <summary>Header and the question's type and class, around the name.</summary>
    const int QueryOverhead = 12 + 4 + 2;

    readonly byte[] _answers = new byte[8 * 1024];

    LineVerdict OnDns(ZeekRow row, IEventSink sink)
    {
        var e = new DnsEvent { ResponseCode = -1 };
        if (Context(row, ref e.Context) is not LineVerdict.Event and var fault) return fault;
        e.Context.Protocol = Protocol(row, e.Context);
        e.Service = e.Context.DestinationPort == NbnsMessage.Port || e.Context.SourcePort == NbnsMessage.Port
            ? App.Nbns : Recognizer.DnsService(e.Context.SourcePort, e.Context.DestinationPort);
        if (!row.Has(ZeekField.Query) || !TryName(row.Text(ZeekField.Query), e.Service, out e.Query)) return LineVerdict.Query;
        e.QueryType = QueryType(row, e.Service);
        if (row[ZeekField.RCode].TryNumber(out long code) && code is >= 0 and <= short.MaxValue) e.ResponseCode = (short)code;
        else if (row.Has(ZeekField.RCodeName)) e.ResponseCode = EventWords.ResponseCode(row[ZeekField.RCodeName]);
        e.Id = row.Word(ZeekField.TransId);
        e.Flags = Flags(row, e.ResponseCode);
        e.Answers = Answers(row, e.QueryType, e.Service, out bool cut);
        if (cut) e.Notes |= DnsNotes.AnswersTruncated;
        e.QueryLength = (ushort)(e.Query.Length + QueryOverhead);
        sink.OnDns(e);
        return LineVerdict.Event;
    }

    /// <summary>By number; else by name, of which Zeek has some of its own ("query-65" for what it does not know).</summary>
    static ushort QueryType(ZeekRow row, App service)
    {
        if (row[ZeekField.QType].TryNumber(out long number) && number is > 0 and <= ushort.MaxValue) return (ushort)number;
        ReadOnlySpan<byte> name = row.Text(ZeekField.QTypeName);
        if (name.StartsWith("query-"u8) && Utf8Parser.TryParse(name[6..], out ushort type, out int used) && used == name.Length - 6) return type;
        return EventWords.QueryType(name, service);
    }

    /// <summary>RFC 1035 4.1.1, put together of its parts; the Z column holds Z, AD and CD.</summary>
    static ushort Flags(ZeekRow row, short code)
    {
        int flags = (row.Is(ZeekField.AA) ? 0x0400 : 0) | (row.Is(ZeekField.TC) ? 0x0200 : 0) | (row.Is(ZeekField.RD) ? 0x0100 : 0) | (row.Is(ZeekField.RA) ? 0x0080 : 0);
        flags |= ((row.Word(ZeekField.Z) & 7) << 4) | ((row.Word(ZeekField.Opcode) & 15) << 11);
        if (code >= 0) flags |= 0x8000 | (code & 15);
        return (ushort)flags;
    }

    /// <summary>
    /// The model's form, see <see cref="DnsEvent.Query"/>. Zeek writes the bytes of the labels between dots: the dot of a label cannot be told. Of NetBIOS names it
    /// leaves out the suffix; they keep their spaces.
    /// </summary>
    bool TryName(ReadOnlySpan<byte> text, App service, out ReadOnlySpan<byte> name)
    {
        name = text;
        if (text.Length > MaxName) return false;
        if (service == App.Nbns) text = text.TrimEnd((byte)' ');
        if (text.Length > 1 && text[^1] == '.') text = text[..^1];
        name = text.IsEmpty ? "."u8 : text;
        byte least = service == App.Nbns ? (byte)' ' : (byte)'!';
        if (!name.ContainsAnyExceptInRange(least, (byte)'~') && !name.Contains((byte)'\\')) return true;
        Span<byte> room = _room.Take(name.Length * 4);
        int n = 0;
        foreach (byte c in name)
        {
            if (c == '\\') room[n++] = c;
            if (c >= least && c <= '~')
            {
                room[n++] = c;
                continue;
            }
            room[n++] = (byte)'\\';
            room[n++] = (byte)('0' + (c / 100));
            room[n++] = (byte)('0' + (c / 10 % 10));
            room[n++] = (byte)('0' + (c % 10));
        }
        name = _room.Keep(n);
        return n <= MaxName;
    }

    /// <summary>
    /// Zeek writes data without types. An address is an A or AAAA record, what begins with a type's name ("TXT 5 hello", "RRSIG 1 a.b") is of that; any
    /// other text is a name: of the type that was asked for, or an alias where addresses or texts were.
    /// </summary>
    ReadOnlySpan<byte> Answers(ZeekRow row, ushort asked, App service, out bool cut)
    {
        cut = false;
        var writer = new DnsAnswerWriter(_answers);
        ZeekList answers = row.Items(ZeekField.Answers), lives = row.Items(ZeekField.TTLs);
        while (answers.Next(out JsonRaw item))
        {
            uint timeToLive = lives.Next(out JsonRaw life) && life.TryNumber(out long seconds) ? (uint)Math.Clamp(seconds, 0, uint.MaxValue) : 0;
            if (item.Kind == JsonKind.None) continue;
            ReadOnlySpan<byte> text = row.Text(item);
            Span<byte> space = writer.TextSpace;
            // Quotes and escapes make a text at most four times as long, and three more a string.
            if (space.Length < (text.Length * 5) + 8)
            {
                cut = true;
                break;
            }
            writer.Commit(AnswerType(text, asked, service), timeToLive, ZeekAnswers.Format(text, space));
        }
        return writer.Written;
    }

    static ushort AnswerType(ReadOnlySpan<byte> text, ushort asked, App service)
    {
        if (AddressText.TryParse(text, out _)) return service == App.Nbns ? NbnsMessage.TypeNB : text.Contains((byte)':') ? DnsTypes.AAAA : DnsTypes.A;
        if (service == App.Nbns) return asked;
        if (ZeekAnswers.TypeOf(text) is > 0 and var type) return type;
        // A text that is no name: the first versions left out "TXT 5".
        if (asked == DnsTypes.TXT && text.ContainsAny((byte)' ', (byte)'=', (byte)'"')) return asked;
        return asked is DnsTypes.A or DnsTypes.AAAA or DnsTypes.TXT or DnsTypes.HTTPS ? DnsTypes.CNAME : asked;
    }
}
