namespace Nfr.Events;

/// <summary>What log-ins of all line protocols have in common: counts and notes.</summary>
static class LogIn
{
    public static void Failed(Conversation c)
    {
        if (c.Found.LoginFailures < ushort.MaxValue) c.Found.LoginFailures++;
        c.HasFound = true;
        c.Notes |= FlowNotes.LoginFailed;
    }

    public static void Succeeded(Conversation c)
    {
        if (c.Found.LoginSuccesses < ushort.MaxValue) c.Found.LoginSuccesses++;
        c.HasFound = true;
        c.Notes |= FlowNotes.LoginSucceeded;
    }

    public static void User(Conversation c, ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty) return;
        c.Found.SetUser(name);
        c.HasFound = true;
    }

    public static void Credentials(Conversation c) => c.Notes |= FlowNotes.CleartextCredentials;

    public static void ServerSoftware(Conversation c, ReadOnlySpan<byte> greeting)
    {
        greeting = greeting.Trim(" \t\r\n"u8);
        if (greeting.IsEmpty) return;
        c.Found.SetServerSoftware(greeting);
        c.HasFound = true;
    }

    /// <summary>The server has agreed to change to TLS.</summary>
    public static void TlsGranted(Conversation c)
    {
        c.Text.TlsGranted = true;
        c.Notes |= FlowNotes.StartTls;
    }
}
