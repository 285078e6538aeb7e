using Nfr.Events;
using Nfr.Scoring;
using Nfr.Tests.Events;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>Log-ins that fail, as packets and as captures.</summary>
public sealed class GuessingTests(ITestOutputHelper output)
{
    /// <summary>Sizes of an OpenSSH client of today: 1.5 KB of algorithms each way, then the log-in.</summary>
    static void Ssh(ScoredTraffic run, int port, int more = 500, string client = "10.0.0.5", double seconds = 2)
    {
        TcpTalk talk = new TcpTalk(packet => run.Ip(packet), client, port, "10.0.9.9", 22).Open()
            .Server("SSH-2.0-OpenSSH_9.2\r\n").Client("SSH-2.0-OpenSSH_9.6\r\n").Server(new byte[1100]).Client(new byte[1400]).Server(new byte[more]).Client(new byte[more]);
        run.Wait(seconds);
        talk.Close();
    }

    void Check(ScoredTraffic run, params (string Id, int Severity)[] expected)
    {
        run.Wait(10);
        foreach (Alert alert in run.Alerts) output.WriteLine(alert.Evidence!.Summary);
        Assert.Equal(expected, run.Alerts.Select(a => (a.Threats[0].Id, a.Severity)));
        Assert.All(run.Alerts, a => Assert.True(a.Evidence!.Score >= a.Evidence.ScoreLimit));
    }

    const Detectors Both = Detectors.Guessing | Detectors.SshGuessing;

    [Fact]
    public void Repeated_failed_telnet_log_ins_are_told()
    {
        using var run = new ScoredTraffic(Both);
        OldAttacks.FailedTelnet(run, 4);
        Check(run, ("password_guessing", 1));
    }

    [Fact]
    public void Two_mistyped_passwords_and_a_good_one_are_nothing()
    {
        using var run = new ScoredTraffic(Both);
        OldAttacks.Ftp(run, 40_000);
        OldAttacks.Ftp(run, 40_001);
        OldAttacks.Ftp(run, 40_002, good: true);
        Check(run);
    }

    [Fact]
    public void Twelve_failures_at_one_server_are_guessing_and_a_log_in_after_them_is_worse()
    {
        using var run = new ScoredTraffic(Both);
        for (int i = 0; i < 12; i++) OldAttacks.Ftp(run, 40_000 + i, user: $"user{i}");
        OldAttacks.Ftp(run, 40_100, good: true);
        Check(run, ("password_guessing", 1), ("password_guessing", 3), ("guessed_password", 4));
    }

    [Fact]
    public void One_try_at_each_of_many_servers_is_spraying()
    {
        using var run = new ScoredTraffic(Both);
        for (int i = 1; i < 8; i++)
        {
            OldAttacks.Ftp(run, 40_000 + i, server: $"10.0.9.{i}");
            run.Wait(60);
        }
        Check(run, ("password_spraying", 3));
    }

    [Fact]
    public void Many_clients_at_one_server_are_guessing_with_many_hands()
    {
        using var run = new ScoredTraffic(Both);
        for (int i = 1; i < 12; i++)
        {
            OldAttacks.Ftp(run, 40_000, client: $"10.0.3.{i}");
            OldAttacks.Ftp(run, 40_001, client: $"10.0.3.{i}");
        }
        Check(run, ("password_guessing", 3));
    }

    [Fact]
    public void From_outside_guessing_is_one_low_alert_a_server()
    {
        using var run = new ScoredTraffic(Both);
        for (int client = 1; client < 5; client++)
        {
            for (int i = 0; i < 12; i++) OldAttacks.Ftp(run, 40_000 + i, client: $"203.0.113.{client}");
        }
        Check(run, ("password_guessing", 1), ("password_guessing", 2));
    }

    [Fact]
    public void Many_short_ssh_sessions_of_one_size_are_guesses_and_a_long_one_after_them_is_worse()
    {
        using var run = new ScoredTraffic(Both);
        for (int i = 0; i < 25; i++) Ssh(run, 40_000 + i, 400 + (i % 3 * 80));
        Ssh(run, 40_100, 60_000, seconds: 40);
        Check(run, ("password_guessing", 2), ("password_guessing", 3), ("guessed_password", 4));
    }

    [Fact]
    public void A_client_that_had_a_session_of_its_own_makes_short_ones_as_it_likes()
    {
        using var run = new ScoredTraffic(Both);
        Ssh(run, 39_999, 60_000, seconds: 40);
        for (int i = 0; i < 25; i++) Ssh(run, 40_000 + i);
        Check(run);
        // Its neighbour did not.
        for (int i = 0; i < 25; i++) Ssh(run, 41_000 + i, client: "10.0.0.6");
        Check(run, ("password_guessing", 2), ("password_guessing", 3));
    }

    [Fact]
    public void Strangers_that_guess_at_a_public_server_are_one_matter_of_the_server()
    {
        using var run = new ScoredTraffic(Both);
        for (int client = 1; client < 6; client++)
        {
            for (int i = 0; i < 25; i++) Ssh(run, 40_000 + i, client: $"203.0.113.{client}");
        }
        Check(run, ("password_guessing", 2));
    }

    [Fact]
    public void A_monitor_that_calls_by_ssh_once_a_minute_is_quiet()
    {
        using var run = new ScoredTraffic(Both);
        for (int i = 0; i < 120; i++)
        {
            Ssh(run, 40_000 + i, 600, seconds: 0.4);
            run.Wait(59);
        }
        Check(run);
    }

    [Fact]
    public void Sessions_that_do_something_are_no_guesses()
    {
        using var run = new ScoredTraffic(Both);
        for (int i = 0; i < 60; i++) Ssh(run, 40_000 + i, 5_000 + (i * 700));
        Check(run);
    }

    [Theory]
    [InlineData("3-zeek-btest/pcaps/82a6b1dbf5-ftp-bruteforce.pcap", 3)]
    [InlineData("3-zeek-btest/pcaps/b66aa8393b-ssh-sshguess.pcap", 2)]
    public void Captures_of_guessing_are_found(string capture, int severity)
    {
        if (!Corpus.TryFind(capture, out string path)) return;
        using ScoredTraffic run = new ScoredTraffic(Both).Capture(path);
        foreach (Alert alert in run.Alerts) output.WriteLine(alert.Evidence!.Summary);
        Assert.Equal(severity, run.Alerts.Max(a => a.Severity));
        Assert.Contains("password_guessing", run.ThreatIds);
    }
}
