namespace Nfr.Fleet;

/// <summary>What one sensor has said until now. The table alone touches it.</summary>
sealed class FleetSensor(string key, long firstTick)
{
    const int Minutes = 60;

    /// <summary>Alerts by the minute they were heard in, the last hour's; made with the first one.</summary>
    ushort[]? _minutes;
    long _minute;
    List<SensorAlert>? _alerts;

    /// <summary>SITE/ID.</summary>
    public string Key => key;
    public string Site { get; } = key[..key.IndexOf('/')];
    public string Id { get; } = key[(key.IndexOf('/') + 1)..];
    /// <summary>When it came into the table; ticks, as all below.</summary>
    public long FirstTick => firstTick;

    /// <summary>Null: its status was not heard.</summary>
    public bool? Online { get; set; }
    /// <summary>When the status changed while we listened; null = it was so before.</summary>
    public long? StatusTick { get; set; }
    /// <summary>When it last said something that was not kept by the broker; null = not yet.</summary>
    public long? HeardTick { get; set; }
    public SensorAbout About { get; set; } = new();
    public SensorHealth? Health { get; set; }
    /// <summary>Its clock less ours, when the last heartbeat came.</summary>
    public TimeSpan? Skew { get; set; }
    /// <summary>As they came, for the screen of this sensor; null = not heard, or no room.</summary>
    public byte[]? RawInfo { get; set; }
    public byte[]? RawHealth { get; set; }
    /// <summary>Since we listen.</summary>
    public long AlertCount { get; private set; }
    /// <summary>Newest first.</summary>
    public IReadOnlyList<SensorAlert> Alerts => _alerts ?? [];
    /// <summary>The worst of those kept.</summary>
    public int WorstSeverity => _alerts is null ? 0 : _alerts.Max(a => a.Severity);

    /// <summary>False when it is one of the last ones once more: alerts come at least once.</summary>
    public bool Add(SensorAlert alert, long minute)
    {
        _alerts ??= new(FleetBounds.MostAlerts);
        if (alert.Id.Length > 0 && _alerts.Exists(a => a == alert)) return false;
        if (_alerts.Count == FleetBounds.MostAlerts) _alerts.RemoveAt(_alerts.Count - 1);
        _alerts.Insert(0, alert);
        AlertCount++;
        _minutes ??= new ushort[Minutes];
        Turn(minute);
        ref ushort cell = ref _minutes[minute % Minutes];
        if (cell < ushort.MaxValue) cell++;
        return true;
    }

    public int AlertsInHour(long minute)
    {
        if (_minutes is null) return 0;
        Turn(minute);
        int sum = 0;
        foreach (ushort cell in _minutes) sum += cell;
        return sum;
    }

    void Turn(long minute)
    {
        if (minute - _minute >= Minutes) Array.Clear(_minutes!);
        else for (long m = _minute + 1; m <= minute; m++) _minutes![m % Minutes] = 0;
        _minute = minute;
    }
}
