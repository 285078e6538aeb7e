namespace Nfr.Events;

/// <summary>What parses a TCP connection's content.</summary>
enum ConversationKind : byte
{
    /// <summary>The first bytes do not decide yet.</summary>
    Undecided,
    Http,
    Tls,
    /// <summary>HTTP/2 in the clear: looked at for DNS in it.</summary>
    Http2,
    Dns,
    /// <summary>A line protocol: FTP, SMTP, POP3, IMAP, Telnet. Watched for log-ins and for the change to TLS.</summary>
    Text,
    /// <summary>SSH up to both sides' first packet.</summary>
    Ssh,
    /// <summary>Behind CONNECT, SOCKS or an upgrade: another protocol is about to begin.</summary>
    Tunnel,
    Done,
}

/// <summary>
/// The content side of one TCP connection: two windows and the state of whichever parser reads them. Kept in a fixed pool of one worker and
/// rented only while a parser wants bytes.
/// </summary>
sealed class Conversation
{
    public StreamWindow Out = StreamWindow.At(0);
    public StreamWindow In = StreamWindow.At(0);
    public bool OutStarted;
    public bool InStarted;
    public ConversationKind Kind;
    public EventContext Context;
    /// <summary>See <see cref="FlowScope"/>.</summary>
    public uint Scope;
    public App App;
    public FlowNotes Notes;
    /// <summary>An overlap that differs has been told.</summary>
    public bool IsAmbiguous;
    public bool HasJa3;
    public Hash128 Ja3;
    /// <summary>Stamps of the segment being parsed: what an event that starts in it carries.</summary>
    public long Timestamp;
    public long Tick;

    public HttpState Http;
    public TlsState Tls;
    public TextState Text;
    public SshState Ssh;
    /// <summary>What content has said since the last hand-over to the flow; its counts are added there.</summary>
    public FlowDetail Found;
    public bool HasFound;
    /// <summary>Segments that a tunnel's or an undecided stream's start has been looked at.</summary>
    public int Looks;
    /// <summary>The server's last acknowledgment: what it has had of the client's bytes.</summary>
    public uint ServerHas;
    /// <summary>What the client sent ahead, and had to wait, may be read now.</summary>
    public bool ReadsAhead;
    /// <summary>Something else was said before the first byte that this was opened for.</summary>
    public bool IsLate;

    /// <summary>Length of the DNS message that comes each way (RFC 1035 4.2.2); -1 while its length word has not come.</summary>
    public int OutMessage;
    public int InMessage;

    public void Open(in EventContext context)
    {
        Context = context;
        Kind = ConversationKind.Undecided;
        App = App.Unknown;
        Notes = FlowNotes.None;
        HasJa3 = false;
        IsAmbiguous = false;
        Looks = 0;
        OutMessage = InMessage = -1;
        IsLate = false;
        ReadsAhead = false;
        Http = HttpState.New();
        Tls = TlsState.New();
        Text = default;
        Ssh = default;
    }
}
