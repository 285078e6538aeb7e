using System.Text;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// The event of an alert that is raised on board: the engine API's own fields with the texts that an upload has, so that an alert reads the
/// same whoever raised it. Alerts are rare; this allocates.
/// </summary>
public static class AlertEvents
{
    public static AlertEvent From(scoped in DnsEvent e)
    {
        Span<byte> scratch = stackalloc byte[DnsTypes.MaxNameLength];
        return new AlertEvent
        {
            Type = EventType.Dns,
            Ts = Time(e.Context.Timestamp),
            SrcIP = e.Context.Source.ToString(),
            Query = Text(e.Query),
            QType = Text(e.Service == App.Nbns ? NbnsMessage.TypeName(e.QueryType, scratch) : DnsTypes.Name(e.QueryType, scratch)),
        };
    }

    public static AlertEvent From(scoped in IpEvent e)
    {
        Span<byte> scratch = stackalloc byte[8];
        return new AlertEvent
        {
            Type = EventType.Ip,
            Ts = Time(e.Context.Timestamp),
            SrcIP = e.Context.Source.ToString(),
            SrcPort = e.Context.SourcePort,
            BytesIn = e.BytesIn,
            BytesOut = e.BytesOut,
            DestIP = e.Context.Destination.ToString(),
            DestPort = e.Context.DestinationPort,
            Proto = Text(WireNames.Protocol(e.Context.Protocol, scratch)),
            Ja3 = Text(e.Ja3),
        };
    }

    public static AlertEvent From(scoped in HttpEvent e) => new()
    {
        Type = EventType.Http,
        Ts = Time(e.Context.Timestamp),
        SrcIP = e.Context.Source.ToString(),
        SrcPort = e.Context.SourcePort,
        BytesIn = e.BytesIn,
        BytesOut = e.BytesOut,
        Url = Text(e.Url),
        Method = Text(e.Method),
        Status = e.Status == 0 ? null : e.Status,
        ContentType = Text(e.ContentType),
        Referrer = Text(e.Referrer),
        UserAgent = Text(e.UserAgent),
    };

    public static AlertEvent From(scoped in TlsEvent e)
    {
        bool destination = e.Context.Destination != default;
        return new AlertEvent
        {
            Type = EventType.Tls,
            Ts = Time(e.Context.Timestamp),
            SrcIP = e.Context.Source.ToString(),
            SrcPort = e.Context.SourcePort,
            DestIP = destination ? e.Context.Destination.ToString() : null,
            DestPort = e.Context.DestinationPort == 0 ? null : e.Context.DestinationPort,
            Ja3 = Text(e.Ja3),
            CertHash = Text(e.CertificateHash),
            Issuer = Text(e.Issuer),
            Subject = Text(e.Subject),
            ValidFrom = Seconds(e.ValidFrom),
            ValidTo = Seconds(e.ValidTo),
            Ja3s = Text(e.Ja3s),
        };
    }

    /// <summary>As an ip event, since the API knows no anomalies.</summary>
    public static AlertEvent From(scoped in AnomalyEvent e) => OfFlow(e.Context);

    /// <summary>As an ip event; the evidence has the signature.</summary>
    public static AlertEvent From(scoped in SignatureEvent e) => OfFlow(e.Context);

    static AlertEvent OfFlow(in EventContext context)
    {
        Span<byte> scratch = stackalloc byte[8];
        bool hasPorts = context.Protocol is IPProtocol.Tcp or IPProtocol.Udp or IPProtocol.Sctp;
        return new AlertEvent
        {
            Type = EventType.Ip,
            Ts = Time(context.Timestamp),
            SrcIP = context.Source.ToString(),
            SrcPort = hasPorts ? context.SourcePort : null,
            DestIP = context.Destination == default ? null : context.Destination.ToString(),
            DestPort = hasPorts ? context.DestinationPort : null,
            Proto = Text(WireNames.Protocol(context.Protocol, scratch)),
        };
    }

    /// <summary>The alert with the name and the hardware address of its source, where the table knows them in that network.</summary>
    public static Alert WithHost(Alert alert, HostTable hosts, ulong network = 0)
    {
        ArgumentNullException.ThrowIfNull(alert);
        ArgumentNullException.ThrowIfNull(hosts);
        if (!Address.TryParse(alert.Event.SrcIP, out Address source) || !hosts.TryFind(source, 0, out ulong hardware, out ReadOnlySpan<byte> name, network)) return alert;
        Span<byte> scratch = stackalloc byte[17];
        return alert with
        {
            Event = alert.Event with
            {
                SrcHost = alert.Event.SrcHost ?? Text(name),
                SrcMac = alert.Event.SrcMac ?? (hardware == 0 ? null : Text(WireNames.HardwareAddress(hardware, scratch))),
            },
        };
    }

    /// <summary>The alert with what its event calls its source, where it is an alert about that source.</summary>
    /// <param name="alert">Raised by the event.</param>
    /// <param name="source">The event's.</param>
    /// <param name="said">The reader that has read the event last.</param>
    public static Alert WithSource(Alert alert, in Address source, EventJsonReader said)
    {
        ArgumentNullException.ThrowIfNull(alert);
        ArgumentNullException.ThrowIfNull(said);
        if (said.SourceHost.IsEmpty && said.SourceHardware.IsEmpty && said.SourceUser.IsEmpty) return alert;
        // Another one's may have waited for this event.
        if (!Address.TryParse(alert.Event.SrcIP, out Address about) || about != source) return alert;
        return alert with { Event = alert.Event with { SrcHost = Text(said.SourceHost), SrcMac = Text(said.SourceHardware), SrcUser = Text(said.SourceUser) } };
    }

    static string? Text(ReadOnlySpan<byte> text) => text.IsEmpty ? null : Utf8Text.ToString(text);

    static string Time(long timestamp)
    {
        Span<byte> text = stackalloc byte[EventTime.MaxLength];
        return Encoding.ASCII.GetString(text[..EventTime.Format(timestamp, text)]);
    }

    static string? Seconds(long seconds)
    {
        Span<byte> text = stackalloc byte[EventTime.MaxLength];
        int length = EventTime.FormatSeconds(seconds, text);
        return length == 0 ? null : Encoding.ASCII.GetString(text[..length]);
    }
}
