using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// RFC 1035 4.1. Every getter is safe once <see cref="TryRead"/> has said None: the header and the first question are whole then.
/// Records are read lazily by <see cref="Records"/>, so a message whose tail was cut still gives its question.
/// </summary>
public readonly ref struct DnsMessage
{
    public const int HeaderLength = 12;

    // One byte of root name, type and class; a record has TTL and length besides.
    const int MinQuestionLength = 5, MinRecordLength = 11;

    readonly ReadOnlySpan<byte> _bytes;
    readonly int _questionEnd;

    DnsMessage(ReadOnlySpan<byte> bytes, int questionEnd)
    {
        _bytes = bytes;
        _questionEnd = questionEnd;
    }

    public ReadOnlySpan<byte> Bytes => _bytes;
    public ushort Id => BinaryPrimitives.ReadUInt16BigEndian(_bytes);
    /// <summary>The second word: QR, OPCODE, AA, TC, RD, RA, Z, AD, CD, RCODE.</summary>
    public ushort Flags => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);
    public bool IsResponse => (_bytes[2] & 0x80) != 0;
    public int Opcode => (_bytes[2] >> 3) & 15;
    public bool Authoritative => (_bytes[2] & 4) != 0;
    public bool Truncated => (_bytes[2] & 2) != 0;
    public bool RecursionDesired => (_bytes[2] & 1) != 0;
    public bool RecursionAvailable => (_bytes[3] & 0x80) != 0;
    /// <summary>The header's four bits; RFC 6891's upper eight are in the OPT record.</summary>
    public int ResponseCode => _bytes[3] & 15;
    public int QuestionCount => BinaryPrimitives.ReadUInt16BigEndian(_bytes[4..]);
    public int AnswerCount => BinaryPrimitives.ReadUInt16BigEndian(_bytes[6..]);
    public int AuthorityCount => BinaryPrimitives.ReadUInt16BigEndian(_bytes[8..]);
    public int AdditionalCount => BinaryPrimitives.ReadUInt16BigEndian(_bytes[10..]);

    /// <summary>False in most mDNS answers; then name, type and class of the question are empty.</summary>
    public bool HasQuestion => _questionEnd > HeaderLength;
    public ushort QuestionType => HasQuestion ? BinaryPrimitives.ReadUInt16BigEndian(_bytes[(_questionEnd - 4)..]) : (ushort)0;
    /// <summary>As on the wire; mDNS uses the top bit for "unicast response wanted" (RFC 6762 5.4).</summary>
    public ushort QuestionClass => HasQuestion ? BinaryPrimitives.ReadUInt16BigEndian(_bytes[(_questionEnd - 2)..]) : (ushort)0;

    /// <summary>
    /// Writes the first question's name as <see cref="DnsName.Read"/> does and returns its length in bytes; 0 without a question or
    /// when <paramref name="destination"/> is shorter than the name (<see cref="DnsName.MaxTextLength"/> always suffices).
    /// </summary>
    public int ReadQuestionName(Span<byte> destination)
    {
        int offset = HeaderLength;
        return HasQuestion && DnsName.Read(_bytes, ref offset, destination, out int written) == DecodeFault.None ? written : 0;
    }

    /// <summary>Where the first question ends; the header's end without one.</summary>
    internal int QuestionEnd => _questionEnd;

    /// <summary>A walker over the answer, authority and additional sections.</summary>
    public DnsRecordReader Records => new(this);

    public static DecodeFault TryRead(ReadOnlySpan<byte> message, out DnsMessage result)
    {
        result = default;
        if (message.Length < HeaderLength) return DecodeFault.DnsHeaderTooShort;
        int questions = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
        int offset = HeaderLength;
        if (questions > 0)
        {
            DecodeFault fault = DnsName.Skip(message, ref offset);
            if (fault != DecodeFault.None) return fault;
            if (message.Length - offset < 4) return DecodeFault.DnsQuestionTruncated;
            offset += 4;
        }
        // Not the records: an answer cut short by its path or the snap length still names what was asked.
        if (questions * MinQuestionLength > message.Length - HeaderLength) return DecodeFault.DnsCountsImplausible;
        result = new DnsMessage(message, offset);
        return DecodeFault.None;
    }

    /// <summary>
    /// Whether bytes from a port that promises nothing are a DNS message: known opcode, sane counts, a question of a known class, and
    /// sections that end exactly where the bytes do. Random bytes pass about never.
    /// </summary>
    public static bool LooksLikeDns(ReadOnlySpan<byte> message)
    {
        if (TryRead(message, out DnsMessage dns) != DecodeFault.None) return false;
        // RFC 1035, 1996, 2136, 8490: QUERY, IQUERY, STATUS, NOTIFY, UPDATE, DSO. The bit "Z" must be zero.
        if (dns.Opcode is 3 or > 6 || (message[3] & 0x40) != 0) return false;
        // A query answers nothing, but an UPDATE's prerequisites stand in the answer section.
        if (!dns.IsResponse && (dns.ResponseCode != 0 || dns.QuestionCount == 0 || (dns.AnswerCount > 0 && dns.Opcode != 5))) return false;
        if (dns.QuestionCount > 1 || (dns.QuestionCount == 0 && dns.AnswerCount == 0)) return false;
        int records = dns.AnswerCount + dns.AuthorityCount + dns.AdditionalCount;
        if ((dns.QuestionCount * MinQuestionLength) + (records * MinRecordLength) > message.Length - HeaderLength) return false;
        // IN, CH, HS, NONE, ANY.
        if (dns.HasQuestion && dns.QuestionClass is not (1 or 3 or 4 or 254 or 255)) return false;
        DnsRecordReader reader = dns.Records;
        while (reader.MoveNext()) { }
        return reader.Fault == DecodeFault.None && reader.Offset == message.Length;
    }
}
