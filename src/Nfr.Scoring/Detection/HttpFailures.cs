using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A client that asks one web server for one thing after another that is not there: a search for what may be, or a program whose server is gone. Counted by the path's first part,
/// since a page that fails takes its neighbours with it. Strangers search every public server all day: of all of them together it is told once a day for each server.
/// </summary>
sealed class HttpFailures(Thresholds thresholds, Func<Address, bool> isHome, MirrorSides sides, Findings findings) : Detector
{
    public const string Name = "http_failures";
    /// <summary>0.3 MB. Full: the pair unused longest that has failed but once goes first.</summary>
    internal const int MaxPairs = 1 << 12;
    const byte Tcp = 6;

    struct Pair
    {
        public long FirstTick;
        public Distinct Places;
        public int Failed;
        public int Answered;
        public int Unanswered;
        /// <summary>The server is seen to send something.</summary>
        public bool IsHeard;
        /// <summary>All failed without an answer, and what their connection was like is not known.</summary>
        public bool IsPending;
    }

    readonly LruTable<Pair> _pairs = new(MaxPairs);

    public override DetectorEvents Sees => DetectorEvents.Http | DetectorEvents.Ip;
    public override DetectorEvents SeesInbound => DetectorEvents.Http | DetectorEvents.Ip;
    public override long Evicted => _pairs.Evicted;
    public override int Tracked => _pairs.Count;

    static ulong ServerOf(scoped in EventContext context) => Mix.Of(context.Destination, context.DestinationPort);

    /// <summary>An upload of the API's fields does not say where the server is, but its URL names it.</summary>
    static ulong ServerOf(scoped in HttpEvent e) => e.Context.Destination == default ? Mix.OfName(UrlHost.Of(e.Url)) : ServerOf(in e.Context);

    public override int OnHttp(scoped in HttpEvent e)
    {
        if (e.Status == 0 && sides.AreOne) return 0;
        // 401 and 407 ask for a log-in.
        bool failed = e.Status == 0 || (e.Status >= 400 && e.Status is not (401 or 407));
        ulong key = Mix.Of(e.Context.Source, ServerOf(in e));
        int index = failed ? _pairs.GetOrAdd(key, out _) : _pairs.Find(key);
        if (index < 0) return 0;
        ref Pair pair = ref _pairs[index];
        if (pair.Failed == 0 || e.Context.Tick - pair.FirstTick > thresholds.HttpFailuresWindow) pair = new Pair { FirstTick = e.Context.Tick, IsHeard = pair.IsHeard };
        pair.IsHeard |= e.Status != 0;
        if (!failed)
        {
            pair.Answered++;
            return 0;
        }
        pair.Failed++;
        if (e.Status == 0) pair.Unanswered++;
        if (pair.Failed == 2) _pairs.Protect(index);
        pair.Places.Add(Mix.OfName(FirstPart(e.Url)));
        if (!IsTooMuch(in pair)) return 0;
        ulong finding = FindingOf(in e.Context, key);
        pair.IsPending = !pair.IsHeard;
        if (pair.IsPending || !IsDue(in e.Context, finding, out long count))
        {
            findings.Keep(finding, in e);
            return pair.IsPending ? 0 : Threats.HttpFailures.Severity;
        }
        findings.Raise(in e, finding, Describe(in e.Context, UrlHost.Of(e.Url), in pair, count));
        return Threats.HttpFailures.Severity;
    }

    /// <summary>Requests without an answer are told when their connection ends, and then it follows itself: it says whether the server was silent, or the mirror shows but one side.</summary>
    public override int OnIp(scoped in IpEvent e)
    {
        if (e.Context.Protocol != Tcp) return 0;
        ulong key = Mix.Of(e.Context.Source, ServerOf(in e.Context));
        int index = _pairs.Find(key);
        if (index < 0) return 0;
        ref Pair pair = ref _pairs[index];
        pair.IsHeard |= e.PacketsIn > 0;
        if (!pair.IsHeard && FirstContact.Of(in e, out _) == ContactOutcome.OneSided) pair = default;
        if (!pair.IsPending) return 0;
        pair.IsPending = false;
        ulong finding = FindingOf(in e.Context, key);
        if (IsDue(in e.Context, finding, out long count)) findings.Raise(in e, finding, Describe(in e.Context, default, in pair, count));
        return Threats.HttpFailures.Severity;
    }

    bool IsTooMuch(in Pair pair) => pair.Places.Count >= thresholds.HttpFailedPlaces && pair.Answered * 10 <= pair.Failed;

    ulong FindingOf(scoped in EventContext context, ulong key) => Mix.Of(isHome(context.Source) ? key : ServerOf(in context), (ulong)Detectors.HttpFailures);

    bool IsDue(scoped in EventContext context, ulong finding, out long count) =>
        findings.IsDue(finding, Threats.HttpFailures.Severity, isHome(context.Source) ? thresholds.QuietInterval : thresholds.HabitInterval, out count);

    Finding Describe(scoped in EventContext context, ReadOnlySpan<byte> host, in Pair pair, long count)
    {
        string source = context.Source.ToString();
        string server = context.Destination == default ? Encoding.UTF8.GetString(host) : string.Create(CultureInfo.InvariantCulture, $"{context.Destination} port {context.DestinationPort}");
        double seconds = Math.Max(0, findings.Now - pair.FirstTick) / 1e9;
        int places = pair.Places.Count;
        return new Finding(Name, $"{(isHome(context.Source) ? source : "outside")} {server}", Threats.HttpFailures, [],
            string.Create(CultureInfo.InvariantCulture, $"{source} asked {server} in vain for {pair.Failed} things in about {places} places within {seconds:0} s; {pair.Answered} were there."),
            [new("failedPlaces", places, thresholds.HttpFailedPlaces)],
            [new("failed", pair.Failed), new("unanswered", pair.Unanswered), new("answered", pair.Answered), new("seconds", seconds)], count);
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
