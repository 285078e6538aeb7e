using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// RFC 8415 8 and 9: a message between client and server, taken out of the relays' messages around it, with what tells a host's name, hardware address and
/// addresses. Every getter is safe once <see cref="TryRead"/> has said None.
/// </summary>
public readonly ref struct Dhcpv6Message
{
    public const byte Solicit = 1, Request = 3, Confirm = 4, Renew = 5, Rebind = 6, Reply = 7, InformationRequest = 11;

    /// <summary>7.6, HOP_COUNT_LIMIT: a message that came through more relays is dropped by them.</summary>
    public const int MaximumRelays = 8;

    internal const int OptionHeader = 4;

    const byte RelayForward = 12, RelayReply = 13;
    const int HeaderLength = 4, RelayHeaderLength = 34;
    const ushort ClientId = 1, RelayMessage = 9, ClientFqdn = 39, ClientLinkLayer = 79;

    readonly ReadOnlySpan<byte> _bytes;
    readonly ReadOnlySpan<byte> _client;
    readonly ReadOnlySpan<byte> _fqdn;
    readonly ulong _linkLayer;

    Dhcpv6Message(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> client, ReadOnlySpan<byte> fqdn, ulong linkLayer, int relays)
    {
        _bytes = bytes;
        _client = client;
        _fqdn = fqdn;
        _linkLayer = linkLayer;
        Relays = relays;
    }

    public byte Type => _bytes[0];
    /// <summary>24 bits that an answer has of its question.</summary>
    public uint Transaction => BinaryPrimitives.ReadUInt32BigEndian(_bytes) & 0xFF_FFFF;
    /// <summary>How many relays' messages were around it.</summary>
    public int Relays { get; }
    /// <summary>The client's DUID (option 1, RFC 8415 11) from its type on; empty without one.</summary>
    public ReadOnlySpan<byte> ClientIdentifier => _client;
    /// <summary>Option 39 (RFC 4704 4) from its flags on; empty without it.</summary>
    public ReadOnlySpan<byte> Fqdn => _fqdn;

    /// <summary>
    /// The client's Ethernet address: as the first relay saw it (RFC 6939), else out of a DUID made of one (RFC 8415 11.2 and 11.4: of one of the client's
    /// interfaces, perhaps not this one); 0 when neither says.
    /// </summary>
    public ulong ClientHardware => _linkLayer != 0 ? _linkLayer : HardwareOf(_client);

    /// <summary>The addresses that the message gives (IA_NA and IA_TA), without those of a refused association or a lifetime of zero.</summary>
    public Dhcpv6AddressReader Addresses => new(_bytes[HeaderLength..]);

    /// <summary>Takes the relays' messages off and checks every option that a getter reads.</summary>
    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out Dhcpv6Message message)
    {
        message = default;
        ulong linkLayer = 0;
        int relays = 0;
        while (!bytes.IsEmpty && bytes[0] is RelayForward or RelayReply)
        {
            if (relays++ == MaximumRelays) return DecodeFault.DhcpV6RelayedTooOften;
            if (bytes.Length < RelayHeaderLength) return DecodeFault.DhcpV6Invalid;
            ReadOnlySpan<byte> inner = default, rest = bytes[RelayHeaderLength..];
            while (TryOption(ref rest, out ushort code, out ReadOnlySpan<byte> value))
            {
                if (code == RelayMessage) inner = value;
                // The relay next to the client writes it: the last one that is taken off.
                else if (code == ClientLinkLayer && value.Length == 8 && BinaryPrimitives.ReadUInt16BigEndian(value) == 1) linkLayer = HardwareAddress.Read(value[2..]);
            }
            if (!rest.IsEmpty || inner.IsEmpty) return DecodeFault.DhcpV6Invalid;
            bytes = inner;
        }
        if (bytes.Length < HeaderLength) return DecodeFault.DhcpV6Invalid;
        ReadOnlySpan<byte> client = default, fqdn = default, options = bytes[HeaderLength..];
        while (TryOption(ref options, out ushort code, out ReadOnlySpan<byte> value))
        {
            if (code == ClientId) client = value;
            else if (code == ClientFqdn) fqdn = value;
            else if (!Dhcpv6AddressReader.IsWhole(code, value)) return DecodeFault.DhcpV6Invalid;
        }
        if (!options.IsEmpty) return DecodeFault.DhcpV6Invalid;
        message = new Dhcpv6Message(bytes, client, fqdn, linkLayer, relays);
        return DecodeFault.None;
    }

    /// <summary>
    /// Writes the name of option 39 (RFC 4704 4.2: in wire form, without the root at its end when it is only a part). Returns its length; 0 when there is none,
    /// or when <paramref name="destination"/> (<see cref="DnsName.MaxTextLength"/> bytes) is too short.
    /// </summary>
    public int ReadName(Span<byte> destination)
    {
        if (_fqdn.Length is < 2 or > DnsName.MaxWireLength + 1) return 0;
        ReadOnlySpan<byte> name = _fqdn[1..];
        Span<byte> whole = stackalloc byte[DnsName.MaxWireLength + 1];
        name.CopyTo(whole);
        // DnsName takes a name without its root for cut off.
        whole[name.Length] = 0;
        int offset = 0;
        bool read = DnsName.Read(whole[..(name.Length + 1)], ref offset, destination, out int written) == DecodeFault.None;
        return read && destination[0] != (byte)'.' ? written : 0;
    }

    /// <summary>Takes the option at the front (21.1); false at the end, and leaves what is not whole.</summary>
    internal static bool TryOption(scoped ref ReadOnlySpan<byte> rest, out ushort code, out ReadOnlySpan<byte> value)
    {
        code = 0;
        value = default;
        if (rest.Length < OptionHeader) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
        if (rest.Length - OptionHeader < length) return false;
        code = BinaryPrimitives.ReadUInt16BigEndian(rest);
        value = rest.Slice(OptionHeader, length);
        rest = rest[(OptionHeader + length)..];
        return true;
    }

    static ulong HardwareOf(ReadOnlySpan<byte> duid)
    {
        const ushort linkLayerAndTime = 1, linkLayer = 3, ethernet = 1;
        if (duid.Length < 4 || BinaryPrimitives.ReadUInt16BigEndian(duid[2..]) != ethernet) return 0;
        return BinaryPrimitives.ReadUInt16BigEndian(duid) switch
        {
            linkLayerAndTime when duid.Length == 14 => HardwareAddress.Read(duid[8..]),
            linkLayer when duid.Length == 10 => HardwareAddress.Read(duid[4..]),
            _ => 0,
        };
    }
}

/// <summary>Walks the addresses in a message's identity associations (RFC 8415 21.4 to 21.6), forward and once.</summary>
public ref struct Dhcpv6AddressReader
{
    const ushort NonTemporary = 3, Temporary = 4, IaAddress = 5, StatusCode = 13;
    const int AddressLength = 24;

    ReadOnlySpan<byte> _options;
    ReadOnlySpan<byte> _within;

    internal Dhcpv6AddressReader(ReadOnlySpan<byte> options) => _options = options;

    /// <summary>The current address.</summary>
    public Address Current { get; private set; }
    /// <summary>Its valid lifetime in seconds, never 0.</summary>
    public uint ValidLifetime { get; private set; }

    public bool MoveNext()
    {
        while (true)
        {
            while (Dhcpv6Message.TryOption(ref _within, out ushort code, out ReadOnlySpan<byte> value))
            {
                if (code != IaAddress || value.Length < AddressLength || IsRefused(value[AddressLength..])) continue;
                // 18.2.10.1: a lifetime of zero takes the address back.
                ValidLifetime = BinaryPrimitives.ReadUInt32BigEndian(value[20..]);
                if (ValidLifetime == 0) continue;
                Current = Address.ReadV6(value);
                return true;
            }
            if (!Dhcpv6Message.TryOption(ref _options, out ushort association, out ReadOnlySpan<byte> content)) return false;
            int header = HeaderOf(association);
            _within = header > 0 && content.Length >= header && !IsRefused(content[header..]) ? content[header..] : default;
        }
    }

    /// <summary>The options within an association end where it does, and so do those within its addresses; any other option is whole.</summary>
    internal static bool IsWhole(ushort code, ReadOnlySpan<byte> content)
    {
        int header = code == IaAddress ? AddressLength : HeaderOf(code);
        if (header == 0) return true;
        if (content.Length < header) return false;
        ReadOnlySpan<byte> rest = content[header..];
        while (Dhcpv6Message.TryOption(ref rest, out ushort within, out ReadOnlySpan<byte> value))
        {
            // One level down only: an association holds addresses, and those hold neither.
            if (header != AddressLength && within == IaAddress && !IsWhole(IaAddress, value)) return false;
        }
        return rest.IsEmpty;
    }

    /// <summary>IAID, and T1 and T2 where there are any.</summary>
    static int HeaderOf(ushort association) => association switch { NonTemporary => 12, Temporary => 4, _ => 0 };

    /// <summary>21.13: a status other than Success stands among the options.</summary>
    static bool IsRefused(ReadOnlySpan<byte> options)
    {
        while (Dhcpv6Message.TryOption(ref options, out ushort code, out ReadOnlySpan<byte> value))
        {
            if (code == StatusCode && value.Length >= 2 && BinaryPrimitives.ReadUInt16BigEndian(value) != 0) return true;
        }
        return false;
    }
}
