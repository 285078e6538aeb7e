using System.Text;
using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>A digest as HTML that mail programs show alike: tables and styles in their elements, no script, picture, font or link. Every value is escaped.</summary>
static class MailHtml
{
    const string Font = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";
    const string Mono = "font-family:ui-monospace,Consolas,Menlo,monospace;font-size:12px;";

    public static string Of(MailDigest digest)
    {
        StringBuilder html = new(4096);
        html.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light\">\n<title>");
        Escape(html, digest.Subject);
        html.Append("</title>\n</head>\n<body style=\"margin:0;padding:24px 12px;background:#f3f4f6;color:#1f2937;").Append(Font).Append("font-size:14px;line-height:1.45\">\n");
        html.Append("<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" align=\"center\" style=\"width:100%;max-width:680px;margin:0 auto;border-collapse:collapse\">\n");
        html.Append("<tr><td style=\"padding:0 4px 16px 4px;font-size:18px;font-weight:600\">");
        Escape(html, digest.Headline);
        html.Append("</td></tr>\n");
        foreach (Alert alert in digest.Details) Card(html, alert, digest.Zone);
        if (digest.Rest.Count > 0) Rest(html, digest);
        html.Append("<tr><td style=\"padding:8px 4px 0 4px;color:#6b7280;font-size:12px\">");
        Escape(html, digest.Sender);
        html.Append("</td></tr>\n</table>\n</body>\n</html>\n");
        return html.ToString();
    }

    static void Card(StringBuilder html, Alert alert, TimeZoneInfo zone)
    {
        string colour = Colour(alert.Severity);
        html.Append("<tr><td style=\"padding:0 0 12px 0\">\n<table cellpadding=\"0\" cellspacing=\"0\" style=\"width:100%;border-collapse:collapse;background:#ffffff;border:1px solid #e5e7eb;border-left:5px solid ").Append(colour).Append("\">\n");
        html.Append("<tr><td colspan=\"2\" style=\"padding:12px 16px 6px 16px;font-size:15px;font-weight:600\">");
        Badge(html, alert.Severity);
        Escape(html, MailWords.Title(alert));
        html.Append("</td></tr>\n");
        foreach ((string name, string value) in MailWords.Facts(alert, zone))
        {
            html.Append("<tr><td style=\"padding:2px 8px 2px 16px;width:96px;color:#6b7280;vertical-align:top;white-space:nowrap\">").Append(name)
                .Append("</td><td style=\"padding:2px 16px 2px 0;vertical-align:top;word-break:break-word;").Append(name is "Community ID" or "More" ? Mono : "").Append("\">");
            Escape(html, value);
            html.Append("</td></tr>\n");
        }
        html.Append("<tr><td colspan=\"2\" style=\"height:10px\"></td></tr>\n</table>\n</td></tr>\n");
    }

    static void Rest(StringBuilder html, MailDigest digest)
    {
        html.Append("<tr><td style=\"padding:0 0 12px 0\">\n<table cellpadding=\"0\" cellspacing=\"0\" style=\"width:100%;border-collapse:collapse;background:#ffffff;border:1px solid #e5e7eb\">\n");
        html.Append("<tr><td colspan=\"2\" style=\"padding:12px 16px 6px 16px;font-weight:600\">");
        Escape(html, digest.RestLine);
        html.Append("</td></tr>\n");
        foreach (MailCount count in digest.Rest)
        {
            html.Append("<tr><td style=\"padding:4px 8px 4px 16px;border-top:1px solid #f3f4f6\">");
            Badge(html, count.Severity);
            Escape(html, count.Title);
            html.Append("</td><td style=\"padding:4px 16px 4px 0;border-top:1px solid #f3f4f6;text-align:right;white-space:nowrap\">");
            Escape(html, MailDigest.Line(count));
            html.Append("</td></tr>\n");
        }
        html.Append("<tr><td colspan=\"2\" style=\"height:8px\"></td></tr>\n</table>\n</td></tr>\n");
    }

    static void Badge(StringBuilder html, int severity) =>
        html.Append("<span style=\"display:inline-block;margin-right:8px;padding:1px 7px;border-radius:3px;background:").Append(Colour(severity))
            .Append(";color:#ffffff;font-size:11px;font-weight:600;letter-spacing:.03em;text-transform:uppercase\">").Append(MailWords.Severity(severity)).Append("</span>");

    /// <summary>White letters on each have a contrast of 4.5 and more.</summary>
    static string Colour(int severity) => severity switch
    {
        >= 5 => "#b91c1c",
        4 => "#c2410c",
        3 => "#a16207",
        2 => "#1d4ed8",
        _ => "#4b5563",
    };

    static void Escape(StringBuilder html, string text)
    {
        foreach (char c in text)
        {
            switch (c)
            {
                case '&': html.Append("&amp;"); break;
                case '<': html.Append("&lt;"); break;
                case '>': html.Append("&gt;"); break;
                case '"': html.Append("&quot;"); break;
                case '\'': html.Append("&#39;"); break;
                default: html.Append(c); break;
            }
        }
    }
}
