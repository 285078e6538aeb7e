using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// RFC 2131 2 with the options of RFC 2132: what tells a host's name and address. Every getter is safe once <see cref="TryRead"/> has said None.
/// Options put into the fields "file" and "sname" (option 52) are not looked for.
/// </summary>
public readonly ref struct DhcpMessage
{
    public const byte Discover = 1, Request = 3, Acknowledge = 5, Inform = 8;

    const int OptionsAt = 240;
    const uint MagicCookie = 0x6382_5363;
    const byte Pad = 0, HostNameOption = 12, MessageType = 53, ClientFqdn = 81, End = 255;

    readonly ReadOnlySpan<byte> _bytes;

    DhcpMessage(ReadOnlySpan<byte> bytes, byte type, ReadOnlySpan<byte> hostName, ReadOnlySpan<byte> fqdn)
    {
        _bytes = bytes;
        Type = type;
        HostName = hostName;
        Fqdn = fqdn;
    }

    /// <summary>Option 53; 0 without it (BOOTP).</summary>
    public byte Type { get; }
    /// <summary>Option 12, as sent.</summary>
    public ReadOnlySpan<byte> HostName { get; }
    /// <summary>Option 81 (RFC 4702 2) from its flags on, three bytes at least; empty without it.</summary>
    public ReadOnlySpan<byte> Fqdn { get; }
    public uint Transaction => BinaryPrimitives.ReadUInt32BigEndian(_bytes[4..]);
    public Address ClientAddress => Address.ReadV4(_bytes[12..]);
    public Address YourAddress => Address.ReadV4(_bytes[16..]);
    /// <summary>The client's, when it is an Ethernet address; else 0.</summary>
    public ulong ClientHardware => _bytes[1] == 1 && _bytes[2] == 6 ? HardwareAddress.Read(_bytes[28..]) : 0;

    /// <summary>The magic cookie is where it must be.</summary>
    public static bool LooksLikeDhcp(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= OptionsAt && bytes[0] is 1 or 2 && BinaryPrimitives.ReadUInt32BigEndian(bytes[236..]) == MagicCookie;

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out DhcpMessage message)
    {
        message = default;
        if (!LooksLikeDhcp(bytes)) return DecodeFault.DhcpInvalid;
        byte type = 0;
        ReadOnlySpan<byte> hostName = default, fqdn = default;
        ReadOnlySpan<byte> rest = bytes[OptionsAt..];
        while (!rest.IsEmpty && rest[0] != End)
        {
            if (rest[0] == Pad)
            {
                rest = rest[1..];
                continue;
            }
            if (rest.Length < 2 || rest.Length - 2 < rest[1]) return DecodeFault.DhcpInvalid;
            ReadOnlySpan<byte> value = rest.Slice(2, rest[1]);
            switch (rest[0])
            {
                case MessageType when value.Length == 1:
                    type = value[0];
                    break;
                case HostNameOption:
                    hostName = value;
                    break;
                case ClientFqdn when value.Length > 3:
                    fqdn = value;
                    break;
            }
            rest = rest[(2 + value.Length)..];
        }
        message = new DhcpMessage(bytes, type, hostName, fqdn);
        return DecodeFault.None;
    }

    /// <summary>
    /// Writes the name that the client gives itself: the FQDN where there is one (in wire form when its E flag says so, else as text), else the host name.
    /// Returns its length; 0 when there is none, or when <paramref name="destination"/> (<see cref="DnsName.MaxTextLength"/> bytes) is too short.
    /// </summary>
    public int ReadName(Span<byte> destination)
    {
        if (Fqdn.Length > 3)
        {
            ReadOnlySpan<byte> name = Fqdn[3..];
            if ((Fqdn[0] & 4) == 0) return Copy(name, destination);
            // RFC 4702 2.3.1: without the root at its end it is a partial name, which DnsName takes for cut off.
            Span<byte> whole = stackalloc byte[256];
            name.CopyTo(whole);
            whole[name.Length] = 0;
            int offset = 0;
            if (DnsName.Read(whole[..(name.Length + 1)], ref offset, destination, out int written) == DecodeFault.None && written > 0 && destination[0] != (byte)'.') return written;
        }
        return Copy(HostName, destination);
    }

    static int Copy(ReadOnlySpan<byte> text, Span<byte> destination) => text.TryCopyTo(destination) ? text.Length : 0;
}
