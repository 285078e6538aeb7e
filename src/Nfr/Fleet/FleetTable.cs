using Nfr.Uplink;

namespace Nfr.Fleet;

/// <summary>
/// What is known of all sensors of a broker. Messages come in by <see cref="Take"/> from the connection's thread, views go out to the screen's. Bounded whatever is sent
/// (<see cref="FleetBounds"/>): what does not fit is refused and counted. Durations are the monotonic clock's.
/// </summary>
sealed class FleetTable(TimeProvider time)
{
    readonly Lock _lock = new();
    readonly Dictionary<string, FleetSensor> _sensors = new(StringComparer.Ordinal);
    readonly TextPool _texts = new();
    readonly long _begun = time.GetTimestamp();
    SensorReader? _reader;
    long _messages, _foreign, _tooLong, _unreadable, _full, _held;
    /// <summary>Since when the broker is listened to; and since when no more. Nobody is called silent for the time in which nothing could be heard.</summary>
    long _listening = time.GetTimestamp();
    long? _deaf = time.GetTimestamp();

    SensorReader Reader => _reader ??= new SensorReader(_texts);

    /// <summary>Bytes of info and health that are kept as they came.</summary>
    public long HeldBytes
    {
        get
        {
            lock (_lock) return _held;
        }
    }

    public int SharedTexts
    {
        get
        {
            lock (_lock) return _texts.Count;
        }
    }

    /// <summary>The subscriptions stand, or the connection is gone.</summary>
    public void Listen(bool listening)
    {
        lock (_lock)
        {
            if (!listening) _deaf ??= time.GetTimestamp();
            else (_listening, _deaf) = (time.GetTimestamp(), null);
        }
    }

    /// <summary>One message of the broker's. Never throws for what is in it.</summary>
    /// <param name="topic">As it came.</param>
    /// <param name="payload">As it came; copied where it is kept.</param>
    /// <param name="retained">The broker had kept it: it was said some time ago.</param>
    public void Take(ReadOnlySpan<char> topic, ReadOnlySpan<byte> payload, bool retained)
    {
        lock (_lock)
        {
            _messages++;
            if (topic.Length > FleetBounds.LongestTopic)
            {
                _tooLong++;
                return;
            }
            if (!FleetAddress.TryRead(topic, out ReadOnlySpan<char> key, out FleetTopic word))
            {
                _foreign++;
                return;
            }
            if (word is FleetTopic.Command or FleetTopic.Answer) return;
            if (payload.Length > Longest(word)) _tooLong++;
            // Nothing, kept for the status, is how a sensor is taken out of a broker.
            else if (payload.IsEmpty && word is FleetTopic.Status or FleetTopic.Info) Clear(key, word);
            else if (!Apply(key, word, payload, retained)) _unreadable++;
        }
    }

    static int Longest(FleetTopic word) => word switch
    {
        FleetTopic.Status => FleetBounds.LongestStatus,
        FleetTopic.Info => FleetBounds.LongestInfo,
        FleetTopic.Health => FleetBounds.LongestHealth,
        _ => FleetBounds.LongestAlert,
    };

    /// <summary>False when it cannot be read; such a message makes no sensor.</summary>
    bool Apply(ReadOnlySpan<char> key, FleetTopic word, ReadOnlySpan<byte> payload, bool retained)
    {
        bool? online = null;
        SensorAbout? about = null;
        SensorHealth? health = null;
        SensorAlert? alert = null;
        byte[] copy = word is FleetTopic.Status or FleetTopic.Alert ? [] : payload.ToArray();
        switch (word)
        {
            case FleetTopic.Status:
                if (payload.SequenceEqual("online"u8)) online = true;
                else if (payload.SequenceEqual("offline"u8)) online = false;
                else return false;
                break;
            case FleetTopic.Info when (about = Reader.About(copy)) is null: return false;
            case FleetTopic.Health when (health = Reader.Health(copy)) is null: return false;
            case FleetTopic.Alert when (alert = Reader.Alert(payload, time.GetUtcNow())) is null: return false;
        }
        if (Find(key) is not { } sensor) return true;
        long now = time.GetTimestamp();
        // What the broker says in its place is not its own word.
        if (!retained && online != false) sensor.HeardTick = now;
        if (online is { } state)
        {
            // It may have changed while the broker was away from us.
            if (sensor.Online != state && (!retained || sensor.Online is not null)) sensor.StatusTick = now;
            sensor.Online = state;
        }
        else if (about is not null)
        {
            sensor.About = about;
            sensor.RawInfo = Keep(sensor.RawInfo, copy);
        }
        else if (health is not null)
        {
            sensor.Health = health with { Loss = Loss(sensor.Health, health) };
            sensor.Skew = retained || health.ClockUnset ? null : health.Time - time.GetUtcNow();
            sensor.RawHealth = Keep(sensor.RawHealth, copy);
        }
        else if (alert is not null) sensor.Add(alert, Minute(now));
        return true;
    }

    static double? Loss(SensorHealth? before, SensorHealth now)
    {
        // It began anew: its counts are of that time alone.
        bool goesOn = before is not null && now.Packets >= before.Packets && now.Dropped >= before.Dropped;
        double packets = goesOn ? now.Packets - before!.Packets : now.Packets, dropped = goesOn ? now.Dropped - before!.Dropped : now.Dropped;
        return packets + dropped > 0 ? dropped / (packets + dropped) : null;
    }

    FleetSensor? Find(ReadOnlySpan<char> key)
    {
        Dictionary<string, FleetSensor>.AlternateLookup<ReadOnlySpan<char>> sensors = _sensors.GetAlternateLookup<ReadOnlySpan<char>>();
        if (sensors.TryGetValue(key, out FleetSensor? sensor)) return sensor;
        if (_sensors.Count == FleetBounds.MostSensors)
        {
            _full++;
            return null;
        }
        sensor = new FleetSensor(key.ToString(), time.GetTimestamp());
        _sensors.Add(sensor.Key, sensor);
        return sensor;
    }

    byte[]? Keep(byte[]? old, byte[] now)
    {
        _held -= old?.Length ?? 0;
        if (_held + now.Length > FleetBounds.MostHeldBytes) return null;
        _held += now.Length;
        return now;
    }

    void Clear(ReadOnlySpan<char> key, FleetTopic word)
    {
        Dictionary<string, FleetSensor>.AlternateLookup<ReadOnlySpan<char>> sensors = _sensors.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!sensors.TryGetValue(key, out FleetSensor? sensor)) return;
        _held -= sensor.RawInfo?.Length ?? 0;
        sensor.RawInfo = null;
        if (word == FleetTopic.Info)
        {
            sensor.About = new();
            return;
        }
        _held -= sensor.RawHealth?.Length ?? 0;
        sensors.Remove(key);
    }

    /// <summary>All sensors as they are now.</summary>
    public FleetView View()
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            var rows = new List<FleetRow>(_sensors.Count);
            foreach (FleetSensor sensor in _sensors.Values) rows.Add(Row(sensor, now));
            return new FleetView(rows, new FleetRefusals(_foreign, _tooLong, _unreadable, _full), _messages, time.GetUtcNow());
        }
    }

    /// <summary>Everything of one sensor; null when there is none of that key.</summary>
    public SensorDetail? Detail(string key)
    {
        lock (_lock)
        {
            return _sensors.TryGetValue(key, out FleetSensor? sensor)
                ? new SensorDetail(Row(sensor, time.GetTimestamp()), [.. sensor.Alerts], sensor.RawInfo, sensor.RawHealth) : null;
        }
    }

    FleetRow Row(FleetSensor sensor, long now)
    {
        int alerts = sensor.AlertsInHour(Minute(now));
        return new FleetRow
        {
            Key = sensor.Key,
            Site = sensor.Site,
            Id = sensor.Id,
            State = State(sensor, alerts, now),
            Online = sensor.Online,
            About = sensor.About,
            Health = sensor.Health,
            Heard = sensor.HeardTick is { } heard ? time.GetElapsedTime(heard, now) : null,
            StatusAge = sensor.StatusTick is { } changed ? time.GetElapsedTime(changed, now) : null,
            Skew = sensor.Skew,
            AlertsInHour = alerts,
            AlertCount = sensor.AlertCount,
            WorstSeverity = sensor.WorstSeverity,
            LastAlert = sensor.Alerts.Count > 0 ? sensor.Alerts[0] : null,
        };
    }

    SensorState State(FleetSensor sensor, int alerts, long now)
    {
        if (sensor.Online == false) return SensorState.Offline;
        long from = Math.Max(sensor.HeardTick ?? sensor.FirstTick, _listening), until = _deaf ?? now;
        TimeSpan quiet = until > from ? time.GetElapsedTime(from, until) : TimeSpan.Zero;
        if (quiet > FleetBounds.MissedHeartbeats * (sensor.Health?.Heartbeat ?? FleetBounds.Heartbeat)) return SensorState.Silent;
        if (sensor.Health is { Troubles: [var worst, ..] } && worst.Gravity != Health.Gravity.Notice) return SensorState.Fault;
        if (alerts > 0) return SensorState.Alert;
        if (sensor.Health is null) return SensorState.Waiting;
        return sensor.Health.Troubles.Count > 0 ? SensorState.Degraded : SensorState.Well;
    }

    long Minute(long tick) => (long)time.GetElapsedTime(_begun, tick).TotalMinutes + 60;
}

/// <summary>One sensor with all that is kept of it.</summary>
/// <param name="Row">As in the table.</param>
/// <param name="Alerts">Newest first.</param>
/// <param name="RawInfo">JSON as it came; null = not heard, or there was no room to keep it.</param>
/// <param name="RawHealth">The same.</param>
sealed record SensorDetail(FleetRow Row, IReadOnlyList<SensorAlert> Alerts, byte[]? RawInfo, byte[]? RawHealth);
