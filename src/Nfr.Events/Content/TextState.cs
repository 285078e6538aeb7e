using System.Runtime.CompilerServices;

namespace Nfr.Events;

/// <summary>What a command that waits for its reply means for a log-in.</summary>
enum Asked : byte
{
    Nothing,
    /// <summary>A user name: the reply asks for a password, lets in at once, or refuses.</summary>
    User,
    /// <summary>A password, or whatever else ends a log-in.</summary>
    Password,
    /// <summary>A SASL dialogue (RFC 4422).</summary>
    Sasl,
    StartTls,
    /// <summary>SMTP's DATA: mail follows.</summary>
    Data,
    /// <summary>POP3: a reply of several lines follows when it is positive.</summary>
    Lines,
}

/// <summary>
/// Commands in the order in which their replies will come (pipelining: RFC 2920, RFC 2449). Sixteen, four bits each; with more on the way, or after
/// a gap, nobody knows whose reply is whose: it is emptied, and what was on the way is not counted.
/// </summary>
struct AskedQueue
{
    const int Capacity = 16;

    ulong _kinds;
    int _count;

    public readonly bool IsEmpty => _count == 0;

    /// <summary>What the next reply answers.</summary>
    public readonly Asked First => _count == 0 ? Asked.Nothing : (Asked)(_kinds & 15);

    public void Add(Asked kind)
    {
        if (_count == Capacity) Clear();
        _kinds |= (ulong)kind << (4 * _count);
        _count++;
    }

    public void Take()
    {
        if (_count == 0) return;
        _kinds >>= 4;
        _count--;
    }

    public void Clear()
    {
        _kinds = 0;
        _count = 0;
    }
}

/// <summary>The state of a line protocol: what the last lines mean for the next. No password is ever in it.</summary>
struct TextState
{
    public AskedQueue Asked;
    /// <summary>The rest of a line that was too long, or whose front is missing, is passed over.</summary>
    public bool SkipOut;
    public bool SkipIn;
    public bool Greeted;
    /// <summary>A greeting of several lines has not ended.</summary>
    public bool GreetingOpen;
    /// <summary>FTP, SMTP: the code of a reply of several lines that has not ended; 0 for none. POP3: 1 while lines of a reply come.</summary>
    public ushort ReplyCode;
    /// <summary>SMTP: mail passes, up to a line with a dot.</summary>
    public bool Mail;
    /// <summary>The user name was refused: the refusal of a password that was sent along with it is the same one.</summary>
    public bool UserRefused;
    /// <summary>Bytes of a side that are no lines: a literal (RFC 9051 4.3), a chunk of mail (RFC 3030).</summary>
    public long BytesOut;
    public long BytesIn;
    /// <summary>STARTTLS was granted.</summary>
    public bool TlsGranted;

    // SASL.
    public Mechanism Mechanism;
    /// <summary>The client's next line is a response and no command.</summary>
    public bool Responding;
    public byte Responses;
    /// <summary>A response has been sent: a refusal is now one of the log-in.</summary>
    public bool Offered;

    // IMAP.
    public uint Tag;
    public ImapArgument Argument;

    // Telnet.
    public TelnetState Telnet;
}

enum Mechanism : byte
{
    None,
    Plain,
    Login,
    CramMd5,
    /// <summary>XOAUTH2 and OAUTHBEARER (RFC 7628): a bearer token is as good as a password.</summary>
    Bearer,
    Other,
}

/// <summary>Which argument of IMAP's LOGIN comes next.</summary>
enum ImapArgument : byte
{
    None,
    User,
    Password,
}

/// <summary>What a Telnet terminal shows last, and who is being asked for what.</summary>
struct TelnetState
{
    public const int LineSpace = 96, NameSpace = 64;

    public TelnetStep Step;
    public TelnetOption OptionOut;
    public TelnetOption OptionIn;
    /// <summary>Bytes are missing, and no name has been asked for since.</summary>
    public bool Unsure;
    public byte LineLength;
    public byte NameLength;
    LineText _line;
    NameText _name;

    [InlineArray(LineSpace)]
    struct LineText
    {
        byte _first;
    }

    [InlineArray(NameSpace)]
    struct NameText
    {
        byte _first;
    }

    [System.Diagnostics.CodeAnalysis.UnscopedRef] public Span<byte> Line => _line;
    [System.Diagnostics.CodeAnalysis.UnscopedRef] public Span<byte> Name => _name;
}

enum TelnetStep : byte
{
    Idle,
    /// <summary>The server has asked for a name; the client types it.</summary>
    Name,
    /// <summary>The server has asked for a password; nothing that is typed is looked at.</summary>
    Password,
    /// <summary>It has been typed; the next line that says something decides.</summary>
    Result,
    /// <summary>Let in: whatever is shown from here on is a program's.</summary>
    In,
}

/// <summary>Where in an option of RFC 854 a side's bytes are.</summary>
enum TelnetOption : byte
{
    None,
    Command,
    Code,
    Sub,
    SubCommand,
}
