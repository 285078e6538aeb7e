namespace Nfr.Events;

/// <summary>One flow, or one active-time-out slice of it. In = from the server, Out = from the client. Bytes are those of the IP layer.</summary>
public ref struct IpEvent
{
    public EventContext Context;
    public long BytesIn;
    public long BytesOut;
    public long PacketsIn;
    public long PacketsOut;
    /// <summary>First to last packet, nanoseconds, monotonic.</summary>
    public long Duration;
    /// <summary>All TCP flags seen from either side, or-ed (RFC 9293: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128).</summary>
    public byte TcpFlags;
    public ConnectionState State;
    /// <summary>What the content says it is; <see cref="App.Unknown"/> when it says nothing.</summary>
    public App App;
    public FlowNotes Notes;
    /// <summary>Application bytes (above TCP/UDP/ICMP headers) each way.</summary>
    public long PayloadIn;
    public long PayloadOut;
    /// <summary>JA3 of the flow's ClientHello, 32 hex digits; empty when there was none.</summary>
    public ReadOnlySpan<byte> Ja3;
}

/// <summary>Zeek's conn_state.</summary>
public enum ConnectionState : byte
{
    /// <summary>Not TCP-like: neither side's first packet seen, or a protocol without connections seen one way only the wrong way round.</summary>
    OTH,
    /// <summary>Attempt seen, no reply.</summary>
    S0,
    /// <summary>Established, not ended.</summary>
    S1,
    /// <summary>Normal establishment and end.</summary>
    SF,
    /// <summary>Attempt rejected.</summary>
    REJ,
    /// <summary>Established, originator closed, no reply to it.</summary>
    S2,
    /// <summary>Established, responder closed, no reply to it.</summary>
    S3,
    /// <summary>Established, originator aborted.</summary>
    RSTO,
    /// <summary>Responder aborted.</summary>
    RSTR,
    /// <summary>Originator sent SYN then RST; no SYN-ACK seen.</summary>
    RSTOS0,
    /// <summary>Responder sent SYN-ACK then RST; no SYN seen.</summary>
    RSTRH,
    /// <summary>Originator sent SYN then FIN; no SYN-ACK seen ("half open").</summary>
    SH,
    /// <summary>Responder sent SYN-ACK then FIN; no SYN seen.</summary>
    SHR,
}

/// <summary>Findings of content that a detector wants and that cannot be told from counters.</summary>
[Flags]
public enum FlowNotes : ushort
{
    None = 0,
    /// <summary>A password or its equivalent crossed in the clear (FTP PASS, POP3 PASS, IMAP LOGIN, SMTP AUTH PLAIN/LOGIN, HTTP Basic, Telnet log-in).</summary>
    CleartextCredentials = 1,
    /// <summary>Stratum mining dialogue (mining.subscribe, mining.authorize, eth_submitLogin, login with a wallet and an agent).</summary>
    Mining = 2,
    /// <summary>TCP bytes were acknowledged that never passed our port: loss before the sensor.</summary>
    MissedBytes = 4,
    /// <summary>Picked up in the middle: no SYN seen.</summary>
    Midstream = 8,
    /// <summary>Exported early because the flow table was full.</summary>
    Evicted = 16,
    /// <summary>A slice cut by the active time-out; the flow goes on.</summary>
    ActiveTimeout = 32,
}
