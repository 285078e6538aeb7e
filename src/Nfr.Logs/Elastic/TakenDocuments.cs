using System.Globalization;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// Which documents of a search were taken lately: what makes each come once, at equal stamps, across pages, when it appears late, and over restarts.
/// </summary>
/// <remarks>
/// <para>Documents are numbered in the order in which they are taken. The search's thread takes them; the pipeline says up to which number they are
/// accepted, and only that far they are in the state that it commits with them. So a kill forgets exactly what was not spooled.</para>
/// <para>Rows hold <see cref="PerRow"/> documents each, in turn; the row that is begun anew forgets what it held. What is forgotten is not looked for
/// again: <see cref="Floor"/> says from which stamp on all that was taken is known. The state is small pieces: the head with the last
/// <see cref="PerBlock"/> documents at most, which changes with each commit, and the rows, which change when a block is full.</para>
/// <para>An entry in the state: its stamp's distance from the one before (zigzag, 7 bits a byte), and six bytes of the digest of its index and id. Two documents
/// are one when both are equal.</para>
/// </remarks>
sealed class TakenDocuments
{
    /// <summary>Documents of a block; of a row: 43 KiB of text where stamps are near to each other, 64 KiB if they never are.</summary>
    public const int PerBlock = 512, PerRow = 6 * PerBlock;
    public const int MostRows = 8, FewestRows = 2;

    const ulong IdentityBits = 0xFFFF_FFFF_FFFF;
    const string Version = "1";

    readonly Lock _lock = new();
    readonly int _rows;
    readonly long[] _times;
    readonly ulong[] _identities;
    readonly HashSet<ulong> _keys = [];
    /// <summary>The number of the next document; the number up to which the pipeline accepted; up to which the state was made.</summary>
    long _next, _accepted, _kept;
    /// <summary>The oldest that is remembered.</summary>
    long _first;
    long _newestKept = long.MinValue;
    /// <summary>The greatest stamp of what is not remembered any more.</summary>
    long _forgotten = long.MinValue;
    long _start = long.MinValue;
    bool _headMoved;
    readonly bool[] _rowMoved;

    /// <param name="rows">2 to 8.</param>
    public TakenDocuments(int rows)
    {
        _rows = rows;
        _times = new long[rows * PerRow];
        _identities = new ulong[rows * PerRow];
        _rowMoved = new bool[rows];
    }

    public int Rows => _rows;

    /// <summary>The greatest stamp that was taken; <see cref="long.MinValue"/> before the first.</summary>
    public long Newest { get; private set; } = long.MinValue;

    /// <summary>From this stamp on nothing that was taken is forgotten.</summary>
    public long Floor { get; private set; } = long.MinValue;

    /// <summary>Below this stamp nothing is new: more documents have the newest stamp than are remembered, and all of them were taken; else <see cref="long.MinValue"/>.</summary>
    public long Passed => Floor > Newest ? Floor : long.MinValue;

    /// <summary>All was read that there is. If documents of the newest stamp itself are forgotten, it is left behind as a whole, or they would come anew each time.</summary>
    public void Looked()
    {
        lock (_lock)
        {
            if (_forgotten != Newest || Floor > Newest || Newest == long.MaxValue) return;
            Floor = Newest + 1;
            _headMoved = true;
        }
    }

    /// <summary>The number of the next document.</summary>
    public long Next => _next;

    /// <summary>Where the search begins as long as nothing was taken; <see cref="long.MinValue"/> = not said yet.</summary>
    public long Start
    {
        get => _start;
        set
        {
            lock (_lock)
            {
                _start = value;
                _headMoved = true;
            }
        }
    }

    /// <summary>Of an index's name and a document's id.</summary>
    public static ulong Identity(ReadOnlySpan<byte> index, ReadOnlySpan<byte> id) => (Fnv(Fnv(0xCBF29CE484222325, index) * 31, id) is var h ? h ^ (h >> 48) : 0) & IdentityBits;

    static ulong Fnv(ulong h, ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes) h = (h ^ b) * 0x100000001B3;
        return h ^ (h >> 29);
    }

    static ulong Key(long time, ulong identity)
    {
        ulong h = ((ulong)time * 0x9E3779B97F4A7C15) ^ (identity * 0xA0761D6478BD642F);
        return h ^ (h >> 32);
    }

    public bool Has(long time, ulong identity) => _keys.Contains(Key(time, identity));

    /// <summary>There is room for one more, or the pipeline has first to keep what was taken before.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_lock) return _next - _kept < (_rows - 1) * PerRow;
        }
    }

    /// <summary>Takes a document; its number is <see cref="Next"/> before the call.</summary>
    public void Take(long time, ulong identity)
    {
        lock (_lock)
        {
            int at = (int)(_next % _times.Length);
            if (at % PerRow == 0 && _next - _first >= _times.Length) ForgetRow();
            (_times[at], _identities[at]) = (time, identity);
            _next++;
            _keys.Add(Key(time, identity));
            Newest = Math.Max(Newest, time);
        }
    }

    void ForgetRow()
    {
        long end = _first + PerRow;
        for (; _first < end; _first++)
        {
            int at = (int)(_first % _times.Length);
            _keys.Remove(Key(_times[at], _identities[at]));
            // Several may have this stamp, and some of them be forgotten: only what is newer is known wholly.
            Floor = Math.Max(Floor, Math.Min(_times[at] + 1, Newest));
            _forgotten = Math.Max(_forgotten, _times[at]);
        }
    }

    /// <summary>How many of those with stamps in [from, to] are remembered.</summary>
    public long Count(long from, long to)
    {
        long n = 0;
        for (long i = _first; i < _next; i++)
        {
            if (_times[i % _times.Length] is var time && time >= from && time <= to) n++;
        }
        return n;
    }

    /// <summary>Pipeline thread: all before this number are with the spool.</summary>
    public void Accept(long next) => Volatile.Write(ref _accepted, next);

    /// <summary>Pipeline thread: the head of the state, null when it has not changed. To be asked before the rows.</summary>
    public string? Head()
    {
        long accepted = Volatile.Read(ref _accepted);
        lock (_lock)
        {
            if (accepted == _kept && !_headMoved) return null;
            for (; _kept < accepted; _kept++)
            {
                _newestKept = Math.Max(_newestKept, _times[_kept % _times.Length]);
                if ((_kept + 1) % PerBlock == 0) _rowMoved[_kept / PerRow % _rows] = true;
            }
            _headMoved = false;
            long from = _kept / PerBlock * PerBlock;
            // As long as the pipeline has not all, the newest stamp is not left behind.
            long floor = _kept == _next ? Floor : Math.Min(Floor, _newestKept);
            return string.Create(CultureInfo.InvariantCulture, $"{Version} {_start} {floor} {_newestKept} {from} {Convert.ToBase64String(Encode(Math.Max(from, _first), _kept))}");
        }
    }

    /// <summary>Pipeline thread: a row of the state, null when it has not changed.</summary>
    public string? Row(int row)
    {
        lock (_lock)
        {
            if (!_rowMoved[row]) return null;
            _rowMoved[row] = false;
            long end = _kept / PerBlock * PerBlock;
            // The latest lap in which a block of this row is full.
            long lap = (end - 1) / PerRow;
            while (lap >= 0 && lap % _rows != row) lap--;
            // Empty is said too: what stands there may be of an earlier numbering.
            if (end == 0 || lap < 0) return $"{Version} 0 ";
            long from = lap * PerRow;
            return string.Create(CultureInfo.InvariantCulture, $"{Version} {from} {Convert.ToBase64String(Encode(Math.Max(from, _first), Math.Min(from + PerRow, end)))}");
        }
    }

    byte[] Encode(long from, long to)
    {
        byte[] bytes = new byte[Math.Max(0, to - from) * 16];
        int n = 0;
        long before = 0;
        for (long i = from; i < to; i++)
        {
            int at = (int)(i % _times.Length);
            ulong distance = Zigzag(unchecked(_times[at] - before));
            before = _times[at];
            for (; distance >= 0x80; distance >>= 7) bytes[n++] = (byte)(distance | 0x80);
            bytes[n++] = (byte)distance;
            for (int shift = 40; shift >= 0; shift -= 8) bytes[n++] = (byte)(_identities[at] >> shift);
        }
        return bytes[..n];
    }

    static ulong Zigzag(long value) => (ulong)((value << 1) ^ (value >> 63));

    static List<(long Time, ulong Identity)>? Decode(string text)
    {
        byte[] bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, bytes, out int length)) return null;
        List<(long, ulong)> entries = [];
        long time = 0;
        for (int at = 0; at < length;)
        {
            ulong distance = 0;
            int shift = 0;
            while (at < length && (bytes[at] & 0x80) != 0 && shift < 63)
            {
                distance |= (ulong)(bytes[at++] & 0x7F) << shift;
                shift += 7;
            }
            if (at + 7 > length) return null;
            distance |= (ulong)bytes[at++] << shift;
            time = unchecked(time + ((long)(distance >> 1) ^ -(long)(distance & 1)));
            ulong identity = 0;
            for (int i = 0; i < 6; i++) identity = (identity << 8) | bytes[at++];
            entries.Add((time, identity));
        }
        return entries;
    }

    /// <summary>Takes up the state of an earlier run; false when it cannot be read, and then nothing is remembered.</summary>
    /// <param name="head">As <see cref="Head"/> made it.</param>
    /// <param name="rows">As <see cref="Row"/> made them; null where there is none.</param>
    public bool Restore(string head, IReadOnlyList<string?> rows)
    {
        if (head.Split(' ') is not [Version, var start, var floor, var newest, var from, var last]) return false;
        if (!Long(start, out long begin) || !Long(floor, out long lowest) || !Long(newest, out long latest) || !Long(from, out long number) || number < 0 || Decode(last) is not { } tail) return false;
        List<(long Number, List<(long Time, ulong Identity)> Entries)> pieces = [(number, tail)];
        bool whole = true;
        foreach (string? row in rows)
        {
            if (row is null) continue;
            if (row.Split(' ') is [Version, var at, var text] && Long(at, out long first) && first >= 0 && Decode(text) is { } entries)
            {
                if (first < number) pieces.Add((first, [.. entries.Take((int)Math.Min(entries.Count, number - first))]));
            }
            else whole = false;
        }
        pieces.Sort((a, b) => a.Number.CompareTo(b.Number));
        lock (_lock)
        {
            (_start, Floor) = (begin, lowest);
            foreach ((_, List<(long Time, ulong Identity)> entries) in pieces)
            {
                foreach ((long time, ulong identity) in entries)
                {
                    int at = (int)(_next % _times.Length);
                    if (at % PerRow == 0 && _next - _first >= _times.Length) ForgetRow();
                    (_times[at], _identities[at]) = (time, identity);
                    _next++;
                    _keys.Add(Key(time, identity));
                    Newest = Math.Max(Newest, time);
                }
            }
            Newest = Math.Max(Newest, latest);
            _newestKept = Newest;
            // What a damaged row held is not known any more.
            if (!whole) Floor = Newest;
            _accepted = _next;
            _kept = _next;
            // Numbers begin anew: all of the state is written once more, so that no row of the earlier numbering is left.
            _headMoved = true;
            Array.Fill(_rowMoved, true);
        }
        return true;
    }

    static bool Long(string text, out long value) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
}
