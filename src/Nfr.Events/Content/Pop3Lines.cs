namespace Nfr.Events;

/// <summary>
/// POP3 (RFC 1939, RFC 2449, RFC 2595, RFC 5034): +OK and -ERR in the order of the commands. A log-in succeeded with +OK to PASS, APOP or AUTH, and failed
/// with -ERR to one of them or to USER.
/// </summary>
static class Pop3Lines
{
    public static void OnCommand(Conversation c, ReadOnlySpan<byte> line)
    {
        ref TextState s = ref c.Text;
        if (s.Responding)
        {
            Sasl.OnResponse(c, line);
            return;
        }
        if (ReplyLines.TryCommand(line, "USER"u8, out ReadOnlySpan<byte> argument))
        {
            LogIn.User(c, argument);
            s.UserRefused = false;
            s.Asked.Add(Asked.User);
        }
        else if (ReplyLines.TryCommand(line, "PASS"u8, out argument))
        {
            if (!argument.IsEmpty) LogIn.Credentials(c);
            s.Asked.Add(Asked.Password);
        }
        else if (ReplyLines.TryCommand(line, "APOP"u8, out argument))
        {
            // The name and a digest: no secret.
            int space = argument.IndexOf((byte)' ');
            if (space > 0) LogIn.User(c, argument[..space]);
            s.UserRefused = false;
            s.Asked.Add(Asked.Password);
        }
        else if (ReplyLines.TryCommand(line, "AUTH"u8, out argument) && !argument.IsEmpty)
        {
            Sasl.Begin(c, argument);
            s.Asked.Add(Asked.Sasl);
        }
        else
        {
            s.Asked.Add(ReplyLines.TryCommand(line, "STLS"u8, out _) ? Asked.StartTls : HasLines(line) ? Asked.Lines : Asked.Nothing);
        }
    }

    /// <summary>A positive reply goes on to a line with a dot (RFC 1939 3).</summary>
    static bool HasLines(ReadOnlySpan<byte> line) =>
        ReplyLines.TryCommand(line, "RETR"u8, out _) || ReplyLines.TryCommand(line, "TOP"u8, out _) || ReplyLines.TryCommand(line, "CAPA"u8, out _)
        || ((ReplyLines.TryCommand(line, "LIST"u8, out ReadOnlySpan<byte> argument) || ReplyLines.TryCommand(line, "UIDL"u8, out argument)
            || ReplyLines.TryCommand(line, "AUTH"u8, out argument)) && argument.IsEmpty);

    public static void OnReply(Conversation c, ReadOnlySpan<byte> line)
    {
        ref TextState s = ref c.Text;
        if (s.ReplyCode != 0)
        {
            if (line.SequenceEqual("."u8)) s.ReplyCode = 0;
            return;
        }
        bool taken = line.StartsWith("+OK"u8);
        if (!taken && !line.StartsWith("-ERR"u8))
        {
            if (s.Asked.First == Asked.Sasl && line.StartsWith("+ "u8)) Sasl.OnChallenge(c, line[2..]);
            return;
        }
        if (!s.Greeted && s.Asked.IsEmpty)
        {
            s.Greeted = true;
            if (taken) LogIn.ServerSoftware(c, line[3..]);
            return;
        }
        s.Greeted = true;
        Asked asked = s.Asked.First;
        s.Asked.Take();
        switch (asked)
        {
            case Asked.User when !taken:
                s.UserRefused = true;
                LogIn.Failed(c);
                break;
            case Asked.Password:
                if (taken) LogIn.Succeeded(c);
                else if (!s.UserRefused) LogIn.Failed(c);
                s.UserRefused = false;
                break;
            case Asked.Sasl:
                if (taken) LogIn.Succeeded(c);
                else if (s.Offered) LogIn.Failed(c);
                Sasl.End(c);
                break;
            case Asked.Lines when taken:
                s.ReplyCode = 1;
                break;
            case Asked.StartTls when taken:
                LogIn.TlsGranted(c);
                break;
        }
    }
}
