using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A client that sends far more to one outside destination than it ever sent to any: bytes of a day against its own greatest day, which fades by half a week.
/// A client that has been watched for less than a day is held to a higher limit.
/// </summary>
sealed class UploadVolume(Thresholds thresholds, Func<Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "upload_volume";
    /// <summary>230 KB. Full: the pair unused longest that has sent little goes first.</summary>
    internal const int MaxPairs = 1 << 12;
    /// <summary>100 KB. Full: the client silent longest is new again.</summary>
    internal const int MaxClients = 1 << 11;
    const double Week = 7.0 * 24 * 3600 * 1e9;

    struct Sum
    {
        public long FirstTick;
        public long BytesOut;
        public long BytesIn;
        public bool IsAlarmed;
    }

    struct Client
    {
        public long FirstTick;
        public long UsualTick;
        public double Usual;
    }

    readonly LruTable<Sum> _sums = new(MaxPairs);
    readonly LruTable<Client> _clients = new(MaxClients);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override long Evicted => _sums.Evicted + _clients.Evicted;
    public override int Tracked => _sums.Count + _clients.Count;

    public override int OnIp(scoped in IpEvent e)
    {
        // What is below this is neither an upload nor a habit of uploading.
        if (e.PayloadOut < thresholds.UploadLeastFlow || !isHome(e.Context.Source) || isHome(e.Context.Destination) || SpecialAddresses.IsBroadcastOrMulticast(e.Context.Destination)) return 0;
        ulong clientKey = Mix.Of(e.Context.Source), key = Mix.Of(clientKey, Mix.Of(e.Context.Destination));
        int at = _clients.GetOrAdd(clientKey, out bool isNew);
        ref Client client = ref _clients[at];
        if (isNew) client = new Client { FirstTick = e.Context.Tick, UsualTick = e.Context.Tick };

        int index = _sums.GetOrAdd(key, out bool added);
        ref Sum sum = ref _sums[index];
        if (added || e.Context.Tick - sum.FirstTick > thresholds.UploadWindow)
        {
            if (!added) Learn(ref client, sum.BytesOut);
            sum = new Sum { FirstTick = e.Context.Tick };
        }
        sum.BytesOut += e.PayloadOut;
        sum.BytesIn += e.PayloadIn;
        if (sum.BytesOut < thresholds.UploadBytes / 4) return 0;
        _sums.Protect(index);

        bool young = findings.Now - client.FirstTick < thresholds.UploadWindow;
        double usual = client.Usual * Math.Pow(0.5, Math.Max(0, findings.Now - client.UsualTick) / Week);
        double limit = Math.Max(young ? thresholds.UploadBytes * thresholds.UploadYoungFactor : thresholds.UploadBytes, usual * thresholds.UploadFactor);
        ulong finding = Mix.Of(key, (ulong)Detectors.UploadVolume);
        if (sum.BytesOut < limit || sum.BytesIn > sum.BytesOut)
        {
            findings.Keep(finding, in e);
            return 0;
        }
        int severity = Threats.UploadVolume.Severity;
        if (sum.IsAlarmed || !findings.IsDue(finding, severity, out long count)) return severity;
        sum.IsAlarmed = true;
        string source = e.Context.Source.ToString(), server = e.Context.Destination.ToString();
        findings.Raise(in e, finding, new Finding(Name, $"{source} {server}", Threats.UploadVolume, [],
            $"{source} sent {sum.BytesOut / 1e6:0} MB to {server} within {(findings.Now - sum.FirstTick) / 3600e9:0.0} h; its greatest day to one destination was {usual / 1e6:0} MB.",
            [new("bytesOut", sum.BytesOut, limit)],
            [new("usualBytes", usual), new("bytesIn", sum.BytesIn), new("watchedHours", (findings.Now - client.FirstTick) / 3600e9), new("port", e.Context.DestinationPort)], count));
        return severity;
    }

    void Learn(ref Client client, long bytes)
    {
        double faded = client.Usual * Math.Pow(0.5, Math.Max(0, findings.Now - client.UsualTick) / Week);
        client.Usual = Math.Max(faded, bytes);
        client.UsualTick = findings.Now;
    }
}
