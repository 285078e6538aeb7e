using System.Globalization;
using System.Security.Cryptography;
using Nfr.Events;
using Nfr.Native;

namespace Nfr.Engine;

/// <summary>The engine's files cannot be used; the message says what to do.</summary>
sealed class EngineStoreException(string message) : Exception(message);

/// <summary>An alert ready to be given away.</summary>
/// <param name="Site">Who may see it.</param>
/// <param name="Dictionary">Of <see cref="EngineAlertsWriter.Dictionary"/>.</param>
/// <param name="Item">Of <see cref="EngineAlertsWriter.Item"/>.</param>
readonly record struct AlertRow(string Site, string Dictionary, byte[] Item);

/// <summary>
/// engine.db: one connection, for one thread at a time. Keys change rarely and by command lines too, so a counter in meta says when to read
/// them again; a commit is on the disk when it returns.
/// <code>
/// meta     name, value                              version, keys (counts changes)
/// epochs   id, name (random, a part of bookmarks), start (the newest alert's number when it began)        one for each start of the engine
/// keys     id, hash, shadow, name, site, homes, created, revoked, registered, contact
/// sensors  key, seen, agent, dns, ip, http, tls, rejected, day, endpoints
/// alerts   seq (never given twice), site, dictionary, item
/// </code>
/// </summary>
sealed class EngineDatabase : IDisposable
{
    const string Version = "1";
    /// <summary>Starts of the engine that bookmarks are known from; older ones begin over.</summary>
    const int MaxEpochs = 1000;
    const string NewestSql = "coalesce((SELECT seq FROM sqlite_sequence WHERE name='alerts'),0)";

    readonly SqliteConnection _db;
    readonly string _path;
    AlertShares? _shares;
    (string? Version, HashSet<string> Sites) _guests = (null, []);

    EngineDatabase(SqliteConnection db, string path)
    {
        _db = db;
        _path = path;
    }

    /// <summary>Makes folder and file when they are not there.</summary>
    public static EngineDatabase Open(string folder)
    {
        string path = Path.Combine(folder, "engine.db");
        try
        {
            if (!Directory.Exists(folder) && OperatingSystem.IsLinux()) Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            // Alerts are for nobody else on this machine, also where the folder is open to all. SQLite's other files take after this one.
            if (!File.Exists(path) && OperatingSystem.IsLinux())
                new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EngineStoreException($"{path} cannot be made ({Config.Reason.Of(e)}); name another folder with --data");
        }
        SqliteError error = SqliteConnection.Open(path, null, out SqliteConnection? db);
        if (db is null) throw new EngineStoreException($"{path} cannot be opened ({error.Message}); run as the user that owns it, or name another folder with --data");
        var database = new EngineDatabase(db, path);
        try
        {
            database.Prepare();
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    void Prepare()
    {
        _db.SetBusyTimeout(10_000);
        _db.Execute("PRAGMA journal_mode=WAL");
        _db.Execute("PRAGMA synchronous=FULL");
        _db.Execute("PRAGMA cache_size=-4096");
        _db.Execute("BEGIN IMMEDIATE");
        _db.Execute("CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
        _db.Execute("""
            CREATE TABLE IF NOT EXISTS keys(id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, shadow TEXT NOT NULL, name TEXT NOT NULL,
            site TEXT NOT NULL, homes TEXT NOT NULL, created INTEGER NOT NULL, revoked INTEGER NOT NULL, registered INTEGER NOT NULL, contact TEXT NOT NULL)
            """);
        _db.Execute("""
            CREATE TABLE IF NOT EXISTS sensors(key INTEGER PRIMARY KEY, seen INTEGER NOT NULL, agent TEXT NOT NULL, dns INTEGER NOT NULL, ip INTEGER NOT NULL,
            http INTEGER NOT NULL, tls INTEGER NOT NULL, rejected INTEGER NOT NULL, day INTEGER NOT NULL, endpoints BLOB NOT NULL)
            """);
        _db.Execute("CREATE TABLE IF NOT EXISTS alerts(seq INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, dictionary TEXT NOT NULL, item BLOB NOT NULL)");
        _db.Execute("CREATE INDEX IF NOT EXISTS alerts_by_site ON alerts(site, seq)");
        _db.Execute("CREATE TABLE IF NOT EXISTS epochs(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, start INTEGER NOT NULL)");
        // One epoch for a database's whole life, as it was once.
        _db.Execute("INSERT INTO epochs(name,start) SELECT value,0 FROM meta WHERE name='epoch'");
        _db.Execute("DELETE FROM meta WHERE name='epoch'");
        _db.Execute($"INSERT OR IGNORE INTO meta VALUES('version','{Version}'),('keys','0')");
        _db.Execute("COMMIT");
        string? version = _db.Scalar("SELECT value FROM meta WHERE name='version'");
        if (_db.TakeError() is { IsError: true } fault)
            throw new EngineStoreException($"{_path} cannot be used ({fault.Message}); when it is damaged, move it away: a new one begins without keys and alerts");
        if (version != Version) throw new EngineStoreException($"{_path} is of another version ({version}) of nfr engine");
    }

    /// <summary>Bytes of the file; 0 when nobody knows.</summary>
    public long Bytes => new FileInfo(_path) is { Exists: true } file ? file.Length : 0;

    /// <summary>Changes with every change of a key.</summary>
    public string? KeysVersion() => Scalar("SELECT value FROM meta WHERE name='keys'");

    public List<KeyRow> ReadKeys()
    {
        var keys = new List<KeyRow>();
        using (SqliteStatement rows = _db.Prepare("SELECT id,hash,shadow,name,site,homes,created,revoked,registered,contact FROM keys ORDER BY id"))
        {
            while (rows.Step())
            {
                List<IpPrefix> homes = [];
                foreach (string text in (rows.Text(5) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    if (IpPrefix.TryParse(text, out IpPrefix prefix)) homes.Add(prefix);
                }
                keys.Add(new KeyRow(
                    rows.Int64(0), rows.Blob(1).ToArray(), rows.Text(2) ?? "", rows.Text(3) ?? "", rows.Text(4) ?? "", homes, rows.Int64(6), rows.Int64(7),
                    rows.Int64(8) != 0, rows.Text(9) ?? ""));
            }
        }
        Check();
        return keys;
    }

    /// <returns>The new row's id.</returns>
    public long AddKey(KeyRow key)
    {
        _db.Execute("BEGIN IMMEDIATE");
        using (SqliteStatement insert = _db.Prepare("INSERT INTO keys(hash,shadow,name,site,homes,created,revoked,registered,contact) VALUES(?,?,?,?,?,?,?,?,?)"))
        {
            insert.Bind(1, key.Hash).Bind(2, key.Shadow).Bind(3, key.Name).Bind(4, key.Site).Bind(5, string.Join(' ', key.Homes)).Bind(6, key.Created)
                .Bind(7, key.Revoked).Bind(8, key.Registered ? 1 : 0).Bind(9, key.Contact).Run();
        }
        string? id = _db.Scalar("SELECT last_insert_rowid()");
        CommitKeys();
        return long.Parse(id!, CultureInfo.InvariantCulture);
    }

    public void Revoke(long id, long seconds)
    {
        _db.Execute("BEGIN IMMEDIATE");
        using (SqliteStatement update = _db.Prepare("UPDATE keys SET revoked=? WHERE id=? AND revoked=0")) update.Bind(1, seconds).Bind(2, id).Run();
        CommitKeys();
    }

    public void Register(long id, string name, string contact)
    {
        _db.Execute("BEGIN IMMEDIATE");
        using (SqliteStatement update = _db.Prepare("UPDATE keys SET registered=1,name=?,contact=? WHERE id=?")) update.Bind(1, name).Bind(2, contact).Bind(3, id).Run();
        CommitKeys();
    }

    void CommitKeys()
    {
        _db.Execute("UPDATE meta SET value=value+1 WHERE name='keys'");
        _db.Execute("COMMIT");
        Check();
    }

    public Dictionary<long, SensorState> ReadSensors()
    {
        var sensors = new Dictionary<long, SensorState>();
        using (SqliteStatement rows = _db.Prepare("SELECT key,seen,agent,dns,ip,http,tls,rejected,day,endpoints FROM sensors"))
        {
            while (rows.Step())
            {
                var state = new SensorState { LastSeen = rows.Int64(1), Agent = rows.Text(2) ?? "", Rejected = rows.Int64(7), Day = rows.Int64(8) };
                for (int type = 0; type < state.Events.Length; type++) state.Events[type] = rows.Int64(3 + type);
                state.Endpoints.Load(rows.Blob(9));
                sensors[rows.Int64(0)] = state;
            }
        }
        Check();
        return sensors;
    }

    /// <summary>
    /// Alerts, sensors' states and retention in one transaction. Null when it is on the disk; else why it is not, and nothing of it is.
    /// </summary>
    /// <param name="alerts">In their order.</param>
    /// <param name="sensors">Each locked while it is read.</param>
    /// <param name="keptAlerts">How many alerts stay; beyond it the oldest of the sites with the most go.</param>
    public string? Write(IReadOnlyList<AlertRow> alerts, IReadOnlyList<SensorKey> sensors, int keptAlerts)
    {
        _db.Execute("BEGIN IMMEDIATE");
        using (SqliteStatement insert = _db.Prepare("INSERT INTO alerts(site,dictionary,item) VALUES(?,?,?)"))
        {
            foreach (AlertRow alert in alerts) insert.Bind(1, alert.Site).Bind(2, alert.Dictionary).Bind(3, alert.Item).Run();
        }
        List<(string Site, long Alerts)> gone = [];
        if (alerts.Count > 0)
        {
            _shares ??= ReadShares(alerts);
            foreach (IGrouping<string, AlertRow> site in alerts.GroupBy(a => a.Site)) _shares.Add(site.Key, site.Count());
            gone = _shares.Surplus(keptAlerts, Guests);
            using SqliteStatement delete = _db.Prepare("DELETE FROM alerts WHERE seq IN (SELECT seq FROM alerts WHERE site=? ORDER BY seq LIMIT ?)");
            foreach ((string site, long surplus) in gone) delete.Bind(1, site).Bind(2, surplus).Run();
        }
        using (SqliteStatement upsert = _db.Prepare("INSERT OR REPLACE INTO sensors VALUES(?,?,?,?,?,?,?,?,?,?)"))
        {
            foreach (SensorKey key in sensors)
            {
                SensorState state = key.State;
                lock (state)
                {
                    upsert.Bind(1, key.Row.Id).Bind(2, state.LastSeen).Bind(3, state.Agent).Bind(4, state.Events[0]).Bind(5, state.Events[1]).Bind(6, state.Events[2])
                        .Bind(7, state.Events[3]).Bind(8, state.Rejected).Bind(9, state.Day).Bind(10, state.Endpoints.Registers).Run();
                }
            }
        }
        // Also with nothing to store: whoever asks whether the disk takes anything must be told by the disk.
        if (alerts.Count == 0 && sensors.Count == 0) _db.Execute("INSERT OR REPLACE INTO meta VALUES('checked',strftime('%s','now'))");
        _db.Execute("COMMIT");
        if (!_db.Failed)
        {
            foreach ((string site, long surplus) in gone) _shares!.Add(site, -surplus);
            return null;
        }
        // What is counted is no longer what is stored: it is counted anew when it is needed again.
        _shares = null;
        _db.Rollback();
        return _db.TakeError().Message;
    }

    /// <summary>Sites without a key that was given by hand and is good. Within a transaction: what fails here fails its commit.</summary>
    HashSet<string> Guests()
    {
        string? version = _db.Scalar("SELECT value FROM meta WHERE name='keys'");
        if (version is not null && version == _guests.Version) return _guests.Sites;
        HashSet<string> all = new(StringComparer.Ordinal), known = new(StringComparer.Ordinal);
        using (SqliteStatement rows = _db.Prepare("SELECT id,site,revoked=0 AND registered<>0 AND contact='' FROM keys"))
        {
            while (rows.Step())
            {
                string site = KeyRow.SiteOf(rows.Text(1) ?? "", rows.Int64(0));
                all.Add(site);
                if (rows.Int64(2) != 0) known.Add(site);
            }
        }
        all.ExceptWith(known);
        _guests = (version, all);
        return all;
    }

    /// <summary>What is stored of each site, but for those that are being stored.</summary>
    AlertShares ReadShares(IReadOnlyList<AlertRow> being)
    {
        var shares = new AlertShares();
        using (SqliteStatement rows = _db.Prepare("SELECT site,count(*) FROM alerts GROUP BY site"))
        {
            while (rows.Step()) shares.Add(rows.Text(0) ?? "", rows.Int64(1));
        }
        foreach (AlertRow alert in being) shares.Add(alert.Site, -1);
        return shares;
    }

    /// <summary>Alerts of a site after a number, in their order, up to so many rows and bytes (one at least); a row beyond says that there are more.</summary>
    public List<(long Sequence, string Dictionary, byte[] Item)> ReadAlerts(string site, long after, int rows, int bytes)
    {
        var page = new List<(long, string, byte[])>();
        using (SqliteStatement select = _db.Prepare("SELECT seq,dictionary,item FROM alerts WHERE site=? AND seq>? ORDER BY seq LIMIT ?"))
        {
            select.Bind(1, site).Bind(2, after).Bind(3, rows);
            while (bytes > 0 && select.Step())
            {
                byte[] item = select.Blob(2).ToArray();
                bytes -= item.Length;
                page.Add((select.Int64(0), select.Text(1) ?? "", item));
            }
            select.Reset();
        }
        Check();
        return page;
    }

    /// <summary>
    /// Begins an epoch and gives all that are known, this one last, with the number of the newest alert when each began. The engine does so at
    /// each start: a database that was put back from a backup is then told from what it once went on to be.
    /// </summary>
    public List<(string Name, long Start)> BeginEpoch()
    {
        _db.Execute("BEGIN IMMEDIATE");
        _db.Execute(string.Create(CultureInfo.InvariantCulture,
            $"INSERT INTO epochs(name,start) VALUES('{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}',{NewestSql})"));
        _db.Execute(string.Create(CultureInfo.InvariantCulture, $"DELETE FROM epochs WHERE id<=(SELECT max(id) FROM epochs)-{MaxEpochs}"));
        _db.Execute("COMMIT");
        var epochs = new List<(string, long)>();
        using (SqliteStatement rows = _db.Prepare("SELECT name,start FROM epochs ORDER BY id"))
        {
            while (rows.Step()) epochs.Add((rows.Text(0) ?? "", rows.Int64(1)));
        }
        Check();
        return epochs;
    }

    /// <summary>The number of the newest alert that was ever stored; 0 = none.</summary>
    public long Newest() => long.Parse(Scalar("SELECT " + NewestSql) ?? "0", CultureInfo.InvariantCulture);

    /// <summary>How many alerts are stored.</summary>
    public long CountAlerts() => long.Parse(Scalar("SELECT count(*) FROM alerts") ?? "0", CultureInfo.InvariantCulture);

    string? Scalar(string sql)
    {
        string? text = _db.Scalar(sql);
        Check();
        return text;
    }

    void Check()
    {
        if (!_db.Failed) return;
        _db.Rollback();
        throw new EngineStoreException($"{_path}: {_db.TakeError().Message}");
    }

    public void Dispose() => _db.Dispose();
}
