namespace Nfr.Wire;

/// <summary>
/// What stopped a decoder. Each value has a counter in the ledger and a test. Faults up to <see cref="IcmpHeaderTooShort"/> end a
/// packet's way (it is counted under its fault, not as parsed); the later ones concern a datagram, stream or message that packets counted
/// as parsed belong to.
/// </summary>
public enum DecodeFault
{
    None = 0,

    // link
    LinkTypeUnknown,
    FrameTooShort,
    VlanTooShort,
    VlanTooDeep,
    PppTooShort,
    /// <summary>More headers around IP than are followed: layers upon layers of labels, sessions and frames.</summary>
    EncapsulationTooDeep,
    LlcTooShort,
    MplsTooShort,
    /// <summary>More labels than any network stacks.</summary>
    MplsTooDeep,
    NshTooShort,
    WirelessTooShort,
    NflogTooShort,
    LinuxSllTooShort,
    LoopbackTooShort,
    LoopbackFamilyUnknown,

    // network
    IPv4HeaderTooShort,
    IPv4VersionWrong,
    IPv4HeaderLengthBelowMinimum,
    IPv4TotalLengthBelowHeader,
    IPv6HeaderTooShort,
    IPv6VersionWrong,
    IPv6ExtensionTooShort,
    IPv6ExtensionsTooMany,
    FragmentBeyondDatagram,

    // transport
    TcpHeaderTooShort,
    TcpDataOffsetBelowMinimum,
    TcpDataOffsetBeyondSegment,
    UdpHeaderTooShort,
    UdpLengthBelowHeader,
    SctpHeaderTooShort,
    IcmpHeaderTooShort,

    // datagrams and streams
    FragmentOverlapDiffers,
    FragmentTimedOut,
    FragmentTableFull,
    /// <summary>A datagram put together from fragments whose transport header is no good.</summary>
    DatagramInvalid,
    /// <summary>A tunnel's header, or a layer of the packet within it, is no good; the packet around it has been put to its flow.</summary>
    TunnelInvalid,
    /// <summary>Tunnels within tunnels, deeper than they are followed.</summary>
    TunnelTooDeep,
    StreamBuffersExhausted,
    StreamWindowExceeded,
    StreamSegmentsTooMany,
    StreamOverlapDiffers,
    StreamGap,

    // application
    DnsHeaderTooShort,
    DnsCountsImplausible,
    DnsNameTooLong,
    DnsNameTruncated,
    DnsLabelTypeUnknown,
    DnsCompressionLoop,
    DnsQuestionTruncated,
    DnsRecordTruncated,
    HttpStartLineInvalid,
    HttpHeadTooLong,
    HttpHeaderInvalid,
    HttpContentLengthInvalid,
    HttpChunkInvalid,
    TlsRecordTypeUnknown,
    TlsRecordVersionUnknown,
    TlsRecordTooLong,
    TlsHandshakeTooLong,
    TlsHelloTruncated,
    TlsExtensionTruncated,
    TlsCertificateTruncated,
    X509Invalid,
    ArpTooShort,
    NdpInvalid,
    DhcpInvalid,
    DhcpV6Invalid,
    /// <summary>More relays' messages around a client's than relays allow.</summary>
    DhcpV6RelayedTooOften,
    NbnsNameInvalid,
    SshIdentificationInvalid,
    SshIdentificationTooLong,
    SshPacketLengthInvalid,
    SshKexInitTruncated,

    /// <summary>One past the last: the size of a table of counters.</summary>
    Count,
}
