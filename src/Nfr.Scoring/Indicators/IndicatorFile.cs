using System.Globalization;
using System.Text;
using Nfr.Wire;

namespace Nfr.Scoring.Indicators;

/// <summary>
/// Reads one list file: plain lists, hosts files, delimited rows with or without a header (in a comment or not), MISP warning lists. A line that cannot be
/// used is a fault; the others are not touched by it.
/// </summary>
sealed class IndicatorFile
{
    /// <summary>A longer line is a fault and is skipped to its end.</summary>
    const int MaxLine = 4096;
    const int BufferSize = 64 * 1024;

    readonly string _path;
    readonly ListFormat _format;
    readonly ListBuilder _list;
    ListColumns _columns;

    IndicatorFile(string path, ListAbout about, Breadth? breadth)
    {
        (_path, _format) = (path, about.Format);
        _list = new ListBuilder(path, about, breadth);
    }

    /// <summary>Builds the table of a file. IO errors are thrown to the caller, who keeps the last good copy.</summary>
    public static IndicatorTable Load(string path, ListAbout about, Breadth? breadth, DateTimeOffset written, out IReadOnlyList<ListFault> faults, out long faultCount)
    {
        var file = new IndicatorFile(path, about, breadth);
        file.Pass();
        file._list.BeginFilling();
        file.Pass();
        (faults, faultCount) = (file._list.Faults, file._list.FaultCount);
        return file._list.Build(written);
    }

    /// <summary>Looks whether a file is a list at all, without building anything.</summary>
    public static ListCount Count(string path, ListAbout about)
    {
        var file = new IndicatorFile(path, about, null);
        file.Pass();
        return new ListCount(file._list.Entries, file._list.FaultCount, file._list.Faults.Count > 0 ? file._list.Faults[0] : null);
    }

    void Pass()
    {
        _columns = default;
        _list.Line = 0;
        using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        if (_format == ListFormat.Json || (_format == ListFormat.Auto && IsJson(stream)))
        {
            ListJson.Read(stream, _list);
            return;
        }
        byte[] buffer = new byte[BufferSize];
        int held = 0;
        bool skipping = false;
        while (true)
        {
            int read = stream.Read(buffer, held, buffer.Length - held);
            held += read;
            int start = 0;
            while (true)
            {
                int end = buffer.AsSpan(start, held - start).IndexOf((byte)'\n');
                if (end < 0) break;
                if (!skipping) Line(buffer.AsSpan(start, end));
                skipping = false;
                start += end + 1;
            }
            buffer.AsSpan(start, held - start).CopyTo(buffer);
            held -= start;
            if (read == 0)
            {
                if (held > 0 && !skipping) Line(buffer.AsSpan(0, held));
                return;
            }
            if (held <= MaxLine) continue;
            if (!skipping)
            {
                _list.Line++;
                _list.Fault("a line longer than 4096 bytes");
            }
            skipping = true;
            held = 0;
        }
    }

    /// <summary>Whether the first character that is no blank opens an object or an array of texts; leaves the stream at its beginning.</summary>
    static bool IsJson(FileStream stream)
    {
        Span<byte> first = stackalloc byte[256];
        first = first[..stream.Read(first)];
        stream.Position = 0;
        if (first.StartsWith("\uFEFF"u8)) first = first[3..];
        first = first.TrimStart(" \t\r\n"u8);
        if (first.IsEmpty) return false;
        // "[2001:db8::1]:80" is a line of a plain list.
        return first[0] == '{' || (first[0] == '[' && first[1..].TrimStart(" \t\r\n"u8) is [(byte)'"' or (byte)'{', ..]);
    }

    void Line(ReadOnlySpan<byte> line)
    {
        _list.Line++;
        if (line.Length > MaxLine)
        {
            _list.Fault("a line longer than 4096 bytes");
            return;
        }
        if (_list.Line == 1 && line.StartsWith("\uFEFF"u8)) line = line[3..];
        line = Trim(line);
        if (line.IsEmpty) return;
        if (line[0] is (byte)'#' or (byte)';' || line.StartsWith("//"u8))
        {
            Comment(Trim(line.TrimStart("#;/"u8)));
            return;
        }
        if (IsHosts(line, out ReadOnlySpan<byte> hosts))
        {
            HostsLine(hosts);
            return;
        }
        int comment = line[0] == '"' ? -1 : line.IndexOf(" #"u8) is var hash and >= 0 ? hash : line.IndexOf(" ;"u8);
        if (comment > 0) line = Trim(line[..comment]);
        Span<Range> fields = stackalloc Range[ListColumns.MaxFields];
        int count = _format == ListFormat.Plain ? 1 : ListColumns.Split(line, fields);
        if (_format == ListFormat.Plain) fields[0] = ..;
        Row(line, fields[..count]);
    }

    void Row(ReadOnlySpan<byte> line, ReadOnlySpan<Range> fields)
    {
        if (fields.Length > 1 && ListColumns.TryHeader(line, fields, out ListColumns header))
        {
            _columns = header;
            return;
        }
        ListColumns columns = _columns.IsFromHeader ? _columns : fields.Length > 1 ? ListColumns.Guess(line, fields) : new ListColumns { Label = -1, Port = -1, Date = -1, Type = -1 };
        if (columns.Indicator >= fields.Length)
        {
            _list.Fault(string.Create(CultureInfo.InvariantCulture, $"no column {columns.Indicator + 1}"));
            return;
        }
        // Digests of files and addresses of mail say nothing that a sensor could see.
        ReadOnlySpan<byte> type = Field(line, fields, columns.Type);
        if (type.IndexOf("hash"u8) >= 0 || type.StartsWith("envelope"u8) || type.StartsWith("email"u8)) return;
        ReadOnlySpan<byte> text = Field(line, fields, columns.Indicator), label = Field(line, fields, columns.Label), date = Field(line, fields, columns.Date);
        ReadOnlySpan<byte> port = Field(line, fields, columns.Port);
        if (port.IsEmpty)
        {
            _list.Add(text, label, date);
            return;
        }
        Span<byte> joined = stackalloc byte[64];
        if (text.Length + port.Length + 3 > joined.Length)
        {
            _list.Fault("neither an address nor a port");
            return;
        }
        bool six = text.Contains((byte)':');
        int n = 0;
        if (six) joined[n++] = (byte)'[';
        text.CopyTo(joined[n..]);
        n += text.Length;
        if (six) joined[n++] = (byte)']';
        joined[n++] = (byte)':';
        port.CopyTo(joined[n..]);
        _list.Add(joined[..(n + port.Length)], label, date);
    }

    static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> line, ReadOnlySpan<Range> fields, int column) =>
        column >= 0 && column < fields.Length ? ListColumns.Unquote(line[fields[column]]) : default;

    /// <summary>What the list says of itself, or the header row of a delimited file.</summary>
    void Comment(ReadOnlySpan<byte> text)
    {
        if (_list.Comment(text)) return;
        Span<Range> fields = stackalloc Range[ListColumns.MaxFields];
        int count = ListColumns.Split(text, fields);
        if (count > 1 && ListColumns.TryHeader(text, fields[..count], out ListColumns header)) _columns = header;
    }

    /// <summary>A line of a hosts file: an address that leads nowhere, then names.</summary>
    bool IsHosts(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> names)
    {
        names = default;
        if (_format is ListFormat.Plain or ListFormat.Csv) return false;
        int blank = line.IndexOfAny((byte)' ', (byte)'\t');
        if (blank < 0) return false;
        ReadOnlySpan<byte> address = line[..blank];
        bool nowhere = address.SequenceEqual("0.0.0.0"u8) || address.SequenceEqual("127.0.0.1"u8) || address.SequenceEqual("::"u8) || address.SequenceEqual("::1"u8);
        if (!nowhere && !(_format == ListFormat.Hosts && AddressText.TryParse(address, out _))) return false;
        names = line[blank..];
        int comment = names.IndexOf((byte)'#');
        if (comment >= 0) names = names[..comment];
        return true;
    }

    void HostsLine(ReadOnlySpan<byte> names)
    {
        while (true)
        {
            names = Trim(names);
            if (names.IsEmpty) return;
            int blank = names.IndexOfAny((byte)' ', (byte)'\t');
            ReadOnlySpan<byte> name = blank < 0 ? names : names[..blank];
            names = blank < 0 ? default : names[blank..];
            // What every hosts file begins with.
            if (name.StartsWith("localhost"u8) || name.SequenceEqual("local"u8) || name.SequenceEqual("broadcasthost"u8) || name.StartsWith("ip6-"u8)) continue;
            _list.Add(name, default, default);
        }
    }

    static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t\r"u8);
}
