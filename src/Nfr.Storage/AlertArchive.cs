using Nfr.Native;

namespace Nfr.Storage;

/// <summary>
/// The alerts of a spool, read from beside: the sensor that owns it may be running. Nothing is written, and a row that cannot be read is passed over.
/// </summary>
public sealed class AlertArchive : IDisposable
{
    const int PageSize = 200;

    readonly SpoolReader _reader;

    AlertArchive(SpoolReader reader) => _reader = reader;

    /// <summary>Opens the spool in a folder; null, and why in one clause, when there is none or it cannot be read.</summary>
    public static AlertArchive? Open(string directory, out string? why)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        string path = Path.Combine(directory, "spool.db");
        why = null;
        // SQLite would make an empty one.
        if (!File.Exists(path))
        {
            why = "there is no spool";
            return null;
        }
        SpoolReader? reader = null;
        SqliteError error = Version(path, out string? version);
        if (!error.IsError) error = version == SpoolFile.Version ? SpoolReader.Open(path, null, out reader) : SpoolArchive.OfAnotherVersion;
        if (reader is not null) return new AlertArchive(reader);
        why = error.Message;
        return null;
    }

    // Before anything is asked that an older file does not have.
    static SqliteError Version(string path, out string? version)
    {
        version = null;
        SqliteError error = SqliteConnection.Open(path, null, out SqliteConnection? db);
        using (db)
        {
            if (db is null) return error;
            SpoolFile.Configure(db);
            db.Execute("PRAGMA query_only=ON");
            version = db.Scalar("PRAGMA user_version");
            return db.TakeError();
        }
    }

    /// <summary>All alerts, oldest first; ends early, and says why, when the file cannot be read on.</summary>
    public IEnumerable<StoredAlert> ReadAll(Action<string> trouble)
    {
        ArgumentNullException.ThrowIfNull(trouble);
        long after = 0;
        while (true)
        {
            var page = new List<StoredAlert>();
            var bad = new List<(long Sequence, byte[] Blob)>();
            SqliteError error = _reader.ReadAlerts(after, PageSize, page, bad);
            foreach (StoredAlert alert in page) yield return alert;
            if (error.IsError)
            {
                trouble(error.Message ?? "the file cannot be read");
                yield break;
            }
            if (page.Count + bad.Count == 0) yield break;
            if (page.Count > 0) after = page[^1].Sequence;
            if (bad.Count > 0) after = Math.Max(after, bad[^1].Sequence);
        }
    }

    public void Dispose() => _reader.Dispose();
}
