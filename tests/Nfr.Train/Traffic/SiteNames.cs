using System.Text;
using Nfr.Scoring.Names;
using Nfr.Train.Data;

namespace Nfr.Train.Traffic;

/// <summary>What people and their devices ask for: sites and services by popularity (few get most of the visits, Zipf), and the names that machines make.</summary>
/// <param name="folder">The folder of the data sets.</param>
sealed class SiteNames
{
    readonly string[] _sites, _services;
    readonly Dictionary<string, string[]> _hostsOf;

    public SiteNames(string folder)
    {
        // A domain is the more popular the more lists hold it; among equals by lot.
        (string Domain, int Lists)[] sites = [.. ScoringData.Rows(Path.Combine(folder, "benign", "domains.tsv")).Where(r => r.Length < 3 || r[2].Length == 0)
            .Select(r => (r[0], r[1].Split(',').Length)).OrderByDescending(s => s.Item2).ThenBy(s => DgaFeatures.StableHash(Encoding.UTF8.GetBytes(s.Item1)))];
        _sites = [.. sites.Select(s => s.Domain)];
        Dictionary<string, int> lists = sites.ToDictionary(s => s.Domain, s => s.Lists);
        string[][] hosts = [.. ScoringData.Rows(Path.Combine(folder, "benign", "umbrella_fqdn.tsv"))];
        _services = [.. hosts.OrderByDescending(h => lists.GetValueOrDefault(h[1])).ThenBy(h => DgaFeatures.StableHash(Encoding.UTF8.GetBytes(h[0]))).Select(h => h[0])];
        _hostsOf = hosts.GroupBy(h => h[1]).ToDictionary(g => g.Key, g => g.Select(h => h[0]).ToArray());
    }

    public int Sites => _sites.Length;

    static int Zipf(Random random, int count) => Math.Min(count - 1, (int)Math.Exp(random.NextDouble() * Math.Log(count)));

    public string Site(Random random) => _sites[Zipf(random, _sites.Length)];

    /// <summary>What a page of a site has its browser ask for: the site, some of its hosts, and those who count, show and deliver for it.</summary>
    public IEnumerable<string> Page(Random random, string site)
    {
        yield return random.Next(4) == 0 ? site : "www." + site;
        if (_hostsOf.TryGetValue(site, out string[]? own))
        {
            for (int i = random.Next(4); i > 0; i--) yield return own[random.Next(own.Length)];
        }
        for (int i = random.Next(3, 10); i > 0; i--) yield return _services[Zipf(random, _services.Length)];
        if (random.Next(4) == 0) yield return Machine(random);
    }

    /// <summary>
    /// A host that a cloud named. Each kind has so many of them near a site, a few of which get most of the visits; the frames of advertisements alone are new every time.
    /// </summary>
    public static string Machine(Random random)
    {
        int kind = random.Next(s_machines.Length);
        (int count, Func<Random, string> make) = s_machines[kind];
        return make(count == 0 ? random : new Random((kind * 1_000_000) + Zipf(random, count)));
    }

    const string Hex = "0123456789abcdef", Letters = "abcdefghijklmnopqrstuvwxyz", Digits = "0123456789", Base32 = "abcdefghijklmnopqrstuvwxyz234567";

    static readonly (int Count, Func<Random, string> Make)[] s_machines =
    [
        (8000, r => $"d{Text(r, 13, Letters + Digits)}.cloudfront.net"),
        (400, r => $"rr{r.Next(1, 9)}---sn-{Text(r, 8, Base32)}.googlevideo.com"),
        (0, r => $"{Text(r, 32, Hex)}.safeframe.googlesyndication.com"),
        (3000, r => $"e{r.Next(1000, 30_000)}.dsc{(char)('a' + r.Next(7))}.akamaiedge.net"),
        (3000, r => $"{Text(r, 10, Letters)}{r.Next(100)}.blob.core.windows.net"),
        (60, r => $"scontent-{Text(r, 3, "abcdefgimnorstu")}{r.Next(1, 9)}-{r.Next(1, 3)}.xx.fbcdn.net"),
        (2000, r => $"ec2-{r.Next(3, 54)}-{r.Next(256)}-{r.Next(256)}-{r.Next(256)}.eu-west-1.compute.amazonaws.com"),
        (20, r => $"{Text(r, 8, Hex)}-{Text(r, 4, Hex)}-4{Text(r, 3, Hex)}-a{Text(r, 3, Hex)}-{Text(r, 12, Hex)}.cdn.office.net"),
        (200, r => $"ipv4-c{r.Next(1, 400):000}-{Text(r, 3, "abcdefgimnorstu")}001-ix.1.oca.nflxvideo.net"),
    ];

    /// <summary>A virus scanner asks about a file or an address, a browser's extension about a page.</summary>
    public static (string Name, ushort Type) Reputation(Random random) => random.Next(4) switch
    {
        0 => ($"0.0.0.0.1.0.0.4e.{Text(random, 26, Letters + Digits)}.avqs.mcafee.com", 1),
        1 => ($"{random.Next(256)}.{random.Next(256)}.{random.Next(256)}.{random.Next(256)}.ip.{Text(random, 6, Hex)}.sophosxl.net", 16),
        2 => ($"{Text(random, 40, Hex)}.malware.hash.cymru.com", 16),
        _ => ($"{Text(random, 32, Base32)}.a.k.e5.sk", 16),
    };

    /// <summary>A mail server asks block lists about a sender and about the links in a mail.</summary>
    public IEnumerable<string> BlockLists(Random random)
    {
        string address = $"{random.Next(1, 224)}.{random.Next(256)}.{random.Next(256)}.{random.Next(256)}";
        foreach (string list in new[] { "zen.spamhaus.org", "bl.spamcop.net", "b.barracudacentral.org", "list.dnswl.org", "ix.dnsbl.manitu.net", "bl.mailspike.net" }) yield return $"{address}.{list}";
        string link = Site(random);
        foreach (string list in new[] { "dbl.spamhaus.org", "multi.surbl.org", "multi.uribl.com" }) yield return $"{link}.{list}";
        yield return $"{Text(random, 40, Hex)}.ebl.msbl.org";
    }

    /// <summary>A popular name with a slip of the finger; most of them exist.</summary>
    public string Typo(Random random)
    {
        string site = Site(random);
        int dot = site.IndexOf('.', StringComparison.Ordinal), at = random.Next(dot);
        return "www." + random.Next(4) switch
        {
            0 when dot > 3 => site.Remove(at, 1),
            1 => site.Insert(at, site[at].ToString()),
            2 when at + 1 < dot => site[..at] + site[at + 1] + site[at] + site[(at + 2)..],
            _ => site[..at] + (char)('a' + random.Next(26)) + site[(at + 1)..],
        };
    }

    public static string Text(Random random, int length, string letters) => string.Create(length, (random, letters), static (span, from) =>
    {
        for (int i = 0; i < span.Length; i++) span[i] = from.letters[from.random.Next(from.letters.Length)];
    });
}
