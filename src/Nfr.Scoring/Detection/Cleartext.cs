using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Passwords that crossed in the clear (seen in the content, to any destination), and protocols without encryption used across the
/// border (seen by port: a home client that sends to the outside on FTP, Telnet, POP3, IMAP or rsync). It keeps no state of its own.
/// </summary>
sealed class Cleartext(Func<Wire.Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "cleartext";
    const byte Tcp = 6;
    /// <summary>Inside the home networks a password in the clear is a lesser matter than outside.</summary>
    const int InternalSeverity = 2;

    static string ProtocolOf(ushort port) => port switch
    {
        21 => "FTP",
        23 => "Telnet",
        110 => "POP3",
        143 => "IMAP",
        _ => "rsync",
    };

    public override DetectorEvents Sees => DetectorEvents.Ip | DetectorEvents.Http;

    public override int OnIp(scoped in IpEvent e)
    {
        int severity = 0;
        if ((e.Notes & FlowNotes.CleartextCredentials) != 0)
        {
            (AlertThreat threat, ulong finding) = Credentials(in e.Context);
            severity = threat.Severity;
            if (findings.IsDue(finding, severity, out long count)) findings.Raise(in e, finding, Describe(in e.Context, threat, count));
        }
        return Math.Max(severity, Border(in e));
    }

    public override int OnHttp(scoped in HttpEvent e)
    {
        if ((e.Notes & FlowNotes.CleartextCredentials) == 0) return 0;
        (AlertThreat threat, ulong finding) = Credentials(in e.Context);
        if (findings.IsDue(finding, threat.Severity, out long count)) findings.Raise(in e, finding, Describe(in e.Context, threat, count));
        return threat.Severity;
    }

    (AlertThreat Threat, ulong Finding) Credentials(in EventContext context)
    {
        AlertThreat threat = isHome(context.Destination) ? s_internal : Threats.CleartextCredentials;
        ulong client = Mix.Of(context.Source, Mix.Of(context.Destination, context.DestinationPort));
        return (threat, Mix.Of(client, (ulong)Detectors.Cleartext));
    }

    static readonly AlertThreat s_internal = Threats.CleartextCredentials with { Severity = InternalSeverity };

    static Finding Describe(in EventContext context, AlertThreat threat, long count)
    {
        string source = context.Source.ToString(), destination = context.Destination.ToString();
        return new Finding("cleartext_credentials", string.Create(CultureInfo.InvariantCulture, $"{source} {destination} {context.DestinationPort}"),
            threat, [], $"A log-in from {source} to {destination} port {context.DestinationPort} crossed without encryption.",
            [new("logIns", count, 1)], [new("port", context.DestinationPort)], count);
    }

    int Border(scoped in IpEvent e)
    {
        ushort port = e.Context.DestinationPort;
        if (port is not (21 or 23 or 110 or 143 or 873) || e.Context.Protocol != Tcp || e.PayloadOut == 0 || e.App == App.Tls) return 0;
        if (e.State is ConnectionState.S0 or ConnectionState.REJ or ConnectionState.RSTOS0 or ConnectionState.SH or ConnectionState.OTH) return 0;
        if (!isHome(e.Context.Source) || isHome(e.Context.Destination)) return 0;
        int severity = Threats.CleartextProtocol.Severity;
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, port), (ulong)Detectors.Cleartext << 32);
        if (!findings.IsDue(finding, severity, out long count)) return severity;
        string source = e.Context.Source.ToString();
        findings.Raise(in e, finding, new Finding("cleartext_protocol", string.Create(CultureInfo.InvariantCulture, $"{source} {port}"),
            Threats.CleartextProtocol, [],
            $"{source} sent {e.PayloadOut} bytes to {e.Context.Destination} on the {ProtocolOf(port)} port {port}, which has no encryption.",
            [new("payloadOut", e.PayloadOut, 1)], [new("payloadIn", e.PayloadIn), new("port", port)], count));
        return severity;
    }
}
