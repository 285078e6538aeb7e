using System.Buffers;
using System.Globalization;
using Nfr.Events;

namespace Nfr.Engine;

/// <summary>
/// Pages of alerts. A bookmark is a number and the database's epoch ("6-8263d641"): behind that number for this database, from the beginning
/// for another one's, or for what is no bookmark.
/// </summary>
/// <param name="db">Of these pages alone.</param>
sealed class AlertPages(EngineDatabase db)
{
    const int MaxAlerts = 200;
    /// <summary>Our sensor takes answers of 1 MiB.</summary>
    const int MaxBytes = 512 << 10;

    readonly Lock _lock = new();

    public ReadOnlyMemory<byte> After(string site, string follow)
    {
        long after = Read(follow);
        List<(long Sequence, string Dictionary, byte[] Item)> rows;
        lock (_lock) rows = db.ReadAlerts(site, after, MaxAlerts + 1, MaxBytes);
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
        EngineAlertsWriter.Page(output, string.Create(CultureInfo.InvariantCulture, $"{after}-{db.Epoch}"), more, items, titles.Values);
        return output.WrittenMemory;
    }

    long Read(string follow)
    {
        int hyphen = follow.IndexOf('-', StringComparison.Ordinal);
        return hyphen > 0 && follow.AsSpan(hyphen + 1).SequenceEqual(db.Epoch)
            && long.TryParse(follow.AsSpan(0, hyphen), NumberStyles.None, CultureInfo.InvariantCulture, out long after) ? after : 0;
    }
}
