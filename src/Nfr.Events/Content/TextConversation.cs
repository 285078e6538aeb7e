using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// FTP, SMTP, POP3, IMAP and Telnet: lines are cut here and given to the protocol's own file, which watches for log-ins, their results, passwords that cross in
/// the clear, and the change to TLS. No password is kept or passed on.
/// </summary>
static class TextConversation
{
    /// <summary>A longer line is no command; its front is judged and the rest passed over.</summary>
    const int MaximumLine = 1024;

    /// <summary>A literal that is longer is no name.</summary>
    const int MaximumLiteral = 256;

    /// <summary>Consumes whole lines. Changes the kind to Tls where a hello begins instead of a line.</summary>
    public static int OnBytes(Conversation c, int direction, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= 3 && bytes[0] == 0x16 && bytes[1] == 3 && bytes[2] <= 4)
        {
            c.Kind = ConversationKind.Tls;
            return 0;
        }
        if (bytes.Length < 3 && bytes[0] == 0x16) return 0;
        if (c.App == App.Telnet)
        {
            if (direction == 0) TelnetTyping.OnClient(c, bytes);
            else TelnetTyping.OnServer(c, bytes);
            return bytes.Length;
        }
        ref long passing = ref direction == 0 ? ref c.Text.BytesOut : ref c.Text.BytesIn;
        ref bool skip = ref direction == 0 ? ref c.Text.SkipOut : ref c.Text.SkipIn;
        int at = 0;
        while (at < bytes.Length)
        {
            ReadOnlySpan<byte> rest = bytes[at..];
            if (passing > 0)
            {
                if (c.Text.Argument == ImapArgument.User && direction == 0 && passing <= MaximumLiteral)
                {
                    if (rest.Length < passing) return at;
                    ImapLines.OnLiteral(c, rest[..(int)passing]);
                }
                int passed = (int)Math.Min(passing, rest.Length);
                passing -= passed;
                at += passed;
                continue;
            }
            int end = rest.IndexOf((byte)'\n');
            if (end < 0 && rest.Length < MaximumLine && !skip) return at;
            if (!skip)
            {
                ReadOnlySpan<byte> line = rest[..Math.Min(end < 0 ? rest.Length : end, MaximumLine)].TrimEnd((byte)'\r');
                if (direction == 0) OnClientLine(c, line);
                else OnServerLine(c, line);
            }
            skip = end < 0;
            at = end < 0 ? bytes.Length : at + end + 1;
        }
        return at;
    }

    static void OnClientLine(Conversation c, ReadOnlySpan<byte> line)
    {
        // A greeting of 220 may be either's; who says hello sends mail (RFC 5321 4.1.1.1, RFC 2033 4.1).
        if (c.App == App.Ftp && (Recognizer.StartsWithIgnoreCase(line, "EHLO "u8) || Recognizer.StartsWithIgnoreCase(line, "HELO "u8) || Recognizer.StartsWithIgnoreCase(line, "LHLO "u8))) c.App = App.Smtp;
        switch (c.App)
        {
            case App.Ftp:
                ReplyLines.OnFtpCommand(c, line);
                break;
            case App.Smtp:
                ReplyLines.OnSmtpCommand(c, line);
                break;
            case App.Pop3:
                Pop3Lines.OnCommand(c, line);
                break;
            case App.Imap:
                ImapLines.OnCommand(c, line);
                break;
        }
    }

    static void OnServerLine(Conversation c, ReadOnlySpan<byte> line)
    {
        switch (c.App)
        {
            case App.Ftp or App.Smtp:
                ReplyLines.OnReply(c, line);
                break;
            case App.Pop3:
                Pop3Lines.OnReply(c, line);
                break;
            case App.Imap:
                ImapLines.OnReply(c, line);
                break;
        }
    }

    /// <summary>
    /// Bytes of a side are missing. Whose reply comes next, and whether a line is a command, is not known: nothing that was on the way is counted, and the
    /// side goes on at its next line.
    /// </summary>
    public static void OnGap(Conversation c, int direction)
    {
        ref TextState s = ref c.Text;
        s.Asked.Clear();
        Sasl.End(c);
        s.Argument = ImapArgument.None;
        s.UserRefused = false;
        s.Greeted = true;
        s.GreetingOpen = false;
        TelnetTyping.OnGap(ref s.Telnet);
        if (direction == 0)
        {
            s.SkipOut = true;
            s.BytesOut = 0;
            // Mail may pass now; a reply that nothing waits for ends that.
            s.Mail = true;
        }
        else
        {
            s.SkipIn = true;
            s.BytesIn = 0;
            s.ReplyCode = 0;
        }
    }
}
