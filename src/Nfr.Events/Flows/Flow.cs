using System.Runtime.InteropServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// One entry of the flow table, four cache lines of 64 bytes; fields lie in the order of use. Out = from the client, In = from the server; direction 0 is out, 1 is in.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
struct Flow
{
    /// <summary>Bytes of the first two lines: a packet of a known flow touches no more.</summary>
    public const int HotLength = 128;

    // First line: what a lookup compares, when the flow was seen, and who reads it.
    public Address Client;
    public Address Server;
    public ushort ClientPort;
    public ushort ServerPort;
    public byte Protocol;
    public FlowClass Class;
    public EndpointState ClientState;
    public EndpointState ServerState;
    /// <summary>See <see cref="FlowScope"/>; 0 for nearly all.</summary>
    public uint Scope;
    public uint Hash;
    public long LastTick;
    /// <summary>When it last moved in the least-recently-seen list of its class: see <see cref="FlowTable.IsDue"/>.</summary>
    public uint Listed;
    public int Conversation;

    // Second line: what each packet changes. Counters are since the start, or since the last active-time-out slice.
    public byte TcpFlags;
    public ContentState Content;
    public App App;
    /// <summary>TCP: segments looked at for content that begins later than at the start. UDP: datagrams on DNS's port that are no DNS messages, to 255.</summary>
    public byte Looks;
    public FlowNotes Notes;
    public bool HasJa3;
    /// <summary>Its conversation holds bytes, and an acknowledgment may say that what is missing will not come, or that the other side has had more.</summary>
    public bool WantsAcknowledgments;
    public uint PacketsOut;
    public uint PacketsIn;
    public long BytesOut;
    public long BytesIn;
    public long PayloadOut;
    public long PayloadIn;
    public SeenBytes SeenOut;
    public SeenBytes SeenIn;

    // Third line: content that is still of interest, and the end.
    /// <summary>Next expected sequence number each way, kept while content is still of interest.</summary>
    public uint NextOut;
    public uint NextIn;
    /// <summary>The client's initial sequence number: tells a retransmitted SYN from a new connection on the same ports.</summary>
    public uint InitialSequence;
    public int Older;
    /// <summary>Of an entry that is free: the next free one.</summary>
    public int Newer;
    /// <summary>Bytes that were acknowledged and not seen.</summary>
    public uint MissedOut;
    public uint MissedIn;
    public ushort Vlan;
    /// <summary>Of the <see cref="TunnelTable"/>; 0 for none.</summary>
    public ushort Tunnel;
    /// <summary>Of the <see cref="FlowDetails"/>; 0 for none.</summary>
    public ushort Details;
    /// <summary>What slices before this one have seen, since their counters start anew.</summary>
    public EarlierSlices Earlier;
    /// <summary>Slices that were cut because much was sent; the next is twice as long.</summary>
    public byte Steps;
    public long FirstTick;
    public long FirstTimestamp;

    // Fourth line.
    public Hash128 Ja3;
}

/// <summary>Time-out class: each has its own list, ordered by when a flow was last seen.</summary>
enum FlowClass : byte
{
    /// <summary>TCP, ended; kept a moment so that late segments do not open a new flow.</summary>
    Closed,
    /// <summary>TCP, one side only so far.</summary>
    Attempt,
    /// <summary>UDP, ICMP and all else without connections.</summary>
    Datagram,
    /// <summary>TCP with both sides alive.</summary>
    Established,
}

/// <summary>Zeek's endpoint states, from which conn_state follows.</summary>
enum EndpointState : byte
{
    Inactive,
    SynSent,
    SynAckSent,
    /// <summary>Seen without its SYN.</summary>
    Partial,
    Established,
    Closed,
    Reset,
}

/// <summary>How far content recognition has come; two bits say which side had data that nothing recognised.</summary>
[Flags]
enum ContentState : byte
{
    None = 0,
    OutStarted = 1,
    InStarted = 2,
    OutUnknown = 4,
    InUnknown = 8,
    /// <summary>Nothing more is wanted of this flow's content.</summary>
    Done = 16,
    /// <summary><see cref="Flow.SeenOut"/> knows where it begins.</summary>
    OutCounted = 32,
    InCounted = 64,
    /// <summary>A datagram flow with a DTLS hello; its conversation is one of <see cref="DtlsConversations{TSink}"/>.</summary>
    Dtls = 128,
}

/// <summary>Of a flow that the active time-out has cut.</summary>
[Flags]
enum EarlierSlices : byte
{
    None = 0,
    PacketsOut = 1,
    PacketsIn = 2,
    Payload = 4,
    /// <summary>One was cut early, since its content looks like that of a tunnel.</summary>
    Early = 8,
}
