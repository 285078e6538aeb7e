using System.Net;
using Nfr.Config;
using Nfr.Scoring;

namespace Nfr.Engine;

/// <summary>What "nfr engine" is told. Sizes in bytes, after decompression.</summary>
public sealed record HostedEngineOptions
{
    public const string DefaultData = "/var/lib/nfr-engine";
    public const string DefaultListen = "127.0.0.1:8443";

    public required IPEndPoint Listen { get; init; }
    /// <summary>Where engine.db lies, what was first seen when, and fetched lists.</summary>
    public required string Data { get; init; }
    /// <summary>PEM files; null = plain HTTP.</summary>
    public string? Certificate { get; init; }
    public string? CertificateKey { get; init; }
    /// <summary>/metrics for everybody who reaches this address; null = on <see cref="Listen"/>, for this machine alone.</summary>
    public IPEndPoint? Metrics { get; init; }
    /// <summary>Whether key/request gives keys to strangers.</summary>
    public bool OpenRegistration { get; init; }
    public IReadOnlyList<string> FeedsFolders { get; init; } = [];
    /// <summary>Lists that are fetched.</summary>
    public IReadOnlyList<FeedConfig> Feeds { get; init; } = [];
    /// <summary>Ports that nobody should use, as scoring.bad_ports of the config has them.</summary>
    public IReadOnlyList<ushort> BadTcpPorts { get; init; } = new Thresholds().BadTcpPorts;
    /// <summary>As above, of UDP.</summary>
    public IReadOnlyList<ushort> BadUdpPorts { get; init; } = new Thresholds().BadUdpPorts;
    /// <summary>Where their last good copies lie; null when none are fetched.</summary>
    public string? FeedCache => Feeds.Count > 0 ? Path.GetFullPath(Path.Combine(Data, "feeds")) : null;
    /// <summary>Scorers that sites are spread over, about 12 MB each; one is as much as a sensor on board has.</summary>
    public int Scorers { get; init; } = 4;
    /// <summary>Of one key, on average; ten seconds' worth may come at once and later ones wait for it.</summary>
    public int EventsPerSecond { get; init; } = 10_000;
    /// <summary>Of one key, on average, with ten seconds' worth at once.</summary>
    public int RequestsPerSecond { get; init; } = 20;
    /// <summary>The original sends 65,535 events in one plain body.</summary>
    public long MaxBody { get; init; } = 64 << 20;
    /// <summary>A longer line is rejected.</summary>
    public int MaxLine { get; init; } = 64 << 10;
    /// <summary>Of all sites together; beyond it the oldest of those with the most go.</summary>
    public int KeptAlerts { get; init; } = 100_000;
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
