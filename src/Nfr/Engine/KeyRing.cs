using System.Buffers.Binary;
using System.Security.Cryptography;
using Serilog;

namespace Nfr.Engine;

/// <summary>
/// The keys in memory. A key is looked up by eight bytes of its hash and then compared whole, in constant time: who measures how long an answer
/// takes learns nothing of a hash, and from a hash nothing of a key. Changes that command lines make are seen within a second.
/// </summary>
sealed class KeyRing : IDisposable
{
    static readonly TimeSpan s_poll = TimeSpan.FromSeconds(1);

    readonly EngineDatabase _db;
    readonly ScoringLane[] _lanes;
    readonly HostedEngineOptions _options;
    readonly ILogger _log;
    readonly Lock _loading = new();
    readonly Dictionary<long, SensorState> _states;
    readonly Dictionary<string, Site> _sites = new(StringComparer.Ordinal);
    readonly ITimer _timer;
    // Replaced whole: requests read it without a lock.
    volatile Dictionary<ulong, SensorKey> _byHash = [];
    string? _version;
    bool _failing, _closed;

    /// <param name="db">Of this ring alone: it is read on timers.</param>
    /// <param name="lanes">Sites are spread over them.</param>
    /// <param name="options">Of the engine.</param>
    /// <param name="log">Told when keys cannot be read.</param>
    public KeyRing(EngineDatabase db, ScoringLane[] lanes, HostedEngineOptions options, ILogger log)
    {
        _db = db;
        _lanes = lanes;
        _options = options;
        _log = log;
        _states = db.ReadSensors();
        Reload();
        _timer = options.Time.CreateTimer(_ => Poll(), null, s_poll, s_poll);
    }

    public int Count => _byHash.Count;

    /// <summary>Keys whose sensor was heard of since then.</summary>
    public int SeenSince(long seconds) => _byHash.Values.Count(k => k.State.LastSeen >= seconds);

    public SensorKey? Find(ReadOnlySpan<byte> hash) =>
        _byHash.TryGetValue(BinaryPrimitives.ReadUInt64LittleEndian(hash), out SensorKey? key) && CryptographicOperations.FixedTimeEquals(hash, key.Row.Hash) ? key : null;

    /// <summary>Adds a key that key/request gives away.</summary>
    public void Add(KeyRow row)
    {
        Change(() => _db.AddKey(row));
    }

    public void Register(long id, string name, string contact)
    {
        Change(() => _db.Register(id, name, contact));
    }

    void Change(Action change)
    {
        lock (_loading)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            change();
            Reload();
        }
    }

    /// <summary>Those whose state is not written down yet; they count as written from here on.</summary>
    public List<SensorKey> TakeChanged()
    {
        List<SensorKey> changed = [];
        foreach (SensorKey key in _byHash.Values)
        {
            if (!key.State.Changed) continue;
            key.State.Changed = false;
            changed.Add(key);
        }
        return changed;
    }

    void Poll()
    {
        foreach (SensorKey key in _byHash.Values)
        {
            foreach (Repeats repeats in key.Repeats) repeats.Forget(Environment.TickCount64);
        }
        try
        {
            lock (_loading)
            {
                // A timer may fire once more while it is disposed of.
                if (_closed || _db.KeysVersion() == _version) return;
                Reload();
            }
            _failing = false;
        }
        catch (Exception fault)
        {
            if (!_failing) _log.Error("keys: changes cannot be read ({Reason}); those known stay good", fault.Message);
            _failing = true;
        }
    }

    void Reload()
    {
        lock (_loading)
        {
            _version = _db.KeysVersion();
            Dictionary<long, SensorKey> before = _byHash.Values.ToDictionary(k => k.Row.Id);
            var after = new Dictionary<ulong, SensorKey>();
            var homes = new Dictionary<Site, List<Events.IpPrefix>>();
            foreach (KeyRow row in _db.ReadKeys())
            {
                Site site = SiteOf(row);
                if (before.TryGetValue(row.Id, out SensorKey? key))
                {
                    key.Row = row;
                    key.Site = site;
                }
                else
                {
                    key = new SensorKey(row, site, _states.GetValueOrDefault(row.Id) ?? new SensorState(), _options);
                }
                after[BinaryPrimitives.ReadUInt64LittleEndian(row.Hash)] = key;
                if (!homes.TryGetValue(site, out List<Events.IpPrefix>? list)) homes[site] = list = [];
                if (row.Revoked == 0) list.AddRange(row.Homes);
            }
            foreach ((Site site, List<Events.IpPrefix> list) in homes) site.Homes = list;
            _byHash = after;
        }
    }

    Site SiteOf(KeyRow row)
    {
        string name = KeyRow.SiteOf(row.Site, row.Id);
        if (_sites.TryGetValue(name, out Site? site)) return site;
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name), hash);
        site = new Site(name, _lanes[BinaryPrimitives.ReadUInt32LittleEndian(hash[8..]) % (uint)_lanes.Length]);
        _sites.Add(name, site);
        return site;
    }

    /// <summary>When it returns, the database is not touched any more.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_loading) _closed = true;
    }
}
