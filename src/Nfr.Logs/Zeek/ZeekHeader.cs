using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// What the lines with "#" say of the lines of columns behind them, and the taking apart of those. A header may come at any time: after a rotation that was joined on, or
/// when a log gets a column more. What a header does not say is as Zeek has it by itself.
/// </summary>
sealed class ZeekHeader
{
    /// <summary>Columns beyond these are counted, and none of ours.</summary>
    const int MaxColumns = 1024;
    /// <summary>Of a separator, a marker, a path; what is longer is cut.</summary>
    const int MaxWord = 64;

    readonly byte[] _separator = new byte[MaxWord], _setSeparator = new byte[MaxWord], _empty = new byte[MaxWord], _unset = new byte[MaxWord], _path = new byte[MaxWord];
    int _separatorLength, _setSeparatorLength, _emptyLength, _unsetLength, _pathLength;
    readonly ZeekField[] _columns = new ZeekField[MaxColumns];
    UInt128 _fields;

    public ZeekHeader() => Reset();

    /// <summary>How many columns a line has; 0 = no header said it yet.</summary>
    public int Count { get; private set; }
    public ZeekKind Kind { get; private set; }
    public ReadOnlySpan<byte> SetSeparator => _setSeparator.AsSpan(0, _setSeparatorLength);
    public ReadOnlySpan<byte> UnsetField => _unset.AsSpan(0, _unsetLength);
    ReadOnlySpan<byte> Separator => _separator.AsSpan(0, _separatorLength);
    ReadOnlySpan<byte> EmptyField => _empty.AsSpan(0, _emptyLength);

    public void Reset()
    {
        Set("\t"u8, _separator, out _separatorLength);
        Set(","u8, _setSeparator, out _setSeparatorLength);
        Set("(empty)"u8, _empty, out _emptyLength);
        Set("-"u8, _unset, out _unsetLength);
        _pathLength = 0;
        Count = 0;
        _fields = 0;
        Kind = ZeekKind.Other;
    }

    /// <summary>Reads a line that begins with "#"; true when it says the columns.</summary>
    public bool Read(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("#separator"u8))
        {
            // A new log. The separator is the one word that stands behind a space, since none is known yet.
            Reset();
            ReadOnlySpan<byte> word = line["#separator"u8.Length..];
            if (word.Length > 1) SetEscaped(word[1..], _separator, out _separatorLength);
            if (_separatorLength == 0) Set("\t"u8, _separator, out _separatorLength);
            return false;
        }
        int end = line.IndexOf(Separator);
        ReadOnlySpan<byte> name = end < 0 ? line : line[..end], value = end < 0 ? default : line[(end + _separatorLength)..];
        if (name.SequenceEqual("#set_separator"u8)) SetEscaped(value, _setSeparator, out _setSeparatorLength);
        else if (name.SequenceEqual("#empty_field"u8)) SetEscaped(value, _empty, out _emptyLength);
        else if (name.SequenceEqual("#unset_field"u8)) SetEscaped(value, _unset, out _unsetLength);
        else if (name.SequenceEqual("#path"u8))
        {
            Set(value.SequenceEqual(UnsetField) ? default : value, _path, out _pathLength);
            Kind = ZeekKinds.Of(_path.AsSpan(0, _pathLength), _fields);
        }
        else if (name.SequenceEqual("#fields"u8))
        {
            Columns(value);
            return true;
        }
        return false;
    }

    void Columns(ReadOnlySpan<byte> names)
    {
        Count = 0;
        _fields = 0;
        if (names.IsEmpty) return;
        while (true)
        {
            int end = names.IndexOf(Separator);
            ZeekField field = ZeekFields.Of(end < 0 ? names : names[..end]);
            if (Count < MaxColumns) _columns[Count] = field;
            Count++;
            if (field != ZeekField.None) _fields |= ZeekKinds.Bit(field);
            if (end < 0) break;
            names = names[(end + _separatorLength)..];
        }
        Kind = ZeekKinds.Of(_path.AsSpan(0, _pathLength), _fields);
    }

    /// <summary>Finds the columns of a line; false when they are more or fewer than the header names.</summary>
    public bool Split(ReadOnlySpan<byte> line, ZeekSlot[] slots)
    {
        // Of most lines none is.
        bool escaped = line.Contains((byte)'\\');
        int column = 0, at = 0;
        ReadOnlySpan<byte> separator = Separator, unset = UnsetField, empty = EmptyField;
        byte first = separator[0];
        while (true)
        {
            ReadOnlySpan<byte> rest = line[at..];
            int length = separator.Length == 1 ? rest.IndexOf(first) : rest.IndexOf(separator);
            bool last = length < 0;
            if (last) length = rest.Length;
            if (column < _columns.Length && column < Count && _columns[column] is not ZeekField.None and var field)
            {
                ReadOnlySpan<byte> value = rest[..length];
                ref ZeekSlot slot = ref slots[(int)field];
                slot.Start = at;
                slot.Length = value.SequenceEqual(empty) ? 0 : length;
                slot.Kind = value.SequenceEqual(unset) ? JsonKind.None : JsonKind.String;
                slot.Escaped = escaped && value.Contains((byte)'\\');
            }
            column++;
            if (last) break;
            at += length + separator.Length;
            // Some tools end each line with a separator.
            if (column == Count && at == line.Length) break;
        }
        return column == Count;
    }

    static void Set(ReadOnlySpan<byte> word, byte[] to, out int length)
    {
        length = Math.Min(word.Length, to.Length);
        word[..length].CopyTo(to);
    }

    /// <summary>As it stands, or as \x09 and \t.</summary>
    static void SetEscaped(ReadOnlySpan<byte> word, byte[] to, out int length)
    {
        Set(word, to, out length);
        if (word.SequenceEqual("\\t"u8)) Set("\t"u8, to, out length);
        else length = ZeekEscapes.Undo(to.AsSpan(0, length), to, 0);
    }
}
