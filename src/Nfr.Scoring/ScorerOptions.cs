using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Scoring;

/// <summary>The detectors, as a set that can be switched off one by one. A flag is also part of the keys of its findings, so each has its own.</summary>
// All is what there is, and what will be.
#pragma warning disable CA2217
[Flags]
public enum Detectors : ulong
{
    None = 0,
    ListedDestination = 1,
    PortScan = 2,
    DnsTunnel = 4,
    Dga = 8,
    Cleartext = 16,
    Mining = 32,
    IcmpTunnel = 1UL << 6,
    LateralMovement = 1UL << 16,
    Land = 1UL << 17,
    Smurf = 1UL << 18,
    Fragments = 1UL << 19,
    ManyResets = 1UL << 20,
    BadPorts = 1UL << 21,
    Guessing = 1UL << 22,
    SshGuessing = 1UL << 23,
    Beaconing = 1UL << 47,
    Imposter = 1UL << 40,
    FirstSeen = 1UL << 41,
    TransferVolume = 1UL << 48,
    UploadVolume = 1UL << 49,
    LongSession = 1UL << 50,
    PortUse = 1UL << 51,
    PolicyApps = 1UL << 52,
    TorNames = 1UL << 53,
    PeerFanOut = 1UL << 54,
    Spam = 1UL << 24,
    Irc = 1UL << 25,
    TelegramBot = 1UL << 26,
    AwsRebinding = 1UL << 27,
    HttpFailures = 1UL << 28,
    Signatures = 1UL << 29,
    DnsFailures = 1UL << 32,
    UnreachableDomains = 1UL << 33,
    SuspiciousDomains = 1UL << 34,
    SuspiciousCluster = 1UL << 35,
    All = ulong.MaxValue,
}
#pragma warning restore CA2217

/// <summary>Writes an event as its JSON line, for the samples of an alert; the one thing the scorer asks of whoever owns that form.</summary>
public interface IEventLines
{
    /// <returns>One JSON object without line end.</returns>
    string Line(scoped in DnsEvent e);
    string Line(scoped in IpEvent e);
    string Line(scoped in HttpEvent e);
    string Line(scoped in TlsEvent e);
    string Line(scoped in AnomalyEvent e);
    string Line(scoped in SignatureEvent e);
}

/// <summary>What a <see cref="Scorer"/> is given.</summary>
public sealed record ScorerOptions
{
    public const string DefaultFeedsFolder = "/etc/nfr/feeds";

    /// <summary>Folders of indicator lists; one that is absent is empty. Later folders add to earlier ones.</summary>
    public IReadOnlyList<string> FeedsFolders { get; init; } = [DefaultFeedsFolder];

    /// <summary>What the config says of single lists, by the full path of their file.</summary>
    public IReadOnlyDictionary<string, Indicators.ListAbout> Lists { get; init; } = new Dictionary<string, Indicators.ListAbout>();

    /// <summary>How often the folders are looked at for changed files; zero = only when asked by <see cref="Indicators.IndicatorStore.Poll"/>.</summary>
    public TimeSpan FeedsPollInterval { get; init; } = TimeSpan.FromSeconds(5);

    public Detectors Enabled { get; init; } = Detectors.All;

    public Thresholds Thresholds { get; init; } = new();

    /// <summary>Whether an address lies in the home networks (the scope's <c>in_scope</c> of all groups). Called per event: must not allocate.</summary>
    public required Func<Address, bool> IsHome { get; init; }

    /// <summary>The scope groups of an alert's source.</summary>
    public Func<Address, IReadOnlyList<AlertGroup>> GroupsOf { get; init; } = static _ => [];

    /// <summary>Ticks are those of a running machine; what is <see cref="EventContext.IsPast"/> comes from logs that are caught up, and is judged apart.</summary>
    public bool IsRunning { get; init; }

    public required IEventLines Lines { get; init; }

    /// <summary>The Public Suffix List; when the file is absent, the copy that ships inside serves.</summary>
    public string PublicSuffixFile { get; init; } = "/usr/share/publicsuffix/public_suffix_list.dat";

    /// <summary>Brands of this site beside those that ship, in the same form (a domain a line, then the owner's other domains); absent = none.</summary>
    public string BrandsFile { get; init; } = "/etc/nfr/brands.txt";

    /// <summary>Where the memory of first-seen domains is kept across restarts; empty = it is not kept.</summary>
    public string FirstSeenFile { get; init; } = "";

    /// <summary>Another scorer whose indicator lists and suffix list this one uses, and does not dispose; null = it reads its own.</summary>
    public Scorer? SharedWith { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
