using System.Security.Cryptography.X509Certificates;
using System.Text;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class SmtpDeliveryTests
{
    const string Message = "Subject: x\r\n\r\none\r\n.two\r\n..three\r\n";
    static readonly Lazy<X509Certificate2> s_certificate = new(() => EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30)));

    static SmtpServer To(SmtpServerScript server, SmtpSecurity security = SmtpSecurity.None) => new()
    {
        Host = "127.0.0.1",
        Port = server.Port,
        Security = security,
        Tls = new TlsSettings { Pins = [ClientTls.PinOf(s_certificate.Value)] },
        MessageTimeout = UplinkBench.Limit,
        ConnectTimeout = UplinkBench.Limit,
    };

    static SmtpServer LogIn(SmtpServer server, string password = "tanstaaftanstaaf") => server with { User = "tim", Password = new SecretText { Text = password } };

    static Task<SmtpResult> SendAsync(SmtpServer to, string message = Message, params string[] recipients) =>
        new SmtpDelivery(to, new ClientTls(to.Tls, TimeProvider.System), TimeProvider.System)
            .SendAsync("sensor.example", "nfr@example.org", recipients.Length == 0 ? ["a@example.org", "b@example.org"] : recipients, Encoding.UTF8.GetBytes(message), CancellationToken.None).WaitAsync(UplinkBench.Limit);

    [Fact]
    public async Task A_message_arrives_as_it_was_with_its_dots()
    {
        await using SmtpServerScript server = new();
        SmtpResult result = await SendAsync(To(server));
        Assert.Equal((SmtpOutcome.Sent, ""), (result.Outcome, result.Message));
        Assert.Equal(Message, Assert.Single(server.Messages));
        Assert.Equal(["EHLO sensor.example", $"MAIL FROM:<nfr@example.org> SIZE={Message.Length}", "RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>", "DATA"], server.Commands.Take(5));
    }

    [Theory]
    [InlineData(SmtpSecurity.StartTls, "PLAIN LOGIN", "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm")]
    [InlineData(SmtpSecurity.Tls, "LOGIN CRAM-MD5", "AUTH LOGIN")]
    [InlineData(SmtpSecurity.StartTls, "CRAM-MD5 XOAUTH2", "AUTH CRAM-MD5")]
    [InlineData(SmtpSecurity.IfOffered, "PLAIN", "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm")]
    public async Task A_log_in_takes_the_best_way_that_is_offered(SmtpSecurity security, string offered, string expected)
    {
        await using SmtpServerScript server = new(s_certificate.Value, security == SmtpSecurity.Tls) { Offers = ["AUTH " + offered] };
        SmtpResult result = await SendAsync(LogIn(To(server, security)));
        Assert.Equal("", result.Message);
        Assert.Contains(expected, server.Commands);
        Assert.Single(server.Messages);
    }

    [Fact]
    public async Task Without_TLS_a_password_goes_only_where_it_was_said_so()
    {
        await using SmtpServerScript server = new();
        foreach (SmtpSecurity security in (SmtpSecurity[])[SmtpSecurity.None, SmtpSecurity.IfOffered])
            Assert.Contains("would go out without TLS", (await SendAsync(LogIn(To(server, security)))).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Commands, c => c.StartsWith("AUTH", StringComparison.Ordinal));
        Assert.Equal("", (await SendAsync(LogIn(To(server)) with { PlainPassword = true })).Message);
        Assert.Contains("AUTH CRAM-MD5", server.Commands);
    }

    [Fact]
    public async Task STARTTLS_that_is_taken_away_stops_the_mail()
    {
        await using SmtpServerScript server = new(s_certificate.Value) { OfferStartTls = false };
        SmtpResult result = await SendAsync(To(server, SmtpSecurity.StartTls));
        Assert.Equal(SmtpOutcome.Failed, result.Outcome);
        Assert.Contains("offers no STARTTLS", result.Message, StringComparison.Ordinal);
        Assert.Equal(["EHLO sensor.example"], server.Commands.Where(c => c != "QUIT"));
    }

    [Fact]
    public async Task What_came_before_the_handshake_counts_for_nothing()
    {
        // Somebody between answers the commands of the secret part in advance.
        await using SmtpServerScript server = new(s_certificate.Value) { Injected = "250-evil\r\n250 AUTH PLAIN\r\n235 in\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken", Offers = [] };
        SmtpResult result = await SendAsync(LogIn(To(server, SmtpSecurity.StartTls)));
        Assert.Equal(SmtpOutcome.Failed, result.Outcome);
        Assert.Contains("takes no log-in here", result.Message, StringComparison.Ordinal);
        Assert.Empty(server.Messages);
        Assert.DoesNotContain(server.Commands, c => c.StartsWith("AUTH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_is_not_trusted_gets_nothing()
    {
        await using SmtpServerScript server = new(s_certificate.Value);
        SmtpResult result = await SendAsync(LogIn(To(server, SmtpSecurity.StartTls)) with { Tls = TlsSettings.Default });
        Assert.Contains("is self-signed", result.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Commands, c => c.StartsWith("AUTH", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "554 no", SmtpOutcome.Failed, "turned us away (554 no)")]
    [InlineData("", "421 busy", SmtpOutcome.Failed, "turned us away (421 busy)")]
    [InlineData("", "SSH-2.0-OpenSSH", SmtpOutcome.Failed, "is no SMTP")]
    [InlineData("", "CLOSE", SmtpOutcome.Failed, "closed the connection at the greeting")]
    [InlineData("EHLO", "550 no", SmtpOutcome.Failed, "does not take our name")]
    [InlineData("EHLO", "999 no", SmtpOutcome.Failed, "is no SMTP")]
    [InlineData("EHLO", "-50 no", SmtpOutcome.Failed, "is no SMTP")]
    [InlineData("AUTH", "535 5.7.8 no", SmtpOutcome.Failed, "does not take user and password (535 5.7.8 no)")]
    [InlineData("AUTH", "454 later", SmtpOutcome.Failed, "the log-in failed (454 later)")]
    [InlineData("MAIL", "451 later", SmtpOutcome.Failed, "does not take mail from nfr@example.org")]
    [InlineData("MAIL", "530 log in", SmtpOutcome.Failed, "wants a log-in")]
    [InlineData("MAIL", "550 who?", SmtpOutcome.Failed, "does not take mail from nfr@example.org")]
    [InlineData("MAIL", "552 too large", SmtpOutcome.Refused, "too large")]
    [InlineData("RCPT", "554 5.7.1 relay access denied", SmtpOutcome.Failed, "for none of the recipients: b@example.org (554 5.7.1 relay access denied)")]
    [InlineData("RCPT", "450 greylisted", SmtpOutcome.Failed, "for none of the recipients")]
    [InlineData("RCPT", "421 closing", SmtpOutcome.Failed, "about to close")]
    [InlineData("DATA", "451 later", SmtpOutcome.Failed, "no message now")]
    [InlineData("DATA", "554 no", SmtpOutcome.Failed, "no message now")]
    [InlineData("DATA", "CLOSE", SmtpOutcome.Failed, "closed the connection at DATA")]
    [InlineData(".", "452 full", SmtpOutcome.Failed, "does not take the message now (452 full)")]
    [InlineData(".", "554 5.7.1 spam", SmtpOutcome.Refused, "refuses the message (554 5.7.1 spam)")]
    [InlineData(".", "554 5.6.0 no", SmtpOutcome.Refused, "refuses the message")]
    [InlineData(".", "552 5.3.4 too big", SmtpOutcome.Refused, "refuses the message")]
    [InlineData(".", "550-no\r\n550 really", SmtpOutcome.Failed, "(550 no really)")]
    [InlineData(".", "552 5.2.2 mailbox full", SmtpOutcome.Failed, "mailbox full")]
    [InlineData(".", "550 5.4.5 daily limit", SmtpOutcome.Failed, "daily limit")]
    [InlineData(".", "550 5.7.60 no right to send as this sender", SmtpOutcome.Failed, "no right")]
    [InlineData(".", "554 no", SmtpOutcome.Failed, "(554 no)")]
    [InlineData(".", "354 more", SmtpOutcome.Failed, "does not take the message now")]
    public async Task Each_answer_at_each_step_says_whose_fault_it_is(string step, string answer, SmtpOutcome outcome, string expected)
    {
        await using SmtpServerScript server = new() { Answer = line => line == step || step.Length > 1 && line.StartsWith(step, StringComparison.Ordinal) ? answer : null };
        SmtpResult result = await SendAsync(LogIn(To(server)) with { PlainPassword = true });
        Assert.Equal(outcome, result.Outcome);
        Assert.Contains(expected, result.Message, StringComparison.Ordinal);
        Assert.False(result.Unsure);
        Assert.Equal(step == "." && answer[0] == '5' && outcome == SmtpOutcome.Failed, result.Lasting);
    }

    [Fact]
    public async Task Some_recipients_may_be_refused_and_others_put_off()
    {
        await using SmtpServerScript server = new() { Answer = line => line.Contains("a@", StringComparison.Ordinal) && line.StartsWith("RCPT", StringComparison.Ordinal) ? "550 gone" : line.Contains("b@", StringComparison.Ordinal) ? "451 later" : null };
        SmtpResult result = await SendAsync(To(server), Message, "a@example.org", "b@example.org", "c@example.org");
        Assert.Equal(SmtpOutcome.Sent, result.Outcome);
        Assert.Equal(["a@example.org (550 gone)"], result.Never);
        Assert.Equal(["b@example.org"], result.Later);
        Assert.Single(server.Messages);
    }

    [Fact]
    public async Task A_message_larger_than_the_server_takes_is_not_sent()
    {
        await using SmtpServerScript server = new() { Offers = ["SIZE 10"] };
        Assert.Equal((SmtpOutcome.Refused, 0), ((await SendAsync(To(server))).Outcome, server.Messages.Length));
    }

    [Fact]
    public async Task A_connection_cut_after_any_byte_is_a_fault_and_unsure_only_behind_the_message()
    {
        string whole = "220 test\r\n250-test\r\n250-8BITMIME\r\n250-SIZE 1000000\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n";
        int verdict = whole.IndexOf("250 taken", StringComparison.Ordinal);
        await using SmtpServerScript server = new();
        for (int cut = 0; cut < whole.Length; cut++)
        {
            server.CutAfter = cut;
            SmtpResult result = await SendAsync(To(server));
            Assert.True(result.Outcome == SmtpOutcome.Failed, $"cut {cut}: {result}");
            Assert.True(result.Unsure == cut >= verdict, $"cut {cut}: {result}");
        }
        server.CutAfter = whole.Length;
        Assert.Equal(SmtpOutcome.Sent, (await SendAsync(To(server))).Outcome);
    }

    [Theory]
    [InlineData("endless lines", "more than 100 lines")]
    [InlineData("endless line", "longer than 2,048 bytes")]
    public async Task An_endless_greeting_is_cut_short(string kind, string expected)
    {
        await using SmtpServerScript server = new() { Answer = line => line.Length == 0 ? kind == "endless line" ? "220 " + new string('x', 100_000) : string.Concat(Enumerable.Repeat("220-more\r\n", 10_000)) : null };
        Assert.Contains(expected, (await SendAsync(To(server))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "the greeting", false)]
    [InlineData("EHLO", "EHLO", false)]
    [InlineData("DATA", "DATA", false)]
    [InlineData(".", "the message", true)]
    public async Task A_silent_server_costs_the_stated_time_and_no_more(string step, string named, bool unsure)
    {
        ManualTime time = new();
        int asked = 0;
        await using SmtpServerScript server = new();
        server.Answer = line =>
        {
            if (line != step && (step.Length < 2 || !line.StartsWith(step, StringComparison.Ordinal))) return null;
            Interlocked.Increment(ref asked);
            return "HANG";
        };
        SmtpServer to = To(server) with { MessageTimeout = TimeSpan.FromSeconds(60), ConnectTimeout = TimeSpan.FromSeconds(10) };
        Task<SmtpResult> sending = new SmtpDelivery(to, new ClientTls(to.Tls, time), time).SendAsync(null, "a@b.c", ["d@e.f"], Encoding.UTF8.GetBytes(Message), CancellationToken.None);
        await UplinkBench.UntilAsync(() => Volatile.Read(ref asked) > 0, "so far");
        Assert.False(sending.IsCompleted);
        // The time to connect is over before that of the whole, and says no more once there is a connection.
        if (step.Length > 0) time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(sending.IsCompleted);
        if (unsure)
        {
            // The verdict has a time of its own.
            await UplinkBench.UntilAsync(() => time.UntilNextTimer() > TimeSpan.FromMinutes(9), "the message is out");
            time.Advance(TimeSpan.FromMinutes(9));
            Assert.False(sending.IsCompleted);
            time.Advance(TimeSpan.FromMinutes(1));
        }
        else time.Advance(TimeSpan.FromSeconds(step.Length > 0 ? 2 : 61));
        SmtpResult result = await sending.WaitAsync(UplinkBench.Limit);
        Assert.Equal((SmtpOutcome.Failed, unsure), (result.Outcome, result.Unsure));
        // The server may be told of a connection before we are.
        if (step.Length > 0) Assert.Equal($"no answer to {named} within {(unsure ? "10 min" : "60 s for the whole message")}", result.Message);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told()
    {
        SmtpServer to = new() { Host = "127.0.0.1", Port = 1, Security = SmtpSecurity.None };
        Assert.Equal("connection refused: nobody listens there, check host and port", (await SendAsync(to)).Message);
    }

    [Fact]
    public async Task Addresses_beyond_ASCII_go_where_they_are_taken()
    {
        await using SmtpServerScript server = new();
        Assert.Contains("SMTPUTF8", (await SendAsync(To(server), Message, "jürgen@example.org")).Message, StringComparison.Ordinal);
        server.Offers = ["SMTPUTF8", "8BITMIME"];
        Assert.Equal("", (await SendAsync(To(server), Message, "jürgen@example.org")).Message);
        Assert.Contains("MAIL FROM:<nfr@example.org> SMTPUTF8", server.Commands);
    }
}
