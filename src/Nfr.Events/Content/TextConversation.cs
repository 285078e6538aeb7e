using System.Text;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>The state of a line protocol: what the last lines mean for the next.</summary>
struct TextState
{
    /// <summary>The server has asked for a password (Telnet's prompt): the client's next line is one.</summary>
    public bool PasswordAsked;
    /// <summary>An AUTH dialogue is under way: the client's next lines are credentials, base64 or not.</summary>
    public bool Authenticating;
}

/// <summary>
/// FTP (RFC 959), SMTP (RFC 5321, 4954), POP3 (RFC 1939), IMAP (RFC 9051) and Telnet, watched line by line for passwords that cross in the
/// clear and for the change to TLS. No password is kept or passed on.
/// </summary>
static class TextConversation
{
    /// <summary>A longer line is no command; its front is judged and the rest passed over.</summary>
    const int MaximumLine = 1024;

    /// <summary>Consumes whole lines. Changes the kind to Tls where a hello begins instead of a line.</summary>
    public static int OnBytes(Conversation c, int direction, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= 3 && bytes[0] == 0x16 && bytes[1] == 3 && bytes[2] <= 4)
        {
            c.Kind = ConversationKind.Tls;
            return 0;
        }
        if (bytes.Length < 3 && bytes[0] == 0x16) return 0;
        int at = 0;
        while (at < bytes.Length)
        {
            ReadOnlySpan<byte> rest = bytes[at..];
            int end = rest.IndexOf((byte)'\n');
            if (end < 0)
            {
                // A prompt has no line end; a client's half line waits for it.
                if (direction == 1)
                {
                    OnServerLine(c, rest);
                    return bytes.Length;
                }
                if (c.App == App.Telnet)
                {
                    OnClientLine(c, rest);
                    return bytes.Length;
                }
                return rest.Length >= MaximumLine ? bytes.Length : at;
            }
            ReadOnlySpan<byte> line = rest[..Math.Min(end, MaximumLine)].TrimEnd((byte)'\r');
            if (direction == 0) OnClientLine(c, line);
            else OnServerLine(c, line);
            at += end + 1;
        }
        return at;
    }

    static void OnClientLine(Conversation c, ReadOnlySpan<byte> line)
    {
        if (c.Text.PasswordAsked && c.App == App.Telnet)
        {
            // Option negotiation (IAC …) is not typing.
            if (line.IsEmpty || line[0] == 0xFF) return;
            c.Notes |= FlowNotes.CleartextCredentials;
            c.Text.PasswordAsked = false;
            return;
        }
        switch (c.App)
        {
            case App.Ftp or App.Pop3 when line.Length > 5 && Recognizer.StartsWithIgnoreCase(line, "PASS "u8):
                // Anonymous FTP asks for no secret, but the line cannot be told from one without keeping USER; it is counted.
                c.Notes |= FlowNotes.CleartextCredentials;
                break;
            case App.Imap:
                int space = line.IndexOf((byte)' ');
                if (space > 0 && Recognizer.StartsWithIgnoreCase(line[(space + 1)..], "LOGIN "u8)) c.Notes |= FlowNotes.CleartextCredentials;
                else if (space > 0 && IsPlainAuthentication(line[(space + 1)..], "AUTHENTICATE "u8)) c.Text.Authenticating = true;
                else if (c.Text.Authenticating) Credentials(c);
                break;
            case App.Smtp or App.Pop3 or App.Ftp:
                if (IsPlainAuthentication(line, "AUTH "u8))
                {
                    // AUTH PLAIN may bring its response on the same line (RFC 4954 4).
                    if (line.Count((byte)' ') >= 2) c.Notes |= FlowNotes.CleartextCredentials;
                    else c.Text.Authenticating = true;
                }
                else if (c.Text.Authenticating)
                {
                    Credentials(c);
                }
                break;
        }
    }

    static void Credentials(Conversation c)
    {
        c.Notes |= FlowNotes.CleartextCredentials;
        c.Text.Authenticating = false;
    }

    static bool IsPlainAuthentication(ReadOnlySpan<byte> line, ReadOnlySpan<byte> command)
    {
        if (!Recognizer.StartsWithIgnoreCase(line, command)) return false;
        ReadOnlySpan<byte> mechanism = line[command.Length..];
        return Recognizer.StartsWithIgnoreCase(mechanism, "PLAIN"u8) || Recognizer.StartsWithIgnoreCase(mechanism, "LOGIN"u8);
    }

    static void OnServerLine(Conversation c, ReadOnlySpan<byte> line)
    {
        if (c.App == App.Telnet && line.IndexOf("assword"u8) >= 0) c.Text.PasswordAsked = true;
        // The mechanism was refused, often because TLS must come first: the client's next line is a command again.
        if (c.Text.Authenticating && IsRefusal(c.App, line)) c.Text.Authenticating = false;
    }

    static bool IsRefusal(App app, ReadOnlySpan<byte> line)
    {
        if (app == App.Pop3) return line.StartsWith("-ERR"u8);
        if (app != App.Imap) return !line.IsEmpty && line[0] is (byte)'4' or (byte)'5';
        int space = line.IndexOf((byte)' ');
        return space > 0 && (Recognizer.StartsWithIgnoreCase(line[(space + 1)..], "NO "u8) || Recognizer.StartsWithIgnoreCase(line[(space + 1)..], "BAD "u8));
    }
}
