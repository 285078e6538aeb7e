using Nfr.Storage;

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

    /// <summary>Running time after which anything goes; null = never.</summary>
    public TimeSpan? MaxAge { get; init; }
    /// <summary>The classes that have a quota or an age of their own.</summary>
    public IReadOnlyDictionary<SpoolClass, SpoolQuota> Quotas { get; init; } = new Dictionary<SpoolClass, SpoolQuota>();
    /// <summary>Bytes of the card, for the estimate of its life.</summary>
    public long CardSize { get; init; } = 32_000_000_000;

    internal static SpoolConfig Read(Section s, string dataDir)
    {
        string fallback = Path.Combine(dataDir, "spool");
        var quotas = new Dictionary<SpoolClass, SpoolQuota>();
        Section sizes = s.Under("quotas"), ages = s.Under("max_ages");
        foreach (SpoolClass of in SpoolClasses.All)
        {
            SpoolQuota quota = Share(sizes, of.Name()) with { MaxAge = Age(ages, of.Name()) };
            if (quota != default) quotas.Add(of, quota);
        }
        sizes.End();
        ages.End();
        var spool = new SpoolConfig
        {
            Dir = s.FilePath("dir", fallback)!,
            MaxSize = s.Size("max_size", 1L << 30, 16L << 20, 1L << 40),
            MaxAge = Age(s, "max_age"),
            Quotas = quotas.Count == 0 ? s_none : quotas,
            CardSize = s.Size("card_size", 32_000_000_000, 1L << 30, 1L << 44),
        };
        s.End();
        return spool;
    }

    static readonly Dictionary<SpoolClass, SpoolQuota> s_none = [];

    static TimeSpan? Age(Section s, string key)
    {
        TimeSpan age = s.Duration(key, TimeSpan.FromDays(30), TimeSpan.FromHours(1), TimeSpan.FromDays(3650));
        return s.Has(key) ? age : null;
    }

    static SpoolQuota Share(Section s, string key)
    {
        const string expected = "a share from 1% to 100%, or a size of at least 1MiB, such as 200MiB";
        if (s.Text(key, null, expected) is not { } text) return default;
        if (text.EndsWith('%') && int.TryParse(text[..^1], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int percent) && percent is >= 1 and <= 100)
            return new SpoolQuota(Percent: percent);
        if (ByteSize.TryParse(text, out long bytes) && bytes >= 1 << 20) return new SpoolQuota(bytes);
        s.Fault(key, $"expected {expected}, found \"{(text.Length <= 60 ? text : text[..57] + "...")}\"");
        return default;
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
