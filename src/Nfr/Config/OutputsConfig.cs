using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>outputs: where alerts go.</summary>
public sealed record OutputsConfig
{
    public const string Stdout = "stdout";
    public const string Stderr = "stderr";
    /// <summary>The word for file that writes none.</summary>
    public const string None = "none";

    public bool Enabled { get; init; } = true;
    /// <summary>An absolute path, <see cref="Stdout"/> or <see cref="Stderr"/>; null = no file output.</summary>
    public string? File { get; init; } = Stderr;
    /// <summary>json, cef or leef.</summary>
    public string Format { get; init; } = "json";
    /// <summary>Bytes at which the file is rotated.</summary>
    public long MaxSize { get; init; } = 64L << 20;
    /// <summary>Rotated files that are kept.</summary>
    public int Keep { get; init; } = 5;
    public SyslogConfig Syslog { get; init; } = new();
    public GraylogConfig Graylog { get; init; } = new();
    public ElasticOutputConfig Elastic { get; init; } = new();
    /// <summary>outputs.targets, each with a name of its own.</summary>
    public IReadOnlyList<OutputOptions> Targets { get; init; } = [];

    /// <summary>Events go to a cluster too.</summary>
    public bool ShipsEvents => Enabled && Elastic.ShipsEvents;

    public bool Any => Enabled && (File is not null || Syslog.Host is not null || Graylog.Host is not null || Elastic is { Cluster: not null, Alerts: true } || Targets.Count > 0);

    internal static OutputsConfig Read(Section s)
    {
        bool none = s.IsEmptyText("file");
        string? file = s.FilePath("file", Stderr, Stdout, Stderr, None);
        var outputs = new OutputsConfig
        {
            Enabled = s.Flag("enabled", true),
            File = none || file == None ? null : file,
            Format = s.Choice("format", "json", "json", "cef", "leef"),
            MaxSize = s.Size("max_size", 64L << 20, 64L << 10, 1L << 40),
            Keep = s.Integer("keep", 5, 0, 1000),
            Syslog = SyslogConfig.Read(s.Under("syslog")),
            Graylog = GraylogConfig.Read(s.Under("graylog")),
            Elastic = ElasticOutputConfig.Read(s.Under("elastic")),
            Targets = TargetConfig.Read(s),
        };
        s.End();
        return outputs;
    }
}

/// <summary>outputs.syslog.</summary>
public sealed record SyslogConfig
{
    /// <summary>Address or name of the server; null = no syslog output.</summary>
    public string? Host { get; init; }
    public int Port { get; init; } = 514;
    /// <summary>tcp or udp.</summary>
    public string Protocol { get; init; } = "tcp";
    /// <summary>json, cef or leef.</summary>
    public string Format { get; init; } = "json";

    internal static SyslogConfig Read(Section s)
    {
        string? host = s.Text("ip", expected: "an address");
        if (host is not null && Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            s.Fault("ip", $"expected an address or host name, found \"{host}\"");
            host = null;
        }
        var syslog = new SyslogConfig
        {
            Host = host,
            Port = s.Integer("port", 514, 1, 65535),
            Protocol = s.Choice("proto", "tcp", "tcp", "udp"),
            Format = s.Choice("format", "json", "json", "cef", "leef"),
        };
        s.End();
        return syslog;
    }
}

/// <summary>outputs.graylog.</summary>
public sealed record GraylogConfig
{
    /// <summary>tcp or udp.</summary>
    public string Protocol { get; init; } = "tcp";
    /// <summary>Address or name of the server; null = no Graylog output.</summary>
    public string? Host { get; init; }
    public int Port { get; init; }
    /// <summary>Syslog level of every message, 0 emergency to 7 debug; null = by the threat's severity.</summary>
    public int? Level { get; init; }

    internal static GraylogConfig Read(Section s)
    {
        string? text = s.Text("uri", expected: "an address such as tcp://127.0.0.1:12201");
        int level = s.Integer("level", 1, 0, 7);
        var graylog = new GraylogConfig { Level = s.Has("level") ? level : null };
        s.End();
        if (text is null) return graylog;
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "tcp" or "udp" && uri is { Host.Length: > 0, Port: > 0 })
            return graylog with { Protocol = uri.Scheme, Host = uri.IdnHost, Port = uri.Port };
        s.Fault("uri", $"expected tcp://host:port or udp://host:port, found \"{text}\"");
        return graylog;
    }
}
