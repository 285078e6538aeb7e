namespace Nfr.Events;

/// <summary>
/// Telnet (RFC 854) has no replies, only what a terminal shows and a hand types. A log-in is: a prompt for a name ("login:", "Username:"), what is typed up
/// to the line's end, a prompt for a password ("Password:"), what is typed there (never looked at), and then
/// failed, when a line says so in one of the usual sentences; succeeded, when one begins with "Last login", or when the server stops in a line of at most
/// <see cref="TelnetState.LineSpace"/> bytes that ends in $, #, % or &gt;, as shells do. A prompt that comes again decides nothing.
/// </summary>
static class TelnetTyping
{
    public static void OnClient(Conversation c, ReadOnlySpan<byte> bytes)
    {
        ref TelnetState s = ref c.Text.Telnet;
        foreach (byte b in bytes)
        {
            if (!IsTyped(ref s.OptionOut, b)) continue;
            bool ends = b is (byte)'\r' or (byte)'\n';
            if (s.Step == TelnetStep.Password)
            {
                // A bare line end answers the prompt too, and gives nothing away.
                if (ends) (s.Step, s.LineLength) = (TelnetStep.Result, 0);
                else if (b != 0) LogIn.Credentials(c);
            }
            else if (s.Step == TelnetStep.Name)
            {
                if (b is 0x08 or 0x7F)
                {
                    if (s.NameLength > 0) s.NameLength--;
                }
                else if (!ends)
                {
                    if (b != 0 && s.NameLength < TelnetState.NameSpace) s.Name[s.NameLength++] = b;
                }
                else if (s.NameLength > 0)
                {
                    LogIn.User(c, s.Name[..s.NameLength]);
                    s.NameLength = 0;
                    s.Step = TelnetStep.Idle;
                }
            }
        }
    }

    public static void OnServer(Conversation c, ReadOnlySpan<byte> bytes)
    {
        ref TelnetState s = ref c.Text.Telnet;
        foreach (byte b in bytes)
        {
            if (!IsTyped(ref s.OptionIn, b) || b == 0) continue;
            if (b is (byte)'\r' or (byte)'\n')
            {
                OnLine(c, ref s);
                s.LineLength = 0;
            }
            else if (s.LineLength < TelnetState.LineSpace)
            {
                s.Line[s.LineLength++] = b;
            }
        }
        OnPrompt(c, ref s);
    }

    /// <summary>A whole line.</summary>
    static void OnLine(Conversation c, ref TelnetState s)
    {
        if (s.Step != TelnetStep.Result) return;
        ReadOnlySpan<byte> line = s.Line[..s.LineLength];
        if (line.IsEmpty) return;
        if (Recognizer.StartsWithIgnoreCase(line.TrimStart((byte)' '), "Last login"u8))
        {
            LogIn.Succeeded(c);
            s.Step = TelnetStep.In;
        }
        else if (Says(line, "login incorrect"u8) || Says(line, "login failed"u8) || Says(line, "login invalid"u8) || Says(line, "authentication failed"u8)
            || Says(line, "access denied"u8) || Says(line, "incorrect password"u8) || Says(line, "bad password"u8) || Says(line, "incorrect login"u8))
        {
            LogIn.Failed(c);
            s.Step = TelnetStep.Idle;
        }
    }

    /// <summary>The server has stopped in the middle of a line; a prompt may be cut, and is whole with the next segment.</summary>
    static void OnPrompt(Conversation c, ref TelnetState s)
    {
        ReadOnlySpan<byte> line = s.Line[..s.LineLength].TrimEnd((byte)' ');
        if (line.IsEmpty || s.Step == TelnetStep.In) return;
        if (EndsWith(line, "password:"u8) || EndsWith(line, "passcode:"u8))
        {
            // Behind a gap it may be any program's: a log-in is one that asks for a name.
            if (s.Unsure) return;
            s.Step = TelnetStep.Password;
            s.NameLength = 0;
        }
        else if ((EndsWith(line, "login:"u8) && !Recognizer.StartsWithIgnoreCase(line, "Last login"u8)) || EndsWith(line, "username:"u8) || EndsWith(line, "user name:"u8))
        {
            if (s.Step != TelnetStep.Name) s.NameLength = 0;
            s.Step = TelnetStep.Name;
            s.Unsure = false;
        }
        else if (s.Step == TelnetStep.Result && s.LineLength < TelnetState.LineSpace && IsShellPrompt(line))
        {
            LogIn.Succeeded(c);
            s.Step = TelnetStep.In;
        }
    }

    /// <summary>Bytes are missing: who was being asked for what is not known any more.</summary>
    public static void OnGap(ref TelnetState s)
    {
        s.OptionOut = s.OptionIn = TelnetOption.None;
        s.LineLength = s.NameLength = 0;
        if (s.Step != TelnetStep.In) s.Step = TelnetStep.Idle;
        s.Unsure = true;
    }

    /// <summary>A lone % begins a router's refusal.</summary>
    static bool IsShellPrompt(ReadOnlySpan<byte> line) => line[^1] is (byte)'$' or (byte)'#' or (byte)'>' || (line[^1] == (byte)'%' && line.Length > 1);

    static bool Says(ReadOnlySpan<byte> line, ReadOnlySpan<byte> sentence)
    {
        for (int i = 0; i + sentence.Length <= line.Length; i++)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(line.Slice(i, sentence.Length), sentence)) return true;
        }
        return false;
    }

    static bool EndsWith(ReadOnlySpan<byte> line, ReadOnlySpan<byte> prompt) =>
        line.Length >= prompt.Length && System.Text.Ascii.EqualsIgnoreCase(line[^prompt.Length..], prompt);

    /// <summary>RFC 854: IAC (255) begins a command of two or, with an option, three bytes; a sub-negotiation ends with IAC SE; IAC IAC is the byte.</summary>
    static bool IsTyped(ref TelnetOption option, byte b)
    {
        switch (option)
        {
            case TelnetOption.None:
                if (b != 255) return true;
                option = TelnetOption.Command;
                return false;
            case TelnetOption.Command:
                option = b switch
                {
                    250 => TelnetOption.Sub,
                    >= 251 and <= 254 => TelnetOption.Code,
                    _ => TelnetOption.None,
                };
                return b == 255;
            case TelnetOption.Sub:
                if (b == 255) option = TelnetOption.SubCommand;
                return false;
            case TelnetOption.SubCommand:
                option = b == 240 ? TelnetOption.None : TelnetOption.Sub;
                return false;
            default:
                option = TelnetOption.None;
                return false;
        }
    }
}
