namespace Nfr.Config;

/// <summary>data: where the sensor keeps what must outlive it.</summary>
public sealed record DataConfig
{
    // The original's /run is emptied at every boot, and all alerts came again.
    public static string DefaultDir { get; } = OperatingSystem.IsWindows() ? Path.Combine(AppData, "nfr", "data") : "/var/lib/nfr";
    static string DefaultFile => OperatingSystem.IsWindows() ? Path.Combine(AppData, "nfr.data") : "/run/nfr.data";
    static string AppData => Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData);

    public string Dir { get; init; } = DefaultDir;
    /// <summary>The original's bookmark of alerts; read once when it exists and the spool has none yet. Never written.</summary>
    public string LegacyFollowFile { get; init; } = DefaultFile;

    internal static DataConfig Read(Section s)
    {
        var data = new DataConfig
        {
            Dir = s.FilePath("dir", DefaultDir)!,
            LegacyFollowFile = s.FilePath("file", DefaultFile)!,
        };
        s.End();
        return data;
    }
}

/// <summary>spool: events and alerts on disk until they are delivered.</summary>
public sealed record SpoolConfig
{
    public string Dir { get; init; } = Path.Combine(DataConfig.DefaultDir, "spool");
    /// <summary>Bytes on disk; when full, the least valuable go first.</summary>
    public long MaxSize { get; init; } = 1L << 30;

    internal static SpoolConfig Read(Section s, string dataDir)
    {
        string fallback = Path.Combine(dataDir, "spool");
        var spool = new SpoolConfig
        {
            Dir = s.FilePath("dir", fallback)!,
            MaxSize = s.Size("max_size", 1L << 30, 16L << 20, 1L << 40),
        };
        s.End();
        return spool;
    }
}

/// <summary>dns_events, ip_events, http_events, tls_events: how long events of a type wait for company before they are sent.</summary>
public sealed record EventsConfig
{
    /// <summary>Events in one upload at most.</summary>
    public int BufferSize { get; init; } = 65535;
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <param name="s">The section.</param>
    /// <param name="hasFailed">The original knew failed.file for this type.</param>
    internal static EventsConfig Read(Section s, bool hasFailed)
    {
        var events = new EventsConfig
        {
            BufferSize = s.Integer("buffer_size", 65535, 64, 1_000_000),
            FlushInterval = s.Duration("flush_interval", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5), TimeSpan.FromDays(1)),
        };
        if (hasFailed)
        {
            Section failed = s.Under("failed");
            if (failed.FilePath("file", null) is not null) failed.Note("file", "is not used any more: unsent events wait in the spool (spool.dir)");
            failed.End();
        }
        s.End();
        return events;
    }
}
