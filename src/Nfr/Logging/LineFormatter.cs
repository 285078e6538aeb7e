using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Parsing;

namespace Nfr.Logging;

/// <summary>
/// One line per log event: RFC 3339 time, level, message. Texts stand without quotes. Control characters are blanked: names and messages
/// come off the wire, and must neither forge a line nor speak to a terminal.
/// </summary>
public sealed class LineFormatter : ITextFormatter
{
    public void Format(LogEvent logEvent, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(logEvent);
        ArgumentNullException.ThrowIfNull(output);
        var line = new StringWriter(CultureInfo.InvariantCulture);
        line.Write(logEvent.Timestamp.ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture));
        line.Write(logEvent.Level switch
        {
            LogEventLevel.Verbose or LogEventLevel.Debug => " debug ",
            LogEventLevel.Information => " info  ",
            LogEventLevel.Warning => " warn  ",
            _ => " error ",
        });
        foreach (MessageTemplateToken token in logEvent.MessageTemplate.Tokens)
        {
            if (token is PropertyToken property && logEvent.Properties.TryGetValue(property.PropertyName, out LogEventPropertyValue? value)
                && value is ScalarValue { Value: string text }) line.Write(text);
            else token.Render(logEvent.Properties, line, CultureInfo.InvariantCulture);
        }
        // The stack stays with its line, for grep.
        if (logEvent.Exception is { } fault) line.Write(": " + fault.ToString().ReplaceLineEndings(" | "));
        foreach (char c in line.ToString()) output.Write(char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c);
        output.Write('\n');
    }
}
