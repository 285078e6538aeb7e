namespace Nfr.Wire;

/// <summary>
/// What stopped a decoder. Each value has a counter in the ledger and a test. Faults up to <see cref="FragmentTableFull"/> end a
/// packet's way (it is counted as not parsed); the later ones concern a stream or message inside a packet that was counted as parsed.
/// </summary>
public enum DecodeFault
{
    None = 0,

    // link
    LinkTypeUnknown,
    FrameTooShort,
    VlanTooShort,
    VlanTooDeep,
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
    FragmentOverlap,
    FragmentTooLong,
    FragmentTimedOut,
    FragmentTableFull,

    // transport
    TcpHeaderTooShort,
    TcpDataOffsetBelowMinimum,
    TcpDataOffsetBeyondSegment,
    UdpHeaderTooShort,
    UdpLengthBelowHeader,
    IcmpHeaderTooShort,

    // streams
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

    /// <summary>One past the last: the size of a table of counters.</summary>
    Count,
}
