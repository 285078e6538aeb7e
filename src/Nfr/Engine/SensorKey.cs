using Nfr.Events;

namespace Nfr.Engine;

/// <summary>A key as it is stored. Keys of one site share what is known of its hosts, and see the same alerts.</summary>
/// <param name="Id">Row.</param>
/// <param name="Hash">SHA-256 of the key.</param>
/// <param name="Shadow">Its first and last three characters.</param>
/// <param name="Name">Of the sensor or its owner.</param>
/// <param name="Site">A key without one is a site by itself.</param>
/// <param name="Homes">Networks that are home besides the private ones.</param>
/// <param name="Created">Seconds since 1970.</param>
/// <param name="Revoked">Seconds since 1970; 0 = it is good.</param>
/// <param name="Registered">False between key/request and account/register.</param>
/// <param name="Contact">Who registered it.</param>
sealed record KeyRow(
    long Id, byte[] Hash, string Shadow, string Name, string Site, IReadOnlyList<IpPrefix> Homes, long Created, long Revoked, bool Registered, string Contact)
{
    /// <summary>The name of a key's site. No site that was named begins as those do that were not: the command line refuses it.</summary>
    public static string SiteOf(string site, long id) => site.Length > 0 ? site : "#" + id.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>What is known of a key's sensor; kept over a restart.</summary>
sealed class SensorState
{
    /// <summary>Seconds since 1970 of the last request; 0 = never.</summary>
    public long LastSeen { get; set; }
    /// <summary>User-Agent of the last request.</summary>
    public string Agent { get; set; } = "";
    /// <summary>Accepted, by <see cref="EventType"/>.</summary>
    public long[] Events { get; } = new long[EventTypes.UploadedCount];
    public long Rejected { get; set; }
    /// <summary>UTC day that <see cref="Endpoints"/> counts, in days since 1970.</summary>
    public long Day { get; set; }
    public EndpointSketch Endpoints { get; } = new();
    public bool Changed { get; set; }

    public void Begin(long day)
    {
        if (Day == day) return;
        Day = day;
        Endpoints.Clear();
    }
}

/// <summary>A key in use. Lock it to touch <see cref="State"/>.</summary>
sealed class SensorKey(KeyRow row, Site site, SensorState state, HostedEngineOptions options)
{
    public KeyRow Row { get; set; } = row;
    public Site Site { get; set; } = site;
    public SensorState State { get; } = state;
    public TokenBucket Requests { get; } = new(options.RequestsPerSecond, options.Time);
    public TokenBucket Events { get; } = new(options.EventsPerSecond, options.Time);
    public SensorClocks Clocks { get; } = new();
    /// <summary>By <see cref="EventType"/>.</summary>
    public Repeats[] Repeats { get; } = [.. EventTypes.Uploaded.Select(_ => new Repeats())];
}
