using System.Buffers.Binary;
using System.Buffers.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>
/// Debug log of Microsoft's DNS server, with or without details of each packet. A query that was received ("Rcv Q") is an event, with what it was answered
/// ("Snd R") in it. What the server itself asks others, and what these answer, is no client's doing: it is passed over, as are updates and notifications.
/// The log says neither ports nor its server's own address.
/// </summary>
/// <remarks>
/// A line: date and time (<see cref="MsdnsTime"/>), thread, "PACKET", a number of the packet (not in old versions), UDP or TCP, Rcv or Snd, the address of
/// the other one, DNS id, "R" for a response, opcode, [flags as little-endian hex, their letters, response code], type, name.
/// The file is in the server's code page. One that was converted to UTF-16 is not read: each of its lines is skipped.
/// </remarks>
public sealed class MsdnsParser : LineParser
{
    /// <summary>Within so many bytes a line says what it is: the longest date and time are below 50.</summary>
    const int HeadLength = 96;
    const int MaximumTime = 64;
    /// <summary>Header, type and class of a query, around its name.</summary>
    const int QueryOverhead = 12 + 4;

    enum Within : byte
    {
        Nothing,
        Packet,
        /// <summary>Events and notes may have several lines.</summary>
        Event,
    }

    readonly MsdnsTime _time;
    readonly GoLayout? _layout;
    readonly LocalClock _clock;
    readonly DnsPairs _pairs = new();
    readonly byte[] _name = new byte[MsdnsName.MaximumLength];
    readonly byte[] _lastTime = new byte[MaximumTime];
    int _lastTimeLength;
    long _lastStamp;
    long _lastPlain;
    long _headerAt = -1;
    Within _within;

    public MsdnsParser(LineOptions options)
        : base(options)
    {
        _time = new MsdnsTime(options.Zone, options.Time);
        _clock = new LocalClock(options.Zone);
        // What is wrong with it is said where the config is read.
        _layout = options.MsdnsTimeFormat is { Length: > 0 } layout ? GoLayout.Make(layout, out _) : null;
    }

    public override long OldestHeld => _pairs.OldestHeld;

    /// <summary>
    /// A header or event whose date told the order of day and month. A packet's line is none: read again, its query would wait once more; the packets to come
    /// will tell as it did.
    /// </summary>
    public override long HeaderAt => _headerAt;

    public override void Release(IEventSink sink) => _pairs.Release(sink);

    public override void Restart()
    {
        _time.Restart();
        _lastTimeLength = 0;
        _headerAt = -1;
        _within = Within.Nothing;
    }

    public override LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink)
    {
        if (line.StartsWith("\uFEFF"u8)) line = line[3..];
        int packet = line[..Math.Min(line.Length, HeadLength)].IndexOf(" PACKET "u8);
        if (packet < 0 || !Head(line[..packet], out ReadOnlySpan<byte> time)) return NoPacket(line);
        _within = Within.Packet;
        bool timed = TryTime(time, out long stamp);

        var words = new Words(line[(packet + " PACKET ".Length)..]);
        ReadOnlySpan<byte> word = words.Next();
        byte protocol = Protocol(word);
        if (protocol == 0 && IsHex(word, 16)) protocol = Protocol(words.Next());
        ReadOnlySpan<byte> direction = words.Next(), remote = words.Next(), id = words.Next();
        bool received = direction.SequenceEqual("Rcv"u8);
        if (protocol == 0 || (!received && !direction.SequenceEqual("Snd"u8)) || !IsHex(id, 4)) return LineVerdict.Syntax;
        ReadOnlySpan<byte> opcode = words.Next();
        bool response = opcode is [(byte)'R'];
        if (response) opcode = words.Next();
        // "Q[0001" would be one word.
        if (opcode.Length != 1 || !words.Brackets(out ReadOnlySpan<byte> flags)) return LineVerdict.Syntax;
        if (opcode[0] != 'Q' || received == response) return LineVerdict.Other;
        if (!Wants(EventType.Dns)) return LineVerdict.Unwanted;
        if (!timed) return LineVerdict.Timestamp;

        var e = new DnsEvent { ResponseCode = -1, Service = App.Dns };
        if (!TryAddress(remote, out e.Context.Source)) return LineVerdict.Source;
        e.QueryType = Type(words.Next());
        if (!MsdnsName.TryRead(words.Rest, _name, out int length, out int wireLength)) return LineVerdict.Query;
        e.Query = _name.AsSpan(0, length);
        e.QueryLength = (ushort)(wireLength + QueryOverhead);
        e.Context.Protocol = protocol;
        e.Id = Hex(id);
        short code = Flags(flags, out e.Flags);
        Stamp(ref e.Context, stamp);
        if (!response)
        {
            _pairs.Hold(e, DnsPairKey.Of(e, e.Query), At, sink, _lastPlain);
            return LineVerdict.Held;
        }
        e.ResponseCode = code;
        // Its query's line was in a log before this one, or is not logged: one event for each query that came.
        return _pairs.Answer(e, DnsPairKey.Of(e, e.Query), sink, alone: false, _lastPlain) ? LineVerdict.Answer : LineVerdict.Other;
    }

    /// <summary>Whether a line is one of this log's packets.</summary>
    internal static bool IsPacket(ReadOnlySpan<byte> line)
    {
        int packet = line[..Math.Min(line.Length, HeadLength)].IndexOf(" PACKET "u8);
        if (packet < 0 || !Head(line[..packet], out _)) return false;
        var words = new Words(line[(packet + " PACKET ".Length)..]);
        ReadOnlySpan<byte> word = words.Next();
        if (Protocol(word) == 0 && (!IsHex(word, 16) || Protocol(words.Next()) == 0)) return false;
        word = words.Next();
        return word.SequenceEqual("Rcv"u8) || word.SequenceEqual("Snd"u8);
    }

    /// <summary>"4/11/2026 3:29:17 PM 0294": the time before the thread.</summary>
    static bool Head(ReadOnlySpan<byte> head, out ReadOnlySpan<byte> time)
    {
        head = head.TrimEnd(" \t"u8);
        int space = head.LastIndexOfAny(" \t"u8);
        time = space < 0 ? default : head[..space].Trim(" \t"u8);
        return !time.IsEmpty && IsHex(head[(space + 1)..], 8);
    }

    LineVerdict NoPacket(ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> text = line.Trim(" \t\r"u8);
        if (text.IsEmpty) return LineVerdict.Header;
        if (line[0] is (byte)' ' or (byte)'\t') return _within == Within.Nothing ? LineVerdict.Header : LineVerdict.Other;
        if (text.StartsWith("DNS Server log file"u8) || text.StartsWith("Log file wrap"u8))
        {
            // "… creation at 1/20/2026 10:15:10 PM"
            int at = text.IndexOf(" at "u8);
            _within = Within.Nothing;
            // Lines are read again up to the first that is no header: it must be this one.
            return at > 0 && LearnOrder(text[(at + 4)..]) ? LineVerdict.Other : LineVerdict.Header;
        }
        if (text.StartsWith("Message logging key"u8)) return LineVerdict.Header;
        if (HasContext(text, out ReadOnlySpan<byte> time))
        {
            LearnOrder(time);
            _within = Within.Event;
            return LineVerdict.Other;
        }
        // "UDP question info at …": what follows a packet when details are logged.
        bool detail = text[..Math.Min(text.Length, HeadLength)].IndexOf(" info at "u8) > 0 && Protocol(text[..3]) != 0;
        return detail || _within == Within.Event ? LineVerdict.Other : LineVerdict.Syntax;
    }

    /// <summary>A time, a thread and a word in capitals, or "Note:".</summary>
    static bool HasContext(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> time)
    {
        time = default;
        var words = new Words(text);
        int before = 0;
        bool thread = false;
        for (int i = 0; i < 10; i++)
        {
            ReadOnlySpan<byte> word = words.Next();
            if (word.IsEmpty) return false;
            if (thread && i >= 3 && !word.SequenceEqual("PACKET"u8)
                && (word.SequenceEqual("Note:"u8) || (word.Length >= 3 && !word.ContainsAnyExceptInRange((byte)'A', (byte)'Z'))))
            {
                time = text[..before].TrimEnd(" \t"u8);
                return char.IsAsciiDigit((char)time[0]);
            }
            thread = IsHex(word, 8) && word.Length >= 3;
            before = words.At - word.Length;
        }
        return false;
    }

    bool LearnOrder(ReadOnlySpan<byte> time)
    {
        if (_layout is not null || !_time.TryRead(time, out _) || !_time.HasLearned) return false;
        _headerAt = At;
        _lastTimeLength = 0;
        return true;
    }

    bool TryTime(ReadOnlySpan<byte> text, out long stamp)
    {
        stamp = _lastStamp;
        if (text.Length == _lastTimeLength && text.SequenceEqual(_lastTime.AsSpan(0, _lastTimeLength))) return true;
        if (text.Length > MaximumTime) return false;
        if (_layout is null)
        {
            if (!_time.TryRead(text, out stamp)) return false;
            _lastPlain = _time.PlainTime;
        }
        else
        {
            DateTime now = TimeZoneInfo.ConvertTime(Options.Time.GetUtcNow(), Options.Zone).DateTime;
            if (!_layout.TryRead(text, now, out DateTime local, out int nanoseconds, out TimeSpan? offset)) return false;
            _lastPlain = LocalClock.Nanoseconds(local, offset ?? TimeSpan.Zero) + nanoseconds;
            stamp = (offset is { } o ? LocalClock.Nanoseconds(local, o) : _clock.ToNanoseconds(local)) + nanoseconds;
        }
        text.CopyTo(_lastTime);
        (_lastTimeLength, _lastStamp) = (text.Length, stamp);
        return true;
    }

    static byte Protocol(ReadOnlySpan<byte> word) => word.SequenceEqual("UDP"u8) ? (byte)17 : word.SequenceEqual("TCP"u8) ? (byte)6 : (byte)0;

    static bool IsHex(ReadOnlySpan<byte> word, int most)
    {
        if (word.IsEmpty || word.Length > most) return false;
        foreach (byte c in word)
        {
            if (!char.IsAsciiHexDigit((char)c)) return false;
        }
        return true;
    }

    static ushort Hex(ReadOnlySpan<byte> word) => IsHex(word, 4) && Utf8Parser.TryParse(word, out ushort value, out _, 'x') ? value : (ushort)0;

    static bool TryAddress(ReadOnlySpan<byte> text, out Address address)
    {
        // "fe80::1%4"
        int zone = text.IndexOf((byte)'%');
        return AddressText.TryParse(zone < 0 ? text : text[..zone], out address);
    }

    static ushort Type(ReadOnlySpan<byte> word)
    {
        if (DnsTypes.TryParse(word, out ushort type)) return type;
        if (word.SequenceEqual("ALL"u8)) return DnsTypes.ANY;
        // MS-DNSP 2.2.2.1.1
        if (word.SequenceEqual("WINS"u8)) return 0xFF01;
        if (word.SequenceEqual("WINSR"u8) || word.SequenceEqual("NBSTAT"u8)) return 0xFF02;
        if (word.StartsWith("0x"u8)) return Hex(word[2..]);
        return Utf8Parser.TryParse(word, out type, out int used) && used == word.Length ? type : (ushort)0;
    }

    /// <summary>"8385 A DR NXDOMAIN": the header's second word with its bytes exchanged, letters, and the response code.</summary>
    static short Flags(ReadOnlySpan<byte> text, out ushort flags)
    {
        var words = new Words(text);
        flags = BinaryPrimitives.ReverseEndianness(Hex(words.Next()));
        ReadOnlySpan<byte> last = default;
        for (ReadOnlySpan<byte> word = words.Next(); !word.IsEmpty; word = words.Next()) last = word;
        short code = EventWords.ResponseCode(new JsonRaw(JsonKind.String, last, false));
        return code >= 0 ? code : (short)(flags & 0xF);
    }

    /// <summary>Walks words between spaces.</summary>
    ref struct Words(ReadOnlySpan<byte> text)
    {
        readonly ReadOnlySpan<byte> _text = text;

        /// <summary>Behind the last word.</summary>
        public int At { get; private set; }

        /// <summary>What follows, without spaces around it.</summary>
        public readonly ReadOnlySpan<byte> Rest => _text[At..].Trim(" \t"u8);

        /// <summary>Empty at the end.</summary>
        public ReadOnlySpan<byte> Next()
        {
            int start = Start();
            At = start;
            while (At < _text.Length && _text[At] is not ((byte)' ' or (byte)'\t')) At++;
            return _text[start..At];
        }

        /// <summary>What is between brackets that open here.</summary>
        public bool Brackets(out ReadOnlySpan<byte> inside)
        {
            inside = default;
            int start = Start();
            if (start >= _text.Length || _text[start] != '[') return false;
            int end = _text[start..].IndexOf((byte)']');
            if (end < 0) return false;
            inside = _text[(start + 1)..(start + end)];
            At = start + end + 1;
            return true;
        }

        readonly int Start()
        {
            int start = At;
            while (start < _text.Length && _text[start] is (byte)' ' or (byte)'\t') start++;
            return start;
        }
    }
}
