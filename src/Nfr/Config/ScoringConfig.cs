using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Indicators;
using Nfr.Scoring;
using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>scoring: the detectors on board.</summary>
public sealed record ScoringConfig
{
    public bool Enabled { get; init; } = true;
    /// <summary>Folders of indicator lists, absolute; they need not exist.</summary>
    public IReadOnlyList<string> FeedFolders { get; init; } = ["/etc/nfr/feeds"];
    /// <summary>Lists that are fetched.</summary>
    public IReadOnlyList<FeedConfig> FeedUrls { get; init; } = [];

    /// <summary>Ports that nobody should use, in TCP and in UDP.</summary>
    public IReadOnlyList<ushort> BadTcpPorts { get; init; } = new Thresholds().BadTcpPorts;
    public IReadOnlyList<ushort> BadUdpPorts { get; init; } = new Thresholds().BadUdpPorts;

    /// <summary>The first folder; where there is none, where it would be by default.</summary>
    public string Feeds { get; init; } = "/etc/nfr/feeds";

    internal static ScoringConfig Read(Section s, string folder)
    {
        bool enabled = s.Flag("enabled", true);
        List<string> folders = [];
        List<FeedConfig> urls = [];
        bool any = false;
        foreach ((YamlText? text, Section? section) in s.Mixed("feeds", "a folder, or the https:// address of a list"))
        {
            any = true;
            if (section is not null) FeedConfig.ReadItem(section, folders, urls);
            else if (text!.Text.Contains("://", StringComparison.Ordinal))
            {
                if (FeedConfig.TryUrl(text.Text, out Uri url, out string reason)) urls.Add(new FeedConfig { Url = url, Name = FeedConfig.NameOf(url), Line = text.Line });
                else s.FaultAt(text.Line, "feeds", reason);
            }
            else if (text.Text.Contains('\0', StringComparison.Ordinal)) s.FaultAt(text.Line, "feeds", "a path cannot hold a zero byte");
            else folders.Add(s.FullPath(text.Text));
        }
        foreach (IGrouping<string, FeedConfig> same in urls.GroupBy(u => u.Name).Where(g => g.Count() > 1))
            s.FaultAt(same.Last().Line, "feeds", $"two feeds are called \"{same.Key}\"; give one of them another name");
        if (urls.Count > FeedConfig.MaxFeeds) s.FaultAt(urls[FeedConfig.MaxFeeds].Line, "feeds", $"more than {FeedConfig.MaxFeeds} addresses");
        (IReadOnlyList<ushort> tcp, IReadOnlyList<ushort> udp) = ReadBadPorts(s);
        s.End();
        string fallback = Path.Combine(folder, "feeds");
        return new ScoringConfig
        {
            Enabled = enabled, FeedFolders = any ? folders : [fallback], FeedUrls = urls, Feeds = folders.Count > 0 ? folders[0] : fallback, BadTcpPorts = tcp, BadUdpPorts = udp,
        };
    }

    /// <summary>"tcp/31337", "udp/7000-7010", "9" (both); "default" stands for those that are built in, and the empty list for none.</summary>
    static (IReadOnlyList<ushort> Tcp, IReadOnlyList<ushort> Udp) ReadBadPorts(Section s)
    {
        const string Key = "bad_ports";
        var defaults = new Thresholds();
        IReadOnlyList<(string Text, int Line)> entries = s.Entries(Key);
        if (!s.Has(Key)) return (defaults.BadTcpPorts, defaults.BadUdpPorts);
        SortedSet<ushort> tcp = [], udp = [];
        foreach ((string text, int line) in entries)
        {
            if (text.Equals("default", StringComparison.OrdinalIgnoreCase))
            {
                tcp.UnionWith(defaults.BadTcpPorts);
                udp.UnionWith(defaults.BadUdpPorts);
                continue;
            }
            int slash = text.IndexOf('/', StringComparison.Ordinal);
            string protocol = slash < 0 ? "" : text[..slash].ToLowerInvariant();
            string[] ends = text[(slash + 1)..].Split('-');
            if (protocol is not ("" or "tcp" or "udp"))
            {
                s.FaultAt(line, Key, $"\"{text}\": expected tcp or udp before the slash");
            }
            else if (ends.Length > 2 || !TryPort(ends[0], out ushort first) || !TryPort(ends[^1], out ushort last))
            {
                s.FaultAt(line, Key, $"\"{text}\": expected a port from 1 to 65535, a range such as tcp/6000-6063, or default");
            }
            else if (first > last)
            {
                s.FaultAt(line, Key, $"\"{text}\": the range ends before it begins; write {last}-{first}");
            }
            else
            {
                for (int port = first; port <= last; port++)
                {
                    if (protocol != "udp") tcp.Add((ushort)port);
                    if (protocol != "tcp") udp.Add((ushort)port);
                }
            }
        }
        return ([.. tcp], [.. udp]);
    }

    static bool TryPort(string text, out ushort port) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port > 0;
}

/// <summary>An item of scoring.feeds: a list that is fetched.</summary>
public sealed record FeedConfig
{
    public const int MaxFeeds = 64;
    const int MaxName = 100;

    public required Uri Url { get; init; }
    /// <summary>The file's name in the cache, and what alerts call the list unless it names itself.</summary>
    public required string Name { get; init; }
    /// <summary>Whether the name is the config's own: then alerts use it.</summary>
    public bool IsNamed { get; init; }
    public AlertThreat? Threat { get; init; }
    public IReadOnlyList<string>? Flags { get; init; }
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(1);
    public ListFormat Format { get; init; }
    public bool Exact { get; init; }
    public bool Trusted { get; init; }
    public long MaxSize { get; init; } = 64L << 20;
    public int Line { get; init; }

    internal static void ReadItem(Section s, List<string> folders, List<FeedConfig> urls)
    {
        string? folder = s.FilePath("folder", null);
        string? address = s.Text("url");
        string? name = s.Text("name");
        string? threatId = s.Text("threat");
        IReadOnlyList<string> flags = s.Texts("flags");
        TimeSpan interval = s.Duration("interval", TimeSpan.FromHours(1), TimeSpan.FromMinutes(1), TimeSpan.FromDays(30));
        string format = s.Choice("format", "auto", "auto", "plain", "hosts", "csv", "json");
        string match = s.Choice("match", "domain", "domain", "exact");
        bool trusted = s.Flag("trusted", false);
        long maxSize = s.Size("max_size", 64L << 20, 1L << 10, 1L << 30);
        s.End();
        // Only the names of the keys were asked for.
        if (!s.Present) return;
        if (folder is not null)
        {
            if (address is not null) s.Fault("folder", "an item is a folder or a url, not both");
            else folders.Add(folder);
            return;
        }
        if (address is null)
        {
            s.Fault("", "an item needs a url, or a folder");
            return;
        }
        if (!TryUrl(address, out Uri url, out string reason))
        {
            s.Fault("url", reason);
            return;
        }
        AlertThreat? threat = null;
        if (threatId is not null)
        {
            if (Threats.TryFind(threatId, out AlertThreat found)) threat = found;
            else s.Fault("threat", $"unknown threat \"{threatId}\"{(Nearest.To(threatId, Threats.All.Select(t => t.Id)) is { } near ? $"; did you mean \"{near}\"?" : "")}");
        }
        if (name is not null && !IsName(name))
        {
            s.Fault("name", "expected letters, digits, dots, dashes and underscores, beginning with a letter or digit");
            return;
        }
        urls.Add(new FeedConfig
        {
            Url = url, Name = name ?? NameOf(url), IsNamed = name is not null, Threat = threat, Flags = flags.Count > 0 ? flags : null, Interval = interval,
            Format = Enum.Parse<ListFormat>(format, ignoreCase: true), Exact = match == "exact", Trusted = trusted, MaxSize = maxSize, Line = s.Line,
        });
    }

    /// <summary>A list decides who is called bad, so nobody on the way may write it: https, but for this machine itself.</summary>
    internal static bool TryUrl(string text, out Uri url, out string reason)
    {
        bool parsed = Uri.TryCreate(text, UriKind.Absolute, out Uri? uri);
        url = uri!;
        reason = !parsed || url.Host.Length == 0 ? $"\"{text}\" is no address; write https://host/path"
            : url.Scheme != Uri.UriSchemeHttps && !(url.Scheme == Uri.UriSchemeHttp && url.IsLoopback) ? $"lists are fetched over https, not {url.Scheme}; whoever sits on the way could change them"
            : url.UserInfo.Length > 0 ? "a name or password in an address is not sent"
            : "";
        return reason.Length == 0;
    }

    /// <summary>Host and last part of the path: "lists.example/a/bad.csv" as "lists.example_bad.csv"; a key, which nobody should read, by its digest.</summary>
    internal static string NameOf(Uri url)
    {
        string last = url.AbsolutePath.TrimEnd('/');
        last = last[(last.LastIndexOf('/') + 1)..];
        if (FeedAddress.IsKey(last)) last = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(last)))[..8];
        string name = string.Concat($"{url.Host}{(last.Length > 0 ? "_" : "")}{last}".Take(MaxName).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-'));
        return IsName(name) ? name : "feed-" + name.Trim('.', '-', '_') + ".txt";
    }

    static bool IsName(string name) =>
        name.Length is > 0 and <= MaxName && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
        && !name.EndsWith(".md", StringComparison.Ordinal) && !name.EndsWith(".tmp", StringComparison.Ordinal);
}
