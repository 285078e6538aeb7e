using System.Globalization;
using System.Text;
using Nfr.Scoring.Names;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

public sealed class PublicSuffixListTests(ITestOutputHelper output)
{
    /// <summary>publicsuffix.org's own test cases, which Debian's package brings along: checkPublicSuffix('name', 'registered or null').</summary>
    const string OwnCases = "/usr/share/doc/publicsuffix/examples/test_psl.txt";

    [Theory]
    [InlineData("!com")]
    [InlineData("!")]
    [InlineData("*.")]
    [InlineData("com\n!com\n*.com")]
    public void An_exception_to_no_rule_leads_nowhere_beyond_the_name(string rules)
    {
        using var reader = new StringReader(rules);
        PublicSuffixList list = PublicSuffixList.Read(reader);
        foreach (string name in new[] { "", "com", "a.com", "a.b.com", "com." })
        {
            int start = list.RegisteredStart(System.Text.Encoding.ASCII.GetBytes(name), out _, out int suffix);
            Assert.InRange(suffix, 0, name.Length);
            Assert.InRange(start, 0, name.Length);
        }
    }

    [Fact]
    public void The_lists_own_test_cases_pass_on_the_copy_that_ships()
    {
        if (!File.Exists(OwnCases))
        {
            output.WriteLine($"left out: {OwnCases} is not installed");
            return;
        }
        var ascii = new IdnMapping { AllowUnassigned = true };
        int cases = 0;
        foreach (string line in File.ReadLines(OwnCases))
        {
            if (!line.StartsWith("checkPublicSuffix(", StringComparison.Ordinal)) continue;
            string[] cells = [.. line[18..line.LastIndexOf(')')].Split(',').Select(c => c.Trim().Trim('\''))];
            // A leading dot and no name at all never come from a packet.
            if (cells[0] == "null" || cells[0].StartsWith('.')) continue;
            byte[] name = Encoding.ASCII.GetBytes(ascii.GetAscii(cells[0]).ToLowerInvariant());
            int start = PublicSuffixList.Shipped.RegisteredStart(name, out _, out int suffix);
            string? registered = suffix > start && suffix <= name.Length ? Encoding.ASCII.GetString(name.AsSpan(start)) : null;
            Assert.Equal((cells[0], cells[1] == "null" ? null : ascii.GetAscii(cells[1])), (cells[0], registered));
            cases++;
        }
        output.WriteLine($"{cases} cases");
        Assert.True(cases > 60);
    }

    [Fact]
    public void The_copy_that_ships_is_whole()
    {
        Assert.InRange(PublicSuffixList.Shipped.Count, 9000, 20_000);
        foreach (string name in new[] { "a.b.duckdns.org", "a.b.ddns.net", "a.b.github.io", "a.b.co.uk" })
            Assert.Equal(name[2..], Encoding.ASCII.GetString(PublicSuffixList.Shipped.RegisteredDomain(Encoding.ASCII.GetBytes(name))));
    }

    [Fact]
    public void A_file_that_is_absent_empty_or_cut_to_pieces_is_no_list()
    {
        string file = Path.GetTempFileName();
        try
        {
            Assert.Same(PublicSuffixList.Shipped, PublicSuffixList.Load(file));
            File.WriteAllText(file, "// a comment\ncom\nnet\n");
            Assert.Same(PublicSuffixList.Shipped, PublicSuffixList.Load(file));
            Assert.Same(PublicSuffixList.Shipped, PublicSuffixList.Load(file + ".absent"));
            Assert.Same(PublicSuffixList.Shipped, PublicSuffixList.Load(""));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
