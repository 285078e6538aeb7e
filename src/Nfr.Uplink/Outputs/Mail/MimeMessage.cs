using System.Text;

namespace Nfr.Uplink;

/// <summary>A message of two forms, plain text and HTML, as RFC 5322 and 2046 lay it down: seven bits, lines of 76 at most but for addresses and ids, CR LF.</summary>
static class MimeMessage
{
    public static byte[] Write(MailDigest digest, Mailbox from, IReadOnlyList<Mailbox> to, DateTimeOffset date, string id)
    {
        // Quoted-printable cannot hold "=_", so no text can end a part.
        string boundary = "=_nfr_" + id[..Math.Min(24, id.IndexOf('@', StringComparison.Ordinal))];
        StringBuilder mail = new(8192);
        mail.Append("Date: ").Append(MimeText.Date(date)).Append("\r\n");
        MimeText.Header(mail, "From", [from]);
        MimeText.Header(mail, "To", to);
        MimeText.Header(mail, "Subject", digest.Subject);
        mail.Append("Message-ID: <").Append(id).Append(">\r\n");
        // RFC 3834: no answering machine shall answer.
        mail.Append("Auto-Submitted: auto-generated\r\n");
        mail.Append("MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"").Append(boundary).Append("\"\r\n\r\n");
        Part(mail, boundary, "text/plain", digest.Text());
        Part(mail, boundary, "text/html", MailHtml.Of(digest));
        mail.Append("--").Append(boundary).Append("--\r\n");
        return Encoding.UTF8.GetBytes(mail.ToString());
    }

    static void Part(StringBuilder mail, string boundary, string type, string text)
    {
        mail.Append("--").Append(boundary).Append("\r\nContent-Type: ").Append(type).Append("; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
        MimeText.QuotedPrintable(mail, text);
        mail.Append("\r\n");
    }
}
