using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Nfr.Demo;

namespace Nfr.Simulate;

/// <summary>
/// The lists that modules take their destinations from: those that the program brings along (names of RFC 2606, addresses of RFC 5737), or
/// those of a folder. In a folder the start of a file's name says what it is for; the first column that is a name or an address counts.
/// </summary>
public sealed record DestinationLists
{
    /// <summary>Lines beyond that are not read: a simulator visits a handful.</summary>
    public const int MaxLines = 100_000;

    public required DestinationList C2 { get; init; }
    public required DestinationList Sinkholes { get; init; }
    public required DestinationList Irc { get; init; }
    public required DestinationList Pools { get; init; }
    public required DestinationList TorRelays { get; init; }
    public required IReadOnlyList<string> OastDomains { get; init; }
    public required IReadOnlyList<string> ImposterDomains { get; init; }
    public required IReadOnlyList<string> MailDomains { get; init; }

    /// <summary>What the program brings along.</summary>
    public static DestinationLists Shipped => s_shipped.Value;

    // Later than the sample lists, which are read by Parse below.
    static readonly Lazy<DestinationLists> s_shipped = new(() => new DestinationLists
    {
        C2 = SampleFeeds.C2,
        Sinkholes = SampleFeeds.Sinkholes,
        Irc = SampleFeeds.Irc,
        Pools = new DestinationList([.. Enumerable.Range(80, MinerModule.PoolCount).Select(host => new Destination(null, new IPEndPoint(new IPAddress([198, 51, 100, (byte)host]), MinerModule.PoolPort)))]),
        TorRelays = SampleFeeds.TorRelays,
        OastDomains = SampleFeeds.Oast.Domains(),
        ImposterDomains = SampleFeeds.Imposters.Domains(),
        MailDomains = SampleFeeds.MailDomains.Domains(),
    });

    enum Kind { C2, Sinkholes, Irc, Pools, Tor, Oast, Imposters, Mail }

    static readonly (string Prefix, Kind Kind, int Port)[] s_kinds =
    [
        ("c2", Kind.C2, 443), ("feodo", Kind.C2, 443), ("threatfox", Kind.C2, 443), ("botnet", Kind.C2, 443), ("sink", Kind.Sinkholes, 80), ("irc", Kind.Irc, IrcModule.IrcPort),
        ("min", Kind.Pools, MinerModule.PoolPort), ("cryptomining", Kind.Pools, MinerModule.PoolPort), ("tor", Kind.Tor, 443), ("oast", Kind.Oast, 0), ("interactsh", Kind.Oast, 0),
        ("impost", Kind.Imposters, 0), ("impersonat", Kind.Imposters, 0), ("mail", Kind.Mail, 0),
    ];

    /// <summary>
    /// Reads a folder of lists, or one file; what no file is for stays as shipped. Null when it cannot be read; <paramref name="complaint"/>
    /// says why.
    /// </summary>
    public static DestinationLists? Read(string path, out string complaint)
    {
        complaint = "";
        var found = new Dictionary<Kind, List<Destination>>();
        try
        {
            string[] files = File.Exists(path) ? [path] : [.. Directory.EnumerateFiles(path).Order(StringComparer.Ordinal)];
            foreach (string file in files)
            {
                string name = Path.GetFileName(file);
                int at = Array.FindIndex(s_kinds, kind => name.Replace("demo-", "", StringComparison.Ordinal).StartsWith(kind.Prefix, StringComparison.OrdinalIgnoreCase));
                if (at < 0) continue;
                if (!found.TryGetValue(s_kinds[at].Kind, out List<Destination>? list)) found[s_kinds[at].Kind] = list = [];
                list.AddRange(Parse(File.ReadLines(file), s_kinds[at].Port));
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            complaint = $"{path}: {failure.Message}";
            return null;
        }
        if (found.Values.All(list => list.Count == 0))
        {
            complaint = $"{path}: no list in it; files are known by how their names begin: {string.Join(", ", s_kinds.Select(kind => kind.Prefix))}";
            return null;
        }
        DestinationList Of(Kind kind, DestinationList otherwise) => found.TryGetValue(kind, out List<Destination>? list) && list.Count > 0 ? new DestinationList(list) : otherwise;
        IReadOnlyList<string> Names(Kind kind, IReadOnlyList<string> otherwise) => Of(kind, DestinationList.Empty).Domains() is { Length: > 0 } names ? names : otherwise;
        return new DestinationLists
        {
            C2 = Of(Kind.C2, Shipped.C2),
            Sinkholes = Of(Kind.Sinkholes, Shipped.Sinkholes),
            Irc = Of(Kind.Irc, Shipped.Irc),
            Pools = Of(Kind.Pools, Shipped.Pools),
            TorRelays = Of(Kind.Tor, Shipped.TorRelays),
            OastDomains = Names(Kind.Oast, Shipped.OastDomains),
            ImposterDomains = Names(Kind.Imposters, Shipped.ImposterDomains),
            MailDomains = Names(Kind.Mail, Shipped.MailDomains),
        };
    }

    /// <summary>Lines of a plain list, a hosts file, or columns; what is neither name nor address is passed over.</summary>
    /// <param name="lines">The list.</param>
    /// <param name="usualPort">Where a line names an address without a port; 0 = it must name one.</param>
    public static IEnumerable<Destination> Parse(IEnumerable<string> lines, int usualPort)
    {
        foreach (string line in lines.Take(MaxLines))
        {
            string text = line.Trim();
            if (text.Length == 0 || text[0] is '#' or ';') continue;
            string[] columns = [.. text.Split(['\t', ',', ';', ' '], StringSplitOptions.RemoveEmptyEntries).Select(column => column.Trim('"', ' '))];
            for (int i = 0; i < columns.Length; i++)
            {
                if (Host(columns[i]) is not { } host) continue;
                if (IPEndPoint.TryParse(host, out IPEndPoint? server))
                {
                    // A hosts file's own address.
                    if (server.Address.Equals(IPAddress.Any) || IPAddress.IsLoopback(server.Address)) continue;
                    if (server.Port == 0 && i + 1 < columns.Length && ushort.TryParse(columns[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)) server.Port = port;
                    if (server.Port == 0) server.Port = usualPort;
                    if (server.Port != 0) yield return new Destination(null, server, Family(i));
                    break;
                }
                yield return new Destination(host, null, Family(i));
                break;
            }

            string Family(int at) => at + 1 < columns.Length ? columns[^1] : "";
        }
    }

    /// <summary>The host of a URL, a name, or an address with or without port; null when it is none.</summary>
    static string? Host(string text)
    {
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0) text = text[(scheme + 3)..];
        int path = text.IndexOf('/', StringComparison.Ordinal);
        if (path >= 0) text = text[..path];
        if (IPEndPoint.TryParse(text, out IPEndPoint? server)) return text.Contains('.', StringComparison.Ordinal) || server.Address.ToString().Contains(':', StringComparison.Ordinal) ? text : null;
        int port = text.IndexOf(':', StringComparison.Ordinal);
        if (port >= 0) text = text[..port];
        return text.Length <= 253 && s_name.IsMatch(text) ? text : null;
    }

    static readonly Regex s_name = new(@"\A([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+([A-Za-z]{2,63}|xn--[A-Za-z0-9-]{1,59})\z", RegexOptions.CultureInvariant);
}
