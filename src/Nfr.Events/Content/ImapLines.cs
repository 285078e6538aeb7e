using System.Buffers.Text;

namespace Nfr.Events;

/// <summary>
/// IMAP (RFC 9051, RFC 3501): commands and their results carry the same tag. A log-in succeeded with OK to LOGIN or AUTHENTICATE and failed with NO
/// after credentials; BAD says that the command was none. PREAUTH is no log-in. Literals {n} and {n+} (RFC 7888) are passed over as bytes.
/// </summary>
static class ImapLines
{
    public static void OnCommand(Conversation c, ReadOnlySpan<byte> line)
    {
        ref TextState s = ref c.Text;
        long literal = LiteralOf(line);
        s.BytesOut = Math.Max(literal, 0);
        if (s.Argument != ImapArgument.None)
        {
            // After the literal of an argument: the rest of LOGIN's line.
            OnArguments(c, line, literal);
            return;
        }
        if (s.Responding)
        {
            Sasl.OnResponse(c, line);
            return;
        }
        int space = line.IndexOf((byte)' ');
        if (space <= 0) return;
        ReadOnlySpan<byte> command = line[(space + 1)..];
        if (Recognizer.StartsWithIgnoreCase(command, "LOGIN "u8))
        {
            s.Tag = HashOf(line[..space]);
            s.Asked.Clear();
            s.Asked.Add(Asked.Password);
            s.Argument = ImapArgument.User;
            OnArguments(c, command[6..], literal);
        }
        else if (Recognizer.StartsWithIgnoreCase(command, "AUTHENTICATE "u8))
        {
            s.Tag = HashOf(line[..space]);
            s.Asked.Clear();
            s.Asked.Add(Asked.Sasl);
            Sasl.Begin(c, command[13..]);
        }
        else if (Recognizer.StartsWithIgnoreCase(command, "STARTTLS"u8))
        {
            s.Tag = HashOf(line[..space]);
            s.Asked.Clear();
            s.Asked.Add(Asked.StartTls);
        }
    }

    /// <summary>User and password: atoms or quoted strings (RFC 9051 4.3); one that is a literal ends the line, and follows as bytes.</summary>
    static void OnArguments(Conversation c, ReadOnlySpan<byte> rest, long literal)
    {
        ref TextState s = ref c.Text;
        rest = rest.Trim((byte)' ');
        if (s.Argument == ImapArgument.User)
        {
            if (literal >= 0 && rest.IndexOf((byte)' ') < 0 && rest.StartsWith("{"u8)) return;
            int end;
            if (rest.StartsWith("\""u8))
            {
                end = 1;
                while (end < rest.Length && rest[end] != (byte)'"') end += rest[end] == (byte)'\\' ? 2 : 1;
                end = Math.Min(end, rest.Length);
                LogIn.User(c, rest[1..end]);
                end = Math.Min(end + 1, rest.Length);
            }
            else
            {
                end = rest.IndexOf((byte)' ');
                if (end < 0) end = rest.Length;
                LogIn.User(c, rest[..end]);
            }
            rest = rest[end..].Trim((byte)' ');
            s.Argument = ImapArgument.Password;
        }
        if (!rest.IsEmpty) LogIn.Credentials(c);
        if (literal < 0) s.Argument = ImapArgument.None;
    }

    /// <summary>The bytes of a literal that is LOGIN's argument; the line goes on behind it.</summary>
    public static void OnLiteral(Conversation c, ReadOnlySpan<byte> text)
    {
        ref TextState s = ref c.Text;
        if (s.Argument != ImapArgument.User) return;
        LogIn.User(c, text);
        s.Argument = ImapArgument.Password;
    }

    public static void OnReply(Conversation c, ReadOnlySpan<byte> line)
    {
        ref TextState s = ref c.Text;
        s.BytesIn = Math.Max(LiteralOf(line), 0);
        int space = line.IndexOf((byte)' ');
        if (space <= 0) return;
        if (line[0] == (byte)'+')
        {
            if (s.Asked.First == Asked.Sasl) Sasl.OnChallenge(c, line[2..]);
            return;
        }
        ReadOnlySpan<byte> result = line[(space + 1)..];
        if (line[0] == (byte)'*')
        {
            if (s.Greeted) return;
            s.Greeted = true;
            if (Recognizer.StartsWithIgnoreCase(result, "OK "u8)) LogIn.ServerSoftware(c, result[3..]);
            return;
        }
        s.Greeted = true;
        Asked asked = s.Asked.First;
        if (asked == Asked.Nothing || HashOf(line[..space]) != s.Tag) return;
        bool taken = Recognizer.StartsWithIgnoreCase(result, "OK"u8), refused = Recognizer.StartsWithIgnoreCase(result, "NO"u8);
        if (!taken && !refused && !Recognizer.StartsWithIgnoreCase(result, "BAD"u8)) return;
        s.Asked.Take();
        switch (asked)
        {
            case Asked.StartTls when taken:
                LogIn.TlsGranted(c);
                break;
            case Asked.Password or Asked.Sasl:
                if (taken) LogIn.Succeeded(c);
                else if (refused && (asked == Asked.Password || s.Offered)) LogIn.Failed(c);
                Sasl.End(c);
                s.Argument = ImapArgument.None;
                break;
        }
    }

    /// <summary>The size in "{n}" or "{n+}" at a line's end; -1 without one.</summary>
    static long LiteralOf(ReadOnlySpan<byte> line)
    {
        if (!line.EndsWith("}"u8)) return -1;
        int open = line.LastIndexOf((byte)'{');
        if (open < 0) return -1;
        ReadOnlySpan<byte> size = line[(open + 1)..^1].TrimEnd((byte)'+');
        return Utf8Parser.TryParse(size, out uint bytes, out int digits) && digits == size.Length ? bytes : -1;
    }

    /// <summary>FNV-1a: a tag is compared only with those of the same connection.</summary>
    static uint HashOf(ReadOnlySpan<byte> tag)
    {
        uint hash = 2166136261;
        foreach (byte b in tag) hash = (hash ^ b) * 16777619;
        return hash;
    }
}
