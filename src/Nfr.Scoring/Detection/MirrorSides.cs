using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Whether the mirror shows both directions of a site's traffic, told from its TCP connections: one whose client acknowledges or sends data was answered, and one whose server sends
/// data was asked, though that side's packets are not seen. Where this is common, what nobody is seen to answer has not failed, and what nobody is seen to ask for is no surprise.
/// </summary>
/// <remarks>
/// A flow can be made to look like that. So it takes a fifth of the connections of the last quarter of an hour or two, and some number of them; those of strangers do not count, nor those whose
/// packets nobody counted.
/// </remarks>
sealed class MirrorSides(Thresholds thresholds, Func<Address, bool> isHome, Findings findings)
{
    /// <summary>60 KB. One on board, one a partition else. Full: the one silent longest begins anew.</summary>
    internal const int MaxSites = 1 << 10;
    const ulong OnlySite = 1;
    const byte Tcp = 6;
    /// <summary>One-sided connections for how many two-sided ones.</summary>
    const int Share = 4;
    /// <summary>Connections from which it is told at all: a few odd ones of a quiet hour say nothing.</summary>
    const int Least = 20;

    struct Site
    {
        public long FirstTick;
        public int Both;
        public int One;
    }

    readonly LruTable<Site> _sites = new(MaxSites);

    /// <summary>Called for each flow before the detectors are.</summary>
    public void Note(scoped in IpEvent e)
    {
        // Without packets there were only sums of bytes: what else there was is not known.
        if (e.Context.Protocol != Tcp || e.PacketsOut + e.PacketsIn == 0 || !isHome(e.Context.Source)) return;
        bool both = e.PayloadIn > 0 && e.PacketsOut > 0;
        bool one = !both && (FirstContact.Of(in e, out _) == ContactOutcome.OneSided || (e.PacketsOut == 0 && e.PayloadIn > 0));
        if (!both && !one) return;
        int index = _sites.GetOrAdd(OnlySite, out bool added);
        ref Site site = ref _sites[index];
        if (added) site.FirstTick = findings.Now;
        else if (findings.Now - site.FirstTick >= thresholds.ScanWindow)
        {
            bool isOld = findings.Now - site.FirstTick >= 2 * thresholds.ScanWindow;
            site = new Site { FirstTick = findings.Now, Both = isOld ? 0 : site.Both / 2, One = isOld ? 0 : site.One / 2 };
        }
        if (both) site.Both++;
        else site.One++;
    }

    /// <summary>Of the site at hand.</summary>
    public bool AreOne
    {
        get
        {
            int index = _sites.Find(OnlySite);
            if (index < 0) return false;
            ref Site site = ref _sites[index];
            return site.One + site.Both >= Least && site.One * Share >= site.Both && findings.Now - site.FirstTick < 2 * thresholds.ScanWindow;
        }
    }
}
