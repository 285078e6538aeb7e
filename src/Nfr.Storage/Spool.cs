using System.Collections.Concurrent;
using System.IO.Compression;
using Nfr.Events;

namespace Nfr.Storage;

/// <summary>Stand-in in memory with the spool's own shape, until the real one is here. One store per directory, so that a reopen finds it.</summary>
public sealed class Spool : IDisposable
{
    static readonly ConcurrentDictionary<string, Store> s_stores = new();
    readonly Store _store;

    Spool(Store store) => _store = store;

    sealed class Store
    {
        public readonly object Lock = new();
        public readonly string SensorId = Guid.NewGuid().ToString("n");
        public long NextSequence = 1;
        public readonly List<(long Sequence, byte[] Line)>[] Rows = [[], [], [], []];
        public readonly List<(long, byte[])>[] Unflushed = [[], [], [], []];
        public readonly List<StoredAlert> Alerts = [];
        public readonly List<StoredAlert> UnflushedAlerts = [];
        public readonly Dictionary<string, long> Bookmarks = [];
        public readonly Dictionary<string, string> State = [];
        public long NextAlert = 1;
    }

    public static Spool Open(SpoolOptions options, TimeProvider time) =>
        new(s_stores.GetOrAdd(Path.GetFullPath(options.Directory), _ => new Store()));

    public string SensorId => _store.SensorId;
    public bool FlushDue => true;
    public event Action? AlertsStored;

    public void Append(EventType type, int score, ReadOnlySpan<byte> uploadLine)
    {
        lock (_store.Lock) _store.Unflushed[(int)type].Add((_store.NextSequence++, uploadLine.ToArray()));
    }

    public void AppendAlert(Alert alert)
    {
        lock (_store.Lock) _store.UnflushedAlerts.Add(new StoredAlert(_store.NextAlert++, alert));
    }

    public SpoolFault? Flush()
    {
        bool alerts;
        lock (_store.Lock)
        {
            for (int i = 0; i < 4; i++)
            {
                _store.Rows[i].AddRange(_store.Unflushed[i]);
                _store.Unflushed[i].Clear();
            }
            alerts = _store.UnflushedAlerts.Count > 0;
            _store.Alerts.AddRange(_store.UnflushedAlerts);
            _store.UnflushedAlerts.Clear();
        }
        if (alerts) AlertsStored?.Invoke();
        return null;
    }

    public SpoolBatch? Peek(EventType type, int maxEvents, int maxBytes)
    {
        lock (_store.Lock)
        {
            List<(long Sequence, byte[] Line)> rows = _store.Rows[(int)type];
            if (rows.Count == 0) return null;
            using MemoryStream body = new();
            List<(long, byte[])> taken = [];
            foreach ((long, byte[] Line)[] member in rows.Take(maxEvents).Chunk(100))
            {
                byte[] bytes = Member(member);
                if (taken.Count > 0 && body.Length + bytes.Length > maxBytes) break;
                body.Write(bytes);
                taken.AddRange(member);
            }
            return new SpoolBatch(taken) { Type = type, FirstSequence = taken[0].Item1, LastSequence = taken[^1].Item1, Count = taken.Count, Body = body.ToArray() };
        }
    }

    static byte[] Member((long, byte[] Line)[] rows)
    {
        using MemoryStream output = new();
        using (GZipStream gzip = new(output, CompressionLevel.Fastest))
        {
            foreach ((_, byte[] line) in rows)
            {
                gzip.Write(line);
                gzip.WriteByte((byte)'\n');
            }
        }
        return output.ToArray();
    }

    public SpoolFault? Delivered(EventType type, long throughSequence)
    {
        lock (_store.Lock) _store.Rows[(int)type].RemoveAll(row => row.Sequence <= throughSequence);
        return null;
    }

    public SpoolFault? Quarantine(EventType type, long throughSequence, string reason) => Delivered(type, throughSequence);

    public IReadOnlyList<StoredAlert> ReadAlerts(long afterSequence, int max)
    {
        lock (_store.Lock) return [.. _store.Alerts.Where(alert => alert.Sequence > afterSequence).Take(max)];
    }

    public long GetBookmark(string name)
    {
        lock (_store.Lock) return _store.Bookmarks.GetValueOrDefault(name);
    }

    public SpoolFault? SetBookmark(string name, long sequence)
    {
        lock (_store.Lock) _store.Bookmarks[name] = sequence;
        return null;
    }

    public string? GetState(string name)
    {
        lock (_store.Lock) return _store.State.GetValueOrDefault(name);
    }

    public SpoolFault? StoreEngineAlerts(IReadOnlyList<Alert> alerts, string follow)
    {
        lock (_store.Lock)
        {
            foreach (Alert alert in alerts) _store.Alerts.Add(new StoredAlert(_store.NextAlert++, alert));
            _store.State["follow"] = follow;
        }
        if (alerts.Count > 0) AlertsStored?.Invoke();
        return null;
    }

    public void Dispose() => Flush();
}

public sealed record StoredAlert(long Sequence, Alert Alert);

public sealed record SpoolFault(string Message);

public sealed record SpoolOptions
{
    public required string Directory { get; init; }
    public long MaxBytes { get; init; } = 1L << 30;
}

public sealed record SpoolBatch
{
    readonly IReadOnlyList<(long Sequence, byte[] Line)> _rows;
    internal SpoolBatch(IReadOnlyList<(long, byte[])> rows) => _rows = rows;
    public EventType Type { get; init; }
    public long FirstSequence { get; init; }
    public long LastSequence { get; init; }
    public int Count { get; init; }
    public ReadOnlyMemory<byte> Body { get; init; }
    public IReadOnlyList<ReadOnlyMemory<byte>> Lines() => [.. _rows.Select(row => (ReadOnlyMemory<byte>)row.Line)];
    public long SequenceOf(int index) => _rows[index].Sequence;
}
