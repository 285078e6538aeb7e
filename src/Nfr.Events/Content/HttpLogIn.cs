using System.Buffers;
using System.Buffers.Text;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Basic authentication (RFC 7617) of a server or a proxy: 401 or 407 to credentials is a log-in refused, 2xx one taken. Of the credentials only the user's
/// name leaves here; the rest is decoded on the stack and cleared.
/// </summary>
static class HttpLogIn
{
    /// <summary>Of longer credentials no name is read.</summary>
    const int MaximumCredentials = 512;

    /// <summary>What the request itself says; its event carries it.</summary>
    public static FlowNotes OnRequest(Conversation c, in HttpRequestHead head)
    {
        if (!head.HasBasicAuthorization) return FlowNotes.None;
        LogIn.Credentials(c);
        ReadOnlySpan<byte> credentials = head.BasicCredentials;
        if (credentials.Length > MaximumCredentials) return FlowNotes.CleartextCredentials;
        Span<byte> decoded = stackalloc byte[MaximumCredentials];
        if (Base64.DecodeFromUtf8(credentials, decoded, out _, out int length) == OperationStatus.Done)
        {
            // A colon may stand in the password, never in the name.
            int colon = decoded[..length].IndexOf((byte)':');
            if (colon > 0) LogIn.User(c, decoded[..colon]);
        }
        decoded.Clear();
        return FlowNotes.CleartextCredentials;
    }

    /// <summary>The final status of a request with credentials.</summary>
    public static FlowNotes OnStatus(Conversation c, int status)
    {
        ref HttpState s = ref c.Http;
        if (status is 401 or 407)
        {
            s.LoggedIn = false;
            LogIn.Failed(c);
            return FlowNotes.LoginFailed;
        }
        if (status is < 200 or > 299) return FlowNotes.None;
        if (!s.LoggedIn) LogIn.Succeeded(c);
        s.LoggedIn = true;
        return FlowNotes.LoginSucceeded;
    }
}
