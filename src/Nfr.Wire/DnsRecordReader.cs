using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>Where a record stands in its message, RFC 1035 4.1.</summary>
public enum DnsSection : byte
{
    Answer,
    Authority,
    Additional,
}

/// <summary>
/// Walks the resource records of RFC 1035 4.1.3, forward and once. <see cref="MoveNext"/> says false at the end or at the first record
/// that is not whole; <see cref="Fault"/> tells which. The properties describe the current record.
/// </summary>
public ref struct DnsRecordReader
{
    const int FixedLength = 10;

    readonly ReadOnlySpan<byte> _message;
    int _questions, _answers, _authorities, _additionals;
    /// <summary>Where a name begins that has been walked: most owners are a pointer to the same one.</summary>
    int _known;

    internal DnsRecordReader(DnsMessage message)
    {
        _message = message.Bytes;
        // The first question has been read.
        _questions = message.HasQuestion ? message.QuestionCount - 1 : 0;
        _answers = message.AnswerCount;
        _authorities = message.AuthorityCount;
        _additionals = message.AdditionalCount;
        Offset = message.QuestionEnd;
        _known = message.HasQuestion ? DnsMessage.HeaderLength : -1;
    }

    public DecodeFault Fault { get; private set; }
    /// <summary>The offset in the message after what was read so far.</summary>
    public int Offset { get; private set; }
    public DnsSection Section { get; private set; }
    public int OwnerOffset { get; private set; }
    public ushort Type { get; private set; }
    public ushort Class { get; private set; }
    public uint TimeToLive { get; private set; }
    public int DataOffset { get; private set; }
    public int DataLength { get; private set; }
    public readonly ReadOnlySpan<byte> Data => _message.Slice(DataOffset, DataLength);

    /// <summary>Writes the owner's name as <see cref="DnsName.Read"/> does; 0 when <paramref name="destination"/> is too short.</summary>
    public readonly int ReadOwner(Span<byte> destination)
    {
        int offset = OwnerOffset;
        return DnsName.Read(_message, ref offset, destination, out int written) == DecodeFault.None ? written : 0;
    }

    /// <summary>Writes the data as <see cref="DnsRecordText.Format"/> does.</summary>
    public readonly int FormatData(Span<byte> destination, out bool cut) =>
        DnsRecordText.Format(_message, Type, DataOffset, DataLength, destination, out cut);

    /// <summary>Of an SVCB or HTTPS record: it has the parameter ech (RFC 9460 14.3.2, RFC 9848).</summary>
    public readonly bool HasEncryptedClientHello => DnsServiceText.HasEncryptedClientHello(_message[..(DataOffset + DataLength)], DataOffset);

    public bool MoveNext()
    {
        if (Fault != DecodeFault.None) return false;
        while (_questions > 0)
        {
            if (!SkipName()) return false;
            if (_message.Length - Offset < 4) return Stop(DecodeFault.DnsQuestionTruncated);
            Offset += 4;
            _questions--;
        }
        if (_answers > 0) (Section, _answers) = (DnsSection.Answer, _answers - 1);
        else if (_authorities > 0) (Section, _authorities) = (DnsSection.Authority, _authorities - 1);
        else if (_additionals > 0) (Section, _additionals) = (DnsSection.Additional, _additionals - 1);
        else return false;

        int owner = Offset;
        if (!SkipName()) return false;
        ReadOnlySpan<byte> rest = _message[Offset..];
        if (rest.Length < FixedLength) return Stop(DecodeFault.DnsRecordTruncated);
        int length = BinaryPrimitives.ReadUInt16BigEndian(rest[8..]);
        if (rest.Length - FixedLength < length) return Stop(DecodeFault.DnsRecordTruncated);
        OwnerOffset = owner;
        Type = BinaryPrimitives.ReadUInt16BigEndian(rest);
        Class = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
        TimeToLive = BinaryPrimitives.ReadUInt32BigEndian(rest[4..]);
        DataOffset = Offset + FixedLength;
        DataLength = length;
        Offset = DataOffset + length;
        return true;
    }

    bool SkipName()
    {
        int offset = Offset;
        int target = DnsName.PointerAt(_message, offset);
        if (target >= 0 && target == _known)
        {
            Offset = offset + DnsName.PointerLength;
            return true;
        }
        DecodeFault fault = DnsName.Skip(_message, ref offset);
        Offset = offset;
        if (fault != DecodeFault.None) return Stop(fault);
        if (target >= 0) _known = target;
        return true;
    }

    bool Stop(DecodeFault fault)
    {
        Fault = fault;
        return false;
    }
}
