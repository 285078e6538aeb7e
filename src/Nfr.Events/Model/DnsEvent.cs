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
}
