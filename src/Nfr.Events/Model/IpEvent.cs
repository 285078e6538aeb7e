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
    /// <summary>TCP bytes each way that the other side acknowledged and that never passed our port: loss before the sensor.</summary>
    public long MissedIn;
    public long MissedOut;
    /// <summary>Log-ins that the server refused and took, in FTP, SMTP, POP3, IMAP, Telnet and HTTP (Basic authentication).</summary>
    public ushort LoginFailures;
    public ushort LoginSuccesses;
    /// <summary>Who logged in or tried to, last; never a password. Empty when not seen.</summary>
    public ReadOnlySpan<byte> User;
    /// <summary>What each side calls itself: an SSH identification string (RFC 4253 4.2) or a server's greeting; empty when not seen.</summary>
    public ReadOnlySpan<byte> ClientSoftware;
    public ReadOnlySpan<byte> ServerSoftware;
    /// <summary>HASSH and HASSHServer of the key exchange, 32 hex digits; empty without one.</summary>
    public ReadOnlySpan<byte> Hassh;
    public ReadOnlySpan<byte> HasshServer;
    /// <summary>Of ICMP and ICMPv6 echoes.</summary>
    public EchoStatistics Echo;
}

/// <summary>Payloads of ICMP echo requests and replies: a ping repeats one payload and is answered with the same, a tunnel does neither.</summary>
public struct EchoStatistics
{
    public uint Requests;
    public uint Replies;
    /// <summary>Bytes behind the echo header; 0 and 0 when none was seen.</summary>
    public ushort MinimumPayload;
    public ushort MaximumPayload;
    /// <summary>Payloads (behind the time stamp that ping puts first) that differ from the one before of the same side.</summary>
    public uint Changed;
    /// <summary>Replies that do not bring back the request's payload.</summary>
    public uint Mismatched;
    /// <summary>Echoes with room for data behind the time stamp; replies that bring back the request's payload are left out.</summary>
    public uint Filled;
    /// <summary>Of those, the ones that look like data: no pattern such as ping tools fill with, and most of it unlike the one before of the same side.</summary>
    public uint Data;
    /// <summary>Bytes of them that differ from the one before (an estimate from the first 64 behind the time stamp).</summary>
    public uint DataBytes;
    /// <summary>Echoes whose payload holds an IP packet to its last byte.</summary>
    public uint Packets;

    /// <summary>Echoes that look like data before a flow is reported ahead of its end.</summary>
    public const int TellingData = 6, TellingPackets = 3;

    /// <summary>No ping does this: worth an event before the flow ends.</summary>
    public readonly bool CarriesData => Packets >= TellingPackets || (Data >= TellingData && Data * 2 >= Filled);
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
    /// <summary>A slice cut by the active time-out, or early since its content looks like a tunnel's or its client has sent much; the flow goes on.</summary>
    ActiveTimeout = 32,
    /// <summary>Segments of the flow overlapped and differed: an anomaly event says which fault.</summary>
    Ambiguous = 64,
    /// <summary>A log-in was refused; <see cref="IpEvent.LoginFailures"/> counts.</summary>
    LoginFailed = 128,
    /// <summary>A log-in was taken.</summary>
    LoginSucceeded = 256,
    /// <summary>The connection began in the clear and changed to TLS.</summary>
    StartTls = 512,
    /// <summary>On DNS's port over UDP, many datagrams that are no DNS messages.</summary>
    NotDns = 4096,
    /// <summary>It began with a segment that begins no connection: none of SYN, ACK and RST, or SYN and FIN together (RFC 9293 3.10). Only probes do.</summary>
    Probe = 1024,
    /// <summary>A datagram of it came in fragments.</summary>
    Fragmented = 2048,
}
