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

    const int EncodedLength = 32;
    const ushort GroupFlag = 0x8000;

    readonly DnsMessage _dns;

    NbnsMessage(DnsMessage dns) => _dns = dns;

    public DnsMessage Dns => _dns;

    /// <summary>A host says that a name is its own: registration, refresh (4.2.2 to 4.2.4); 9 is what hosts send for 8.</summary>
    public bool IsRegistration => !_dns.IsResponse && _dns.Opcode is 5 or 8 or 9;

    /// <summary>The answer to a node status request (4.2.18).</summary>
    public bool IsStatus => _dns.IsResponse && _dns.Opcode == 0 && _dns.ResponseCode == 0;

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
