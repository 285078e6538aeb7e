using System.Text;
using System.Text.RegularExpressions;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed partial class MailSinkTests
{
    readonly ManualTime _time = new();

    static AlertPage Page(int from, int count, bool last = false) =>
        new([.. Enumerable.Range(from, count).Select(i => new StoredAlert(i, UplinkBench.Alert(i)))], AlertFormat.Json, MailDigestTests.Sensor) { IsLast = last };

    static MailSinkOptions To(SmtpServerScript server) => new()
    {
        Server = new SmtpServer { Host = "127.0.0.1", Port = server.Port, Security = SmtpSecurity.None },
        From = new Mailbox("", "nfr@example.org"),
        To = [new Mailbox("", "a@example.org"), new Mailbox("", "b@example.org")],
    };

    MailSink Sink(MailSinkOptions options) => new("mail", options, MailDigestTests.Sensor, _time);

    static Task<SinkAnswer> WriteAsync(MailSink sink, AlertPage page) => sink.WriteAsync(page, CancellationToken.None).WaitAsync(UplinkBench.Limit);

    static string Id(string message) => MessageId().Match(message).Groups[1].Value;

    static string Subject(string message) => SubjectLine().Match(message).Groups[1].Value;

    [Fact]
    public async Task The_first_goes_within_seconds_and_what_follows_is_gathered()
    {
        await using SmtpServerScript server = new();
        using MailSink sink = Sink(To(server));
        SinkAnswer answer = await WriteAsync(sink, Page(1, 1));
        Assert.Equal((0, null, TimeSpan.FromSeconds(5)), (answer.Taken, answer.Fault, answer.After!.Value));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(new SinkAnswer(7, 0, null), await WriteAsync(sink, Page(1, 7)));

        _time.Advance(TimeSpan.FromMinutes(1));
        answer = await WriteAsync(sink, Page(8, 2));
        Assert.Equal(TimeSpan.FromMinutes(4), answer.After);
        Assert.Equal($"gathering until {_time.GetLocalNow() + TimeSpan.FromMinutes(4):HH:mm}", answer.Waits);
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(new SinkAnswer(30, 0, null), await WriteAsync(sink, Page(8, 30)));
        Assert.Equal(["[NFR] 7 alerts (7 critical): C2 communication", "[NFR] 30 alerts (30 critical): C2 communication"], server.Messages.Select(Subject));
        Assert.Contains("5 further alerts:", server.Messages[1], StringComparison.Ordinal);

        // After a quiet time it is the first again.
        _time.Advance(TimeSpan.FromHours(3));
        Assert.Equal(TimeSpan.FromSeconds(5), (await WriteAsync(sink, Page(38, 1))).After);
    }

    [Fact]
    public async Task Within_an_hour_there_are_so_many_mails_and_no_more()
    {
        await using SmtpServerScript server = new();
        using MailSink sink = Sink(To(server) with { MostPerHour = 3, Digest = TimeSpan.FromMinutes(1) });
        int next = 1, waiting = 0;
        List<TimeSpan> sent = [];
        DateTimeOffset begin = _time.Utc;
        for (int minute = 0; minute < 180; minute++)
        {
            waiting++;
            SinkAnswer answer = await WriteAsync(sink, Page(next, waiting));
            if (answer.Taken > 0) sent.Add(_time.Utc - begin);
            else if (sent.Count(s => s > _time.Utc - begin - TimeSpan.FromHours(1)) == 3) Assert.StartsWith("3 mails within the hour; gathering until ", answer.Waits, StringComparison.Ordinal);
            next += answer.Taken;
            waiting -= answer.Taken;
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.Equal(9, server.Messages.Length);
        Assert.All(sent, s => Assert.InRange(sent.Count(o => o >= s && o < s + TimeSpan.FromHours(1)), 1, 3));
        Assert.Equal(180 - waiting, next - 1);
    }

    [Fact]
    public async Task At_the_end_of_a_command_nothing_is_held_back()
    {
        await using SmtpServerScript server = new();
        using MailSink sink = Sink(To(server));
        Assert.Equal(new SinkAnswer(3, 0, null), await WriteAsync(sink, Page(1, 3, last: true)));
        Assert.Equal(new SinkAnswer(3, 0, null), await WriteAsync(sink, Page(4, 3, last: true)));
        Assert.Equal(2, server.Messages.Length);
    }

    [Fact]
    public async Task A_mail_that_may_have_arrived_goes_again_as_it_was()
    {
        bool cut = true;
        List<string> seen = [];
        await using SmtpServerScript server = new();
        server.Answer = line => line == "." && cut ? "CLOSE" : null;
        using MailSink sink = Sink(To(server));
        SinkAnswer answer = await WriteAsync(sink, Page(1, 3, last: true));
        Assert.Equal((0, TimeSpan.FromMinutes(5)), (answer.Taken, answer.After!.Value));
        Assert.Contains("closed the connection at the message", answer.Fault, StringComparison.Ordinal);
        cut = false;
        // Two more have come; they are not of that mail.
        Assert.Equal(new SinkAnswer(3, 0, null, TimeSpan.Zero), await WriteAsync(sink, Page(1, 5)));
        Assert.Equal(TimeSpan.FromMinutes(5), (await WriteAsync(sink, Page(4, 2))).After);
        Assert.Equal("[NFR] 3 alerts (3 critical): C2 communication", Subject(Assert.Single(server.Messages)));
        using MailSink again = Sink(To(server));
        await WriteAsync(again, Page(1, 3, last: true));
        Assert.Equal(Id(server.Messages[0]), Id(server.Messages[1]));
        await WriteAsync(again, Page(1, 4, last: true));
        Assert.NotEqual(Id(server.Messages[1]), Id(server.Messages[2]));
    }

    [Fact]
    public async Task A_mail_that_is_never_answered_counts_as_sent_after_three_tries()
    {
        await using SmtpServerScript server = new();
        int ends = 0;
        server.Answer = line => line == "." ? ++ends == 2 ? "451 busy" : "CLOSE" : null;
        using MailSink sink = Sink(To(server) with { MostPerHour = 3 });
        // The second try is answered: the mail stays the same all the same.
        foreach (int after in (int[])[5, 0, 5])
        {
            SinkAnswer answer = await WriteAsync(sink, Page(1, 3, last: true));
            Assert.Equal((0, after == 0 ? null : TimeSpan.FromMinutes(after)), (answer.Taken, answer.After));
            _time.Advance(TimeSpan.FromMinutes(5));
        }
        Assert.Equal(new SinkAnswer(3, 0, null, TimeSpan.Zero), await WriteAsync(sink, Page(1, 4)));
        Assert.Contains("went out 3 times without an answer", sink.Remark, StringComparison.Ordinal);
        // They may be three mails in a mailbox, so the hour is full.
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.StartsWith("3 mails within the hour; gathering until ", (await WriteAsync(sink, Page(4, 1))).Waits, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("550 5.7.60 no right to send")]
    [InlineData("550 5.4.5 daily limit")]
    [InlineData("552 5.2.2 mailbox full")]
    [InlineData("554 no")]
    public async Task What_is_not_about_the_mail_passes_nothing_by_and_waits_long(string verdict)
    {
        await using SmtpServerScript server = new() { Answer = line => line == "." ? verdict : null };
        using MailSink sink = Sink(To(server));
        SinkAnswer answer = await WriteAsync(sink, Page(1, 3, last: true));
        Assert.Equal((0, 0, TimeSpan.FromMinutes(30)), (answer.Taken, answer.Refused, answer.After));
        Assert.Contains(verdict, answer.Fault, StringComparison.Ordinal);
        server.Answer = _ => null;
        Assert.Equal(new SinkAnswer(3, 0, null), await WriteAsync(sink, Page(1, 3, last: true)));
    }

    [Fact]
    public async Task A_mail_without_details_goes_only_to_those_who_have_not_had_it_with_them()
    {
        bool busy = true;
        await using SmtpServerScript server = new();
        server.Answer = line => line == "RCPT TO:<b@example.org>" && busy ? "451 greylisted" : null;
        using MailSink sink = Sink(To(server));
        Assert.Equal(0, (await WriteAsync(sink, Page(1, 3, last: true))).Taken);
        busy = false;
        int ends = 0;
        server.Answer = line => line == "." && ++ends == 1 ? "554 5.7.1 that name is listed" : null;
        // A fourth has come, of which nobody has had a mail.
        Assert.Equal(3, (await WriteAsync(sink, Page(1, 4))).Taken);
        Assert.Equal(["a", "b", "b", "b"], server.Commands.Where(c => c.StartsWith("RCPT", StringComparison.Ordinal)).Select(c => c["RCPT TO:<".Length..^"@example.org>".Length]));
        Assert.Equal("[NFR] 3 alerts (3 critical): C2 communication", Subject(server.Messages[^1]));
    }

    [Fact]
    public async Task Who_was_put_off_gets_the_same_mail_later_and_nobody_gets_it_twice()
    {
        bool busy = true;
        await using SmtpServerScript server = new();
        server.Answer = line => line == "RCPT TO:<b@example.org>" && busy ? "451 greylisted" : null;
        using MailSink sink = Sink(To(server));
        SinkAnswer answer = await WriteAsync(sink, Page(1, 3, last: true));
        Assert.Equal((0, "the server puts off 1 of 2 recipients: b@example.org"), (answer.Taken, answer.Fault));
        busy = false;
        Assert.Equal(3, (await WriteAsync(sink, Page(1, 4))).Taken);
        Assert.Equal(2, server.Messages.Length);
        Assert.Equal(server.Messages[0], server.Messages[1]);
        Assert.Equal(["RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>", "RCPT TO:<b@example.org>"], server.Commands.Where(c => c.StartsWith("RCPT", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_recipient_that_is_put_off_for_an_hour_holds_up_nobody()
    {
        await using SmtpServerScript server = new();
        server.Answer = line => line == "RCPT TO:<b@example.org>" ? "451 greylisted" : null;
        using MailSink sink = Sink(To(server));
        for (int i = 0; i < 61; i++)
        {
            Assert.Equal(0, (await WriteAsync(sink, Page(1, 3, last: true))).Taken);
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.Equal(3, (await WriteAsync(sink, Page(1, 3, last: true))).Taken);
        Assert.Contains("given up after an hour for b@example.org", sink.Remark, StringComparison.Ordinal);
        Assert.Single(server.Messages);
    }

    [Fact]
    public async Task A_recipient_that_is_refused_is_told_and_the_others_have_their_mail()
    {
        await using SmtpServerScript server = new();
        server.Answer = line => line == "RCPT TO:<b@example.org>" ? "550 gone" : null;
        using MailSink sink = Sink(To(server));
        Assert.Equal(new SinkAnswer(3, 0, null), await WriteAsync(sink, Page(1, 3, last: true)));
        Assert.Equal("1 of 2 recipients refused: b@example.org (550 gone)", sink.Remark);
        server.Answer = _ => null;
        await WriteAsync(sink, Page(4, 3, last: true));
        Assert.Null(sink.Remark);
    }

    [Fact]
    public async Task What_a_filter_refuses_goes_in_numbers_alone()
    {
        int refusals = 1;
        await using SmtpServerScript server = new();
        server.Answer = line => line == "." && refusals-- > 0 ? "554 5.7.1 that name is listed" : null;
        using MailSink sink = Sink(To(server));
        Assert.Equal(new SinkAnswer(3, 0, null), await WriteAsync(sink, Page(1, 3, last: true)));
        Assert.DoesNotContain("virus", Assert.Single(server.Messages), StringComparison.Ordinal);
        Assert.Contains("[CRITICAL] C2 communication: 3 alerts, 1 source", server.Messages[0], StringComparison.Ordinal);
        Assert.Contains("had to go without details", sink.Remark, StringComparison.Ordinal);

        refusals = 2;
        Assert.Equal(new SinkAnswer(3, 3, null), await WriteAsync(sink, Page(4, 3, last: true)));
        Assert.Equal("the server refuses the message (554 5.7.1 that name is listed)", sink.LastRefusal);
    }

    [Fact]
    public async Task What_can_be_mended_passes_nothing_by()
    {
        await using SmtpServerScript server = new();
        server.Answer = line => line.StartsWith("RCPT", StringComparison.Ordinal) ? "554 5.7.1 relay access denied" : null;
        using MailSink sink = Sink(To(server));
        SinkAnswer answer = await WriteAsync(sink, Page(1, 3, last: true));
        Assert.Equal((0, 0), (answer.Taken, answer.Refused));
        Assert.Contains("relay access denied", answer.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Through_an_output_and_its_restart_each_alert_is_in_one_mail()
    {
        await using SmtpServerScript server = new();
        using UplinkBench bench = new();
        OutputOptions options = new() { Name = "mail", Sink = To(server) };
        long told = 0;
        for (int run = 0; run < 3; run++)
        {
            using AlertOutput output = new(bench.Spool, options, MailDigestTests.Sensor, _time, bench.Notice);
            using CancellationTokenSource stop = new();
            Task running = output.RunAsync(stop.Token);
            bench.AppendAlerts(20, run * 40);
            await UplinkBench.UntilAsync(() => output.State.Holding is not null && _time.UntilNextTimer() is not null, "the first waits");
            Assert.Null(output.State.Trouble);
            _time.Advance(TimeSpan.FromSeconds(6));
            await UplinkBench.UntilAsync(() => output.State is { Waiting: 0, Holding: null }, "the first mail");
            bench.AppendAlerts(20, run * 40 + 20);
            await UplinkBench.UntilAsync(() => output.State.Holding is not null, "the next waits");
            // An orderly stop: what waits stays behind the bookmark and is in the first mail of the next run.
            await stop.CancelAsync();
            await running.WaitAsync(UplinkBench.Limit);
            Assert.Equal(20, output.State.Waiting);
            told += output.State.Alerts;
        }
        Assert.Equal(["20 alerts", "40 alerts", "40 alerts"], server.Messages.Select(m => Subject(m)["[NFR] ".Length..].Split(" (")[0]));
        Assert.Equal(100, told);
    }

    [GeneratedRegex("^Message-ID: <(.*)>", RegexOptions.Multiline)]
    private static partial Regex MessageId();

    [GeneratedRegex("^Subject: (.*)\r", RegexOptions.Multiline)]
    private static partial Regex SubjectLine();
}
