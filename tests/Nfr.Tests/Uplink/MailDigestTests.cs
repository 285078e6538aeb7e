using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class MailDigestTests
{
    public static readonly SensorIdentity Sensor = new("2.0.0", "0123456789abcdef0123456789abcdef", "box-1");
    static readonly TimeZoneInfo s_zone = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(2), "test", "test");

    /// <summary>Of each kind, with all that a mail tells.</summary>
    public static readonly Alert[] Kinds =
    [
        new()
        {
            Threats = [new AlertThreat("c2_communication", "C2 communication", 5), new AlertThreat("young_domain", "Young domain", 2)],
            Flags = ["c2", "young_domain"],
            Groups = [new AlertGroup("servers", "Server room")],
            Event = new AlertEvent { Type = EventType.Dns, Ts = "2026-11-21T12:00:01.5Z", SrcIP = "10.0.0.5", SrcHost = "laptop-7", Query = "evil.example.com", QType = "A" },
            Evidence = new AlertEvidence
            {
                Id = "00112233445566aa", Detector = "indicator", Key = "k", Summary = "laptop-7 asked for evil.example.com, which the list feodo.csv of 2026-11-20 names.", Features = [], Score = 1,
                Samples = [], CommunityIds = ["1:wCb3OG7yAFWelaUydu0D+125CLM="], Count = 12,
            },
        },
        new()
        {
            Threats = [new AlertThreat("beacon", "Beacon to a rare destination", 4)],
            Event = new AlertEvent { Type = EventType.Ip, Ts = "2026-11-21T12:00:05Z", SrcIP = "10.0.0.9", DestIP = "203.0.113.7", DestPort = 8443, Proto = "tcp" },
        },
        new()
        {
            Threats = [new AlertThreat("suspicious_download", "Program from a bare address", 3)],
            Event = new AlertEvent { Type = EventType.Http, Ts = "2026-11-21T12:00:07Z", SrcIP = "2001:db8::5", SrcHost = "jürgens-mac", Method = "GET", Url = "http://203.0.113.9/a.exe", DestIP = "203.0.113.9", DestPort = 80 },
        },
    ];

    static MailDigest Digest(int details = 25, params Alert[] alerts) =>
        new([.. alerts.Select((a, i) => new StoredAlert(i + 1, a))], Sensor, details, "[NFR]", s_zone);

    static byte[] Mail(MailDigest digest) =>
        MimeMessage.Write(digest, new Mailbox("Sensor im Keller ü", "nfr@example.org"), [new Mailbox("Night \"watch\"", "soc@example.org"), new Mailbox("", "ops@example.org")], new DateTimeOffset(2026, 11, 21, 14, 0, 6, TimeSpan.FromHours(2)), "0123456789abcdef0123456789abcdef@example.org");

    internal static string Folder() => Path.Combine(Path.GetDirectoryName(Nfr.ConfigTests.Shipped("Nfr.slnx"))!, "tests", "Nfr.Tests", "Uplink", "Mails");

    /// <summary>NFR_GOLDEN=1 writes them anew; look at what changed.</summary>
    [Theory]
    [InlineData("one.eml")]
    [InlineData("three.eml")]
    [InlineData("many.eml")]
    public void Mails_are_those_of_the_golden_files(string name)
    {
        Alert[] many = [.. Enumerable.Range(0, 40).Select(i => Kinds[i % 3] with { Event = Kinds[i % 3].Event with { SrcIP = $"10.0.1.{i}" } })];
        byte[] mail = Mail(name switch { "one.eml" => Digest(25, Kinds[0]), "three.eml" => Digest(25, Kinds), _ => Digest(2, many) });
        string path = Path.Combine(Folder(), name);
        if (Environment.GetEnvironmentVariable("NFR_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Folder());
            File.WriteAllBytes(path, mail);
        }
        Assert.Equal(Encoding.UTF8.GetString(File.ReadAllBytes(path)).Replace("\r\n", "\n", StringComparison.Ordinal), Encoding.UTF8.GetString(mail).Replace("\r\n", "\n", StringComparison.Ordinal));
        Assert.All(Encoding.UTF8.GetString(mail).Split("\r\n"), line => Assert.InRange(line.Length, 0, 76));
        Assert.DoesNotContain("\n", Encoding.UTF8.GetString(mail).Replace("\r\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.True(Ascii.IsValid(mail));
    }

    [Fact]
    public void What_the_network_sent_is_escaped_and_starts_no_line_and_no_link()
    {
        const string Evil = "a.example\r\nBcc: x@y.z\r\n\r\n<script>alert('1')</script>\u202Egnp.exe\u0007";
        Alert alert = new()
        {
            Threats = [new AlertThreat("t", "T" + Evil, 5)],
            Groups = [new AlertGroup(Evil, Evil)],
            Flags = [Evil],
            Event = new AlertEvent { Type = EventType.Http, Ts = Evil, SrcIP = Evil, SrcHost = Evil, SrcUser = Evil, Method = Evil, Url = "http://" + Evil, DestIP = Evil, DestPort = 1, Proto = Evil },
            Evidence = new AlertEvidence { Id = Evil, Detector = Evil, Key = Evil, Summary = "asked for http://" + Evil, Features = [], Score = 1, Samples = [], CommunityIds = [Evil] },
        };
        MailDigest digest = Digest(25, alert);
        Assert.All((string[])[digest.Subject, .. digest.Text().Split('\n')], line => Assert.DoesNotContain(line, char.IsControl));
        string html = MailHtml.Of(digest);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("&lt;script&gt;alert(&#39;1&#39;)", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", html + digest.Text(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain('\u202E', html + digest.Text());
        string head = Encoding.UTF8.GetString(Mail(digest)).Split("\r\n\r\n")[0];
        Assert.DoesNotContain("Bcc", head.Split("\r\n").Select(l => l.Split(':')[0]));
        Assert.Equal(["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"], head.Split("\r\n").Where(l => l[0] != ' ').Select(l => l.Split(':')[0]));
    }

    [Fact]
    public void The_gravest_are_told_and_the_rest_is_counted()
    {
        MailDigest digest = Digest(1, Kinds[2], Kinds[1], Kinds[0], Kinds[2]);
        Assert.Equal("4 alerts: 1 critical, 1 high, 2 medium", digest.Headline);
        Assert.Equal("[NFR] 4 alerts (1 critical, 1 high, 2 medium): C2 communication and 2 more", digest.Subject);
        Assert.Equal(Kinds[0], Assert.Single(digest.Details));
        Assert.Equal([new MailCount(4, "Beacon to a rare destination", 1, 1), new MailCount(3, "Program from a bare address", 2, 1)], digest.Rest);
    }

    [Theory]
    [InlineData("plain words", "S: plain words\r\n")]
    [InlineData("=?x?=", "S: =?UTF-8?B?PT94Pz0=?=\r\n")]
    [InlineData("Zürich", "S: =?UTF-8?B?WsO8cmljaA==?=\r\n")]
    public void Headers_are_plain_or_encoded_words(string text, string expected)
    {
        StringBuilder output = new();
        MimeText.Header(output, "S", text);
        Assert.Equal(expected, output.ToString());
    }

    [Fact]
    public void Long_headers_are_words_that_each_decode_alone()
    {
        StringBuilder output = new();
        string text = string.Concat(Enumerable.Repeat("süß 😀 ", 40));
        MimeText.Header(output, "Subject", text);
        string[] lines = output.ToString().TrimEnd().Split("\r\n");
        Assert.All(lines, l => Assert.InRange(l.Length, 1, 76));
        string decoded = string.Concat(lines.Select(l => l["Subject: ".Length..]).Prepend("").Skip(1).Select((_, i) =>
        {
            string word = (i == 0 ? lines[0]["Subject: ".Length..] : lines[i][1..])["=?UTF-8?B?".Length..^2];
            return new UTF8Encoding(false, true).GetString(Convert.FromBase64String(word));
        }));
        Assert.Equal(text, decoded);
    }

    [Theory]
    [InlineData("a=b\n", "a=3Db\r\n")]
    [InlineData("ends in a blank \n", "ends in a blank=20\r\n")]
    [InlineData("ü", "=C3=BC\r\n")]
    [InlineData("tab\there", "tab=09here\r\n")]
    [InlineData("1234567890123456789012345678901234567890123456789012345678901234567890123456\n", "1234567890123456789012345678901234567890123456789012345678901234567890123456\r\n")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345678901234567\n", "123456789012345678901234567890123456789012345678901234567890123456789012345=\r\n67\r\n")]
    public void Quoted_printable_is_that_of_the_RFC(string text, string expected)
    {
        StringBuilder output = new();
        MimeText.QuotedPrintable(output, text);
        Assert.Equal(expected, output.ToString());
    }

    [Theory]
    [InlineData("a@example.org", "", "a@example.org")]
    [InlineData(" Night Watch <soc+nfr@example.org> ", "Night Watch", "soc+nfr@example.org")]
    [InlineData("\"Night Watch\" <soc@example.org>", "Night Watch", "soc@example.org")]
    [InlineData("a", null, null)]
    [InlineData("a@", null, null)]
    [InlineData("@b.c", null, null)]
    [InlineData("a b@example.org", null, null)]
    [InlineData("a@example.org>", null, null)]
    [InlineData("x <a@example.org", null, null)]
    [InlineData("a@example.org\r\nRCPT TO:<b@c.d>", null, null)]
    [InlineData("x\n <a@example.org>", null, null)]
    [InlineData("a..b@example.org", null, null)]
    [InlineData("a@b@example.org", null, null)]
    public void Mailboxes_are_addresses_with_or_without_a_name(string text, string? name, string? address) =>
        Assert.Equal(address is null ? null : new Mailbox(name!, address), Mailbox.TryParse(text));

    [Fact]
    public void Dates_have_the_zone_that_they_are_in() =>
        Assert.Equal("Sat, 21 Nov 2026 09:05:06 -0330", MimeText.Date(new DateTimeOffset(2026, 11, 21, 9, 5, 6, new TimeSpan(-3, -30, 0))));
}
