using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Names;

/// <summary>Top-level domains in which malware and fraud are common out of proportion: free or nearly free to register. A trait, never a reason alone.</summary>
static class OddTopLevels
{
    const string Text =
        "tk ml ga cf gq top xyz icu cyou click sbs cfd bond rest monster quest buzz surf cam work loan men date win bid stream download racing review " +
        "accountant science party faith cricket trade gdn kim country zip mov lol hair beauty skin makeup boats autos mom su pw cc ws bar okinawa uno";

    static readonly HashSet<ulong> s_set = [.. Text.Split(' ').Select(t => Mix.OfName(System.Text.Encoding.ASCII.GetBytes(t)))];

    /// <param name="name">A name without its last dot.</param>
    public static bool Holds(ReadOnlySpan<byte> name) => s_set.Contains(Mix.OfName(name[(name.LastIndexOf((byte)'.') + 1)..]));
}
