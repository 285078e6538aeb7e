using System.Security.Cryptography;
using Nfr.Native;

namespace Nfr.Uplink;

/// <summary>The broker that this sensor reports to, checked when the configuration was read.</summary>
public sealed record FleetOptions : SinkOptions
{
    public required string Host { get; init; }
    public required int Port { get; init; }
    public bool UseTls { get; init; }
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    /// <summary>Null = 5, or 3.1.1 where the broker knows no other.</summary>
    public MqttVersion? Version { get; init; }
    public required FleetTopics Topics { get; init; }
    public string? User { get; init; }
    public SecretText? Password { get; init; }
    /// <summary>Public keys by <see cref="FleetKey.Id"/>; none = commands are not asked for.</summary>
    public IReadOnlyDictionary<string, ECDsa> Keys { get; init; } = new Dictionary<string, ECDsa>();
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>Home Assistant's discovery prefix; null = it is not told, and what it was told before is taken back.</summary>
    public string? HomeAssistant { get; init; }
    /// <summary>Where sequence numbers of commands are kept; it exists.</summary>
    public required string Folder { get; init; }
    /// <summary>Of the waits between two tries; a seam of tests.</summary>
    public TimeSpan MostWait { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>A broker that does not take an alert within it is given up and tried again.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    public override string Where => $"{(UseTls ? "mqtts" : "mqtt")}://{Host}:{Port}";
    public override string? ServerHost => Host;
}

/// <summary>What the link has done since the start.</summary>
public sealed record FleetState
{
    public required string Broker { get; init; }
    public bool IsConnected { get; init; }
    public DateTimeOffset? Since { get; init; }
    /// <summary>The broker is there and does not let us in: its certificate, ours, or the user.</summary>
    public bool IsRefused { get; init; }
    /// <summary>What stops it now, with what to do about it; null when all is well, or the first try has not ended.</summary>
    public string? Trouble { get; init; }
    public string Advice { get; init; } = "";
    /// <summary>Of MQTT, as it is spoken: "5" or "3.1.1"; null before the first connection.</summary>
    public string? Version { get; init; }
    /// <summary>Known though it works; null = nothing.</summary>
    public string? Remark { get; init; }
    public DateTimeOffset? NextTry { get; init; }
    /// <summary>Connections that came about, and tries that did not.</summary>
    public long Connects { get; init; }
    public long FailedConnects { get; init; }
    public long Heartbeats { get; init; }
    /// <summary>Not sent, since the broker did not even read the one before.</summary>
    public long HeartbeatsSkipped { get; init; }
    public long CommandsTaken { get; init; }
    /// <summary>By <see cref="FleetRefusal"/>.</summary>
    public IReadOnlyList<long> Refused { get; init; } = [];
    public long CommandsRefused => Refused.Sum();
    /// <summary>Answers that found no room while the broker was away, or that it did not take.</summary>
    public long AnswersLost { get; init; }
}
