using System.Text;
using Nfr.Events;
using Nfr.Scoring.Beacons;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A client that sends far more to one outside destination than is usual for it: bytes of a day against what it sent on its days before, to the one that got most and to all
/// together. A service of many addresses is one destination where its name is known (by a query, a handshake or a request), and a habit of the client where it is not. Where only the client
/// says the name, the address is a destination too, and the one that got more is judged. A client that has been watched for less than a day is held to a higher limit, and told once.
/// </summary>
sealed class UploadVolume(Thresholds thresholds, Func<Address, bool> isHome, DestinationNames names, Findings findings) : Detector
{
    public const string Name = "upload_volume";
    /// <summary>230 KB. Full: the pair unused longest that has sent little goes first.</summary>
    internal const int MaxPairs = 1 << 12;
    /// <summary>370 KB. Full: the client silent longest is new again, clients that have sent much last.</summary>
    internal const int MaxClients = 1 << 11;

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
        public long DayTick;
        /// <summary>Of the day at hand: to all, and to the one that got most.</summary>
        public long Bytes;
        public long Greatest;
        public UsualDay All;
        public UsualDay One;
        public bool IsTold;
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
        ulong clientKey = Mix.Of(e.Context.Source);
        bool named = names.TryFind(in e.Context.Source, in e.Context.Destination, out ulong name, out ReadOnlySpan<byte> text, out bool answered);
        ulong key = Mix.Of(clientKey, named ? name : Mix.Of(e.Context.Destination));
        int at = _clients.GetOrAdd(clientKey, out bool isNew);
        ref Client client = ref _clients[at];
        if (isNew) client = new Client { FirstTick = e.Context.Tick, DayTick = e.Context.Tick };
        else if (e.Context.Tick - client.DayTick >= thresholds.UploadWindow) EndDay(ref client, e.Context.Tick);

        int index = Add(key, in e), other = -1;
        if (named && !answered)
        {
            // A name costs nothing to say: under fifty of them it is still one address.
            ulong address = Mix.Of(clientKey, Mix.Of(e.Context.Destination));
            other = Add(address, in e);
            if (_sums[other].BytesOut > _sums[index].BytesOut) (index, other, key, named) = (other, index, address, false);
        }
        ref Sum sum = ref _sums[index];
        // A call that goes both ways is no upload, and no habit of uploading either.
        bool upload = sum.BytesIn <= sum.BytesOut;
        if (upload)
        {
            client.Bytes += e.PayloadOut;
            client.Greatest = Math.Max(client.Greatest, sum.BytesOut);
        }
        if (sum.BytesOut < thresholds.UploadBytes / 4) return 0;
        _sums.Protect(index);
        _clients.Protect(at);

        bool young = e.Context.Tick - client.FirstTick < thresholds.UploadWindow;
        double usual = client.One.Bytes, usualAll = client.All.Bytes;
        double limit = Math.Max(young ? thresholds.UploadBytes * thresholds.UploadYoungFactor : thresholds.UploadBytes, Math.Max(usual * thresholds.UploadFactor, usualAll));
        ulong finding = Mix.Of(key, (ulong)Detectors.UploadVolume);
        if (sum.BytesOut < limit || !upload)
        {
            findings.Keep(finding, in e);
            return 0;
        }
        int severity = Threats.UploadVolume.Severity;
        // Of the first day only this is known: it sends much. Who hears it once need not hear it of every address of a backup.
        if (sum.IsAlarmed || (young && client.IsTold) || !findings.IsDue(finding, severity, out long count)) return severity;
        sum.IsAlarmed = client.IsTold = true;
        if (other >= 0) _sums[other].IsAlarmed = true;
        string source = e.Context.Source.ToString(), server = named ? Encoding.UTF8.GetString(text) : e.Context.Destination.ToString();
        findings.Raise(in e, finding, new Finding(Name, $"{source} {server}", Threats.UploadVolume, [],
            $"{source} sent {sum.BytesOut / 1e6:0} MB to {server} within {(findings.Now - sum.FirstTick) / 3600e9:0.0} h; on its days before it was usually up to {usual / 1e6:0} MB to one destination and {usualAll / 1e6:0} MB to all.",
            [new("bytesOut", sum.BytesOut, limit)],
            [
                new("usualBytes", usual), new("usualBytesToAll", usualAll), new("usualDays", client.All.Count), new("bytesOutToAll", client.Bytes), new("bytesIn", sum.BytesIn),
                new("watchedHours", (findings.Now - client.FirstTick) / 3600e9), new("port", e.Context.DestinationPort),
            ], count));
        return severity;
    }

    /// <returns>The place of the sum.</returns>
    int Add(ulong key, scoped in IpEvent e)
    {
        int index = _sums.GetOrAdd(key, out bool added);
        ref Sum sum = ref _sums[index];
        if (added || e.Context.Tick - sum.FirstTick > thresholds.UploadWindow) sum = new Sum { FirstTick = e.Context.Tick };
        sum.BytesOut += e.PayloadOut;
        sum.BytesIn += e.PayloadIn;
        return index;
    }

    static void EndDay(ref Client client, long tick)
    {
        client.All.Add(client.Bytes);
        client.One.Add(client.Greatest);
        (client.DayTick, client.Bytes, client.Greatest) = (tick, 0, 0);
    }
}
