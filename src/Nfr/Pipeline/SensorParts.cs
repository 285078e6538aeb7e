using Nfr.Capture;
using Nfr.Config;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Scoring.Indicators;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>Makes the stages of the way from the config's sections.</summary>
static class SensorParts
{
    public static Scope ScopeOf(IReadOnlyList<ScopeGroupSection> sections) =>
        new([.. sections.Select(GroupOf)], watchesInside: ReferenceEquals(sections, ScopeFile.BuiltIn));

    static ScopeGroup GroupOf(ScopeGroupSection section) => new()
    {
        Name = section.Name,
        Label = section.Label,
        InScope = [.. section.InScope.Select(e => IpPrefix.Parse(e.Text))],
        OutScope = [.. section.OutScope.Select(e => IpPrefix.Parse(e.Text))],
        TrustedDomains = [.. section.TrustedDomains.Select(e => DomainPattern.Parse(e.Text))],
        TrustedIps = [.. section.TrustedIps.Select(e => IpPrefix.Parse(e.Text))],
    };

    public static SpoolOptions SpoolOf(SpoolConfig config) => new()
    {
        Directory = config.Dir, MaxBytes = config.MaxSize, MaxAge = config.MaxAge, Quotas = config.Quotas, CardBytes = config.CardSize,
    };

    /// <param name="config">scoring: the section.</param>
    /// <param name="scope">Gives home networks and the alert's groups.</param>
    /// <param name="moreFeeds">A folder read in addition; null = none.</param>
    /// <param name="time">Of the sensor.</param>
    /// <param name="state">Folder where the memory of first-seen domains is kept; null = it is not kept.</param>
    /// <param name="cache">Folder of the lists that were fetched; null = they are not used.</param>
    public static Scorer? ScorerOf(ScoringConfig config, Scope scope, string? moreFeeds, TimeProvider time, string? state = null, string? cache = null) => !config.Enabled
        ? null
        : new Scorer(new ScorerOptions
        {
            FeedsFolders = [.. config.FeedFolders, .. cache is null ? [] : new[] { cache }, .. moreFeeds is null ? [] : new[] { moreFeeds }],
            Lists = ListsOf(config.FeedUrls, cache),
            Thresholds = new Thresholds { BadTcpPorts = config.BadTcpPorts, BadUdpPorts = config.BadUdpPorts },
            IsHome = scope.IsHome,
            GroupsOf = scope.GroupsOf,
            Lines = new SampleLines(),
            IsRunning = state is not null,
            Time = time,
            BrandsFile = Path.Combine(Path.GetDirectoryName(config.Feeds) ?? "", "brands.txt"),
            FirstSeenFile = state is null ? "" : Path.Combine(state, "first-seen.bin"),
        });

    /// <summary>Where fetched lists lie; null when none are asked for.</summary>
    public static string? FeedCacheOf(NfrConfig config) =>
        config.Scoring is { Enabled: true, FeedUrls.Count: > 0 } ? Path.GetFullPath(Path.Combine(config.Data.Dir, "feeds")) : null;

    static ListAbout AboutOf(FeedConfig feed) => new()
    {
        Name = feed.IsNamed ? feed.Name : null, Threat = feed.Threat, Flags = feed.Flags, Url = FeedAddress.Shown(feed.Url), Format = feed.Format, Exact = feed.Exact, Trusted = feed.Trusted,
    };

    /// <summary>What the config says of fetched lists, by the file that each comes to lie in.</summary>
    public static IReadOnlyDictionary<string, ListAbout> ListsOf(IReadOnlyList<FeedConfig> feeds, string? cache) =>
        cache is null ? new Dictionary<string, ListAbout>() : feeds.ToDictionary(f => Path.Combine(cache, f.Name), AboutOf);

    public static FeedFetcher FetcherOf(IReadOnlyList<FeedConfig> feeds, string cache, TimeProvider time, Action<UplinkNotice> notice)
    {
        Dictionary<string, ListAbout> about = feeds.ToDictionary(f => f.Name, AboutOf);
        return new FeedFetcher(
            new FeedOptions { Folder = cache, Version = Commands.VersionText.Version },
            [.. feeds.Select(f => new FeedSource { Name = f.Name, Url = f.Url, Interval = f.Interval, MaxBytes = f.MaxSize })],
            (source, path) => VerdictOf(IndicatorStore.Probe(path, about[source.Name])), time, notice);
    }

    /// <summary>Whether what came is a list at all: an error page in plain words has hardly a line that is an indicator.</summary>
    internal static FeedVerdict VerdictOf(ListCount count)
    {
        string first = count.First is { } fault ? $", the first in line {fault.Line}: {fault.Message}" : "";
        return new FeedVerdict(count.Indicators, count.Indicators == 0 ? $"no indicator is in it{first}"
            : count.Faults > count.Indicators ? $"this is no list: {count.Faults:N0} lines cannot be read and {count.Indicators:N0} can{first}" : null);
    }

    public static DecoderOptions DecoderOf(FlowsConfig flows, Scope scope) => new()
    {
        MaximumFlows = flows.Max,
        TcpIdleTimeout = Nanoseconds(flows.IdleTimeout),
        DatagramIdleTimeout = Nanoseconds(flows.UdpTimeout),
        ActiveTimeout = Nanoseconds(flows.ActiveTimeout),
        Separation = flows.Separate switch { "none" => FlowSeparation.None, "vlans" => FlowSeparation.Vlans, _ => FlowSeparation.Networks },
        IsHome = scope.IsHome,
    };

    /// <summary>Blocks of one worker's ring of frames.</summary>
    public static int RingBlocks(SnifferConfig sniffer) => (int)Math.Clamp(sniffer.RingSize / LiveCaptureOptions.DefaultBlockSize, 2, (int.MaxValue / LiveCaptureOptions.DefaultBlockSize) - 1);

    public static bool[] Wanted(AnalyzeConfig analyze) => [analyze.Dns, analyze.Ip, analyze.Http, analyze.Tls, .. EventTypes.All[EventTypes.UploadedCount..].Select(_ => true)];

    /// <summary>What is known of stamps that were made before the clock was set.</summary>
    public static ClockEpochs EpochsOf(Spool spool, TimeProvider time) => new(spool, time, BootOf("/proc/sys/kernel/random/boot_id"), () => Health.TimeKeeping.Read(Health.TimeKeepingPlaces.Default, time)?.IsSynchronised);

    static string BootOf(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>The spool's name for an engine's progress; that of the section engine has been there from the first.</summary>
    public static string ConsumerOf(EngineConfig engine) => engine.Name == EngineConfig.Main ? EngineConfig.Main : EngineConfig.Main + ":" + engine.Name;

    /// <summary>Who takes events out of the spool. While nobody does, they wait for the engine that may come.</summary>
    public static IReadOnlyList<string> ConsumersOf(NfrConfig config) => [
        .. config.Uplinks.Select(ConsumerOf), .. config.Outputs.ShipsEvents ? [ElasticEventOptions.Consumer] : config.Uplinks.Any() ? Array.Empty<string>() : [EngineConfig.Main],
    ];

    /// <summary>What those take who do not take every type: events that the cluster is not to have do not wait for it.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<EventType>> ConsumerTypesOf(NfrConfig config) =>
        new Dictionary<string, IReadOnlyList<EventType>> { [ElasticEventOptions.Consumer] = config.Outputs.Elastic.Events };

    /// <param name="config">Types and intervals.</param>
    /// <param name="engine">Whom it goes to.</param>
    public static UploadOptions UploadOf(NfrConfig config, EngineConfig engine) => new()
    {
        Consumer = ConsumerOf(engine),
        MaxBytes = (int)Math.Min(engine.Upload.MaxBytes, engine.Upload.Bandwidth * 10 ?? long.MaxValue),
        Window = engine.Upload.Window,
        ClockPatience = TimeSpan.FromMinutes(10),
        Dns = TypeOf(config.DnsEvents, config.Engine.Analyze.Dns),
        Ip = TypeOf(config.IpEvents, config.Engine.Analyze.Ip),
        Http = TypeOf(config.HttpEvents, config.Engine.Analyze.Http),
        Tls = TypeOf(config.TlsEvents, config.Engine.Analyze.Tls),
    };

    /// <summary>Of events that go to a cluster: documents are six times as long as lines, so that batches are small.</summary>
    public static UploadOptions ShippingOf(NfrConfig config) => new()
    {
        Consumer = ElasticEventOptions.Consumer,
        MaxBytes = 256 << 10,
        Dns = Small(TypeOf(config.DnsEvents, config.Engine.Analyze.Dns && config.Outputs.Elastic.Events.Contains(EventType.Dns))),
        Ip = Small(TypeOf(config.IpEvents, config.Engine.Analyze.Ip && config.Outputs.Elastic.Events.Contains(EventType.Ip))),
        Http = Small(TypeOf(config.HttpEvents, config.Engine.Analyze.Http && config.Outputs.Elastic.Events.Contains(EventType.Http))),
        Tls = Small(TypeOf(config.TlsEvents, config.Engine.Analyze.Tls && config.Outputs.Elastic.Events.Contains(EventType.Tls))),
    };

    static UploadTypeOptions Small(UploadTypeOptions options) => options with { BufferSize = Math.Min(options.BufferSize, 2000) };

    static UploadTypeOptions TypeOf(EventsConfig events, bool enabled) => new() { Enabled = enabled, BufferSize = events.BufferSize, FlushInterval = events.FlushInterval };

    public static EngineOptions EngineOf(EngineConfig engine, string sensorId) => new()
    {
        Host = engine.Host,
        ApiKey = engine.ApiKey ?? "",
        Version = Commands.VersionText.Version,
        SensorId = sensorId,
        Tls = engine.Tls,
        Proxy = engine.Proxy,
        Bandwidth = engine.Upload.Bandwidth is { } bytes ? new BandwidthCap(bytes, TimeProvider.System) : null,
    };

    /// <summary>Who this sensor is, for formats that say so.</summary>
    public static SensorIdentity IdentityOf(string sensorId) => new(Commands.VersionText.Version, sensorId, Environment.MachineName);

    /// <summary>Everywhere that alerts go. A name must last: it is the durable bookmark's.</summary>
    public static IReadOnlyList<OutputOptions> OutputsOf(OutputsConfig outputs) => !outputs.Enabled ? [] : [.. FileOf(outputs), .. OriginalsOf(outputs), .. ElasticOf(outputs.Elastic), .. outputs.Targets];

    static IEnumerable<OutputOptions> OriginalsOf(OutputsConfig outputs)
    {
        if (SyslogTarget.Of(outputs.Syslog) is { } syslog) yield return syslog;
        if (GelfTarget.Of(outputs.Graylog) is { } graylog) yield return graylog;
    }

    static IEnumerable<OutputOptions> FileOf(OutputsConfig outputs)
    {
        if (outputs.File is not { } path) yield break;
        yield return new OutputOptions
        {
            Name = "file",
            Format = TargetConfig.FormatOf(outputs.Format),
            Sink = path is OutputsConfig.Stdout or OutputsConfig.Stderr
                ? new StreamSinkOptions { IsError = path == OutputsConfig.Stderr }
                : new FileSinkOptions { Path = path, MaxBytes = outputs.MaxSize, Keep = outputs.Keep },
        };
    }

    static IEnumerable<OutputOptions> ElasticOf(ElasticOutputConfig elastic)
    {
        if (elastic is not { Cluster: { } cluster, Alerts: true }) yield break;
        yield return new OutputOptions { Name = "elastic", Format = AlertFormat.Ecs, Sink = new ElasticSinkOptions { Cluster = cluster, Index = elastic.Index } };
    }

    static long Nanoseconds(TimeSpan span) => span.Ticks * 100;
}
