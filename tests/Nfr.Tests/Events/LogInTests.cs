using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Nfr.Events;
using Nfr.Tests.Wire;

namespace Nfr.Tests.Events;

/// <summary>Results of log-ins, who logged in, and that nobody's password goes any further.</summary>
public sealed class LogInTests
{
    const string Ftp = "<220 files 1.0\r\n", Mail = "<220 mail ESMTP\r\n", Pop = "<+OK pop\r\n", Imap = "<* OK imap\r\n", Terminal = "<\u00ff\u00fd\u0018";

    static SeenIp Talk(params string[] lines)
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed, serverPort: 9999).Open();
        foreach (string line in lines) Say(talk, line);
        SeenIp flow = bed.OnlyFlow();
        Assert.Empty(bed.Faults);
        return flow;
    }

    static void Say(TcpTalk talk, string line)
    {
        if (line[0] == '>') talk.Client(line[1..]);
        else talk.Server(line[1..]);
    }

    /// <summary>Successes, failures, user, lines.</summary>
    public static TheoryData<int, int, string, string[]> Results => new()
    {
        // FTP
        { 1, 0, "bob", [Ftp, ">USER bob\r\n", "<331 p\r\n", ">PASS x\r\n", "<230 in\r\n"] },
        { 0, 1, "bob", [Ftp, ">USER bob\r\n", "<331 p\r\n", ">PASS x\r\n", "<530 no\r\n"] },
        { 1, 2, "eve", [Ftp, ">USER bob\r\n", "<331 p\r\n", ">PASS x\r\n", "<530 no\r\n", ">USER bob\r\n", "<331 p\r\n", ">PASS y\r\n", "<530 no\r\n", ">USER eve\r\n", "<331 p\r\n", ">PASS z\r\n", "<230 in\r\n"] },
        { 1, 0, "bob", [Ftp, ">USER bob\r\n", "<331 p\r\n", ">PASS x\r\n", "<332 account\r\n", ">ACCT y\r\n", "<230 in\r\n"] },
        { 1, 0, "bob", [Ftp, ">USER bob\r\n", "<230 in at once\r\n", ">SYST\r\n", "<215 UNIX\r\n"] },
        { 0, 1, "bob", [Ftp, ">USER bob\r\n", "<530 anonymous only\r\n", ">QUIT\r\n"] },
        { 0, 1, "bob", [Ftp, ">USER bob\r\nPASS x\r\n", "<530 no\r\n530 no\r\n"] },
        { 0, 0, "", [Ftp, ">AUTH TLS\r\n", "<530 no\r\n"] },
        { 0, 0, "", [Ftp, ">LIST\r\n", "<530 log in first\r\n"] },
        { 1, 0, "bob", ["<220-welcome\r\n 220 is no code here\r\n220 files\r\n", ">USER bob\r\nPASS x\r\nSYST\r\n", "<331 p\r\n230-Hello\r\n530 is shown\r\n230 in\r\n215 UNIX\r\n"] },
        { 0, 0, "bob", [Ftp, ">USER bob\r\n", "<421 too many\r\n"] },
        // SMTP
        { 1, 0, "bob", [Mail, ">EHLO c\r\n", "<250-mail\r\n250 AUTH PLAIN\r\n", ">AUTH PLAIN AGJvYgBz\r\n", "<235 in\r\n"] },
        { 0, 1, "bob", [Mail, ">EHLO c\r\n", "<250 ok\r\n", ">AUTH PLAIN\r\n", "<334 \r\n", ">AGJvYgBz\r\n", "<535 no\r\n"] },
        { 0, 1, "bob", [Mail, ">EHLO c\r\n", "<250 ok\r\n", ">AUTH LOGIN\r\n", "<334 VXNlcm5hbWU6\r\n", ">Ym9i\r\n", "<334 UGFzc3dvcmQ6\r\n", ">czNjcmV0\r\n", "<535 no\r\n"] },
        { 1, 0, "bob", [Mail, ">EHLO c\r\n", "<250 ok\r\n", ">AUTH LOGIN Ym9i\r\n", "<334 UGFzc3dvcmQ6\r\n", ">czNjcmV0\r\n", "<235 in\r\n"] },
        { 0, 1, "tim", [Mail, ">EHLO c\r\n", "<250 ok\r\n", ">AUTH CRAM-MD5\r\n", "<334 PDE4OTY=\r\n", ">" + Base64("tim b913a602c7eda7a495b4e6e7334d3890") + "\r\n", "<454 later\r\n"] },
        { 0, 1, "a@b", [Mail, ">EHLO c\r\n", "<250 ok\r\n", ">AUTH XOAUTH2 " + Base64("user=a@b\u0001auth=Bearer tok\u0001\u0001") + "\r\n", "<334 eyJ9\r\n", ">\r\n", "<535 no\r\n"] },
        { 0, 0, "", [Mail, ">EHLO c\r\n", "<250 ok\r\n", ">AUTH PLAIN\r\n", "<534 encrypt first\r\n", ">QUIT\r\n"] },
        { 1, 0, "bob", [Mail, ">EHLO c\r\nAUTH PLAIN AGJvYgBz\r\nMAIL FROM:<a@b>\r\n", "<250 ok\r\n235 in\r\n250 ok\r\n"] },
        { 0, 0, "", [Mail, ">EHLO c\r\n", "<250 ok\r\n", ">DATA\r\n", "<354 go\r\n", ">AUTH PLAIN AGJvYgBz\r\n.\r\n", "<535 odd\r\n"] },
        { 0, 0, "", [Mail, ">EHLO c\r\n", "<250 ok\r\n", ">BDAT 23 LAST\r\nAUTH PLAIN AGJvYgBzeA==\r\n", "<250 ok\r\n"] },
        // POP3
        { 1, 0, "bob", [Pop, ">USER bob\r\n", "<+OK\r\n", ">PASS x\r\n", "<+OK in\r\n"] },
        { 0, 1, "bob", [Pop, ">USER bob\r\nPASS x\r\n", "<+OK\r\n-ERR no\r\n"] },
        { 0, 1, "bob", [Pop, ">USER bob\r\nPASS x\r\n", "<-ERR who\r\n-ERR no\r\n"] },
        { 1, 0, "bob", [Pop, ">APOP bob c4c9334bac560ecc979e58001b3e22fb\r\n", "<+OK in\r\n"] },
        { 0, 1, "bob", [Pop, ">AUTH PLAIN\r\n", "<+ \r\n", ">AGJvYgBz\r\n", "<-ERR no\r\n"] },
        { 1, 0, "bob", [Pop, ">CAPA\r\n", "<+OK\r\nUSER\r\n", "<-ERR is no reply here\r\n.\r\n", ">USER bob\r\n", "<+OK\r\n", ">PASS x\r\n", "<+OK\r\n"] },
        // IMAP
        { 1, 0, "bob", [Imap, ">a1 LOGIN bob x\r\n", "<* CAPABILITY IMAP4\r\na1 OK in\r\n"] },
        { 0, 1, "b \\\"o", [Imap, ">a1 LOGIN \"b \\\"o\" \"x y\"\r\n", "<a1 NO no\r\n"] },
        { 1, 0, "bob", [Imap, ">a1 LOGIN {3}\r\n", "<+ go\r\n", ">bob {6}\r\n", "<+ go\r\n", ">secret\r\n", "<a1 OK in\r\n"] },
        { 1, 0, "bob", [Imap, ">a1 LOGIN {3+}\r\nbob {6+}\r\nsecret\r\na2 NOOP\r\n", "<a1 OK in\r\na2 OK\r\n"] },
        { 0, 1, "bob", [Imap, ">a1 AUTHENTICATE PLAIN AGJvYgBz\r\n", "<a1 NO no\r\n"] },
        { 0, 0, "", [Imap, ">a1 AUTHENTICATE PLAIN\r\n", "<a1 NO encrypt first\r\n"] },
        { 0, 0, "bob", [Imap, ">a1 LOGIN bob x\r\n", "<a1 BAD what\r\n", ">a2 NOOP\r\n", "<a2 OK\r\n"] },
        { 0, 0, "bob", [Imap, ">a1 LOGIN bob x\r\n", "<* 1 FETCH {9}\r\na1 OK in\r\n)\r\n"] },
        { 0, 0, "", [Imap, ">a1 APPEND x {18}\r\na1 LOGIN bob sec\r\n\r\n", "<a1 OK\r\n"] },
        // Telnet
        { 1, 0, "bob", [Terminal, "<login: ", ">b", "<b", ">ob\r\n", "<ob\r\nPassword: ", ">secret\r\n", "<\r\nLast login: today\r\n$ "] },
        { 0, 1, "bob", [Terminal, "<log", "<in: ", ">bob\r\n", "<bob\r\nPass", "<word: ", ">secret\r\n", "<\r\nLogin incorrect\r\nlogin: "] },
        { 1, 1, "eve", [Terminal, "<Username: ", ">bob\r\n", "<Password: ", ">x\r\n", "<\r\n% Authentication failed\r\n\r\nUsername: ", ">evf\u007fe\r\n", "<Password: ", ">y\r\n", "<\r\nrouter>"] },
        { 0, 0, "bob", [Terminal, "<login: ", ">bob\r\n", "<Password: ", ">x\r\n", "<\r\nPassword: "] },
        { 1, 0, "bob", [Terminal, "<login: ", ">\u00ff\u00fc\u0018b\u00ff\u00fa\u0018xy\u00ff\u00f0ob\r\0", "<Password: ", ">x\r\0", "<\r\nhost# ", ">su\r\n", "<Password: ", ">y\r\n", "<Access denied\r\n"] },
        { 0, 0, "", [Terminal, "<Access denied\r\n", "<host> "] },
    };

    static string Base64(string text) => Convert.ToBase64String(Encoding.Latin1.GetBytes(text));

    [Theory]
    [MemberData(nameof(Results))]
    public void Log_ins_are_counted_with_their_user(int successes, int failures, string user, string[] lines)
    {
        SeenIp flow = Talk(lines);
        Assert.Equal((successes, failures, user), (flow.LoginSuccesses, flow.LoginFailures, flow.User));
        Assert.Equal((successes > 0, failures > 0), (flow.Notes.HasFlag(FlowNotes.LoginSucceeded), flow.Notes.HasFlag(FlowNotes.LoginFailed)));
    }

    [Theory]
    [MemberData(nameof(Results))]
    public void One_byte_a_segment_changes_nothing(int successes, int failures, string user, string[] lines)
    {
        SeenIp flow = Talk([.. lines.SelectMany((l, i) => i == 0 ? [l] : l[1..].Select(b => $"{l[0]}{b}"))]);
        Assert.Equal((successes, failures, user), (flow.LoginSuccesses, flow.LoginFailures, flow.User));
    }

    /// <summary>With a segment missing anywhere, some results are not known; none is made up.</summary>
    [Theory]
    [MemberData(nameof(Results))]
    public void A_lost_segment_counts_nothing_that_was_not_there(int successes, int failures, string user, string[] lines)
    {
        for (int lost = 1; lost < lines.Length; lost++)
        {
            using var bed = new DecodeBed();
            TcpTalk talk = new TcpTalk(bed, serverPort: 9999).Open();
            for (int i = 0; i < lines.Length; i++)
            {
                if (i != lost) Say(talk, lines[i]);
                else if (lines[i][0] == '>') talk.ClientLost(lines[i].Length - 1);
                else talk.ServerLost(lines[i].Length - 1);
            }
            talk.Client("\r\n").Server("\r\n").Client("\r\n");
            SeenIp flow = bed.OnlyFlow();
            Assert.True(flow.LoginSuccesses <= successes && flow.LoginFailures <= failures, $"without segment {lost}: {flow.LoginSuccesses}, {flow.LoginFailures}");
            Assert.True(user.Length > 0 || flow.User.Length == 0);
        }
    }

    [Fact]
    public void A_name_is_cut_at_a_character_and_has_no_control_codes()
    {
        Assert.Equal(new string('x', 63), Talk(Ftp, ">USER " + new string('x', 63) + "\u00c3\u00a4\r\n").User);
        Assert.Equal("a?b", Talk(Ftp, ">USER a\u0001b\r\n").User);
        Assert.Equal("a?b", Talk(Ftp, ">USER a\u00e4b\r\n").User);
    }

    [Fact]
    public void A_greeting_is_the_servers_software()
    {
        Assert.Equal("files 1.0", Talk(Ftp, ">USER bob\r\n").ServerSoftware);
        Assert.Equal("mail ESMTP", Talk(Mail, ">EHLO c\r\n", "<250 other\r\n").ServerSoftware);
        Assert.Equal("pop", Talk(Pop, ">USER bob\r\n", "<+OK x\r\n").ServerSoftware);
        Assert.Equal("imap", Talk(Imap, ">a NOOP\r\n", "<* OK x\r\n").ServerSoftware);
    }

    [Fact]
    public void Counts_stop_at_their_largest()
    {
        FlowDetail detail = default, more = default;
        more.LoginFailures = more.LoginSuccesses = 40_000;
        detail.Add(more);
        detail.Add(more);
        Assert.Equal((ushort.MaxValue, ushort.MaxValue), (detail.LoginFailures, detail.LoginSuccesses));
    }

    /// <summary>A password of letters and digits that no dialogue holds otherwise, at any cut of the segments.</summary>
    [Fact]
    public void No_password_is_ever_in_an_event()
    {
        Gen<string> passwords = Gen.Elements("ABCDEFGHJKLMNPQRSTUVWXYZ23456789!%&/+".ToCharArray()).ArrayOf().Where(a => a.Length is >= 6 and < 60).Select(a => new string(a));
        Prop.ForAll(passwords.ToArbitrary(), Gen.Choose(1, 40).ToArbitrary(), (password, cut) =>
        {
            string plain = Base64("\0bob\0" + password), encoded = Base64(password);
            string[][] dialogues =
            [
                [Ftp, $">USER bob\r\nPASS {password}\r\n", "<331 p\r\n530 no\r\n", $">ACCT {password}\r\n", "<230 in\r\n"],
                [Mail, ">EHLO c\r\n", "<250 ok\r\n", $">AUTH PLAIN {plain}\r\n", "<535 no\r\n", ">AUTH LOGIN\r\n", "<334 VXNlcm5hbWU6\r\n", ">Ym9i\r\n", "<334 UGFzc3dvcmQ6\r\n", $">{encoded}\r\n", "<235 in\r\n"],
                [Mail, ">EHLO c\r\n", "<250 ok\r\n", ">AUTH LOGIN\r\n", "<334 UGFzc3dvcmQ6\r\n", $">{encoded}\r\n", "<535 no\r\n"],
                [Mail, ">EHLO c\r\n", "<250 ok\r\n", ">AUTH XOAUTH2 " + Base64($"user=bob\u0001auth=Bearer {password}\u0001\u0001") + "\r\n", "<235 in\r\n"],
                [Pop, $">USER bob\r\nPASS {password}\r\n", "<+OK\r\n-ERR no\r\n", $">AUTH PLAIN {plain}\r\n", "<+OK in\r\n"],
                [Imap, $">a LOGIN bob {password}\r\n", "<a NO no\r\n", $">b LOGIN {{3+}}\r\nbob {{{password.Length}+}}\r\n{password}\r\n", "<b OK in\r\n", $">c AUTHENTICATE PLAIN {plain}\r\n", "<c NO no\r\n"],
                [Terminal, "<login: ", ">bob\r\n", "<Password: ", $">{password}\r\n", "<\r\nLogin incorrect\r\nlogin: ", ">bob\r\n", "<Password: ", $">{password}\r\n", "<\r\n$ "],
            ];
            foreach (string[] dialogue in dialogues)
            {
                using var bed = new DecodeBed();
                TcpTalk talk = new TcpTalk(bed, serverPort: 9999).Open();
                Say(talk, dialogue[0]);
                foreach (string line in dialogue.Skip(1))
                {
                    for (int at = 1; at < line.Length; at += cut) Say(talk, line[0] + line.Substring(at, Math.Min(cut, line.Length - at)));
                }
                SeenIp flow = bed.OnlyFlow();
                string all = flow + string.Concat(bed.Seen.Content);
                Assert.DoesNotContain(password, all, StringComparison.Ordinal);
                Assert.DoesNotContain(encoded.TrimEnd('='), all, StringComparison.Ordinal);
                Assert.True(flow.User is "bob" or "", flow.User);
                Assert.True(flow.Notes.HasFlag(FlowNotes.CleartextCredentials));
            }
        }).QuickCheckThrowOnFailure();
    }
}
