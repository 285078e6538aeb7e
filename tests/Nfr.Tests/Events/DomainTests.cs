using System.Text;
using Nfr.Events;

namespace Nfr.Tests.Events;

public sealed class DomainTests
{
    [Theory]
    [InlineData("a", "a")]
    [InlineData("A.B", "a.b")]
    [InlineData("*.Lan", "*.lan")]
    [InlineData("a.b.", "a.b")]
    [InlineData("_dmarc.a-b.c", "_dmarc.a-b.c")]
    public void A_pattern_is_read_in_lower_case(string text, string expected)
    {
        Assert.True(DomainPattern.TryParse(text, out DomainPattern pattern));
        Assert.Equal(expected, pattern.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("*.")]
    [InlineData(".")]
    [InlineData(".a")]
    [InlineData("a..b")]
    [InlineData("*a.b")]
    [InlineData("a.*.b")]
    [InlineData("*.*.b")]
    [InlineData("a b")]
    [InlineData("bücher.de")]
    [InlineData("http://a.b")]
    [InlineData("a.b/c")]
    public void Text_that_is_no_pattern_is_refused(string text) => Assert.False(DomainPattern.TryParse(text, out _));

    [Fact]
    public void Labels_and_names_keep_to_the_lengths_of_rfc_1035()
    {
        Assert.True(DomainPattern.TryParse(new string('a', 63) + ".b", out _));
        Assert.False(DomainPattern.TryParse(new string('a', 64) + ".b", out _));
        string name = string.Join('.', Enumerable.Repeat(new string('a', 63), 4));
        Assert.False(DomainPattern.TryParse(name, out _));
        Assert.True(DomainPattern.TryParse(name.AsSpan(0, 253), out _));
    }

    // The original's rules and tests, and what its tests left open.
    [Theory]
    [InlineData("a.b", "a.b", true)]
    [InlineData("a.b", "b", false)]
    [InlineData("a.b", "c.a.b", false)]
    [InlineData("*.a", "a", true)]
    [InlineData("*.a", "b.a", true)]
    [InlineData("*.a", "c.b.a", true)]
    [InlineData("*.a", "ba", false)]
    [InlineData("*.a", "a.b", false)]
    [InlineData("A.B", "a.b", true)]
    [InlineData("a.b", "A.B", true)]
    [InlineData("a.b", "a.b.", true)]
    [InlineData("a.b.", "a.b", true)]
    [InlineData("*.lan", "printer.LAN.", true)]
    [InlineData("*.lan", ".", false)]
    [InlineData("*.lan", "", false)]
    [InlineData("*.lan", ".lan", true)]
    [InlineData("*.lan", "evil\\.lan", false)]
    [InlineData("*.lan", "evil\\\\.lan", true)]
    [InlineData("*.lan", "x.evil\\.lan", false)]
    [InlineData("lan", "lan\\.", false)]
    public void A_pattern_matches_as_the_rules_say(string pattern, string name, bool expected)
    {
        var table = new DomainTable([(DomainPattern.Parse(pattern), 0)], 1);
        Assert.Equal(expected, table.Find(Encoding.ASCII.GetBytes(name))[0] != 0);
    }

    [Fact]
    public void A_name_of_any_length_and_any_bytes_is_looked_up()
    {
        var table = new DomainTable([(DomainPattern.Parse("*.lan"), 0)], 1);
        byte[] name = new byte[100_000];
        new Random(1).NextBytes(name);
        ".lan"u8.CopyTo(name.AsSpan(name.Length - 4));
        Assert.Equal(1UL, table.Find(name)[0]);
        Assert.Equal(0UL, table.Find(name.AsSpan(..^1))[0]);
    }

    [Fact]
    public void The_table_finds_what_a_scan_of_all_patterns_finds()
    {
        var random = new Random(11);
        for (int round = 0; round < 40; round++)
        {
            int bits = round < 20 ? 8 : 130;
            var patterns = new List<(DomainPattern Pattern, int Bit)>();
            for (int i = random.Next(50); i >= 0; i--) patterns.Add((RandomPattern(random), random.Next(bits)));
            var table = new DomainTable(patterns, bits);
            for (int i = 0; i < 500; i++)
            {
                string name = RandomName(random, 4);
                var expected = new ulong[(bits + 63) / 64];
                foreach ((DomainPattern pattern, int bit) in patterns)
                {
                    if (Matches(pattern, name)) expected[bit / 64] |= 1UL << (bit % 64);
                }
                Assert.True(table.Find(Encoding.ASCII.GetBytes(name)).SequenceEqual(expected), name);
            }
        }
    }

    internal static bool Matches(DomainPattern pattern, string name)
    {
        name = name.ToLowerInvariant();
        if (name.Length > 1 && name.EndsWith('.')) name = name[..^1];
        return name == pattern.Name || (pattern.Subtree && name.EndsWith("." + pattern.Name, StringComparison.Ordinal));
    }

    internal static DomainPattern RandomPattern(Random random) => DomainPattern.Parse((random.Next(2) == 0 ? "*." : "") + RandomName(random, 3));

    internal static string RandomName(Random random, int labels)
    {
        string[] words = ["a", "B", "ab", "A", "lan", "x-y"];
        string name = string.Join('.', Enumerable.Range(0, 1 + random.Next(labels)).Select(_ => words[random.Next(words.Length)]));
        return random.Next(4) == 0 ? name + "." : name;
    }

    [Theory]
    [InlineData("http://a.b/", "a.b")]
    [InlineData("http://a.b", "a.b")]
    [InlineData("https://A.b:8443/c?d=e", "A.b")]
    [InlineData("a.b/c", "a.b")]
    [InlineData("a.b:80", "a.b")]
    [InlineData("http://a.b?c", "a.b")]
    [InlineData("http://a.b#c", "a.b")]
    [InlineData("http://a.b&c", "a.b")]
    [InlineData("a.b/?u=http://trusted.lan/", "a.b")]
    [InlineData("http://evil.com/?u=http://trusted.lan/", "evil.com")]
    [InlineData("http://trusted.lan@evil.com/", "evil.com")]
    [InlineData("http://trusted.lan:pw@evil.com:80/", "evil.com")]
    [InlineData("http://10.0.0.1/x", "10.0.0.1")]
    [InlineData("http://_srv.a_b/", "_srv.a_b")]
    [InlineData("http://[2001:db8::1]:8080/", "")]
    [InlineData("http://[::1]/", "")]
    [InlineData("http://trusted.lan\u0001.evil.com/", "")]
    [InlineData("http://trusted.lan:evil/", "")]
    [InlineData("http:///a", "")]
    [InlineData("http://", "")]
    [InlineData("/only/a/path", "")]
    [InlineData("*", "")]
    [InlineData("", "")]
    public void The_host_of_a_url_is_found(string url, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(UrlHost.Of(Encoding.UTF8.GetBytes(url))));
}
