using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>outputs.targets[].mail.</summary>
static class MailTarget
{
    public static SinkOptions? Read(Section s)
    {
        string? server = s.Text("server", expected: "a host name or address");
        SmtpSecurity security = s.Choice("security", "starttls", "starttls", "tls", "if_offered", "none") switch
        {
            "tls" => SmtpSecurity.Tls,
            "if_offered" => SmtpSecurity.IfOffered,
            "none" => SmtpSecurity.None,
            _ => SmtpSecurity.StartTls,
        };
        int port = s.Integer("port", security switch { SmtpSecurity.StartTls => 587, SmtpSecurity.Tls => 465, _ => 25 }, 1, 65535);
        string? user = s.Text("username");
        SecretText? password = SecretKeys.Read(s, "password");
        bool plain = s.Flag("plain_password", false);
        Mailbox? from = Address(s, "from", s.Text("from", expected: "an address"), null);
        List<Mailbox> to = [];
        IReadOnlyList<(string Text, int Line)> entries = s.Entries("to");
        foreach ((string text, int line) in entries)
        {
            if (Address(s, "to", text, line) is { } one) to.Add(one);
        }
        if (entries.Count > 100) s.Fault("to", "more than 100 recipients; use a list of the mail server");
        string subject = s.IsEmptyText("subject") ? "" : s.Text("subject", "[NFR]") ?? "";
        if (s.Text("subject", "")!.Any(char.IsControl) || subject.Length > 60) s.Fault("subject", "expected one line of up to 60 characters");
        TimeSpan digest = s.Duration("digest", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(10), TimeSpan.FromDays(1));
        int most = s.Integer("most_per_hour", 12, 1, 1000);
        int details = s.Integer("details", 25, 0, 100);
        TlsSettings tls = TlsSection.Read(s.Under("tls"));
        s.End();

        if (server is null) s.Fault("server", "missing; the mail server's name");
        else if (Uri.CheckHostName(server) == UriHostNameType.Unknown) s.Fault("server", $"expected a host name or address, found \"{server}\"; the port has a key of its own");
        if (from is null && !s.Has("from")) s.Fault("from", "missing; the address that mails come from");
        if (entries.Count == 0) s.Fault("to", "missing; the addresses that get the mails");
        if (user is null && password is not null) s.Fault(s.Has("password") ? "password" : "password_file", "there is a password and no username");
        if (user is not null && password is null) s.Fault("username", "there is a username and no password; set password or password_file");
        if (user is not null && security == SmtpSecurity.None && !plain) s.Fault("security", "none would send the password in the clear; set starttls or tls, or plain_password to true if that is meant");
        if (server is null || from is null || to.Count == 0) return null;
        return new MailSinkOptions
        {
            Server = new SmtpServer { Host = server, Port = port, Security = security, Tls = tls, User = user, Password = password, PlainPassword = plain },
            From = from,
            To = to,
            Subject = subject,
            Digest = digest,
            MostPerHour = most,
            Details = details,
        };
    }

    static Mailbox? Address(Section s, string key, string? text, int? line)
    {
        if (text is null) return null;
        Mailbox? mailbox = Mailbox.TryParse(text);
        string fault = $"expected an address such as soc@example.org or \"Night watch <soc@example.org>\", found \"{(text.Length > 60 ? text[..57] + "..." : text)}\"";
        if (mailbox is null && line is { } at) s.FaultAt(at, key, fault);
        else if (mailbox is null) s.Fault(key, fault);
        return mailbox;
    }
}
