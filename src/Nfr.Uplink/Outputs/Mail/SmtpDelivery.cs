using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Nfr.Uplink;

/// <summary>How a connection to a mail server is kept from others' eyes.</summary>
public enum SmtpSecurity : byte
{
    /// <summary>STARTTLS (RFC 3207), or no mail.</summary>
    StartTls,
    /// <summary>TLS from the first byte (RFC 8314), port 465.</summary>
    Tls,
    /// <summary>STARTTLS where the server offers it.</summary>
    IfOffered,
    None,
}

/// <summary>A mail server that takes mail from us.</summary>
public sealed record SmtpServer
{
    public required string Host { get; init; }
    public required int Port { get; init; }
    public SmtpSecurity Security { get; init; } = SmtpSecurity.StartTls;
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    /// <summary>Null = no log-in.</summary>
    public string? User { get; init; }
    public SecretText? Password { get; init; }
    /// <summary>User and password may go out without TLS.</summary>
    public bool PlainPassword { get; init; }
    /// <summary>Name, TCP and, where it comes first, TLS.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>All of a message, from the connection's first byte to the message's last one. RFC 5321 allows hours; an output that waits for hours helps nobody.</summary>
    public TimeSpan MessageTimeout { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>RFC 5321, 4.5.3.2.6: the answer to the message. Who goes sooner gets the mail delivered again and again by a server that looks through it slowly.</summary>
    public TimeSpan VerdictTimeout { get; init; } = TimeSpan.FromMinutes(10);
}

public enum SmtpOutcome : byte
{
    /// <summary>The server answered for the message, to those recipients that it did not refuse.</summary>
    Sent,
    /// <summary>Something that passes or can be mended: the network, the server, a log-in, an address.</summary>
    Failed,
    /// <summary>The server will not have this message for what is in it or for its size, and nothing but another message helps.</summary>
    Refused,
}

/// <summary>What became of one message.</summary>
/// <param name="Outcome">Of the message.</param>
/// <param name="Message">One sentence unless all is well.</param>
/// <param name="Later">Recipients that shall get it another time (4xx); of a message that was sent.</param>
/// <param name="Never">Recipients that the server refuses (5xx), each with its words; of a message that was sent.</param>
/// <param name="Unsure">The message went out whole and no answer came: it may have been taken.</param>
/// <param name="Lasting">Failed with the message at hand for a reason that is not gone in a minute: a right, a day's limit, a full mailbox, or one that the server keeps to itself.</param>
public sealed record SmtpResult(SmtpOutcome Outcome, string Message, IReadOnlyList<string> Later, IReadOnlyList<string> Never, bool Unsure = false, bool Lasting = false);

/// <summary>
/// Hands one message to a mail server: RFC 5321 with STARTTLS (3207), AUTH PLAIN, LOGIN and CRAM-MD5 (4954), SIZE (1870), 8BITMIME (6152) and SMTPUTF8 (6531). A connection
/// a message; it ends within the server's times whatever the other side does, and only the caller's own cancellation throws.
/// </summary>
sealed class SmtpDelivery(SmtpServer server, ClientTls tls, TimeProvider time)
{
    const int MaxLine = 2048;
    const int MaxLines = 100;
    const int MaxSaid = 200;

    /// <param name="Code">Three digits.</param>
    /// <param name="Text">Of all lines, made fit for a log.</param>
    /// <param name="Lines">As they came, without the code.</param>
    readonly record struct Reply(int Code, string Text, IReadOnlyList<string> Lines)
    {
        public bool Is(int hundreds) => Code / 100 == hundreds;
        public string Said => Text.Length == 0 ? $"{Code}" : $"{Code} {Text}";
    }

    /// <summary>Ends a conversation; caught in <see cref="SendAsync"/> and nowhere else.</summary>
    sealed class Stopped(string message, bool lasting = false) : IOException(message)
    {
        public bool IsLasting => lasting;
    }

    /// <param name="hello">Our name; null = our address.</param>
    /// <param name="from">The envelope's sender, without brackets.</param>
    /// <param name="to">At least one.</param>
    /// <param name="message">Lines that end in CR LF; dots are doubled here.</param>
    /// <param name="cancel">The caller's wish to stop; the only thing that throws.</param>
    public async Task<SmtpResult> SendAsync(string? hello, string from, IReadOnlyList<string> to, ReadOnlyMemory<byte> message, CancellationToken cancel)
    {
        using CancellationTokenSource deadline = new(server.MessageTimeout, time);
        using CancellationTokenSource connecting = new(server.ConnectTimeout, time);
        using CancellationTokenSource any = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        Talk talk = new(server, tls, deadline, any.Token);
        try
        {
            using (CancellationTokenSource first = CancellationTokenSource.CreateLinkedTokenSource(any.Token, connecting.Token)) await talk.ConnectAsync(first.Token);
            return await talk.DeliverAsync(hello, from, to, message);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            return Failed(talk.AwaitsVerdict ? $"no answer to the message within {server.VerdictTimeout.TotalMinutes:0.#} min" : deadline.IsCancellationRequested ? $"no answer to {talk.Step} within {server.MessageTimeout.TotalSeconds:0.#} s for the whole message" : $"no connection within {server.ConnectTimeout.TotalSeconds:0.#} s");
        }
        catch (Stopped e)
        {
            return Failed(e.Message) with { Lasting = e.IsLasting };
        }
        catch (SocketException e)
        {
            return Failed(e.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => "connection refused: nobody listens there, check host and port",
                SocketError.NetworkUnreachable or SocketError.HostUnreachable => $"no route to {server.Host}: check the network",
                SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => $"the name {server.Host} cannot be resolved, check DNS",
                _ => $"no connection ({e.SocketErrorCode})",
            });
        }
        catch (IOException e)
        {
            return Failed(ClientTls.AboutOurs(e, server.Host) ?? $"the connection broke at {talk.Step}");
        }
        finally
        {
            await talk.CloseAsync();
        }

        SmtpResult Failed(string why) => new(SmtpOutcome.Failed, why, [], [], talk.AwaitsVerdict);
    }

    /// <summary>One connection's state.</summary>
    sealed class Talk(SmtpServer server, ClientTls tls, CancellationTokenSource deadline, CancellationToken cancel)
    {
        readonly byte[] _buffer = new byte[4096];
        readonly Dictionary<string, string> _offers = new(StringComparer.OrdinalIgnoreCase);
        Socket? _socket;
        Stream? _stream;
        int _start;
        int _end;
        bool _isSecret;

        /// <summary>What is waited for, as people call it.</summary>
        public string Step { get; private set; } = "the connection";

        public bool AwaitsVerdict { get; private set; }

        public async Task ConnectAsync(CancellationToken connecting)
        {
            _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await _socket.ConnectAsync(server.Host, server.Port, connecting);
            _stream = new NetworkStream(_socket, ownsSocket: false);
            if (server.Security == SmtpSecurity.Tls) await SecureAsync(connecting);
        }

        public async Task<SmtpResult> DeliverAsync(string? hello, string from, IReadOnlyList<string> to, ReadOnlyMemory<byte> message)
        {
            Step = "the greeting";
            Reply greeting = await ReadAsync();
            if (!greeting.Is(2)) throw new Stopped($"the server turned us away ({greeting.Said})");
            string name = hello ?? AddressLiteral();
            await HelloAsync(name);
            if (server.Security is SmtpSecurity.StartTls or SmtpSecurity.IfOffered) await StartTlsAsync(name);
            if (server.User is not null) await LogInAsync(server.User);

            bool wide = !Ascii.IsValid(from) || to.Any(a => !Ascii.IsValid(a));
            if (wide && !_offers.ContainsKey("SMTPUTF8")) throw new Stopped("the server takes no addresses with other than plain letters (SMTPUTF8); set others in from and to");
            bool eightBits = message.Span.ContainsAnyInRange((byte)0x80, (byte)0xFF);
            if (eightBits && !_offers.ContainsKey("8BITMIME")) return Refused("the server takes messages of seven bits only");
            if (_offers.TryGetValue("SIZE", out string? limit) && long.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out long most) && most > 0 && message.Length > most)
                return Refused($"the message has {message.Length:N0} bytes, the server takes {most:N0}");

            string parameters = (limit is null ? "" : $" SIZE={message.Length.ToString(CultureInfo.InvariantCulture)}") + (eightBits ? " BODY=8BITMIME" : "") + (wide ? " SMTPUTF8" : "");
            Reply mail = await AskAsync("MAIL FROM", $"MAIL FROM:<{from}>{parameters}");
            if (mail.Code == 552) return Refused($"the message is too large for the server ({mail.Said})");
            if (mail.Code == 530) throw new Stopped($"the server wants a log-in ({mail.Said}); set username and password");
            if (!mail.Is(2)) throw new Stopped($"the server does not take mail from {from} ({mail.Said})");

            List<string> later = [], never = [];
            string? last = null;
            foreach (string one in to)
            {
                Reply answer = await AskAsync("RCPT TO", $"RCPT TO:<{one}>");
                if (answer.Is(2)) continue;
                if (answer.Code == 421) throw new Stopped($"the server is about to close ({answer.Said})");
                last = $"{one} ({answer.Said})";
                if (answer.Is(5)) never.Add(last);
                else later.Add(one);
            }
            // Nobody is left. That is an address or a right, which can be mended; losing alerts over it cannot.
            if (later.Count + never.Count == to.Count) throw new Stopped($"the server takes mail for none of the recipients: {last}");

            Reply data = await AskAsync("DATA", "DATA");
            if (data.Code != 354) throw new Stopped($"the server takes no message now ({data.Said})");
            Step = "the message";
            await WriteAsync(Stuffed(message.Span));
            AwaitsVerdict = true;
            deadline.CancelAfter(server.VerdictTimeout);
            Reply verdict = await ReadAsync();
            AwaitsVerdict = false;
            if (verdict.Is(2)) return new SmtpResult(SmtpOutcome.Sent, "", later, never);
            if (IsAboutMessage(verdict)) return Refused($"the server refuses the message ({verdict.Said})");
            throw new Stopped($"the server does not take the message now ({verdict.Said})", lasting: verdict.Is(5));
        }

        /// <summary>RFC 3463: too big (5.3.4), content (5.6) and security's catch-alls (5.7.0, 5.7.1), which filters use. All else, and a bare 550, may be about rights, limits or mailboxes.</summary>
        static bool IsAboutMessage(Reply verdict)
        {
            string status = verdict.Lines[0].Split(' ', 2)[0];
            return verdict.Code switch
            {
                552 => status == "5.3.4",
                550 or 554 => status is "5.7.0" or "5.7.1" || status.StartsWith("5.6.", StringComparison.Ordinal),
                _ => false,
            };
        }

        static SmtpResult Refused(string why) => new(SmtpOutcome.Refused, why, [], []);

        async Task HelloAsync(string name)
        {
            _offers.Clear();
            Reply reply = await AskAsync("EHLO", "EHLO " + name);
            if (reply.Code is 500 or 502 or 504 && server is { Security: SmtpSecurity.None or SmtpSecurity.Tls, User: null }) reply = await AskAsync("HELO", "HELO " + name);
            if (!reply.Is(2)) throw new Stopped($"the server does not take our name {name} ({reply.Said})");
            foreach (string line in reply.Lines.Skip(1))
            {
                // "AUTH=PLAIN" is how the extension was announced before it was a standard.
                int end = line.AsSpan().IndexOfAny(' ', '=');
                _offers[end < 0 ? line : line[..end]] = end < 0 ? "" : line[(end + 1)..].Trim();
            }
        }

        async Task StartTlsAsync(string name)
        {
            if (!_offers.ContainsKey("STARTTLS"))
            {
                if (server.Security == SmtpSecurity.IfOffered) return;
                throw new Stopped("the server offers no STARTTLS, or somebody between takes it away; nothing is sent in the clear unless security says so");
            }
            Reply reply = await AskAsync("STARTTLS", "STARTTLS");
            if (reply.Code != 220) throw new Stopped($"the server does not start TLS ({reply.Said})");
            // What came before the handshake may be from anybody: neither its bytes nor what was offered then counts.
            _start = _end = 0;
            _offers.Clear();
            await SecureAsync(cancel);
            await HelloAsync(name);
        }

        async Task SecureAsync(CancellationToken within)
        {
            Step = "the TLS handshake";
            (System.Net.Security.SslStream? secured, TlsFault? fault) = await tls.OpenAsync(_stream!, server.Host, within);
            if (secured is null) throw new Stopped(fault!.Sentence);
            (_stream, _isSecret) = (secured, true);
        }

        async Task LogInAsync(string user)
        {
            if (!_isSecret && !server.PlainPassword) throw new Stopped("the password would go out without TLS; set security to starttls or tls, or plain_password to true");
            string password = "", fault = "";
            if (server.Password is { } secret && !secret.TryRead(out password, out fault)) throw new Stopped("password_file: " + fault);
            string[] offered = _offers.TryGetValue("AUTH", out string? list) ? list.Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
            if (offered.Length == 0) throw new Stopped("the server takes no log-in here; leave username empty, or try another port");
            string[] known = _isSecret ? ["PLAIN", "LOGIN", "CRAM-MD5"] : ["CRAM-MD5", "PLAIN", "LOGIN"];
            string? way = known.FirstOrDefault(k => offered.Contains(k, StringComparer.OrdinalIgnoreCase));
            Reply reply;
            switch (way)
            {
                case "PLAIN":
                    reply = await AskAsync("AUTH", "AUTH PLAIN " + Base64($"\0{user}\0{password}"));
                    break;
                case "LOGIN":
                    reply = await AskAsync("AUTH", "AUTH LOGIN");
                    if (reply.Code == 334) reply = await AskAsync("AUTH", Base64(user));
                    if (reply.Code == 334) reply = await AskAsync("AUTH", Base64(password));
                    break;
                case "CRAM-MD5":
                    reply = await AskAsync("AUTH", "AUTH CRAM-MD5");
                    if (reply.Code == 334) reply = await AskAsync("AUTH", Base64($"{user} {Answer(reply.Text, password)}"));
                    break;
                default:
                    throw new Stopped($"the server knows no way to log in that the sensor knows ({string.Join(", ", offered.Take(8).Select(Clean))}; the sensor knows PLAIN, LOGIN, CRAM-MD5)");
            }
            if (!reply.Is(2)) throw new Stopped(reply.Is(5) ? $"the server does not take user and password ({reply.Said}); check username and password" : $"the log-in failed ({reply.Said})");
        }

        static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

        /// <summary>RFC 2195. MD5 is what the mechanism is; it is used where a server offers nothing better.</summary>
        static string Answer(string challenge, string password)
        {
            byte[] asked = new byte[challenge.Length];
            if (!Convert.TryFromBase64String(challenge, asked, out int length)) throw new Stopped("the server's challenge is no base64");
#pragma warning disable CA5351
            return Convert.ToHexStringLower(HMACMD5.HashData(Encoding.UTF8.GetBytes(password), asked.AsSpan(0, length)));
#pragma warning restore CA5351
        }

        /// <summary>RFC 5321, 4.1.3: who has no name that others know says his address.</summary>
        string AddressLiteral()
        {
            IPAddress address = (_socket!.LocalEndPoint as IPEndPoint)?.Address ?? IPAddress.Loopback;
            if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
            return address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[IPv6:{new IPAddress(address.GetAddressBytes())}]" : $"[{address}]";
        }

        async Task<Reply> AskAsync(string step, string command)
        {
            Step = step;
            await WriteAsync(Encoding.UTF8.GetBytes(command + "\r\n"));
            return await ReadAsync();
        }

        async Task WriteAsync(ReadOnlyMemory<byte> bytes)
        {
            await _stream!.WriteAsync(bytes, cancel);
            await _stream.FlushAsync(cancel);
        }

        /// <summary>RFC 5321, 4.2: "250-text" lines and a last "250 text".</summary>
        async Task<Reply> ReadAsync()
        {
            List<string> lines = [];
            while (lines.Count < MaxLines)
            {
                string line = await ReadLineAsync();
                if (line.Length < 3 || !int.TryParse(line.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int code) || code is < 200 or > 599
                    || line.Length > 3 && line[3] is not (' ' or '-')) throw new Stopped($"what came at {Step} is no SMTP (\"{Clean(line)}\")");
                lines.Add(line.Length > 4 ? line[4..] : "");
                if (line.Length > 3 && line[3] == '-') continue;
                return new Reply(code, Clean(string.Join(' ', lines).Trim()), lines);
            }
            throw new Stopped($"the answer to {Step} has more than {MaxLines} lines");
        }

        async Task<string> ReadLineAsync()
        {
            byte[] line = new byte[MaxLine];
            int length = 0;
            while (true)
            {
                if (_start == _end)
                {
                    (_start, _end) = (0, await _stream!.ReadAsync(_buffer, cancel));
                    if (_end == 0) throw new Stopped($"the server closed the connection at {Step}");
                }
                byte b = _buffer[_start++];
                if (b == '\n') return Encoding.UTF8.GetString(line, 0, length > 0 && line[length - 1] == '\r' ? length - 1 : length);
                if (length == MaxLine) throw new Stopped($"a line of the answer to {Step} is longer than {MaxLine:N0} bytes");
                line[length++] = b;
            }
        }

        /// <summary>RFC 5321, 4.5.2, with the end of the message.</summary>
        static byte[] Stuffed(ReadOnlySpan<byte> message)
        {
            using MemoryStream stuffed = new(message.Length + 64);
            bool begins = true;
            foreach (byte b in message)
            {
                if (begins && b == '.') stuffed.WriteByte((byte)'.');
                stuffed.WriteByte(b);
                begins = b == '\n';
            }
            stuffed.Write(begins ? ".\r\n"u8 : "\r\n.\r\n"u8);
            return stuffed.ToArray();
        }

        static string Clean(string text)
        {
            string cut = text.Length <= MaxSaid ? text : string.Concat(text.AsSpan(0, MaxSaid), "…");
            return string.Concat(cut.Select(c => char.IsControl(c) ? ' ' : c));
        }

        /// <summary>Says good-bye without waiting for the answer: the message's was the last one that matters.</summary>
        public async Task CloseAsync()
        {
            try
            {
                if (_stream is not null)
                {
                    if (!cancel.IsCancellationRequested && !AwaitsVerdict) await _stream.WriteAsync("QUIT\r\n"u8.ToArray(), cancel);
                    await _stream.DisposeAsync();
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
            {
                // The other side went first.
            }
            _socket?.Dispose();
        }
    }
}
