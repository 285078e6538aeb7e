namespace Nfr.Events;

/// <summary>A DNS query (RFC 1035) with what answered it. Spans are borrowed for the call.</summary>
public ref struct DnsEvent
{
    public EventContext Context;
    /// <summary>The first question's name in presentation form without the last dot ("." for the root); bytes outside printable ASCII as \DDD.</summary>
    public ReadOnlySpan<byte> Query;
    public ushort QueryType;
    /// <summary>RFC 1035 RCODE; -1 while no answer was seen.</summary>
    public short ResponseCode;
    /// <summary>Encoded by <see cref="DnsAnswerWriter"/>, read by <see cref="DnsAnswerReader"/>; empty when none.</summary>
    public ReadOnlySpan<byte> Answers;
    /// <summary>Bytes of the DNS messages of query and answer (0 = not seen): what a tunnel detector counts.</summary>
    public ushort QueryLength;
    public ushort ResponseLength;
    public ushort Id;
    /// <summary>The header's second word, of the answer where one was seen, else of the query: QR, OPCODE, AA, TC, RD, RA, Z, AD, CD, RCODE.</summary>
    public ushort Flags;
    /// <summary>The UDP payload size that the query's OPT record offers (RFC 6891 6.1.2); 0 without one.</summary>
    public ushort EdnsPayloadSize;
    public DnsNotes Notes;
    /// <summary>What carried it: dns, mdns, llmnr, nbns, doh.</summary>
    public App Service;
}

/// <summary>What a DNS exchange showed besides its question and answer.</summary>
[Flags]
public enum DnsNotes : byte
{
    None = 0,
    /// <summary>An OPT record (RFC 6891).</summary>
    Edns = 1,
    /// <summary>The query's DO bit (RFC 3225).</summary>
    DnssecOk = 2,
    /// <summary>An SVCB or HTTPS record with the ech parameter (RFC 9460, RFC 9848): the hello that follows may be encrypted.</summary>
    EncryptedClientHello = 4,
    /// <summary>More answers than are kept.</summary>
    AnswersTruncated = 8,
    /// <summary>The query was sent more than once before this answer.</summary>
    Repeated = 16,
}
