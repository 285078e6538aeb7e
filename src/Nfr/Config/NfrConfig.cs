namespace Nfr.Config;

/// <summary>The whole of config.yml, checked; one record per section. Every path in it is absolute.</summary>
public sealed record NfrConfig
{
    /// <summary>The file as its user named it.</summary>
    public required string File { get; init; }
    public EngineConfig Engine { get; init; } = new();
    /// <summary>Further engines, in the file's order.</summary>
    public IReadOnlyList<EngineConfig> MoreEngines { get; init; } = [];
    /// <summary>All that events are uploaded to.</summary>
    public IEnumerable<EngineConfig> Uplinks => Engine.IsEmbedded ? MoreEngines : [Engine, .. MoreEngines];
    public InputsConfig Inputs { get; init; } = new();
    public OutputsConfig Outputs { get; init; } = new();
    public ScopeConfig Scope { get; init; } = new();
    public LogConfig Log { get; init; } = new();
    public DataConfig Data { get; init; } = new();
    public SpoolConfig Spool { get; init; } = new();
    public FlowsConfig Flows { get; init; } = new();
    public StatusConfig Status { get; init; } = new();
    public MetricsConfig Metrics { get; init; } = new();
    public PanelConfig Panel { get; init; } = new();
    public ScoringConfig Scoring { get; init; } = new();
    public FleetConfig Fleet { get; init; } = new();
    public UpdateConfig Update { get; init; } = new();
    public EventsConfig DnsEvents { get; init; } = new();
    public EventsConfig IpEvents { get; init; } = new();
    public EventsConfig HttpEvents { get; init; } = new();
    public EventsConfig TlsEvents { get; init; } = new();
    /// <summary>Remarks that do not hinder: a setting without effect, a risk.</summary>
    public IReadOnlyList<ConfigFault> Notes { get; init; } = [];
    internal IReadOnlyDictionary<string, int> Lines { get; init; } = new Dictionary<string, int>();

    /// <summary>What is well written and yet cannot be started: no input, or an engine without a key.</summary>
    public IReadOnlyList<ConfigFault> StartFaults
    {
        get
        {
            List<ConfigFault> faults = [];
            if (Engine is { IsEmbedded: false, ApiKey: null })
                faults.Add(At("engine.host", $"engine.api_key is not set, and {Engine.Host} wants one; run 'nfr account register', or set host: embedded to score on board alone"));
            if (!Inputs.Any) faults.Add(At("inputs", "no input is switched on; set inputs.sniffer.enabled: true, or name a log in inputs.monitor"));
            return faults;
        }
    }

    /// <summary>Every key there is, by full name; items of a list as name[].</summary>
    internal static IReadOnlyCollection<string> KnownKeys { get; } = LearnKeys();

    /// <summary>The defaults, as without any file.</summary>
    public static NfrConfig Default(string file) => Parse(file, default, out _)!;

    /// <summary>Reads the text of a config file without touching the file system; null when it has faults, and then all of them.</summary>
    public static NfrConfig? Parse(string file, ReadOnlySpan<byte> text, out IReadOnlyList<ConfigFault> faults)
    {
        var list = new FaultList(file);
        YamlMap? root = YamlReader.Read(text, list);
        string folder = Path.GetDirectoryName(Path.GetFullPath(file)) ?? "/";
        // A file that cannot be read as YAML has that one fault; what its keys say is not known.
        NfrConfig? config = root is null && list.Count > 0 ? null : Read(new ConfigSource(list, folder), root, file, folder);
        faults = list.InOrder();
        return faults.Count == 0 ? config : null;
    }

    internal ConfigFault At(string key, string message) => new(File, Lines.GetValueOrDefault(key, 0), message);

    static NfrConfig Read(ConfigSource source, YamlMap? map, string file, string folder)
    {
        var root = new Section(source, "", map, 1);
        DataConfig data = DataConfig.Read(root.Under("data"));
        var config = new NfrConfig
        {
            File = file,
            Engine = EngineConfig.Read(root.Under("engine")),
            MoreEngines = EngineConfig.ReadMore(root),
            Inputs = InputsConfig.Read(root.Under("inputs")),
            Outputs = OutputsConfig.Read(root.Under("outputs")),
            Scope = ScopeConfig.Read(root.Under("scope")),
            Log = LogConfig.Read(root.Under("log")),
            Data = data,
            Spool = SpoolConfig.Read(root.Under("spool"), data.Dir),
            Flows = FlowsConfig.Read(root.Under("flows")),
            Scoring = ScoringConfig.Read(root.Under("scoring"), folder),
            Fleet = FleetConfig.Read(root.Under("fleet")),
            Status = StatusConfig.Read(root.Under("status")),
            Metrics = MetricsConfig.Read(root.Under("metrics")),
            Update = UpdateConfig.Read(root.Under("update")),
            Panel = PanelConfig.Read(root.Under("panel")),
            DnsEvents = EventsConfig.Read(root.Under("dns_events"), hasFailed: true),
            IpEvents = EventsConfig.Read(root.Under("ip_events"), hasFailed: true),
            HttpEvents = EventsConfig.Read(root.Under("http_events"), hasFailed: false),
            TlsEvents = EventsConfig.Read(root.Under("tls_events"), hasFailed: false),
        };
        root.End();
        if (map is not null && !config.Inputs.Any && !config.Outputs.Any)
            root.Fault("inputs", "neither an input nor an output is switched on; set inputs.sniffer.enabled: true, or name a log in inputs.monitor");
        return config with { Notes = source.Faults.Notes(), Lines = source.Lines };
    }

    static SortedSet<string> LearnKeys()
    {
        var source = new ConfigSource(new FaultList(""), "/", askAll: true);
        Read(source, null, "", "/");
        return source.Known;
    }
}
