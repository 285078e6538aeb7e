using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// One client with low findings of several different kinds within a few hours. Kinds that one cause can bring about together (names that fail, requests that fail,
/// connections that are reset) are one kind, and what is a matter of policy is none: who uses a VPN and plays is not infected. <see cref="Findings"/> tells it of each
/// finding that is raised; it sees no events.
/// </summary>
sealed class SuspiciousCluster(Thresholds thresholds, Func<Address, bool> isHome) : Detector
{
    public const string Name = "suspicious_cluster";
    /// <summary>0.1 MB, and the summaries of the findings, 0.5 MB at most. Full: the client unused longest goes first, those with two kinds last.</summary>
    internal const int MaxClients = 1 << 8;
    /// <summary>What is graver is told for itself.</summary>
    const int Low = 2;

    enum Kind : byte
    {
        Names,
        Failures,
        Rhythm,
        Volumes,
        Ports,
        Attempts,
        Evasion,
        Count,
    }

    static readonly FrozenDictionary<string, Kind> s_kinds = new Dictionary<string, Kind>(StringComparer.Ordinal)
    {
        [Threats.YoungDomain.Id] = Kind.Names, [Threats.BadTld.Id] = Kind.Names, [Threats.Imposter.Id] = Kind.Names, [Threats.YoungImposter.Id] = Kind.Names, [Threats.YoungBrandName.Id] = Kind.Names,
        [Threats.DnsFailures.Id] = Kind.Failures, [Threats.UnreachableDomains.Id] = Kind.Failures, [Threats.HttpFailures.Id] = Kind.Failures, [Threats.ManyResets.Id] = Kind.Failures,
        [Threats.SuspiciousDomainBeacon.Id] = Kind.Rhythm,
        [Threats.UploadVolume.Id] = Kind.Volumes, [Threats.LongSession.Id] = Kind.Volumes, [Threats.HighVolumeSsh.Id] = Kind.Volumes, [Threats.HighVolumeFtp.Id] = Kind.Volumes,
        [Threats.UnusualNetworkPort.Id] = Kind.Ports, [Threats.ConnUnusualPortVolume.Id] = Kind.Ports, [Threats.BadPort.Id] = Kind.Ports,
        [Threats.PingSweep.Id] = Kind.Attempts, [Threats.InternalPortScan.Id] = Kind.Attempts, [Threats.OutboundPortScan.Id] = Kind.Attempts, [Threats.LateralMovement.Id] = Kind.Attempts,
        [Threats.PasswordGuessing.Id] = Kind.Attempts, [Threats.PasswordSpraying.Id] = Kind.Attempts,
        [Threats.AmbiguousTraffic.Id] = Kind.Evasion, [Threats.FragmentedIcmp.Id] = Kind.Evasion, [Threats.IcmpTunneling.Id] = Kind.Evasion, [Threats.NotDns.Id] = Kind.Evasion,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The gravest finding of a kind within the window.</summary>
    struct Lesser
    {
        public long Tick;
        public int Severity;
        public string? Threat;
        public string? Summary;
        public string? Id;
    }

    [InlineArray((int)Kind.Count)]
    struct Kinds
    {
        Lesser _first;
    }

    readonly LruTable<Kinds> _clients = new(MaxClients);

    public override DetectorEvents Sees => DetectorEvents.None;
    public override long Evicted => _clients.Evicted;
    public override int Tracked => _clients.Count;

    /// <summary>Notes a finding of a client.</summary>
    /// <param name="client">The alert's source.</param>
    /// <param name="what">The finding.</param>
    /// <param name="id">Of its alert.</param>
    /// <param name="now">Greatest tick.</param>
    /// <param name="finding">Key of the cluster's own finding.</param>
    /// <param name="cluster">What it says; its count is not set.</param>
    /// <returns>Whether there is a cluster now.</returns>
    public bool Adds(in Address client, in Finding what, string id, long now, out ulong finding, out Finding cluster)
    {
        (finding, cluster) = (0, default);
        if (what.Threat.Severity > Low || what.Threat.Policy || !s_kinds.TryGetValue(what.Threat.Id, out Kind kind) || !isHome(client)) return false;
        ulong key = Mix.Of(client);
        int index = _clients.GetOrAdd(key, out _);
        ref Kinds kinds = ref _clients[index];
        ref Lesser low = ref kinds[(int)kind];
        if (low.Threat is null || now - low.Tick > thresholds.ClusterWindow || what.Threat.Severity >= low.Severity)
        {
            low = new Lesser { Tick = now, Severity = what.Threat.Severity, Threat = what.Threat.Id, Summary = what.Summary, Id = id };
        }
        int count = 0, points = 0;
        for (int i = 0; i < (int)Kind.Count; i++)
        {
            if (kinds[i].Threat is null || now - kinds[i].Tick > thresholds.ClusterWindow) continue;
            count++;
            points += kinds[i].Severity;
        }
        if (count > 1) _clients.Protect(index);
        if (count < thresholds.ClusterKinds || points < thresholds.ClusterPoints) return false;
        finding = Mix.Of(key, (ulong)Detectors.SuspiciousCluster);
        cluster = Describe(in client, in kinds, count, points, now);
        return true;
    }

    Finding Describe(in Address client, in Kinds kinds, int count, int points, long now)
    {
        string source = client.ToString();
        var facts = new List<EvidenceValue>();
        var ids = new List<string>();
        for (int i = 0; i < (int)Kind.Count; i++)
        {
            Lesser low = kinds[i];
            if (low.Threat is null || now - low.Tick > thresholds.ClusterWindow) continue;
            ids.Add(low.Threat);
            facts.Add(new EvidenceValue($"finding{ids.Count}", low.Severity, $"{low.Threat} (alert {low.Id}, {(now - low.Tick) / 1_000_000_000} s ago): {low.Summary}"));
        }
        facts.Add(new EvidenceValue("windowSeconds", thresholds.ClusterWindow / 1e9));
        return new Finding(Name, source, Threats.SuspiciousCluster, [], $"{source} was found to do {count} different things within {thresholds.ClusterWindow / 3_600_000_000_000} h that are little alone: {string.Join(", ", ids)}.",
            [new("kinds", count, thresholds.ClusterKinds, 0.5), new("severities", points, thresholds.ClusterPoints, 0.5)], facts, 0);
    }
}
