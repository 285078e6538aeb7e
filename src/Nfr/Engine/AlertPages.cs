using System.Buffers;
using System.Globalization;
using Nfr.Events;

namespace Nfr.Engine;

/// <summary>
/// Pages of alerts. A bookmark is a number and an epoch, a start of the engine ("6-8263d641"): go on behind that number. Where the number is greater than any that the epoch
/// gave away, the database was put back from a backup since, and those who read on are taken to where the two parted; where nobody knows the epoch it
/// is another database's bookmark, or none, and begins over.
/// </summary>
sealed class AlertPages
{
    const int MaxAlerts = 200;
    /// <summary>Our sensor takes answers of 1 MiB.</summary>
    const int MaxBytes = 512 << 10;

    readonly EngineDatabase _db;
    readonly Lock _lock = new();
    readonly string _epoch;
    /// <summary>The newest alert's number at the end of each epoch that is over.</summary>
    readonly Dictionary<string, long> _ends = new(StringComparer.Ordinal);
    bool _closed;

    /// <param name="db">Of these pages alone.</param>
    public AlertPages(EngineDatabase db)
    {
        _db = db;
        List<(string Name, long Start)> epochs = db.BeginEpoch();
        for (int i = 0; i + 1 < epochs.Count; i++) _ends[epochs[i].Name] = epochs[i + 1].Start;
        _epoch = epochs[^1].Name;
    }

    public ReadOnlyMemory<byte> After(string site, string follow)
    {
        long after;
        List<(long Sequence, string Dictionary, byte[] Item)> rows;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            after = Read(follow);
            rows = _db.ReadAlerts(site, after, MaxAlerts + 1, MaxBytes);
        }
        // One severity a threat and page is all that the reply can say: where two alerts differ in it, the page ends.
        var titles = new Dictionary<string, string>(StringComparer.Ordinal);
        var items = new List<byte[]>();
        long bytes = 0;
        foreach ((long sequence, string dictionary, byte[] item) in rows)
        {
            string id = dictionary[..(dictionary.IndexOf('"', 1) + 1)];
            if (items.Count == MaxAlerts || (bytes += item.Length) > MaxBytes && items.Count > 0) break;
            if (titles.TryGetValue(id, out string? known) && known != dictionary) break;
            titles[id] = dictionary;
            items.Add(item);
            after = sequence;
        }
        // Rows may also end because the bytes did: then it is for the next page to say that it is empty.
        bool more = items.Count < rows.Count || bytes >= MaxBytes;
        var output = new ArrayBufferWriter<byte>(1024);
        EngineAlertsWriter.Page(output, string.Create(CultureInfo.InvariantCulture, $"{after}-{_epoch}"), more, items, titles.Values);
        return output.WrittenMemory;
    }

    long Read(string follow)
    {
        int hyphen = follow.IndexOf('-', StringComparison.Ordinal);
        if (hyphen <= 0 || !long.TryParse(follow.AsSpan(0, hyphen), NumberStyles.None, CultureInfo.InvariantCulture, out long after)) return 0;
        string epoch = follow[(hyphen + 1)..];
        if (epoch == _epoch) return after <= _db.Newest() ? after : 0;
        return _ends.TryGetValue(epoch, out long end) ? Math.Min(after, end) : 0;
    }

    /// <summary>Whoever still asks is told that it is over, before the database goes.</summary>
    public void Close()
    {
        lock (_lock) _closed = true;
    }
}
