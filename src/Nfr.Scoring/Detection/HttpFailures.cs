using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A client that asks one web server for one thing after another that is not there: a search for what may be, or a program whose server is gone. Counted by the path's first part,
/// since a page that fails takes its neighbours with it.
/// </summary>
sealed class HttpFailures(Thresholds thresholds, Findings findings) : Detector
{
    public const string Name = "http_failures";
    /// <summary>0.3 MB. Full: the pair unused longest that has failed but once goes first.</summary>
    internal const int MaxPairs = 1 << 12;

    struct Pair
    {
        public long FirstTick;
        public Distinct Places;
        public int Failed;
        public int Answered;
        public int Unanswered;
    }

    readonly LruTable<Pair> _pairs = new(MaxPairs);

    public override DetectorEvents Sees => DetectorEvents.Http;
    public override DetectorEvents SeesInbound => DetectorEvents.Http;
    public override long Evicted => _pairs.Evicted;
    public override int Tracked => _pairs.Count;

    public override int OnHttp(scoped in HttpEvent e)
    {
        // 401 and 407 ask for a log-in.
        bool failed = e.Status == 0 || (e.Status >= 400 && e.Status is not (401 or 407));
        ulong key = Mix.Of(Mix.Of(e.Context.Source, Mix.Of(e.Context.Destination)), e.Context.DestinationPort);
        int index = failed ? _pairs.GetOrAdd(key, out _) : _pairs.Find(key);
        if (index < 0) return 0;
        ref Pair pair = ref _pairs[index];
        if (pair.Failed == 0 || e.Context.Tick - pair.FirstTick > thresholds.HttpFailuresWindow) pair = new Pair { FirstTick = e.Context.Tick };
        if (!failed)
        {
            pair.Answered++;
            return 0;
        }
        pair.Failed++;
        if (e.Status == 0) pair.Unanswered++;
        if (pair.Failed == 2) _pairs.Protect(index);
        pair.Places.Add(Mix.OfName(FirstPart(e.Url)));
        int places = pair.Places.Count;
        if (places < thresholds.HttpFailedPlaces || pair.Answered * 10 > pair.Failed) return 0;
        int severity = Threats.HttpFailures.Severity;
        ulong finding = Mix.Of(key, (ulong)Detectors.HttpFailures);
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString();
        string server = string.Create(CultureInfo.InvariantCulture, $"{e.Context.Destination} port {e.Context.DestinationPort}");
        double seconds = Math.Max(0, e.Context.Tick - pair.FirstTick) / 1e9;
        findings.Raise(in e, finding, new Finding(Name, $"{source} {server}", Threats.HttpFailures, [],
            string.Create(CultureInfo.InvariantCulture, $"{source} asked {server} in vain for {pair.Failed} things in about {places} places within {seconds:0} s; {pair.Answered} were there."),
            [new("failedPlaces", places, thresholds.HttpFailedPlaces)],
            [new("failed", pair.Failed), new("unanswered", pair.Unanswered), new("answered", pair.Answered), new("seconds", seconds)], count));
        return severity;
    }

    /// <summary>Of "http://host/first/second?query": "first".</summary>
    static ReadOnlySpan<byte> FirstPart(ReadOnlySpan<byte> url)
    {
        int scheme = url.IndexOf("://"u8);
        if (scheme >= 0) url = url[(scheme + 3)..];
        int slash = url.IndexOf((byte)'/');
        if (slash < 0) return default;
        url = url[(slash + 1)..];
        int end = url.IndexOfAny((byte)'/', (byte)'?');
        return end < 0 ? url : url[..end];
    }
}
