using System.Text;
using Nfr.Scoring;
using Nfr.Scoring.Indicators;
using Nfr.Scoring.Names;

namespace Nfr.Fuzz;

/// <summary>A list of indicators, by its path on a file system in memory. The first byte says how the config has it read.</summary>
sealed class ListTarget : Target
{
    readonly string _path = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"nfr-fuzz-list-{Environment.ProcessId}.txt");
    readonly Breadth _breadth = new(PublicSuffixList.Shipped, IndicatorSet.Empty);

    public override string Name => "list";
    public override int Runs => 3_000;
    public override bool MayAllocate => true;
    public override int MaximumLength => 16 * 1024;
    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. ((string[])["# threat: c2_communication\n", "# flags: a, b\n", "# match: exact\n", "# Last updated: 2024-04-04 07:20:02 UTC\n", "0.0.0.0 ", "http://", "hxxps://", "udp://", "*.", "[.]", "\u0431.\u0431.\u0431.", "\u00df", "xn--",
            ":65535", ":0", "/32", "/8", "::/0", "[2001:db8::1]:80", "::ffff:1.2.3.4", "\t", "\",\"", "dst_ip,dst_port,malware\n", "2024-02-30", "\"list\":[", "{\"name\":\"", "\\ud800", "\\u0000", "//", "\uFEFF", "\r\n"]).Select(Encoding.UTF8.GetBytes),
        [0xC3, 0x28], [0xFF], [0xED, 0xA0, 0x80],
    ];

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        string[] texts =
        [
            "# threat: c2_communication\nbad.example\n*.worse.example. # comment\n192.0.2.1\n192.0.2.0/24\n2001:db8::/32\n[2001:db8::1]:443\n192.0.2.7:8080\nhttp://bad.example:8080/a/b?c#d\n/admin/gate.php\nb\u00fccher.example\nbad[.]example\n",
            "127.0.0.1 localhost\n0.0.0.0 bad.example worse.example # two\n::1\tip6-localhost\n",
            "# first_seen_utc,dst_ip,dst_port,c2_status,malware\n\"2022-06-04 21:22:00\",\"192.0.2.4\",\"443\",\"online\",\"Emotet\"\n",
            "domain\tmalware\nbad.example\tIcedID\n192.0.2.1\tnone\n",
            "# ja3_md5,Firstseen,Lastseen,Listingreason\nb386946a5a44d1ddcc843bc75336dfce,2017-07-14 18:08:15,2019-07-27 20:42:54,Dridex\n",
            "\"1\",\"2024-01-01 00:00:00\",\"http://192.0.2.9/x.sh\",\"online\",\"2024-01-01\",\"malware_download\",\"elf,mirai\",\"http://lists.example/1\",\"me\"\n",
            "{\"name\":\"List\",\"type\":\"string\",\"version\":2,\"list\":[\"bad.example\",\"192.0.2.0/24\",5]}",
            "[\"bad.example\", \"b\u00fccher.example\"]",
            "udp://tracker.example:1337/announce\nwss://tracker.example:443/announce\nt13d1516h2_8daaf6152771_02713d6af862\n",
        ];
        foreach (string text in texts)
        {
            for (byte format = 0; format <= (byte)ListFormat.Json; format++) yield return [format, .. Encoding.UTF8.GetBytes(text)];
        }
        // The beginnings of real ones, where they lie beside the checkout.
        string feeds = Path.Combine(seeds.Root, "..", "shared", "scoring", "feeds");
        if (!Directory.Exists(feeds)) yield break;
        foreach (string file in Directory.EnumerateFiles(feeds).Order(StringComparer.Ordinal)) yield return [(byte)ListFormat.Auto, .. File.ReadAllBytes(file).Take(2000)];
    }

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return;
        var about = new ListAbout { Format = (ListFormat)(input[0] % 5), Exact = (input[0] & 0x40) != 0, Trusted = (input[0] & 0x80) != 0 };
        File.WriteAllBytes(_path, input[1..]);
        try
        {
            ListCount count = IndicatorStore.Probe(_path, about);
            if (count.Faults > 0 != count.First is not null) throw new InvalidOperationException("a fault that is not told");
            IndicatorTable table = IndicatorFile.Load(_path, about, about.Trusted ? null : _breadth, DateTimeOffset.UnixEpoch, out IReadOnlyList<ListFault> faults, out long faultCount);
            if (table.Count > count.Indicators) throw new InvalidOperationException("more indicators than were counted");
            if (faults.Count > faultCount || faultCount < count.Faults) throw new InvalidOperationException("faults went missing");
        }
        finally
        {
            File.Delete(_path);
        }
    }
}

/// <summary>Rules of a Public Suffix List, and behind a zero byte a name that is looked up by them.</summary>
sealed class SuffixesTarget : Target
{
    public override string Name => "suffixes";
    public override int Runs => 40_000;
    public override bool MayAllocate => true;
    public override IReadOnlyList<byte[]> Words { get; } = [.. ((string[])["\n*.", "\n!", "\n//", ".", "..", "com", "co.uk", "ck", "www.ck", "===BEGIN PRIVATE DOMAINS===", "\u516c\u53f8.cn", "\u00ad", "xn--", "\0"]).Select(Encoding.UTF8.GetBytes), [0xFF], [0xED, 0xA0, 0x80]];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) =>
    [
        .. ((string[])["// comment\ncom\nco.uk\nuk\n*.ck\n!www.ck\n// ===BEGIN PRIVATE DOMAINS===\nblogspot.com\n\u516c\u53f8.cn\n\0a.www.ck", "*\n*.*\n\0a.b.c", "jp\n*.kawasaki.jp\n!city.kawasaki.jp\n\0x.city.kawasaki.jp"])
            .Select(Encoding.UTF8.GetBytes),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        int end = input.IndexOf((byte)0);
        ReadOnlySpan<byte> rules = end < 0 ? input : input[..end], name = end < 0 ? input[..Math.Min(input.Length, 255)] : input[(end + 1)..];
        using var reader = new StreamReader(new MemoryStream(rules.ToArray()));
        PublicSuffixList list = PublicSuffixList.Read(reader);
        foreach (PublicSuffixList one in new[] { list, PublicSuffixList.Shipped })
        {
            int start = one.RegisteredStart(name, out _, out int suffix);
            if (start < 0 || suffix < 0 || suffix > name.Length || (start > suffix && suffix > 0)) throw new InvalidOperationException($"registered from {start}, suffix from {suffix} of {name.Length}");
            if (start > 0 && name[start - 1] != '.') throw new InvalidOperationException("a registered domain begins within a label");
            one.IsPublicSuffix(name, out _);
        }
    }
}
