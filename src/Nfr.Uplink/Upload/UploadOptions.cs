using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>engine.analyze.TYPE and TYPE_events of the configuration.</summary>
public sealed record UploadTypeOptions
{
    public bool Enabled { get; init; } = true;
    /// <summary>Events in one request at most, and enough to send before the interval is over.</summary>
    public int BufferSize { get; init; } = 65535;
    /// <summary>The longest that spooled events wait while the engine answers.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(30);
}

public sealed record UploadOptions
{
    /// <summary>Of the spool's consumers, whose progress this is.</summary>
    public string Consumer { get; init; } = "engine";
    public UploadTypeOptions Dns { get; init; } = new();
    public UploadTypeOptions Ip { get; init; } = new();
    public UploadTypeOptions Http { get; init; } = new();
    public UploadTypeOptions Tls { get; init; } = new();

    /// <summary>Of one request's body, compressed. It shrinks by itself when the engine finds it too large or the line is too slow.</summary>
    public int MaxBytes { get; init; } = 1 << 20;
    /// <summary>When events may go; outside they wait in the spool.</summary>
    public UploadWindow Window { get; init; } = UploadWindow.Always;
    /// <summary>Events waiting for longer are a backlog: then what is new goes by turns with what is old. Not below twice the flush interval.</summary>
    public TimeSpan BacklogAge { get; init; } = TimeSpan.FromMinutes(2);
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan BackoffCap { get; init; } = TimeSpan.FromSeconds(300);
    /// <summary>After 401 or 403 the key is tried again this often, without a restart.</summary>
    public TimeSpan KeyRecheck { get; init; } = TimeSpan.FromHours(1);

    public UploadTypeOptions For(EventType type) => type switch
    {
        EventType.Dns => Dns,
        EventType.Ip => Ip,
        EventType.Http => Http,
        _ => Tls,
    };
}
