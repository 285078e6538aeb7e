using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Hears what hosts say of themselves, in ARP, NDP, DHCP, DHCPv6, mDNS, LLMNR and NBNS, and emits a host event when it is new or has changed. Names are text that
/// anybody may choose: they are cut to <see cref="HostTable.NameSpace"/> bytes, and control characters are left out. What is heard within a tunnel is of the
/// network within: it has its own entries, and its events say the tunnel.
/// </summary>
sealed class HostWatch<TSink>(Emitter<TSink> emitter, long[] faults)
    where TSink : struct, IEventSink
{
    /// <summary>Names that DHCP clients gave in requests not yet acknowledged; a place that is taken is taken over.</summary>
    const int Pending = 256;

    struct Asked
    {
        public ulong Key;
        public byte Length;
        public NameText Name;
    }

    [System.Runtime.CompilerServices.InlineArray(HostTable.NameSpace)]
    struct NameText
    {
        byte _first;
    }

    readonly HostTable _said = new();
    readonly Asked[] _asked = new Asked[Pending];
    readonly byte[] _text = new byte[DnsName.MaxTextLength + 1];
    readonly byte[] _clean = new byte[HostTable.NameSpace];

    public void OnArp(in EventContext heard, ReadOnlySpan<byte> bytes)
    {
        DecodeFault fault = ArpPacket.TryRead(bytes, out ArpPacket arp);
        if (fault != DecodeFault.None) faults[(int)fault]++;
        else if (arp.IsEthernetIPv4 && arp.Operation is 1 or 2) Say(heard, arp.SenderAddress, arp.SenderHardware, default, HostSource.Arp);
    }

    /// <summary>An ICMPv6 message of one of the four types.</summary>
    public void OnNdp(in EventContext heard, ReadOnlySpan<byte> bytes)
    {
        DecodeFault fault = NdpMessage.TryRead(bytes, out NdpMessage ndp);
        if (fault != DecodeFault.None)
        {
            faults[(int)fault]++;
            return;
        }
        // 7.2.2: duplicate address detection comes from "::" and says nothing.
        Say(heard, ndp.Type == NdpMessage.NeighborAdvertisement ? ndp.Target : heard.Source, ndp.Hardware, default, HostSource.Ndp);
    }

    /// <summary>An address is the client's once the server acknowledges it (RFC 2131 3.1); the name is in what the client sent, or in the acknowledgment.</summary>
    public void OnDhcp(in EventContext heard, ReadOnlySpan<byte> bytes)
    {
        DecodeFault fault = DhcpMessage.TryRead(bytes, out DhcpMessage dhcp);
        if (fault != DecodeFault.None)
        {
            faults[(int)fault]++;
            return;
        }
        ReadOnlySpan<byte> name = _text.AsSpan(0, dhcp.ReadName(_text));
        ulong key = (dhcp.ClientHardware << 16) ^ dhcp.Transaction ^ heard.Tunnel.Network;
        switch (dhcp.Type)
        {
            case DhcpMessage.Discover or DhcpMessage.Request or DhcpMessage.Inform:
                Keep(key, name);
                break;
            case DhcpMessage.Acknowledge:
                name = Kept(key, name);
                // The answer to INFORM gives no address: the client has one.
                Address address = dhcp.YourAddress.IsUnspecified ? dhcp.ClientAddress : dhcp.YourAddress;
                Say(heard, address, dhcp.ClientHardware, name, HostSource.Dhcp);
                break;
        }
    }

    /// <summary>An address is the client's once the server's reply says so (RFC 8415 18.2.10); the name is in what the client sent, or in the reply.</summary>
    public void OnDhcpV6(in EventContext heard, ReadOnlySpan<byte> bytes)
    {
        DecodeFault fault = Dhcpv6Message.TryRead(bytes, out Dhcpv6Message dhcp);
        if (fault != DecodeFault.None)
        {
            faults[(int)fault]++;
            return;
        }
        ulong key = dhcp.Transaction ^ heard.Tunnel.Network;
        foreach (byte b in dhcp.ClientIdentifier) key = (key ^ b) * 0x100000001B3UL;
        ReadOnlySpan<byte> name = _text.AsSpan(0, dhcp.ReadName(_text));
        switch (dhcp.Type)
        {
            case Dhcpv6Message.Solicit or Dhcpv6Message.Request or Dhcpv6Message.Confirm or Dhcpv6Message.Renew or Dhcpv6Message.Rebind:
                Keep(key, name);
                break;
            case Dhcpv6Message.Reply:
                name = Kept(key, name);
                ulong hardware = dhcp.ClientHardware;
                Dhcpv6AddressReader addresses = dhcp.Addresses;
                while (addresses.MoveNext()) Say(heard, addresses.Current, hardware, name, HostSource.DhcpV6);
                break;
        }
    }

    /// <summary>Keeps the name of a request until its answer comes.</summary>
    void Keep(ulong key, ReadOnlySpan<byte> name)
    {
        name = Clean(name);
        if (name.IsEmpty) return;
        ref Asked asked = ref _asked[PlaceOf(key)];
        asked.Key = key;
        asked.Length = (byte)name.Length;
        name.CopyTo(asked.Name);
    }

    /// <summary>The name of this request, else what the answer says itself.</summary>
    ReadOnlySpan<byte> Kept(ulong key, ReadOnlySpan<byte> answered)
    {
        ref Asked asked = ref _asked[PlaceOf(key)];
        return asked.Key == key && asked.Length > 0 ? ((ReadOnlySpan<byte>)asked.Name)[..asked.Length] : answered;
    }

    static int PlaceOf(ulong key) => (int)((key * 0x9E3779B97F4A7C15UL) >> 56);

    /// <summary>Addresses of names in an mDNS or LLMNR answer. Service instances have no A and AAAA records, so their names do not come here.</summary>
    public void OnLocalNames(in EventContext heard, ReadOnlySpan<byte> message, HostSource source)
    {
        if (DnsMessage.TryRead(message, out DnsMessage dns) != DecodeFault.None || !dns.IsResponse || dns.ResponseCode != 0) return;
        DnsRecordReader records = dns.Records;
        while (records.MoveNext())
        {
            ReadOnlySpan<byte> data = records.Data;
            if (!(records.Type == DnsTypes.A && data.Length == 4) && !(records.Type == DnsTypes.AAAA && data.Length == 16)) continue;
            // RFC 6762 10.1: a TTL of zero takes the record back.
            if (records.TimeToLive == 0 || records.Section == DnsSection.Authority) continue;
            ReadOnlySpan<byte> name = _text.AsSpan(0, records.ReadOwner(_text));
            if (source == HostSource.Mdns)
            {
                if (name.Length <= 6 || !System.Text.Ascii.EqualsIgnoreCase(name[^6..], ".local"u8)) continue;
                name = name[..^6];
            }
            Say(heard, data.Length == 4 ? Address.ReadV4(data) : Address.ReadV6(data), 0, name, source);
        }
    }

    /// <summary>NetBIOS names; the IP header's source is whose status it is.</summary>
    public void OnNbns(in EventContext heard, ReadOnlySpan<byte> message)
    {
        if (NbnsMessage.TryRead(message, out NbnsMessage nbns) != DecodeFault.None) return;
        Span<byte> name = stackalloc byte[NbnsMessage.NameLength];
        DnsRecordReader records = nbns.Dns.Records;
        while (records.MoveNext())
        {
            if (nbns.IsRegistration && records.Section == DnsSection.Additional && NbnsMessage.TryReadUnique(records, out Address address))
            {
                if (!NbnsMessage.TryReadName(message, records.OwnerOffset, name)) faults[(int)DecodeFault.NbnsNameInvalid]++;
                else if (NbnsMessage.IsHostName(name)) Say(heard, address, 0, name[..^1], HostSource.Nbns);
            }
            else if (nbns.IsStatus && records.Section == DnsSection.Answer && NbnsMessage.TryReadStatus(records, name, out ulong hardware))
            {
                Say(heard, heard.Source, hardware, name[..^1], HostSource.Nbns);
            }
        }
    }

    void Say(in EventContext heard, in Address address, ulong hardware, ReadOnlySpan<byte> name, HostSource source)
    {
        if (!HardwareAddress.IsOfStation(hardware)) hardware = 0;
        name = Clean(name);
        if (!IsOfHost(address) || (hardware == 0 && name.IsEmpty) || !_said.Learn(address, (byte)source, hardware, name, heard.Tunnel.Network)) return;
        emitter.Host(new HostEvent
        {
            Timestamp = heard.Timestamp,
            Tick = heard.Tick,
            Address = address,
            HardwareAddress = hardware,
            Name = name,
            Source = source,
            Vlan = heard.Vlan,
            Tunnel = heard.Tunnel,
        });
    }

    /// <summary>Neither unspecified, loopback, broadcast nor multicast.</summary>
    static bool IsOfHost(in Address address) => !address.IsUnspecified
        && (address.IsV4 ? address.V4 >> 24 is not (0 or 127) && address.V4 >> 28 != 14 && address.V4 != uint.MaxValue : address.High >> 56 != 0xFF && !(address.High == 0 && address.Low == 1));

    /// <summary>Without control characters (C0, DEL, and C1 in UTF-8), padding and the root's dot, and cut to what is kept.</summary>
    ReadOnlySpan<byte> Clean(ReadOnlySpan<byte> name)
    {
        int n = 0;
        for (int i = 0; i < name.Length && n < _clean.Length; i++)
        {
            if (name[i] is < 0x20 or 0x7F) continue;
            if (name[i] == 0xC2 && i + 1 < name.Length && name[i + 1] is >= 0x80 and < 0xA0)
            {
                i++;
                continue;
            }
            _clean[n++] = name[i];
        }
        return _clean.AsSpan(0, n).Trim((byte)' ').TrimEnd((byte)'.');
    }
}
