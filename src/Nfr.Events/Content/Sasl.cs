using System.Buffers.Text;

namespace Nfr.Events;

/// <summary>
/// SASL (RFC 4422) in SMTP (RFC 4954), POP3 (RFC 5034) and IMAP (RFC 9051 6.2.2): the user name out of the client's responses. What else they hold is
/// decoded on the stack and cleared; only the authentication identity leaves here.
/// </summary>
static class Sasl
{
    /// <summary>A longer response (a Kerberos ticket, say) has no name that is read.</summary>
    const int MaximumResponse = 512;

    /// <summary>No mechanism goes back and forth more often; where the server's side is not seen, commands come again after it.</summary>
    const int MaximumResponses = 8;

    /// <summary>The mechanism and, after a space, perhaps the first response.</summary>
    public static void Begin(Conversation c, ReadOnlySpan<byte> arguments)
    {
        ref TextState s = ref c.Text;
        int space = arguments.IndexOf((byte)' ');
        ReadOnlySpan<byte> name = space < 0 ? arguments : arguments[..space];
        s.Mechanism = Is(name, "PLAIN"u8) ? Mechanism.Plain
            : Is(name, "LOGIN"u8) ? Mechanism.Login
            : Is(name, "CRAM-MD5"u8) ? Mechanism.CramMd5
            : Is(name, "XOAUTH2"u8) || Is(name, "OAUTHBEARER"u8) ? Mechanism.Bearer
            : Mechanism.Other;
        s.Responses = 0;
        s.Offered = false;
        // Without a first response the client's next line is one, unless the server refuses first.
        s.Responding = true;
        if (space >= 0) OnResponse(c, arguments[(space + 1)..].Trim((byte)' '));
    }

    /// <summary>The server asks on (334, +): the client's next line is a response.</summary>
    public static void OnChallenge(Conversation c, ReadOnlySpan<byte> challenge)
    {
        ref TextState s = ref c.Text;
        s.Responding = true;
        // "Password:" though no name was asked for.
        if (s.Mechanism == Mechanism.Login && s.Responses == 0 && challenge.StartsWith("UGFzc3dvcmQ"u8)) s.Responses = 1;
    }

    /// <summary>The dialogue is over, either way.</summary>
    public static void End(Conversation c)
    {
        c.Text.Responding = false;
        c.Text.Offered = false;
        c.Text.Mechanism = Mechanism.None;
    }

    public static void OnResponse(Conversation c, ReadOnlySpan<byte> text)
    {
        ref TextState s = ref c.Text;
        s.Responding = (s.Mechanism == Mechanism.Login && s.Responses == 0) || (s.Mechanism == Mechanism.Other && s.Responses < MaximumResponses);
        if (text.SequenceEqual("*"u8))
        {
            // Given up (RFC 4954 4).
            s.Responding = false;
            s.Offered = false;
            return;
        }
        int index = s.Responses;
        if (s.Responses < byte.MaxValue) s.Responses++;
        if (text.SequenceEqual("="u8) || text.IsEmpty) return;
        bool secret = s.Mechanism is Mechanism.Plain or Mechanism.Bearer || (s.Mechanism == Mechanism.Login && index >= 1);
        if (secret) LogIn.Credentials(c);
        if (secret || s.Mechanism != Mechanism.Login) s.Offered = true;
        if (s.Mechanism == Mechanism.Other || (s.Mechanism == Mechanism.Login && index > 0) || text.Length > MaximumResponse) return;
        Span<byte> decoded = stackalloc byte[MaximumResponse];
        if (Base64.DecodeFromUtf8(text, decoded, out _, out int length) == System.Buffers.OperationStatus.Done)
            LogIn.User(c, UserOf(s.Mechanism, decoded[..length]));
        decoded.Clear();
    }

    static ReadOnlySpan<byte> UserOf(Mechanism mechanism, ReadOnlySpan<byte> response)
    {
        switch (mechanism)
        {
            case Mechanism.Login:
                return response;
            case Mechanism.Plain:
                // RFC 4616: authorization identity, NUL, authentication identity, NUL, password.
                int first = response.IndexOf((byte)0);
                if (first < 0) return default;
                ReadOnlySpan<byte> identity = response[(first + 1)..];
                int second = identity.IndexOf((byte)0);
                return second < 0 ? default : identity[..second];
            case Mechanism.CramMd5:
                // RFC 2195: the name, a space, a digest of 32 hex digits.
                return response.Length > 33 && response[^33] == (byte)' ' ? response[..^33] : default;
            case Mechanism.Bearer:
                ReadOnlySpan<byte> mark = response.StartsWith("user="u8) ? "user="u8 : "a="u8;
                int at = response.IndexOf(mark);
                if (at < 0) return default;
                ReadOnlySpan<byte> user = response[(at + mark.Length)..];
                int end = user.IndexOfAny((byte)1, (byte)',');
                return end < 0 ? default : user[..end];
            default:
                return default;
        }
    }

    static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> mechanism) => System.Text.Ascii.EqualsIgnoreCase(name, mechanism);
}
