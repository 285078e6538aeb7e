using Nfr.Health;

namespace Nfr.Fleet;

/// <summary>What a sensor says of itself at its birth; what it did not say is null.</summary>
sealed record SensorAbout
{
    public string? Name { get; init; }
    public string? Version { get; init; }
    public string? Model { get; init; }
    public string? Address { get; init; }
    public DateTimeOffset? Started { get; init; }
}

/// <summary>What the last heartbeat said; what it did not say is null.</summary>
sealed record SensorHealth
{
    /// <summary>The sensor's own clock when it was sent.</summary>
    public DateTimeOffset? Time { get; init; }
    public TimeSpan? Uptime { get; init; }
    /// <summary>It says so every; null: the usual time.</summary>
    public TimeSpan? Heartbeat { get; init; }
    /// <summary>Gravest first, <see cref="FleetBounds.MostTroubles"/> at most.</summary>
    public IReadOnlyList<Trouble> Troubles { get; init; } = [];
    /// <summary>How many there are in all.</summary>
    public int TroubleCount { get; init; }
    public double? PacketsPerSecond { get; init; }
    public double? BitsPerSecond { get; init; }
    /// <summary>Decoded since its start, and lost before they were.</summary>
    public double Packets { get; init; }
    public double Dropped { get; init; }
    /// <summary>Packets lost of all, 0 to 1: since the heartbeat before, or its start where none was heard.</summary>
    public double? Loss { get; init; }
    /// <summary>Events that wait for somebody.</summary>
    public long? Waiting { get; init; }
    public double? Celsius { get; init; }
    /// <summary>Its clock was not set since it started: its times are none.</summary>
    public bool ClockUnset { get; init; }
}

/// <summary>An alert as a line of a screen has it.</summary>
/// <param name="At">The alert's own stamp; when it was heard, where it had none.</param>
/// <param name="Severity">As alerts have it: the more the worse.</param>
/// <param name="Threat">Its title.</param>
/// <param name="What">The evidence's sentence, else who did it.</param>
/// <param name="Id">Tells one that came twice; may be empty.</param>
sealed record SensorAlert(DateTimeOffset At, int Severity, string Threat, string What, string Id);
