using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>
/// The answer whose lines are coming: dnsmasq writes one for each record, one behind the other, and nothing that says it was the last. It goes to its
/// query with the first line that is none of it. Of an alias no line says what it leads to: the name of the next one is it.
/// </summary>
sealed class DnsmasqAnswer
{
    /// <summary>Packed records of one answer; further ones are left out, which the event notes.</summary>
    const int MaximumAnswers = 1500;

    /// <summary>Where a line without a serial number does not show the type: those that clients ask for, commonest first.</summary>
    static ReadOnlySpan<ushort> Types =>
        [DnsTypes.A, DnsTypes.AAAA, DnsTypes.HTTPS, DnsTypes.PTR, DnsTypes.SRV, DnsTypes.TXT, DnsTypes.MX, DnsTypes.SOA, DnsTypes.NS, DnsTypes.SVCB, DnsTypes.CNAME,
            DnsTypes.ANY, DnsTypes.CAA, DnsTypes.NAPTR, DnsTypes.NULL, 43, 48, 0];

    readonly byte[] _answers = new byte[MaximumAnswers], _question = new byte[LoggedName.MaximumLength], _last = new byte[LoggedName.MaximumLength],
        _name = new byte[LoggedName.MaximumLength];
    int _used, _questionLength, _lastLength;
    bool _open, _alias, _truncated, _neither;
    uint _serial;
    Address _client;
    ushort _port, _type;
    short _code;
    long _time;

    bool HasSerial => _serial != 0 || _port != 0;
    ReadOnlySpan<byte> Question => _question.AsSpan(0, _questionLength);

    /// <summary>What a query without a serial number is known by: its type, or 0 for all that are rare.</summary>
    public static ushort KeyType(ushort type) => Types.Contains(type) ? type : (ushort)0;

    /// <summary>An address, or a word that dnsmasq has for what was answered.</summary>
    public static bool IsValue(ReadOnlySpan<byte> value) => AddressText.TryParse(value, out _) || IsRecord(value) || Code(value) >= 0;

    static bool IsRecord(ReadOnlySpan<byte> value) => value is [(byte)'<', .., (byte)'>'];

    /// <summary>Takes up one line of an answer, whose key is serial number, client and port, all zero without them; false when no query waits for it.</summary>
    public bool Add(scoped DnsPairKey key, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, long time, DnsPairs pairs, IEventSink sink)
    {
        if (value.SequenceEqual("truncated"u8)) return false;
        // Of a query that was asked again, or by another: it gets the answer that went before.
        if (value.SequenceEqual("duplicate"u8)) return Duplicate(key, time, pairs, sink);
        bool reverse = AddressText.TryParse(name, out Address address);
        if (reverse) name = Reverse(address);
        else if (!LoggedName.TryRead(name, _name, out name, out _)) return false;
        ushort type = reverse ? DnsTypes.PTR : TypeOf(value);
        bool alias = value.SequenceEqual("<CNAME>"u8);
        short code = Code(value);
        if (!IsOf(key, name, type, alias, code))
        {
            Close(pairs, sink);
            Open(key, name);
        }
        _time = time;
        _alias = alias;
        if (type != 0 && !alias) _type = KeyType(type);
        name.CopyTo(_last);
        _lastLength = name.Length;
        _neither = value.SequenceEqual("NODATA"u8);
        if (code >= 0) _code = code;
        else Record(type, value);
        bool held = IsHeld(pairs);
        // Behind what there is not, nothing follows.
        if (code >= 0) Close(pairs, sink);
        return held;
    }

    /// <summary>What came of it goes to its query.</summary>
    public void Close(DnsPairs pairs, IEventSink sink)
    {
        if (!_open) return;
        _open = false;
        Give(pairs, sink);
    }

    bool Duplicate(scoped DnsPairKey key, long time, DnsPairs pairs, IEventSink sink)
    {
        Close(pairs, sink);
        if (_questionLength == 0 && !HasSerial) return false;
        (_serial, _client, _port, _time) = (key.Id, key.Client, key.ClientPort, time);
        bool held = IsHeld(pairs);
        Give(pairs, sink);
        return held;
    }

    void Give(DnsPairs pairs, IEventSink sink)
    {
        var e = new DnsEvent
        {
            ResponseCode = _code,
            Answers = _answers.AsSpan(0, _used),
            Flags = (ushort)(LoggedQuery.Response | (_code & 0xF)),
            Notes = _truncated ? DnsNotes.AnswersTruncated : DnsNotes.None,
            Service = App.Dns,
        };
        e.Context.Timestamp = _time;
        if (HasSerial) pairs.Answer(e, new DnsPairKey { Id = _serial, Client = _client, ClientPort = _port }, sink, alone: false);
        else if (Waiting(pairs) is >= 0 and var type) pairs.Answer(e, new DnsPairKey { Name = Question, QueryType = (ushort)type }, sink, alone: false);
    }

    bool IsHeld(DnsPairs pairs) =>
        HasSerial ? pairs.IsHeld(new DnsPairKey { Id = _serial, Client = _client, ClientPort = _port }) : Waiting(pairs) >= 0;

    /// <summary>The type of the query that waits for an answer such as this; -1 for none.</summary>
    int Waiting(DnsPairs pairs)
    {
        if (_type != 0 && pairs.IsHeld(new DnsPairKey { Name = Question, QueryType = _type })) return _type;
        if (_type != 0 && pairs.IsHeld(new DnsPairKey { Name = Question, QueryType = DnsTypes.ANY })) return DnsTypes.ANY;
        if (_type != 0) return -1;
        // Of addresses that there are not, it says of which kind: the two come last then.
        for (int i = 0, skip = _neither ? 2 : 0; i < Types.Length; i++)
        {
            ushort type = Types[(i + skip) % Types.Length];
            if (pairs.IsHeld(new DnsPairKey { Name = Question, QueryType = type })) return type;
        }
        return -1;
    }

    /// <summary>The line goes on with the answer that is open.</summary>
    bool IsOf(scoped DnsPairKey key, ReadOnlySpan<byte> name, ushort type, bool alias, short code)
    {
        if (!_open || key.Id != _serial || key.ClientPort != _port || key.Client != _client) return false;
        if (HasSerial || _alias) return true;
        // A second alias of one name begins the answer to its next query; behind a record, there is none to be missed.
        return !alias && code < 0 && (type == 0 || _type == 0 || type == _type)
            && (Ascii.EqualsIgnoreCase(name, Question) || Ascii.EqualsIgnoreCase(name, _last.AsSpan(0, _lastLength)));
    }

    void Open(scoped DnsPairKey key, ReadOnlySpan<byte> name)
    {
        (_open, _truncated, _alias, _used, _type, _code) = (true, false, false, 0, 0, 0);
        (_serial, _client, _port) = (key.Id, key.Client, key.ClientPort);
        name.CopyTo(_question);
        _questionLength = name.Length;
    }

    /// <summary>The types whose lines say what the record holds; of the others only that they are there.</summary>
    void Record(ushort type, ReadOnlySpan<byte> value)
    {
        if (type is not (DnsTypes.A or DnsTypes.AAAA or DnsTypes.PTR) || IsRecord(value)) return;
        var writer = new DnsAnswerWriter(_answers.AsSpan(_used));
        if (value.Length > writer.TextSpace.Length)
        {
            _truncated = true;
            return;
        }
        value.CopyTo(writer.TextSpace);
        writer.Commit(type, 0, value.Length);
        _used += writer.Written.Length;
    }

    static ushort TypeOf(ReadOnlySpan<byte> value)
    {
        if (AddressText.TryParse(value, out Address address)) return address.IsV4 && !value.Contains((byte)':') ? DnsTypes.A : DnsTypes.AAAA;
        if (value.EndsWith("-IPv4"u8)) return DnsTypes.A;
        if (value.EndsWith("-IPv6"u8)) return DnsTypes.AAAA;
        return IsRecord(value) ? LoggedQuery.Type(value[1..^1]) : (ushort)0;
    }

    /// <summary>What was answered in place of a record; -1 when there is one.</summary>
    static short Code(ReadOnlySpan<byte> value)
    {
        int detail = value.IndexOf(" (EDE:"u8);
        if (detail > 0) value = value[..detail];
        if (value.StartsWith("NXDOMAIN"u8)) return 3;
        if (value.StartsWith("NODATA"u8)) return 0;
        if (value.SequenceEqual("not implemented"u8)) return 4;
        if (value.Length is 1 or 2 && byte.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out byte number)) return number;
        return LoggedQuery.ResponseCode(value);
    }

    /// <summary>The name that is asked for an address (RFC 1035 3.5, RFC 3596 2.5): of "reply 192.0.2.1 is a.example".</summary>
    ReadOnlySpan<byte> Reverse(Address address)
    {
        Span<byte> bytes = stackalloc byte[16];
        int length = address.WriteBytes(bytes), n = 0;
        for (int i = length - 1; i >= 0; i--)
        {
            if (length == 4)
            {
                bytes[i].TryFormat(_name.AsSpan(n), out int digits, default, CultureInfo.InvariantCulture);
                n += digits;
                _name[n++] = (byte)'.';
                continue;
            }
            _name[n++] = "0123456789abcdef"u8[bytes[i] & 15];
            _name[n++] = (byte)'.';
            _name[n++] = "0123456789abcdef"u8[bytes[i] >> 4];
            _name[n++] = (byte)'.';
        }
        ReadOnlySpan<byte> zone = length == 4 ? "in-addr.arpa"u8 : "ip6.arpa"u8;
        zone.CopyTo(_name.AsSpan(n));
        return _name.AsSpan(0, n + zone.Length);
    }
}
