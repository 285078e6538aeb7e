using System.Security.Cryptography;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>fleet: the MQTT broker that this sensor reports to; off without a broker.</summary>
public sealed record FleetConfig
{
    public const string DefaultHomeAssistant = "homeassistant";

    /// <summary>Null = no broker is spoken to.</summary>
    public string? Host { get; init; }
    public int Port { get; init; } = 1883;
    public bool UseTls { get; init; }
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    /// <summary>Null = 5, or 3.1.1 where the broker knows no other.</summary>
    public MqttVersion? Version { get; init; }
    public string Site { get; init; } = "default";
    /// <summary>Null = by the host's name.</summary>
    public string? Id { get; init; }
    public string? User { get; init; }
    public SecretText? Password { get; init; }
    /// <summary>Absolute paths of PEM files, each with one public key.</summary>
    public IReadOnlyList<string> CommandKeys { get; init; } = [];
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>Its discovery prefix; null = off.</summary>
    public string? HomeAssistant { get; init; }

    public bool IsOn => Host is not null;

    /// <summary>The host's name as far as it can stand in a topic.</summary>
    public static string DefaultId
    {
        get
        {
            string name = string.Concat(Environment.MachineName.Split('.')[0].Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-').Take(FleetTopics.LongestPart));
            return name.Length == 0 ? "nfr" : name;
        }
    }

    internal static FleetConfig Read(Section s)
    {
        TimeSpan second = TimeSpan.FromSeconds(1);
        string? broker = s.Text("broker", expected: "host:port or mqtts://host:port");
        (string? host, int port, bool secure) = (null, 1883, false);
        if (broker is not null && !TryBroker(broker, out host, out port, out secure, out string wrong)) s.Fault("broker", wrong);
        Section files = s.Under("tls");
        // No pins and no other name than the broker's: libmosquitto knows neither.
        var tls = new TlsSettings { Roots = files.FilePath("ca", null), Certificate = files.FilePath("certificate", null), Key = files.FilePath("key", null) };
        if (tls.Key is not null && tls.Certificate is null) files.Fault("key", "there is a key and no certificate; name the certificate's file in certificate");
        bool any = files.Has("ca") || files.Has("certificate") || files.Has("key");
        files.End();
        if (host is not null && !secure && any) s.Fault("tls", $"the broker is spoken to without TLS; set broker: mqtts://{host}:8883, or remove this key");
        string site = s.Text("site", "default")!;
        if (FleetTopics.CheckPart(site) is { } badSite) s.Fault("site", badSite);
        string? id = s.Text("id");
        if (id is not null && FleetTopics.CheckPart(id) is { } badId) s.Fault("id", badId);
        string? user = s.Text("username");
        SecretText? password = SecretKeys.Read(s, "password");
        if (password is not null && user is null) s.Fault("username", "there is a password and no user name");
        if (host is not null && !secure && password is not null) s.Note("password", "the password goes over the network as it is; use mqtts");
        List<string> keys = [];
        foreach ((string text, int line) in s.Entries("command_keys"))
        {
            if (keys.Count == 8) s.FaultAt(line, "command_keys", "more than 8 keys");
            else keys.Add(s.FullPath(text));
        }
        string? assistant = s.Text("homeassistant", "no", "yes, no or a discovery prefix");
        string? prefix = assistant switch { "no" or "false" or "off" => null, "yes" or "true" or "on" => DefaultHomeAssistant, _ => assistant };
        if (prefix is not null && (prefix.Length > 128 || prefix.AsSpan().ContainsAny(" +#\0") || prefix.StartsWith('/') || prefix.EndsWith('/'))) s.Fault("homeassistant", "expected yes, no or a discovery prefix such as homeassistant");
        var fleet = new FleetConfig
        {
            Host = host,
            Port = port,
            UseTls = secure,
            Tls = tls,
            Version = s.Choice("version", "auto", "auto", "5", "3.1.1") switch { "5" => MqttVersion.V5, "3.1.1" => MqttVersion.V311, _ => null },
            Site = site,
            Id = id,
            User = user,
            Password = password,
            CommandKeys = keys,
            Heartbeat = s.Duration("heartbeat", TimeSpan.FromSeconds(30), second, TimeSpan.FromHours(1)),
            HomeAssistant = prefix,
        };
        s.End();
        return fleet;
    }

    /// <summary>Of "host:port", with a scheme or without.</summary>
    internal static bool TryBroker(string text, out string? host, out int port, out bool secure, out string wrong)
    {
        (host, port, secure, wrong) = (null, 0, false, "");
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        string rest = scheme < 0 ? text : text[(scheme + 3)..];
        switch (scheme < 0 ? "mqtt" : text[..scheme])
        {
            case "mqtt" or "tcp": break;
            case "mqtts" or "ssl" or "tls": secure = true; break;
            default:
                wrong = $"expected mqtt:// or mqtts://, found \"{text[..scheme]}://\"";
                return false;
        }
        rest = rest.TrimEnd('/');
        if (rest.LastIndexOf('@') is >= 0 and var at)
        {
            // The config is read by more people than a password is for, and a fault of it stands in the log: nothing of it is repeated.
            wrong = $"user name and password do not stand in the address; write {rest[(at + 1)..]} here, and set username and password_file";
            return false;
        }
        port = secure ? 8883 : 1883;
        int colon = rest.LastIndexOf(':');
        // An IPv6 address stands in brackets where a port follows.
        if (colon >= 0 && (rest.IndexOf(':') == colon || rest[colon - 1] == ']'))
        {
            if (!int.TryParse(rest[(colon + 1)..], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)
            {
                wrong = $"expected a port from 1 to 65535 behind the colon, found \"{rest[(colon + 1)..]}\"";
                return false;
            }
            rest = rest[..colon];
        }
        rest = rest.Trim('[', ']');
        if (rest.Length == 0 || Uri.CheckHostName(rest) == UriHostNameType.Unknown)
        {
            wrong = $"expected host:port or mqtts://host:port, found \"{(text.Length > 60 ? text[..57] + "..." : text)}\"";
            return false;
        }
        host = rest;
        return true;
    }

    /// <summary>Holds files against the disk.</summary>
    internal static void Check(NfrConfig config, DateTimeOffset? now, List<ConfigFault> faults)
    {
        FleetConfig fleet = config.Fleet;
        if (!fleet.IsOn) return;
        if (fleet.UseTls) TlsSection.Check(config, "fleet.tls", fleet.Tls, now, faults);
        ReadKeys(fleet, out List<string> wrong);
        foreach (string fault in wrong) faults.Add(config.At("fleet.command_keys", "fleet.command_keys: " + fault));
    }

    /// <summary>The keys by their ids; what cannot be read is left out and told.</summary>
    internal static Dictionary<string, ECDsa> ReadKeys(FleetConfig fleet, out List<string> faults)
    {
        var keys = new Dictionary<string, ECDsa>(StringComparer.Ordinal);
        faults = [];
        foreach (string file in fleet.CommandKeys)
        {
            try
            {
                if (new FileInfo(file).Length > 16384) faults.Add($"{file} is no key: it is longer than 16 KiB");
                else if (FleetKey.TryRead(File.ReadAllText(file), out string fault) is { } key) keys[FleetKey.Id(key)] = key;
                else faults.Add($"{file}: {fault}");
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                faults.Add($"{file} cannot be read: {Reason.Of(fault)}");
            }
        }
        return keys;
    }
}
