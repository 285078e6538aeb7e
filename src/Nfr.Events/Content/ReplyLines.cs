namespace Nfr.Events;

/// <summary>
/// FTP (RFC 959, RFC 4217) and SMTP (RFC 5321, RFC 4954): commands, and replies of three digits in the same order. A log-in failed when USER, PASS, ACCT
/// or AUTH got a reply that refuses it (530; 535, 534, 454 and 530 after credentials), and succeeded with 230 or 235. Other refusals (a busy server, a wrong
/// order, encryption wanted first) are none of the log-in.
/// </summary>
static class ReplyLines
{
    public static void OnFtpCommand(Conversation c, ReadOnlySpan<byte> line)
    {
        ref TextState s = ref c.Text;
        if (TryCommand(line, "USER"u8, out ReadOnlySpan<byte> argument))
        {
            LogIn.User(c, argument);
            s.UserRefused = false;
            s.Asked.Add(Asked.User);
        }
        else if (TryCommand(line, "PASS"u8, out argument) || TryCommand(line, "ACCT"u8, out argument))
        {
            // Anonymous FTP asks for no secret; the line cannot be told from one without judging the name, so it is noted.
            if (!argument.IsEmpty) LogIn.Credentials(c);
            s.Asked.Add(Asked.Password);
        }
        else
        {
            s.Asked.Add(TryCommand(line, "AUTH"u8, out argument) && IsTls(argument) ? Asked.StartTls : Asked.Nothing);
        }
    }

    static bool IsTls(ReadOnlySpan<byte> mechanism) => Recognizer.StartsWithIgnoreCase(mechanism, "TLS"u8) || Recognizer.StartsWithIgnoreCase(mechanism, "SSL"u8);

    public static void OnSmtpCommand(Conversation c, ReadOnlySpan<byte> line)
    {
        ref TextState s = ref c.Text;
        if (s.Mail)
        {
            if (!line.SequenceEqual("."u8)) return;
            s.Mail = false;
            s.Asked.Add(Asked.Nothing);
            return;
        }
        if (s.Responding)
        {
            Sasl.OnResponse(c, line);
            return;
        }
        if (TryCommand(line, "AUTH"u8, out ReadOnlySpan<byte> argument))
        {
            Sasl.Begin(c, argument);
            s.Asked.Add(Asked.Sasl);
        }
        else if (TryCommand(line, "DATA"u8, out _))
        {
            // The client must wait for 354 before the mail, so a refusal comes first.
            s.Mail = true;
            s.Asked.Add(Asked.Data);
        }
        else if (TryCommand(line, "BDAT"u8, out argument))
        {
            // RFC 3030: so many bytes of mail follow at once.
            if (System.Buffers.Text.Utf8Parser.TryParse(argument, out uint size, out _)) s.BytesOut = size;
            s.Asked.Add(Asked.Nothing);
        }
        else
        {
            s.Asked.Add(TryCommand(line, "STARTTLS"u8, out _) ? Asked.StartTls : Asked.Nothing);
        }
    }

    public static void OnReply(Conversation c, ReadOnlySpan<byte> line)
    {
        ref TextState s = ref c.Text;
        if (!TryCode(line, out int code)) return;
        bool goesOn = line.Length > 3 && line[3] == (byte)'-';
        if (s.ReplyCode != 0)
        {
            // RFC 959 4.2: it ends with the line that begins with the same code and a space; what lies between may begin with anything.
            if (goesOn || code != s.ReplyCode) return;
            s.ReplyCode = 0;
        }
        else if (code == 220 && !s.Greeted && s.Asked.First != Asked.StartTls)
        {
            LogIn.ServerSoftware(c, line[Math.Min(4, line.Length)..]);
            s.Greeted = true;
            s.ReplyCode = goesOn ? (ushort)code : (ushort)0;
            // Nobody asked for the greeting.
            s.GreetingOpen = goesOn;
            return;
        }
        else if (goesOn)
        {
            s.ReplyCode = (ushort)code;
            return;
        }
        if (s.GreetingOpen)
        {
            s.GreetingOpen = false;
            return;
        }
        // A reply before the last (RFC 959 4.2, 1yz).
        if (code < 200) return;
        Asked asked = s.Asked.First;
        if (asked == Asked.Sasl && code == 334)
        {
            Sasl.OnChallenge(c, line[Math.Min(4, line.Length)..]);
            return;
        }
        // The end of mail was not seen (a gap), but its reply is here; or DATA was not, and mail begins.
        if (s.Asked.IsEmpty) s.Mail = code == 354;
        s.Asked.Take();
        if (c.App == App.Ftp) OnFtpReply(c, asked, code);
        else OnSmtpReply(c, asked, code);
    }

    static void OnFtpReply(Conversation c, Asked asked, int code)
    {
        ref TextState s = ref c.Text;
        switch (asked)
        {
            case Asked.User or Asked.Password when code is 230 or 232:
                LogIn.Succeeded(c);
                break;
            case Asked.User or Asked.Password when code == 530:
                if (asked == Asked.User || !s.UserRefused) LogIn.Failed(c);
                s.UserRefused = asked == Asked.User;
                break;
            case Asked.StartTls when code == 234:
                LogIn.TlsGranted(c);
                break;
        }
    }

    static void OnSmtpReply(Conversation c, Asked asked, int code)
    {
        ref TextState s = ref c.Text;
        switch (asked)
        {
            case Asked.Sasl:
                if (code == 235) LogIn.Succeeded(c);
                else if (code is 535 or 534 or 454 or 530 && s.Offered) LogIn.Failed(c);
                Sasl.End(c);
                break;
            case Asked.StartTls when code == 220:
                LogIn.TlsGranted(c);
                break;
            case Asked.Data when code >= 400:
                s.Mail = false;
                break;
        }
    }

    static bool TryCode(ReadOnlySpan<byte> line, out int code)
    {
        code = 0;
        if (line.Length < 3 || line[0] is < (byte)'1' or > (byte)'6' || !char.IsAsciiDigit((char)line[1]) || !char.IsAsciiDigit((char)line[2])) return false;
        if (line.Length > 3 && line[3] is not ((byte)' ' or (byte)'-')) return false;
        code = ((line[0] - '0') * 100) + ((line[1] - '0') * 10) + (line[2] - '0');
        return true;
    }

    /// <summary>A command is a word, alone or before a space.</summary>
    public static bool TryCommand(ReadOnlySpan<byte> line, ReadOnlySpan<byte> command, out ReadOnlySpan<byte> argument)
    {
        argument = default;
        if (!Recognizer.StartsWithIgnoreCase(line, command)) return false;
        if (line.Length == command.Length) return true;
        if (line[command.Length] != (byte)' ') return false;
        argument = line[(command.Length + 1)..].Trim((byte)' ');
        return true;
    }
}
