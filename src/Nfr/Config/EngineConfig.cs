using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>engine: where events are analysed. The Analytics Engine in the cloud, one of your own, or none but the sensor itself.</summary>
public sealed record EngineConfig
{
    /// <summary>The word for host that keeps everything on board.</summary>
    public const string Embedded = "embedded";
    public const string CloudHost = "https://api.alphasoc.net";

    /// <summary>Names of further engines: they are part of durable names.</summary>
    const int LongestName = 32;

    /// <summary>"engine", or that of an item of engines. Its progress and its alerts' mark are kept under it, so it must last.</summary>
    public string Name { get; init; } = Main;
    /// <summary>The name of the section engine.</summary>
    public const string Main = "engine";
    /// <summary>The key in the file, such as engines[0].</summary>
    public string Key { get; init; } = Main;

    /// <summary>The engine's address without a trailing slash, or <see cref="Embedded"/>.</summary>
    public string Host { get; init; } = Embedded;
    /// <summary>The file names the host; else it follows from the key.</summary>
    public bool HostIsSet { get; init; }
    public string? ApiKey { get; init; }
    public AnalyzeConfig Analyze { get; init; } = new();
    public TimeSpan AlertPollInterval { get; init; } = TimeSpan.FromMinutes(5);

    public UploadFields Fields { get; init; }

    public UploadConfig Upload { get; init; } = new();

    /// <summary>Whom the sensor believes to be the engine, and the certificate that it shows; paths are absolute.</summary>
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    public ProxySettings Proxy { get; init; } = ProxySettings.Environment;

    /// <summary>Scores on board alone; nothing is uploaded.</summary>
    public bool IsEmbedded => Host == Embedded;

    internal static EngineConfig Read(Section s)
    {
        string? key = ReadKey(s);
        string? host = Address(s, s.Text("host", expected: "an address such as " + CloudHost + ", or embedded"));
        if (host == Embedded && key is not null) s.Note("host", "embedded was chosen, so api_key is not used and nothing is uploaded");
        var engine = Common(s) with
        {
            Host = host ?? (key is null ? Embedded : CloudHost),
            HostIsSet = host is not null,
            ApiKey = key,
            Analyze = AnalyzeConfig.Read(s.Under("analyze")),
        };
        s.End();
        return engine;
    }

    /// <summary>engines: further ones, each with a name and the keys of engine but for analyze.</summary>
    internal static IReadOnlyList<EngineConfig> ReadMore(Section root)
    {
        List<EngineConfig> engines = [];
        int index = 0;
        foreach (Section s in root.Items("engines"))
        {
            string? name = s.Text("name", expected: "a name");
            if (s.Present && name is null) s.Fault("name", "each engine needs a name that stays; its progress is kept under it");
            else if (name is not null && (name.Length > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')))
                s.Fault("name", $"expected at most {LongestName} letters, digits, dots, dashes and underscores, found \"{name}\"");
            else if (name == Main) s.Fault("name", $"{Main} is the one in the section {Main}; take another name");
            else if (engines.Any(e => e.Name == name)) s.Fault("name", $"two engines are called {name}");
            string? key = ReadKey(s);
            string? host = Address(s, s.Text("host", expected: "an address such as " + CloudHost));
            if (host == Embedded) s.Fault("host", "embedded is no engine to upload to; leave the item out");
            if (s.Present && key is null) s.Fault("api_key", "each engine needs the API key that it gave out");
            engines.Add(Common(s) with { Name = name ?? "", Key = $"engines[{index++}]", Host = host ?? CloudHost, HostIsSet = host is not null, ApiKey = key });
            s.End();
        }
        // Each is a consumer of the spool, and so is what ships events elsewhere.
        if (engines.Count > MostEngines) root.Fault("engines", $"at most {MostEngines} engines can be had besides the section {Main}");
        return engines;
    }

    const int MostEngines = 8;

    static EngineConfig Common(Section s)
    {
        Section alerts = s.Under("alerts");
        var engine = new EngineConfig
        {
            Fields = s.Choice("fields", "auto", "auto", "api", "all") switch { "api" => UploadFields.Api, "all" => UploadFields.All, _ => UploadFields.Auto },
            Tls = TlsSection.Read(s.Under("tls")),
            Proxy = ProxyKey.Read(s),
            Upload = UploadConfig.Read(s.Under("upload")),
            AlertPollInterval = alerts.Duration("poll_interval", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(5), TimeSpan.FromDays(1)),
        };
        alerts.End();
        return engine;
    }

    static string? ReadKey(Section s)
    {
        string? key = s.Text("api_key");
        if (key is null || !key.Any(c => c is <= ' ' or > '~' or ':')) return key;
        s.Fault("api_key", "an API key has no spaces, colons or letters outside ASCII; run 'nfr account register' for one");
        return null;
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

/// <summary>engine.upload: how much goes at once, when, and how fast.</summary>
public sealed record UploadConfig
{
    /// <summary>Of one request's body, compressed.</summary>
    public long MaxBytes { get; init; } = 1 << 20;
    public UploadWindow Window { get; init; } = UploadWindow.Always;
    /// <summary>Bytes a second; null = as fast as the line is.</summary>
    public long? Bandwidth { get; init; }

    internal static UploadConfig Read(Section s)
    {
        const string PerSecond = "/s";
        IReadOnlyList<(string Text, int Line)> times = s.Entries("window");
        UploadWindow? window = UploadWindow.TryParse([.. times.Select(t => t.Text)], out int wrong);
        if (window is null)
            s.FaultAt(times[wrong].Line, "window", $"expected times such as 22:00-06:00, mon-fri 22:00-06:00 or sat,sun, found \"{times[wrong].Text}\"");
        string? text = s.Text("bandwidth", expected: "bytes a second, such as 256KiB/s");
        long? bandwidth = null;
        if (text is not null)
        {
            if (text.EndsWith(PerSecond, StringComparison.OrdinalIgnoreCase) && ByteSize.TryParse(text.AsSpan(0, text.Length - PerSecond.Length), out long bytes) && bytes is >= BandwidthCap.Least and <= 1L << 40) bandwidth = bytes;
            else s.Fault("bandwidth", $"expected bytes a second of at least {ByteSize.Format(BandwidthCap.Least)}/s, such as 256KiB/s, found \"{text}\"");
        }
        var upload = new UploadConfig { MaxBytes = s.Size("max_bytes", 1 << 20, 64 << 10, 64 << 20), Window = window ?? UploadWindow.Always, Bandwidth = bandwidth };
        s.End();
        return upload;
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
