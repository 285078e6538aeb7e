using System.Globalization;
using Nfr.Events;
using Nfr.Native;

namespace Nfr.Storage;

// The side of the outputs and the alert poller: read, remember.
public sealed partial class Spool
{
    const string FollowState = "follow";
    const string BookmarkState = "bookmark:";

    TaskCompletionSource _alertsStored = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Alerts were stored; raised on the thread that stored them, which must not be held up.</summary>
    public event Action? AlertsStored;

    /// <summary>The alerts after a sequence number, oldest first.</summary>
    public IReadOnlyList<StoredAlert> ReadAlerts(long afterSequence, int max)
    {
        while (true)
        {
            var alerts = new List<StoredAlert>();
            var bad = new List<(long Sequence, byte[] Blob)>();
            SqliteError error = Read(r => r.ReadAlerts(afterSequence, max, alerts, bad), out SpoolReader? reader);
            if (error.IsError)
            {
                MeetReadError(error, reader);
                return [];
            }
            if (bad.Count == 0) return alerts;
            lock (_writeLock)
            {
                if (_disposed) return [];
                long stamp = Stamp();
                SpoolFault? fault = Write(file =>
                {
                    foreach ((long sequence, byte[] blob) in bad) file.MoveAlertAside(sequence, stamp, blob);
                });
                if (fault is not null) return alerts;
            }
        }
    }

    /// <summary>The sequence up to which an output has everything; 0 at first.</summary>
    public long GetBookmark(string name) =>
        long.TryParse(GetState(BookmarkState + name), NumberStyles.None, CultureInfo.InvariantCulture, out long sequence) ? sequence : 0;

    /// <summary>Remembers, durably when it returns null, how far an output is.</summary>
    public SpoolFault? SetBookmark(string name, long sequence) =>
        SetState(BookmarkState + name, sequence.ToString(CultureInfo.InvariantCulture));

    /// <summary>A durable text by name, such as "follow"; null when it was never set, or cannot be read now.</summary>
    public string? GetState(string name)
    {
        string? value = null;
        SqliteError error = Read(r => r.GetState(name, out value), out SpoolReader? reader);
        if (error.IsError) MeetReadError(error, reader);
        return value;
    }

    /// <summary>Sets a durable text.</summary>
    public SpoolFault? SetState(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        lock (_writeLock)
        {
            if (_disposed) return Closed();
            return Write(file => file.SetState(name, value));
        }
    }

    /// <summary>Stores a page of an engine's alerts and the bookmark behind it (<c>GetState("follow")</c>), both or neither.</summary>
    public SpoolFault? StoreEngineAlerts(IReadOnlyList<Alert> alerts, string follow) => StoreEngineAlerts(alerts, follow, FollowState);

    /// <param name="alerts">Of one engine.</param>
    /// <param name="follow">Its bookmark.</param>
    /// <param name="state">The bookmark's name: several engines have one each.</param>
    public SpoolFault? StoreEngineAlerts(IReadOnlyList<Alert> alerts, string follow, string state)
    {
        ArgumentNullException.ThrowIfNull(alerts);
        ArgumentNullException.ThrowIfNull(follow);
        var blobs = new List<byte[]>(alerts.Count);
        foreach (Alert alert in alerts) blobs.Add(AlertJson.ToBytes(alert));
        SpoolFault? fault;
        lock (_writeLock)
        {
            if (_disposed) return Closed();
            (long stamp, long born) = (Stamp(), Running);
            fault = Write(file =>
            {
                foreach (byte[] blob in blobs)
                {
                    file.InsertAlert(stamp, born, blob);
                    // Page by page, so that a large answer does not need more room than the ring's slack.
                    file.Evict();
                }
                file.SetState(state, follow);
                file.Evict();
            }, blobs.Sum(blob => blob.Length * 2L), committed: () =>
            {
                _accepted[SpoolLedger.Alerts] += blobs.Count;
                _engineAlerts += blobs.Count;
            });
        }
        if (fault is null && blobs.Count > 0) RaiseAlertsStored();
        return fault;
    }

    /// <summary>Ends when an alert after <paramref name="sequence"/> is there, at once when it is already.</summary>
    public async Task WaitForAlertsAsync(long sequence, CancellationToken cancellation)
    {
        while (true)
        {
            Task stored = Volatile.Read(ref _alertsStored).Task;
            if (LastAlertSequence > sequence) return;
            await stored.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    void RaiseAlertsStored()
    {
        var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _alertsStored, next).TrySetResult();
        AlertsStored?.Invoke();
    }

    SqliteError Read(Func<SpoolReader, SqliteError> work, out SpoolReader? reader)
    {
        lock (_readLock)
        {
            reader = _reader;
            return reader is null ? new SqliteError(SqliteError.CantOpen, "the spool is closed") : work(reader);
        }
    }

    // Reading met what writing would have met: the same answer, but from under the write lock, and only if nobody gave it in between.
    void MeetReadError(SqliteError error, SpoolReader? reader)
    {
        lock (_writeLock)
        {
            if (_disposed) return;
            Note(Explain(error));
            if (!IsRot(error) || _file is null || !ReferenceEquals(reader, _reader)) return;
            if (Rebirth(error) is { } fault) Note(fault);
            lock (_tallyLock) Publish();
        }
    }

    long Stamp() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    static SpoolFault Closed() => new(SpoolFaultKind.Other, "The spool is closed.");
}
