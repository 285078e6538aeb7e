using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>engine: where events are analysed. The Analytics Engine in the cloud, one of your own, or none but the sensor itself.</summary>
public sealed record EngineConfig
{
    /// <summary>The word for host that keeps everything on board.</summary>
    public const string Embedded = "embedded";
    public const string CloudHost = "https://api.alphasoc.net";

    /// <summary>The engine's address without a trailing slash, or <see cref="Embedded"/>.</summary>
    public string Host { get; init; } = Embedded;
    /// <summary>The file names the host; else it follows from the key.</summary>
    public bool HostIsSet { get; init; }
    public string? ApiKey { get; init; }
    public AnalyzeConfig Analyze { get; init; } = new();
    public TimeSpan AlertPollInterval { get; init; } = TimeSpan.FromMinutes(5);

    public UploadFields Fields { get; init; }

    /// <summary>Whom the sensor believes to be the engine, and the certificate that it shows; paths are absolute.</summary>
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    public ProxySettings Proxy { get; init; } = ProxySettings.Environment;

    /// <summary>Scores on board alone; nothing is uploaded.</summary>
    public bool IsEmbedded => Host == Embedded;

    internal static EngineConfig Read(Section s)
    {
        string? key = s.Text("api_key");
        if (key is not null && key.Any(c => c is <= ' ' or > '~' or ':'))
        {
            s.Fault("api_key", "an API key has no spaces, colons or letters outside ASCII; run 'nfr account register' for one");
            key = null;
        }
        string? host = Address(s, s.Text("host", expected: "an address such as " + CloudHost + ", or embedded"));
        if (host == Embedded && key is not null) s.Note("host", "embedded was chosen, so api_key is not used and nothing is uploaded");
        Section alerts = s.Under("alerts");
        var engine = new EngineConfig
        {
            Host = host ?? (key is null ? Embedded : CloudHost),
            HostIsSet = host is not null,
            ApiKey = key,
            Fields = s.Choice("fields", "auto", "auto", "api", "all") switch { "api" => UploadFields.Api, "all" => UploadFields.All, _ => UploadFields.Auto },
            Tls = TlsSection.Read(s.Under("tls")),
            Proxy = ProxyKey.Read(s),
            Analyze = AnalyzeConfig.Read(s.Under("analyze")),
            AlertPollInterval = alerts.Duration("poll_interval", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(5), TimeSpan.FromDays(1)),
        };
        alerts.End();
        s.End();
        return engine;
    }

    static string? Address(Section s, string? host)
    {
        if (host is null or Embedded) return host;
        if (!TryAddress(host, out string address))
        {
            s.Fault("host", $"expected an address such as {CloudHost}, or embedded; found \"{host}\"");
            return null;
        }
        if (address.StartsWith("http:", StringComparison.Ordinal) && !new Uri(address).IsLoopback)
            s.Note("host", "http sends the API key and all events readable over the network; use https");
        return address;
    }

    /// <summary>True for an http or https address without user, query and fragment; <paramref name="address"/> has no trailing slash.</summary>
    public static bool TryAddress(string text, out string address)
    {
        address = text.TrimEnd('/');
        return Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
            && uri.Host.Length > 0 && uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0;
    }
}

/// <summary>engine.fields: what an upload says of each event.</summary>
public enum UploadFields : byte
{
    /// <summary>All to an engine that says it reads them, the API's to every other.</summary>
    Auto,
    /// <summary>The fields of the engine's API.</summary>
    Api,
    /// <summary>All that the sensor knows.</summary>
    All,
}

/// <summary>engine.analyze: which event types are made, scored and uploaded.</summary>
public sealed record AnalyzeConfig
{
    public bool Dns { get; init; } = true;
    public bool Ip { get; init; } = true;
    public bool Http { get; init; } = true;
    public bool Tls { get; init; } = true;

    internal static AnalyzeConfig Read(Section s)
    {
        var analyze = new AnalyzeConfig
        {
            Dns = s.Flag("dns", true),
            Ip = s.Flag("ip", true),
            Http = s.Flag("http", true),
            Tls = s.Flag("tls", true),
        };
        s.End();
        return analyze;
    }
}
