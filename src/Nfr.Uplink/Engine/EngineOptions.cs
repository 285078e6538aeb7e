namespace Nfr.Uplink;

/// <summary>Where the engine is and how long it may take.</summary>
public sealed record EngineOptions
{
    public const string DefaultHost = "https://api.alphasoc.net";

    /// <summary>Scheme, name and port; a trailing "/" does not matter.</summary>
    public string Host { get; init; } = DefaultHost;
    /// <summary>User name of Basic authentication, with an empty password; empty = no authentication (to ask for a key).</summary>
    public string ApiKey { get; init; } = "";
    /// <summary>Of this sensor, without a "v"; goes into User-Agent.</summary>
    public required string Version { get; init; }
    /// <summary>Sent with every upload as X-NFR-Sensor; empty = not sent.</summary>
    public string SensorId { get; init; } = "";
    /// <summary>Whom we believe to be the engine, and who we are to it.</summary>
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    public ProxySettings Proxy { get; init; } = ProxySettings.Environment;
    /// <summary>Of what events take of the line; shared by all that is sent to this engine. Null = none.</summary>
    public BandwidthCap? Bandwidth { get; init; }
    /// <summary>Name, TCP and TLS together.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>From the first byte of the connection to the last of the answer.</summary>
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>Of an answer, after decompression. A longer one is cut and counts as garbled.</summary>
    public int MaxAnswerBytes { get; init; } = 1 << 20;

    /// <summary>Says what is wrong with an engine.host, or null.</summary>
    public static string? CheckHost(string host) =>
        !Uri.TryCreate(host, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0
            ? $"\"{host}\" is no http:// or https:// address"
            : uri.Query.Length > 0 || uri.Fragment.Length > 0 ? $"\"{host}\" holds a query or a fragment" : null;
}
