using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// What a resolver's queries were found with. A query that waits is spooled before it is judged, and so without its score; but the next one for the same registered domain, which
/// waits as well, has the severity of the one before.
/// </summary>
sealed class HeldScores(PublicSuffixList suffixes)
{
    /// <summary>40 KB of resolver and domain. Full: the one unused longest is forgotten.</summary>
    const int Max = 1 << 10;
    const long Day = 86_400L * 1_000_000_000;

    struct Told
    {
        public long Tick;
        public int Severity;
    }

    readonly LruTable<Told> _told = new(Max);

    public void Note(scoped in DnsEvent e, int severity, long now)
    {
        if (severity > 0) _told[_told.GetOrAdd(KeyOf(in e), out _)] = new Told { Tick = now, Severity = severity };
    }

    public int Of(scoped in DnsEvent e, long now)
    {
        if (_told.Count == 0) return 0;
        int index = _told.Find(KeyOf(in e));
        return index >= 0 && now - _told[index].Tick <= Day ? _told[index].Severity : 0;
    }

    ulong KeyOf(scoped in DnsEvent e) => Mix.Of(e.Context.Source, Mix.OfName(e.Query[suffixes.RegisteredStart(e.Query, out _, out _)..]));
}
