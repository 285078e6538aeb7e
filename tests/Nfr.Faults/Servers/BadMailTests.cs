using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Nfr.Tests.Uplink;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Faults.Servers;

/// <summary>
/// Mail before servers that answer wrongly, cut, without end or not at all at each step of the conversation: the file beside it has everything at once, and when the server is well
/// again every alert is in a mail; two mails with the same alerts have the same Message-ID, and come only where a message had gone out whole and no verdict came. Real sockets, a faster
/// time.
/// </summary>
public sealed partial class BadMailTests(ITestOutputHelper output) : IDisposable
{
    const int First = 15, Then = 5;

    readonly TestCertificates _certificates = new();
    readonly ConcurrentDictionary<string, string> _sentences = [];

    /// <param name="Name">As the report has it.</param>
    /// <param name="Apply">Makes the server bad.</param>
    /// <param name="Unsure">The message was out when it happened: it may have arrived.</param>
    /// <param name="Waits">Minutes until the next try, where they are more than the back-off's.</param>
    sealed record Mood(string Name, Action<SmtpServerScript> Apply, bool Unsure = false, int Waits = 0)
    {
        public override string ToString() => Name;
    }

    public void Dispose() => _certificates.Dispose();

    static readonly (string Word, string Name)[] s_steps = [("", "the greeting"), ("EHLO", "EHLO"), ("STARTTLS", "STARTTLS"), ("AUTH", "AUTH"), ("MAIL", "MAIL FROM"), ("RCPT", "RCPT TO"), ("DATA", "DATA"), (".", "the verdict")];

    static Mood At((string Word, string Name) step, string answer, string what)
    {
        bool verdict = step.Word == ".";
        bool said = char.IsDigit(answer[0]);
        // A bad verdict of 5xx is about rights or limits as far as anybody can tell: half an hour. None, or one that is no SMTP: five minutes.
        return new Mood($"{what} at {step.Name}", server => server.Answer = line => line == step.Word || (step.Word.Length > 1 && line.StartsWith(step.Word, StringComparison.Ordinal)) ? answer : null,
            verdict && !(said && answer[0] is >= '2' and <= '5'), verdict ? answer[0] == '5' ? 30 : said && answer[0] is '3' or '4' ? 0 : 5 : 0);
    }

    static IEnumerable<Mood> Moods()
    {
        foreach ((string, string) step in s_steps)
        {
            string word = step.Item1;
            foreach (string code in (string[])["150", "354", "421", "450", "550", "650"])
            {
                // DATA's own yes.
                if (code != "354" || word != "DATA") yield return At(step, code + " so it is", code);
            }
            yield return At(step, "CLOSE", "closes");
            yield return At(step, "RESET", "resets");
            yield return At(step, "HANG", "says nothing");
            yield return At(step, "HALF 25", "half a code");
            yield return At(step, "HALF 250-half a reply\r\n", "half a reply");
            yield return At(step, "\0\x01garbage", "garbage");
            yield return At(step, "ENDLESS 250-more\r\n", "lines without end");
            yield return At(step, "ENDLESS x", "a line without end");
            yield return At(step, "DRIP 250-slow as can be, and no end of it in any time that anybody has to wait for a mail to go out", "a byte a second");
        }
        yield return new("EHLO without extensions", server => (server.Offers, server.OfferStartTls) = ([], false));
        yield return new("STARTTLS not offered", server => server.OfferStartTls = false);
        yield return new("no way to log in", server => server.Offers = ["8BITMIME"]);
        yield return new("STARTTLS answered in the clear", server => server.AnswersPlainly = true);
        yield return new("answers before the handshake", server => (server.Injected, server.Offers) = ("250-evil\r\n250 AUTH PLAIN\r\n235 in\r\n250 ok\r\n354 go\r\n250 taken", []));
    }

    [Fact]
    public async Task Mail_outlasts_every_bad_server()
    {
        try
        {
            await EachMood.RunAsync<Mood>(output, "mail", [.. Moods()], RunAsync);
        }
        finally
        {
            foreach ((string sentence, string kind) in _sentences) output.WriteLine($"{kind}: {sentence}");
        }
    }

    async Task<EachMood.Course> RunAsync(Mood mood)
    {
        await using var server = new SmtpServerScript(_certificates.Good);
        mood.Apply(server);
        // The longest wait takes three seconds.
        int speed = mood.Waits switch { 30 => 600, 5 => 100, _ => 20 };
        var time = new FastTime(speed);
        using var all = new AllOutputs(time);
        all.Append(First, bulk: 0);
        var to = new SmtpServer
        {
            Host = "127.0.0.1", Port = server.Port, Tls = new TlsSettings { Roots = _certificates.RootFile }, User = "tim", Password = new SecretText { Text = "tanstaaftanstaaf" },
            // In real time never less than three seconds: the machine may be busy.
            ConnectTimeout = TimeSpan.FromSeconds(Math.Max(10, 3 * speed)), MessageTimeout = TimeSpan.FromSeconds(Math.Max(60, 3 * speed)), VerdictTimeout = TimeSpan.FromSeconds(Math.Max(60, 3 * speed)),
        };
        long begin = time.GetTimestamp();
        all.Start(new MailSinkOptions
        {
            Server = to, From = new Mailbox("", "nfr@example.org"), To = [new Mailbox("", "a@example.org")], Digest = TimeSpan.FromSeconds(10), MostPerHour = 1000,
        });
        await all.UntilAsync(() => all.Bad.State.FailedWrites >= 1, () => $"tries are counted: {all.Bad.State}");
        var course = new EachMood.Course((int)all.Bad.State.FailedWrites, time.GetElapsedTime(begin));
        await all.AssertOtherIsWellAsync();
        all.AssertTold($"127.0.0.1:{server.Port}", null, mood.Name, _sentences);
        Assert.Empty(server.Messages);
        long before = all.Bad.State.FailedWrites;
        (server.Answer, server.Offers, server.OfferStartTls, server.AnswersPlainly, server.Injected) = (_ => null, ["8BITMIME", "AUTH PLAIN LOGIN"], true, false, "");
        all.Append(Then, bulk: 0);
        await all.UntilAsync(() => all.Bad.State.Alerts >= First + Then, () => $"all alerts are mailed once the server is well: {all.Bad.State}");
        await all.AssertOtherIsWellAsync();
        await all.StopAsync();
        Assert.Equal((First + Then, 0L), (all.Bad.State.Alerts, all.Bad.State.Refused));
        var mails = server.Messages.Select(mail => (Id: MessageId().Match(mail).Groups[1].Value, Numbers: EachMood.Numbers(mail.Replace("[.]", ".", StringComparison.Ordinal)))).ToList();
        List<int> told = [.. mails.DistinctBy(mail => mail.Id).SelectMany(mail => mail.Numbers).Order()];
        Assert.Equal(Enumerable.Range(0, First + Then), told);
        int doubled = mails.Count - mails.DistinctBy(mail => mail.Id).Count();
        // A server that is well and late, on a busy machine, is one that may have it.
        if (!mood.Unsure) Assert.InRange(doubled, 0, all.Bad.State.FailedWrites - before);
        return course with { Doubled = doubled };
    }

    [GeneratedRegex("^Message-ID: <(.*)>", RegexOptions.Multiline)]
    private static partial Regex MessageId();
}
