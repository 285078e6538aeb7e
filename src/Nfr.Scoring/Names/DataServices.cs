using System.Text;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Names;

/// <summary>
/// Well-known services that are asked by names which carry what is asked about: block lists of senders and links (RFC 5782), the look-ups of virus
/// scanners, measurements of the network. Nobody but their owners can answer under them, so they are no tunnel out of the house.
/// </summary>
static class DataServices
{
    const string Domains =
        // Block and allow lists.
        "spamhaus.org spamhaus.net spamcop.net surbl.org uribl.com barracudacentral.org dnswl.org sorbs.net mailspike.net abuseat.org uceprotect.net "
        + "backscatterer.org senderscore.com msbl.org junkemailfilter.com support-intelligence.net nszones.com surriel.com blocklist.de isipp.com dronebl.org "
        + "tornevall.org efnetrbl.org gbudb.net spameatingmonkey.net 0spam.org interserver.net mailblacklist.com s5h.net wpbl.info zapbl.net abuse.ch "
        // Reputation of files and links.
        + "sophosxl.net mcafee.com e5.sk eset.com ctmail.com cymru.com trendmicro.com fortiguard.net avast.com clamav.net bitdefender.net f-secure.com "
        + "kaspersky-labs.com "
        // Measurements.
        + "gstatic.com apnic.net";

    static readonly HashSet<ulong> s_domains = [.. Domains.Split(' ').Select(d => Mix.OfName(Encoding.ASCII.GetBytes(d)))];

    /// <param name="registered">A registered domain.</param>
    public static bool Contains(ReadOnlySpan<byte> registered) => s_domains.Contains(Mix.OfName(registered));
}
