using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Nfr.Tests.Uplink;

/// <summary>
/// A mail server that does as the test says: by default it takes all mail. <see cref="Answer"/> gets each command (and "." for a message's end, "" for the greeting) and gives the
/// answer, null for the usual one; an answer "CLOSE" closes, "RESET" resets, "HANG" says nothing any more, "HALF …" says so much without a line's end and hangs, "ENDLESS …" says it
/// for ever, and "DRIP …" a byte a second.
/// </summary>
sealed class SmtpServerScript : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    readonly Task _accepting;
    readonly X509Certificate2? _certificate;
    readonly bool _tlsFirst;
    readonly List<string> _messages = [];
    readonly List<string> _commands = [];

    public SmtpServerScript(X509Certificate2? certificate = null, bool tlsFirst = false)
    {
        (_certificate, _tlsFirst) = (certificate, tlsFirst);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;
    public Func<string, string?> Answer { get; set; } = _ => null;
    public string[] Offers { get; set; } = ["8BITMIME", "SIZE 1000000", "AUTH PLAIN LOGIN CRAM-MD5"];
    /// <summary>Bytes of answers after which the connection is cut; below 0 = never.</summary>
    public int CutAfter { get; set; } = -1;
    /// <summary>Sent in one piece with the answer to STARTTLS.</summary>
    public string Injected { get; set; } = "";
    public bool OfferStartTls { get; set; } = true;
    /// <summary>What follows the answer to STARTTLS is no handshake.</summary>
    public bool AnswersPlainly { get; set; }

    public string[] Messages { get { lock (_messages) return [.. _messages]; } }
    public string[] Commands { get { lock (_messages) return [.. _commands]; } }

    async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync(_stop.Token);
                _ = Task.Run(async () =>
                {
                    using (socket)
                    {
                        try
                        {
                            await ServeAsync(socket);
                        }
                        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
                        {
                            // The client went, or the test is over.
                        }
                    }
                });
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    async Task ServeAsync(Socket socket)
    {
        Stream stream = new NetworkStream(socket, ownsSocket: false);
        bool isSecret = false;
        int sent = 0;
        if (_tlsFirst) await SecureAsync();
        if (!await SayAsync(Answer("") ?? "220 test")) return;
        string? wants = null;
        StringBuilder? message = null;
        string challenge = "";
        while (await ReadLineAsync() is { } line)
        {
            if (message is not null)
            {
                if (line != ".")
                {
                    message.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
                    continue;
                }
                string verdict = Answer(".") ?? "250 taken";
                if (verdict.StartsWith('2')) lock (_messages) _messages.Add(message.ToString());
                message = null;
                if (!await SayAsync(verdict)) return;
                continue;
            }
            lock (_messages) _commands.Add(line);
            string word = wants ?? line.Split(' ', ':')[0].ToUpperInvariant();
            string? answer = Answer(line);
            if (answer is null)
            {
                (wants, answer) = word switch
                {
                    "EHLO" => (null, Greeting()),
                    "STARTTLS" => (null, "220 go"),
                    "AUTH" when line == "AUTH LOGIN" => ("USER", "334 VXNlcm5hbWU6"),
                    "AUTH" when line == "AUTH CRAM-MD5" => ("CRAM", "334 " + (challenge = Convert.ToBase64String("<1896.697170952@postoffice.reston.mci.net>"u8))),
                    "AUTH" => (null, line["AUTH PLAIN ".Length..] == Convert.ToBase64String("\0tim\0tanstaaftanstaaf"u8) ? "235 in" : "535 5.7.8 no"),
                    "USER" => ("PASS", "334 UGFzc3dvcmQ6"),
                    "PASS" => (null, line == Convert.ToBase64String("tanstaaftanstaaf"u8) ? "235 in" : "535 5.7.8 no"),
                    "CRAM" => (null, line == Convert.ToBase64String("tim b913a602c7eda7a495b4e6e7334d3890"u8) ? "235 in" : "535 5.7.8 no"),
                    "MAIL" or "RCPT" or "RSET" or "HELO" => (null, "250 ok"),
                    "DATA" => (null, "354 go"),
                    "QUIT" => (null, "221 bye"),
                    _ => (null, "502 what?"),
                };
            }
            else wants = null;
            if (word == "STARTTLS" && answer.StartsWith("220", StringComparison.Ordinal))
            {
                if (AnswersPlainly)
                {
                    if (!await SayAsync("220 go\r\n250 and on in the clear")) return;
                    await Task.Delay(Timeout.Infinite, _stop.Token);
                }
                if (!await SayAsync(answer + (Injected.Length > 0 ? "\r\n" + Injected : ""))) return;
                await SecureAsync();
                continue;
            }
            if (word == "DATA" && answer.StartsWith("354", StringComparison.Ordinal)) message = new StringBuilder();
            if (!await SayAsync(answer) || word == "QUIT") return;
        }

        string Greeting()
        {
            List<string> lines = ["test", .. Offers];
            if (_certificate is not null && !isSecret && OfferStartTls) lines.Add("STARTTLS");
            return string.Join("\r\n", lines.Select((l, i) => $"250{(i == lines.Count - 1 ? ' ' : '-')}{l}"));
        }

        async Task SecureAsync()
        {
            SslStream secured = new(stream);
            await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
            (stream, isSecret) = (secured, true);
        }

        async Task<bool> SayAsync(string answer)
        {
            if (answer == "HANG") await Task.Delay(Timeout.Infinite, _stop.Token);
            if (answer == "CLOSE") return false;
            if (answer == "RESET")
            {
                RawServer.Reset(socket);
                return false;
            }
            if (answer.StartsWith("HALF ", StringComparison.Ordinal))
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(answer[5..]), _stop.Token);
                await Task.Delay(Timeout.Infinite, _stop.Token);
            }
            for (byte[] again = answer.StartsWith("ENDLESS ", StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(answer[8..]) : []; again.Length > 0;) await stream.WriteAsync(again, _stop.Token);
            if (answer.StartsWith("DRIP ", StringComparison.Ordinal))
            {
                foreach (byte b in Encoding.UTF8.GetBytes(answer[5..]))
                {
                    await stream.WriteAsync(new[] { b }, _stop.Token);
                    await Task.Delay(1000, _stop.Token);
                }
            }
            byte[] bytes = Encoding.UTF8.GetBytes(answer.EndsWith('\n') ? answer : answer + "\r\n");
            if (CutAfter >= 0 && sent + bytes.Length > CutAfter)
            {
                await stream.WriteAsync(bytes.AsMemory(0, CutAfter - sent), _stop.Token);
                return false;
            }
            sent += bytes.Length;
            await stream.WriteAsync(bytes, _stop.Token);
            return true;
        }

        async Task<string?> ReadLineAsync()
        {
            List<byte> line = [];
            byte[] one = new byte[1];
            while (await stream.ReadAsync(one, _stop.Token) == 1)
            {
                if (one[0] == '\n') return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
                line.Add(one[0]);
            }
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }
}
