using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// NetBIOS name service, RFC 1002 4.2: a DNS message whose names are encoded a second time (4.1) and whose last character says what the name stands for.
/// Every getter is safe once <see cref="TryRead"/> has said None.
/// </summary>
public readonly ref struct NbnsMessage
{
    public const ushort Port = 137;
    public const ushort TypeNB = 0x20, TypeStatus = 0x21;
    public const int NameLength = 16;

    /// <summary>A name as text is no longer: sixteen characters, each as \DDD, with the scope that may follow.</summary>
    public const int MaxTextLength = DnsName.MaxTextLength;

    const int EncodedLength = 32;
    const ushort GroupFlag = 0x8000;

    readonly DnsMessage _dns;

    NbnsMessage(DnsMessage dns) => _dns = dns;

    public DnsMessage Dns => _dns;

    /// <summary>A host says that a name is its own: registration, refresh (4.2.2 to 4.2.4); 9 is what hosts send for 8.</summary>
    public bool IsRegistration => !_dns.IsResponse && _dns.Opcode is 5 or 8 or 9;

    /// <summary>The answer to a node status request (4.2.18).</summary>
    public bool IsStatus => _dns.IsResponse && _dns.Opcode == 0 && _dns.ResponseCode == 0;

    /// <summary>4.2.1.1, the B flag: sent to all, so that whoever has the name answers.</summary>
    public static bool IsBroadcast(in DnsMessage dns) => (dns.Flags & 0x0010) != 0;

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out NbnsMessage message)
    {
        message = default;
        DecodeFault fault = DnsMessage.TryRead(bytes, out DnsMessage dns);
        if (fault == DecodeFault.None) message = new NbnsMessage(dns);
        return fault;
    }

    /// <summary>Reads the encoded name at <paramref name="offset"/> (RFC 1001 14.1: two letters from 'A' a byte): fifteen characters and the suffix.</summary>
    public static bool TryReadName(ReadOnlySpan<byte> message, int offset, Span<byte> name)
    {
        if ((uint)offset >= (uint)message.Length) return false;
        // A record's name is a pointer to the question's.
        if (message[offset] >= 0xC0)
        {
            if (message.Length - offset < 2) return false;
            offset = ((message[offset] & 0x3F) << 8) | message[offset + 1];
        }
        if (message.Length - offset < 1 + EncodedLength || message[offset] != EncodedLength || name.Length < NameLength) return false;
        ReadOnlySpan<byte> letters = message.Slice(offset + 1, EncodedLength);
        for (int i = 0; i < NameLength; i++)
        {
            int high = letters[2 * i] - 'A', low = letters[(2 * i) + 1] - 'A';
            if (high is < 0 or > 15 || low is < 0 or > 15) return false;
            name[i] = (byte)((high << 4) | low);
        }
        return true;
    }

    /// <summary>
    /// Writes the first question's name, or of a message without one the first answer's owner, as <see cref="TryFormatName"/> does; <paramref name="type"/> is
    /// that question's or record's. Nothing is written, and that is no fault, when there is neither.
    /// </summary>
    public static DecodeFault ReadSubject(in DnsMessage dns, Span<byte> destination, out int written, out ushort type)
    {
        written = 0;
        type = dns.QuestionType;
        int offset = DnsMessage.HeaderLength;
        if (!dns.HasQuestion)
        {
            DnsRecordReader records = dns.Records;
            if (!records.MoveNext() || records.Section != DnsSection.Answer) return records.Fault;
            offset = records.OwnerOffset;
            type = records.Type;
        }
        return TryFormatName(dns.Bytes, offset, destination, out written) ? DecodeFault.None : DecodeFault.NbnsNameInvalid;
    }

    /// <summary>
    /// Writes the name at <paramref name="offset"/> as people and tools do: without padding, its suffix as two hex digits, the scope (RFC 1001 14.1) behind a
    /// dot: DESKTOP-7&lt;20&gt;, WORKGROUP&lt;1d&gt;.example. Characters are escaped as <see cref="DnsName.Read"/> escapes them, but a space within stays.
    /// False when it is no such name, or <paramref name="destination"/> (<see cref="MaxTextLength"/> bytes) is too short.
    /// </summary>
    public static bool TryFormatName(ReadOnlySpan<byte> message, int offset, Span<byte> destination, out int written)
    {
        written = 0;
        Span<byte> name = stackalloc byte[NameLength];
        if (!TryReadName(message, offset, name)) return false;
        // Once more as a DNS name: the 32 letters, then the scope's labels.
        Span<byte> labels = stackalloc byte[DnsName.MaxTextLength];
        if (DnsName.Read(message, ref offset, labels, out int length) != DecodeFault.None) return false;
        var text = new Utf8Cursor(destination);
        AppendName(ref text, name);
        text.Append(labels[EncodedLength..length]);
        written = text.Length;
        return !text.IsCut;
    }

    /// <summary>
    /// Writes a record's data: the addresses of an NB record, the names of an NBSTAT record and the unit's hardware address, of other types what
    /// <see cref="DnsRecordReader.FormatData"/> writes. Groups are marked by an asterisk behind them.
    /// </summary>
    public static int FormatData(in DnsRecordReader record, Span<byte> destination, out bool cut)
    {
        var text = new Utf8Cursor(destination);
        ReadOnlySpan<byte> data = record.Data;
        bool good;
        switch (record.Type)
        {
            case TypeNB:
                good = AppendAddresses(ref text, data);
                break;
            case TypeStatus:
                good = AppendStatus(ref text, data);
                break;
            default:
                return record.FormatData(destination, out cut);
        }
        if (!good) DnsRecordText.AppendGeneric(ref text, data);
        cut = text.IsCut;
        return text.Length;
    }

    /// <summary>4.2.1.3: flags and address, as often as there are.</summary>
    static bool AppendAddresses(ref Utf8Cursor text, ReadOnlySpan<byte> data)
    {
        const int entry = 6;
        if (data.IsEmpty || data.Length % entry != 0) return false;
        for (int at = 0; at < data.Length; at += entry)
        {
            if (at > 0) text.Append((byte)' ');
            DnsRecordText.AppendAddress(ref text, data.Slice(at + 2, 4));
            if ((BinaryPrimitives.ReadUInt16BigEndian(data[at..]) & GroupFlag) != 0) text.Append((byte)'*');
        }
        return true;
    }

    /// <summary>4.2.18.</summary>
    static bool AppendStatus(ref Utf8Cursor text, ReadOnlySpan<byte> data)
    {
        const int entry = NameLength + 2;
        if (data.IsEmpty || data.Length - 1 < data[0] * entry) return false;
        ReadOnlySpan<byte> entries = data.Slice(1, data[0] * entry), statistics = data[(1 + entries.Length)..];
        for (; !entries.IsEmpty; entries = entries[entry..])
        {
            AppendName(ref text, entries);
            if ((BinaryPrimitives.ReadUInt16BigEndian(entries[NameLength..]) & GroupFlag) != 0) text.Append((byte)'*');
            text.Append((byte)' ');
        }
        if (statistics.Length < 6) return false;
        foreach (byte b in statistics[..6]) text.AppendHex(b);
        return true;
    }

    static void AppendName(ref Utf8Cursor text, scoped ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> characters = name[..(NameLength - 1)].TrimEnd(" \0"u8);
        foreach (byte b in characters)
        {
            if (b is (byte)'.' or (byte)'\\') text.Append((byte)'\\');
            if (b is >= 0x20 and < 0x7F) text.Append(b);
            else text.AppendDdd(b);
        }
        text.Append((byte)'<');
        text.AppendHex(name[NameLength - 1]);
        text.Append((byte)'>');
    }

    /// <summary>What the type of a question or record is called here: NB and NBSTAT, which elsewhere are other types; else as <see cref="DnsTypes.Name"/>.</summary>
    public static ReadOnlySpan<byte> TypeName(ushort type, Span<byte> scratch) => type switch
    {
        TypeNB => "NB"u8,
        TypeStatus => "NBSTAT"u8,
        _ => DnsTypes.Name(type, scratch),
    };

    /// <summary>Workstation (00) and server (20) names are the host's; others are of domains, users and browsers.</summary>
    public static bool IsHostName(ReadOnlySpan<byte> name) => name[NameLength - 1] is 0x00 or 0x20 && name[0] is > 0x20 and not (byte)'*';

    /// <summary>Of an NB record: the first address, when the name is not a group's.</summary>
    public static bool TryReadUnique(in DnsRecordReader record, out Address address)
    {
        ReadOnlySpan<byte> data = record.Data;
        address = data.Length >= 6 ? Address.ReadV4(data[2..]) : default;
        return record.Type == TypeNB && data.Length >= 6 && (BinaryPrimitives.ReadUInt16BigEndian(data) & GroupFlag) == 0;
    }

    /// <summary>Of an NBSTAT record: the first unique host name, and the unit's hardware address (0 where the host does not say).</summary>
    public static bool TryReadStatus(in DnsRecordReader record, Span<byte> name, out ulong hardware)
    {
        const int EntryLength = NameLength + 2;
        hardware = 0;
        ReadOnlySpan<byte> data = record.Data;
        if (record.Type != TypeStatus || data.IsEmpty) return false;
        int count = data[0];
        ReadOnlySpan<byte> entries = data[1..];
        if (entries.Length < count * EntryLength) return false;
        bool found = false;
        for (int i = 0; i < count && !found; i++)
        {
            ReadOnlySpan<byte> entry = entries.Slice(i * EntryLength, EntryLength);
            if ((BinaryPrimitives.ReadUInt16BigEndian(entry[NameLength..]) & GroupFlag) != 0 || !IsHostName(entry)) continue;
            entry[..NameLength].CopyTo(name);
            found = true;
        }
        ReadOnlySpan<byte> statistics = entries[(count * EntryLength)..];
        if (statistics.Length >= 6) hardware = HardwareAddress.Read(statistics);
        return found;
    }
}
