using Nfr.Events;

namespace Nfr.Logs;

/// <summary>What a parser has to know that does not stand in its lines.</summary>
public sealed record LineOptions
{
    /// <summary>Which types are made of what is read, by <see cref="EventType"/>.</summary>
    public bool[] Types { get; init; } = [.. EventTypes.All.Select(_ => true)];
    public LogClock Clock { get; init; } = new(null);
    /// <summary>Tells the year of stamps that have none.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
    /// <summary>Of stamps that say no zone.</summary>
    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Local;
    /// <summary>inputs.msdns_time_format: a Go layout; null = told by the lines.</summary>
    public string? MsdnsTimeFormat { get; init; }
    /// <summary>What Zeek's x509 logs told of certificates, for its ssl logs: the parsers of one sensor share it.</summary>
    public CertificateCache Certificates { get; init; } = new();

    /// <summary>By the name of "type:" and "--type": all, dns, ip, http or tls.</summary>
    public static bool[] TypesOf(string name) => [.. EventTypes.All.Select(t => name == "all" || t.Name() == name)];
}
