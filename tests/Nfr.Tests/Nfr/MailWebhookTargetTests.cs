using System.Text;
using Nfr.Config;
using Nfr.Uplink;

namespace Nfr.Tests.Nfr;

public sealed class MailWebhookTargetTests
{
    static (NfrConfig? Config, string[] Faults) Parse(string item)
    {
        NfrConfig? config = NfrConfig.Parse("/opt/sensor/config.yml", Encoding.UTF8.GetBytes($"outputs:\n  targets:\n    - {item}\n"), out IReadOnlyList<ConfigFault> faults);
        return (config, [.. faults.Select(f => f.ToString())]);
    }

    static T Good<T>(string item) where T : SinkOptions
    {
        (NfrConfig? config, string[] faults) = Parse(item);
        Assert.Empty(faults);
        return Assert.IsType<T>(Assert.Single(config!.Outputs.Targets).Sink);
    }

    [Fact]
    public void Mail_needs_a_server_a_sender_and_recipients()
    {
        MailSinkOptions mail = Good<MailSinkOptions>("{name: m, mail: {server: mail.example.org, from: NFR <nfr@example.org>, to: [soc@example.org, ops@example.org]}}");
        Assert.Equal(("mail.example.org", 587, SmtpSecurity.StartTls, null), (mail.Server.Host, mail.Server.Port, mail.Server.Security, mail.Server.User));
        Assert.Equal((new Mailbox("NFR", "nfr@example.org"), "[NFR]", 12, 25, TimeSpan.FromMinutes(5)), (mail.From, mail.Subject, mail.MostPerHour, mail.Details, mail.Digest));
        Assert.Equal(["soc@example.org", "ops@example.org"], mail.To.Select(t => t.Address));
    }

    [Theory]
    [InlineData("tls", 465, SmtpSecurity.Tls)]
    [InlineData("none", 25, SmtpSecurity.None)]
    [InlineData("if_offered", 25, SmtpSecurity.IfOffered)]
    public void Each_security_has_its_port(string word, int port, SmtpSecurity security)
    {
        MailSinkOptions mail = Good<MailSinkOptions>($"{{name: m, mail: {{server: a, security: {word}, from: a@b.c, to: a@b.c, subject: \"\", digest: 1h, most_per_hour: 3, details: 5}}}}");
        Assert.Equal((port, security, "", 3, 5), (mail.Server.Port, mail.Server.Security, mail.Subject, mail.MostPerHour, mail.Details));
    }

    [Fact]
    public void A_webhook_has_headers_a_secret_and_a_way_out()
    {
        WebhookSinkOptions hook = Good<WebhookSinkOptions>("{name: w, webhook: {url: \"https://hooks.example.org/x?y=1\", headers: {Authorization: Bearer 1}, secret: whsec_AAAA, batch: single, proxy: none, tls: {ca: roots.pem}}}");
        Assert.Equal("https://hooks.example.org/x?y=1", hook.Url.AbsoluteUri);
        Assert.Equal([new("Authorization", "Bearer 1")], hook.Headers);
        Assert.Equal(("whsec_AAAA", true, "/opt/sensor/roots.pem", true), (hook.Secret!.Text, hook.Single, hook.Tls.Roots, hook.Proxy.IsNone));
    }

    [Theory]
    [InlineData("{name: m, mail: {from: a@b.c, to: a@b.c}}", "mail.server: missing")]
    [InlineData("{name: m, mail: {server: 'a:25', from: a@b.c, to: a@b.c}}", "the port has a key of its own")]
    [InlineData("{name: m, mail: {server: a, to: a@b.c}}", "mail.from: missing")]
    [InlineData("{name: m, mail: {server: a, from: a@b.c}}", "mail.to: missing")]
    [InlineData("{name: m, mail: {server: a, from: a@b.c, to: [a@b.c, nobody]}}", "mail.to: expected an address such as")]
    [InlineData("{name: m, mail: {server: a, from: \"a@b.c\\nBcc: x\", to: a@b.c}}", "mail.from: expected an address such as")]
    [InlineData("{name: m, mail: {server: a, from: a@b.c, to: a@b.c, subject: \"x\\ny\"}}", "mail.subject: expected one line")]
    [InlineData("{name: m, mail: {server: a, from: a@b.c, to: a@b.c, username: u}}", "there is a username and no password")]
    [InlineData("{name: m, mail: {server: a, from: a@b.c, to: a@b.c, password: u}}", "there is a password and no username")]
    [InlineData("{name: m, mail: {server: a, from: a@b.c, to: a@b.c, security: none, username: u, password: p}}", "would send the password in the clear")]
    [InlineData("{name: m, mail: {server: a, from: a@b.c, to: a@b.c, digest: 1s}}", "mail.digest: expected a duration")]
    [InlineData("{name: m, format: json, mail: {server: a, from: a@b.c, to: a@b.c}}", "has one format of its own")]
    [InlineData("{name: w, webhook: {}}", "webhook.url: missing")]
    [InlineData("{name: w, webhook: {url: 'ftp://a/b'}}", "webhook.url: expected an http:// or https:// address")]
    [InlineData("{name: w, webhook: {url: 'https://u:p@a/b'}}", "do not belong into the address")]
    [InlineData("{name: w, webhook: {url: 'https://a', secret: whsec_?}}", "no base64")]
    [InlineData("{name: w, webhook: {url: 'https://a', secret: a, secret_file: b}}", "secret is set too")]
    [InlineData("{name: w, webhook: {url: 'https://a', headers: {Host: b}}}", "Host is set by the sensor itself")]
    [InlineData("{name: w, webhook: {url: 'https://a', headers: {X: \"a\\r\\nb\"}}}", "other than visible ASCII")]
    [InlineData("{name: w, format: cef, webhook: {url: 'https://a'}}", "format: expected one of json")]
    [InlineData("{name: w, webhook: {url: 'https://a', batch: heap}}", "webhook.batch: expected one of array, single")]
    public void What_cannot_be_is_a_fault_with_its_line(string item, string expected)
    {
        (NfrConfig? config, string[] faults) = Parse(item);
        Assert.Null(config);
        Assert.Contains(faults, f => f.Contains(expected, StringComparison.Ordinal) && f.StartsWith("/opt/sensor/config.yml:3", StringComparison.Ordinal));
        Assert.DoesNotContain(faults, f => f.Contains("u:p", StringComparison.Ordinal));
    }
}
