using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>
/// Zeek's logs, lines of columns under a header or a JSON object a line, even mixed: dns, conn, http and ssl are events; x509 (and files, for its SHA-1) tell
/// of the certificates of ssl, see <see cref="CertificateCache"/>; all other logs are none of ours.
/// </summary>
/// <remarks>Source is the originator. Nothing is added up: a connection's bytes are those of the IP layer where the log has them, else of the payload.</remarks>
public sealed partial class ZeekParser(LineOptions options) : LineParser(options)
{
    readonly ZeekHeader _header = new();
    readonly ZeekSlot[] _slots = new ZeekSlot[(int)ZeekField.Count];
    readonly TextRoom _room = new();
    readonly byte[] _certificate = new byte[1024];
    bool _slotsAreJson;
    /// <summary>Where the run of "#" lines in hand began; -1 between two of them.</summary>
    long _block = -1;
    long _headerAt = -1;

    /// <summary>The first line of the run of "#" lines that named the columns.</summary>
    public override long HeaderAt => _headerAt;

    public override void Restart()
    {
        _header.Reset();
        Array.Clear(_slots);
        _block = _headerAt = -1;
    }

    public override LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        if (line.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) line = line[3..];
        if (line.IsEmpty) return LineVerdict.Header;
        if (line[0] == '#') return ReadHeader(line);
        if (line[0] is (byte)'{' or (byte)' ' && line.TrimStart(" \t"u8) is [(byte)'{', ..]) return ReadJson(line, sink);
        _block = -1;
        if (_header.Count == 0) return IsBlank(line) ? LineVerdict.Header : LineVerdict.NoHeader;
        if (_header.Kind == ZeekKind.Other) return LineVerdict.Other;
        if (!IsWanted(_header.Kind)) return LineVerdict.Unwanted;
        if (_slotsAreJson)
        {
            Array.Clear(_slots);
            _slotsAreJson = false;
        }
        if (!_header.Split(line, _slots)) return IsBlank(line) ? LineVerdict.Header : LineVerdict.Columns;
        _room.Reset();
        return Emit(_header.Kind, new ZeekRow(line, _slots, _room, _header), sink);
    }

    static bool IsBlank(ReadOnlySpan<byte> line) => line.TrimStart(" \t\r"u8).IsEmpty;

    LineVerdict ReadHeader(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("#close"u8))
        {
            _block = -1;
            return LineVerdict.Header;
        }
        if (_block < 0) _block = At;
        if (_header.Read(line)) _headerAt = _block;
        // A column that is gone is unset from now on.
        Array.Clear(_slots);
        return LineVerdict.Header;
    }

    LineVerdict ReadJson(ReadOnlySpan<byte> line, IEventSink sink)
    {
        Array.Clear(_slots);
        _slotsAreJson = true;
        UInt128 fields = 0;
        JsonLineReader json = JsonLineReader.Object(line);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (value.Kind == JsonKind.Object) Nested(key, value, ref fields);
            else Keep(ZeekFields.Of(key), value, 0, ref fields);
        }
        if (json.Failed) return LineVerdict.NotJson;
        _room.Reset();
        var row = new ZeekRow(line, _slots, _room, null);
        ZeekKind kind = ZeekKinds.Of(row.Text(ZeekField.Path), fields);
        return kind == ZeekKind.Other ? LineVerdict.Other : IsWanted(kind) ? Emit(kind, row, sink) : LineVerdict.Unwanted;
    }

    /// <summary>Records within the record: {"id":{"orig_h":…}} is the same as {"id.orig_h":…}.</summary>
    void Nested(ReadOnlySpan<byte> name, JsonRaw json, ref UInt128 fields)
    {
        Span<byte> path = stackalloc byte[64];
        if (!(name.SequenceEqual("id"u8) || name.SequenceEqual("certificate"u8) || name.SequenceEqual("san"u8))) return;
        name.CopyTo(path);
        path[name.Length] = (byte)'.';
        Span<byte> room = path[(name.Length + 1)..];
        JsonLineReader inner = JsonLineReader.Object(json.Bytes);
        while (inner.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.Length > room.Length) continue;
            key.CopyTo(room);
            Keep(ZeekFields.Of(path[..(name.Length + 1 + key.Length)]), value, json.Start, ref fields);
        }
    }

    /// <param name="field">None for a column that no event needs.</param>
    /// <param name="value">As it stands in the object.</param>
    /// <param name="at">Where the object begins in the line.</param>
    /// <param name="fields">Gets its bit.</param>
    void Keep(ZeekField field, JsonRaw value, int at, ref UInt128 fields)
    {
        if (field == ZeekField.None || value.Kind is JsonKind.Null or JsonKind.Object) return;
        _slots[(int)field] = new ZeekSlot { Start = at + value.Start, Length = value.Bytes.Length, Kind = value.Kind, Escaped = value.Escaped };
        fields |= ZeekKinds.Bit(field);
    }

    bool IsWanted(ZeekKind kind) => kind switch
    {
        ZeekKind.Dns => Wants(EventType.Dns),
        ZeekKind.Conn => Wants(EventType.Ip),
        ZeekKind.Http => Wants(EventType.Http),
        ZeekKind.Ssl => Wants(EventType.Tls),
        _ => true,
    };

    LineVerdict Emit(ZeekKind kind, ZeekRow row, IEventSink sink) => kind switch
    {
        ZeekKind.Dns => OnDns(row, sink),
        ZeekKind.Conn => OnConn(row, sink),
        ZeekKind.Http => OnHttp(row, sink),
        ZeekKind.Ssl => OnSsl(row, sink),
        ZeekKind.X509 => OnX509(row),
        _ => OnFiles(row),
    };

    /// <summary>When, and who with whom; <see cref="LineVerdict.Event"/> when all is there.</summary>
    LineVerdict Context(ZeekRow row, ref EventContext context, bool stamped = true)
    {
        if (!row.TryTime(ZeekField.Ts, out long nanoseconds)) return LineVerdict.Timestamp;
        if (!row.TryAddress(ZeekField.OrigH, out context.Source)) return LineVerdict.Source;
        if (!row.TryAddress(ZeekField.RespH, out context.Destination) && row.Has(ZeekField.RespH)) return LineVerdict.Destination;
        context.SourcePort = row.Word(ZeekField.OrigP);
        context.DestinationPort = row.Word(ZeekField.RespP);
        context.Vlan = row.Word(ZeekField.Vlan);
        context.Timestamp = nanoseconds;
        if (stamped) Stamp(ref context, nanoseconds);
        return LineVerdict.Event;
    }

    /// <summary>"tcp", "udp", "icmp" of either family; "unknown_transport" has a number since 7.1 (ip_proto), before none.</summary>
    static byte Protocol(ZeekRow row, in EventContext context)
    {
        if (row.Word(ZeekField.IPProto) is > 0 and < 256 and var number) return (byte)number;
        byte protocol = EventWords.Protocol(row[ZeekField.Proto]);
        return protocol == IPProtocol.Icmp && !context.Source.IsV4 ? IPProtocol.IcmpV6 : protocol;
    }
}
