using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Tests.Events;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>IRC, Telegram's Bot API, rebinding to a cloud's metadata service, and requests in vain.</summary>
public sealed class OddHabitsTests(ITestOutputHelper output)
{
    static void Irc(ScoredTraffic run, string server, int port) => new TcpTalk(packet => run.Ip(packet), "10.0.0.5", 40_000, server, port).Open()
        .Client("PASS password1234abcd\r\nCAP LS 302\r\n").Client("NICK nick1a2b3\r\nUSER user1a2b3 * * user1a2b3\r\n").Server(":irc.example 001 nick1a2b3 :Welcome\r\n").Close();

    [Theory]
    [InlineData("203.0.113.6", 6667, 3)]
    [InlineData("203.0.113.6", 8443, 4)]
    [InlineData("10.0.9.9", 6667, 2)]
    public void Irc_is_told_by_where_it_goes(string server, int port, int severity)
    {
        using var run = new ScoredTraffic();
        Irc(run, server, port);
        run.Wait(10);
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal(("bad_irc_traffic", severity), (alert.Threats[0].Id, alert.Severity));
    }

    [Theory]
    [InlineData("3-zeek-btest/pcaps/8760bd168b-irc-dcc-send.pcapng")]
    [InlineData("4-ndpi/pcaps/irc.pcap")]
    public void Captures_of_irc_are_found(string capture)
    {
        if (!Corpus.TryFind(capture, out string path)) return;
        using ScoredTraffic run = new ScoredTraffic(Detectors.Irc).Capture(path);
        foreach (Alert alert in run.Alerts) output.WriteLine(alert.Evidence!.Summary);
        Assert.Contains("bad_irc_traffic", run.ThreatIds);
    }

    [Fact]
    public void The_bot_api_of_telegram_is_one_high_alert_and_its_other_hosts_are_none()
    {
        using var run = new Simulated();
        run.Dns("core.telegram.org");
        run.Tls(sni: "web.telegram.org");
        run.Dns("notapi.telegram.org");
        Assert.Empty(run.Alerts);
        run.Dns("API.telegram.org");
        run.Tls(sni: "api.telegram.org");
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal(("telegram_bot", 4), (alert.Threats[0].Id, alert.Severity));
    }

    [Fact]
    public void A_bot_that_polls_every_hour_is_told_once_a_day()
    {
        using var run = new Simulated(enabled: Detectors.TelegramBot);
        for (int hour = 0; hour < 48; hour++)
        {
            Assert.Equal(4, run.Tls(sni: "api.telegram.org"));
            run.Wait(3601 * Simulated.Second);
        }
        Assert.Equal(2, run.Alerts.Count);
    }

    [Fact]
    public void A_public_name_at_the_metadata_address_is_rebinding()
    {
        using var run = new Simulated(enabled: Detectors.AwsRebinding);
        run.Dns("metadata.google.internal", answers: (1, "169.254.169.254"));
        run.Dns("www.example.org", answers: (1, "192.0.2.1"));
        Assert.Empty(run.Alerts);
        run.Dns("a.rebind.example", answers: [(5, "b.rebind.example"), (1, "169.254.169.254")]);
        Assert.Equal(["aws_rebinding"], run.ThreatIds);
        run.Dns("c.rebind.example", 28, answers: (28, "fd00:ec2::254"));
        Assert.Equal(2, run.Alerts.Count);
    }

    static int Ask(Simulated run, string path, ushort status, Address? client = null, Address? server = null)
    {
        var e = new HttpEvent
        {
            Context = new EventContext { Tick = run.Tick, Source = client ?? Simulated.Client, SourcePort = 40_000, Destination = server ?? Simulated.Outside, DestinationPort = 80, Protocol = 6 },
            Url = Encoding.UTF8.GetBytes("http://www.example.org/" + path), Host = "www.example.org"u8, Method = "GET"u8, Status = status,
        };
        run.Wait(200 * Simulated.Millisecond);
        return run.Scorer.Score(in e, run.Alerts);
    }

    [Fact]
    public void A_search_for_what_may_be_on_a_web_server_is_told_low()
    {
        using var run = new Simulated(enabled: Detectors.HttpFailures);
        for (int i = 0; i < 40; i++) Ask(run, $"admin{i}/index.php?x=1", 404);
        Assert.Equal([("excessive_http_failures", 2)], run.Alerts.Select(a => (a.Threats[0].Id, a.Severity)));
    }

    [Fact]
    public void Strangers_who_search_a_public_server_are_told_once_a_day_and_a_client_inside_besides()
    {
        using var run = new Simulated(enabled: Detectors.HttpFailures);
        Address server = Simulated.Parse("10.1.0.80");
        for (uint stranger = 0; stranger < 50; stranger++)
        {
            for (int i = 0; i < 40; i++) Ask(run, $"admin{i}/index.php?x=1", 404, Address.FromV4(0x2E00_0000 + (stranger << 8)), server);
            run.Wait(1200 * Simulated.Second);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("outside 10.1.0.80 port 80", alert.Evidence!.Key);
        for (int i = 0; i < 40; i++) Ask(run, $"admin{i}/index.php?x=1", 404, server: server);
        Assert.Equal(2, run.Alerts.Count);
        run.Wait(86_400 * Simulated.Second);
        for (int i = 0; i < 40; i++) Ask(run, $"admin{i}/index.php?x=1", 404, Address.FromV4(0x2E00_0000), server);
        Assert.Equal(3, run.Alerts.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Requests_without_an_answer_are_in_vain_where_the_mirror_shows_answers(bool answersShow)
    {
        using var run = new ScoredTraffic(Detectors.HttpFailures);
        for (int i = 0; i < 40; i++)
        {
            var talk = new TcpTalk(packet =>
            {
                if (answersShow || packet[12] == 10) run.Ip(packet);
            }, "10.0.0.5", 40_000 + i, "192.0.2.1", 80);
            talk.Open().Client($"GET /admin{i}/index.php HTTP/1.1\r\nHost: www.example.org\r\n\r\n").Close();
            run.Wait(6);
        }
        run.Wait(400);
        Assert.Equal(answersShow ? ["excessive_http_failures"] : [], run.ThreatIds);
    }

    [Fact]
    public void A_page_of_which_much_is_missing_is_not()
    {
        using var run = new Simulated(enabled: Detectors.HttpFailures);
        for (int i = 0; i < 100; i++) Ask(run, $"images/{i}.png", 404);
        for (int i = 0; i < 100; i++) Ask(run, $"section{i}/a.html", (ushort)(i % 3 == 0 ? 404 : 200));
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_capture_of_a_search_through_a_web_server_is_found()
    {
        if (!ScoringCorpus.TryPath("pcap/maltrail/web_scan.pcap", output, out string path)) return;
        using ScoredTraffic run = new ScoredTraffic().Capture(path);
        Assert.Contains("excessive_http_failures", run.ThreatIds);
    }
}
