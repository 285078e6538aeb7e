namespace Nfr.Storage;

/// <summary>
/// The accepted events of one lane that are not spooled yet: lines end to end in one reused buffer, and for each its length and its place in
/// the order of arrival over all lanes. Pipeline thread only, but for <see cref="Count"/>.
/// </summary>
sealed class PendingLane
{
    /// <summary>A lane that a failing disk has made larger than this gives its memory back once it is empty.</summary>
    const int KeptBytes = 1 << 20;

    byte[] _bytes = new byte[4096];
    int _byteStart;
    int _byteEnd;
    Entry[] _entries = new Entry[64];
    int _entryStart;
    int _entryEnd;

    readonly record struct Entry(long Ordinal, int Length);

    /// <summary>One field of its own, so that another thread reads a number that was true.</summary>
    public int Count { get; private set; }
    public int Bytes => _byteEnd - _byteStart;
    public long OldestOrdinal => _entries[_entryStart].Ordinal;

    /// <summary>Adds a line; its line end is added here.</summary>
    public void Append(long ordinal, ReadOnlySpan<byte> line)
    {
        int length = line.Length + 1;
        if (_byteEnd + length > _bytes.Length) MakeRoomForBytes(length);
        line.CopyTo(_bytes.AsSpan(_byteEnd));
        _bytes[_byteEnd + line.Length] = (byte)'\n';
        _byteEnd += length;
        if (_entryEnd == _entries.Length) MakeRoomForEntry();
        _entries[_entryEnd++] = new Entry(ordinal, length);
        Count++;
    }

    /// <summary>The oldest lines behind the first <paramref name="skip"/>, up to both limits but at least one.</summary>
    public ReadOnlySpan<byte> Oldest(int skip, int maxEvents, int maxBytes, out int events)
    {
        events = 0;
        int begin = _byteStart, length = 0;
        for (int i = 0; i < skip; i++) begin += _entries[_entryStart + i].Length;
        while (skip + events < Count && events < maxEvents)
        {
            int next = _entries[_entryStart + skip + events].Length;
            if (events > 0 && length + next > maxBytes) break;
            length += next;
            events++;
        }
        return _bytes.AsSpan(begin, length);
    }

    /// <summary>Forgets the oldest <paramref name="events"/>; returns their bytes.</summary>
    public int Remove(int events)
    {
        int length = 0;
        for (int i = 0; i < events; i++) length += _entries[_entryStart + i].Length;
        _entryStart += events;
        Count -= events;
        _byteStart += length;
        if (_entryStart != _entryEnd) return length;
        _entryStart = _entryEnd = _byteStart = _byteEnd = 0;
        if (_bytes.Length > KeptBytes) _bytes = new byte[4096];
        return length;
    }

    void MakeRoomForBytes(int length)
    {
        int used = Bytes;
        byte[] target = used + length > _bytes.Length / 2 ? new byte[Math.Max(_bytes.Length * 2, (used + length) * 2)] : _bytes;
        _bytes.AsSpan(_byteStart, used).CopyTo(target);
        _bytes = target;
        _byteStart = 0;
        _byteEnd = used;
    }

    void MakeRoomForEntry()
    {
        int used = Count;
        Entry[] target = used > _entries.Length / 2 ? new Entry[_entries.Length * 2] : _entries;
        _entries.AsSpan(_entryStart, used).CopyTo(target);
        _entries = target;
        _entryStart = 0;
        _entryEnd = used;
    }
}
