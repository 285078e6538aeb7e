using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Tests.Uplink;

/// <summary>Against Debian's aiosmtpd, as a process of its own on loopback: what it received is what the golden files say.</summary>
public sealed class RealMailServerTests(ITestOutputHelper output)
{
    const string Script = """
        import sys, ssl, asyncio, logging
        from aiosmtpd.smtp import SMTP, AuthResult
        port, folder, mode = int(sys.argv[1]), sys.argv[2], sys.argv[3]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
        class Keeper:
            count = 0
            async def handle_RCPT(self, server, session, envelope, address, options):
                if address.startswith("gone"):
                    return "550 5.1.1 no such user"
                envelope.rcpt_tos.append(address)
                return "250 OK"
            async def handle_DATA(self, server, session, envelope):
                Keeper.count += 1
                with open(f"{folder}/{Keeper.count}.part", "wb") as f:
                    f.write(envelope.original_content)
                with open(f"{folder}/{Keeper.count}.envelope", "w") as f:
                    f.write(envelope.mail_from + " " + " ".join(envelope.rcpt_tos))
                return "250 OK"
        def check(server, session, envelope, mechanism, data):
            return AuthResult(success=data.login == b"nfr" and data.password == b"correct horse", handled=False)
        def make():
            return SMTP(Keeper(), hostname="mail.test", tls_context=context if mode == "starttls" else None, require_starttls=mode == "starttls",
                        authenticator=check, auth_required=True, auth_require_tls=mode == "starttls", enable_SMTPUTF8=True)
        async def main():
            server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", port, ssl=context if mode == "tls" else None)
            print("listening", flush=True)
            await server.serve_forever()
        asyncio.run(main())
        """;

    static bool IsThere()
    {
        try
        {
            using Process? process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", "import aiosmtpd"]) { RedirectStandardError = true });
            process!.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    [Theory]
    [InlineData("starttls", SmtpSecurity.StartTls)]
    [InlineData("tls", SmtpSecurity.Tls)]
    public async Task A_real_server_receives_what_the_golden_files_say(string mode, SmtpSecurity security)
    {
        if (!IsThere())
        {
            output.WriteLine("left out: /usr/bin/python3 with aiosmtpd (python3-aiosmtpd) is not here");
            return;
        }
        string folder = Directory.CreateTempSubdirectory("nfr-mail-").FullName;
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        await File.WriteAllTextAsync(Path.Combine(folder, "cert.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder, "key.pem"), certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(Path.Combine(folder, "password"), "correct horse\n");
        int port = FreePort.Take();
        using Process server = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", Script, $"{port}", folder, mode]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            Assert.Equal("listening", await server.StandardOutput.ReadLineAsync().WaitAsync(UplinkBench.Limit));
            SmtpServer to = new()
            {
                Host = "127.0.0.1", Port = port, Security = security, Tls = new TlsSettings { Pins = [ClientTls.PinOf(certificate)] },
                User = "nfr", Password = new SecretText { File = Path.Combine(folder, "password") }, MessageTimeout = UplinkBench.Limit, ConnectTimeout = UplinkBench.Limit,
            };
            string[] golden = Directory.GetFiles(MailDigestTests.Folder(), "*.eml").Order(StringComparer.Ordinal).ToArray();
            Assert.Equal(3, golden.Length);
            for (int i = 0; i < golden.Length; i++)
            {
                byte[] mail = Encoding.UTF8.GetBytes((await File.ReadAllTextAsync(golden[i])).ReplaceLineEndings("\r\n"));
                SmtpResult result = await SendAsync(to, mail, ["soc@example.org", "gone@example.org"]);
                Assert.Equal((SmtpOutcome.Sent, ""), (result.Outcome, result.Message));
                Assert.Equal(["gone@example.org (550 5.1.1 no such user)"], result.Never);
                Assert.Equal(mail, await File.ReadAllBytesAsync(Path.Combine(folder, $"{i + 1}.part")));
                Assert.Equal("nfr@example.org soc@example.org", await File.ReadAllTextAsync(Path.Combine(folder, $"{i + 1}.envelope")));
            }
            SmtpResult refused = await SendAsync(to with { Password = new SecretText { Text = "wrong" } }, "x\r\n"u8.ToArray(), ["soc@example.org"]);
            Assert.Contains("does not take user and password (535", refused.Message, StringComparison.Ordinal);
            SmtpResult stranger = await SendAsync(to with { User = null }, "x\r\n"u8.ToArray(), ["soc@example.org"]);
            Assert.Contains("the server wants a log-in (530", stranger.Message, StringComparison.Ordinal);
            Assert.Equal(3, Directory.GetFiles(folder, "*.part").Length);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
            output.WriteLine(await server.StandardError.ReadToEndAsync());
            Directory.Delete(folder, recursive: true);
        }
    }

    static Task<SmtpResult> SendAsync(SmtpServer to, byte[] mail, string[] recipients) =>
        new SmtpDelivery(to, new ClientTls(to.Tls, TimeProvider.System), TimeProvider.System).SendAsync(null, "nfr@example.org", recipients, mail, CancellationToken.None).WaitAsync(UplinkBench.Limit);
}
