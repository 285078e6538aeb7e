using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// An event as bytes inside one process: its kind (u8), its fixed part as it lies in memory, then its texts, each with a length (u16).
/// Never written to disk or network: byte order and layout are the machine's own.
/// </summary>
static class EventEncoding
{
    /// <summary>A text longer than this is cut: a URL may fill a whole HTTP head of 16 KiB.</summary>
    const int MaximumText = 16 * 1024;

    /// <summary>The fixed part and three long texts; the rest are short by their protocols.</summary>
    public const int MaximumLength = 64 * 1024;

    /// <summary>The kind of a record that is no event: how far a log is read.</summary>
    public const byte MarkKind = byte.MaxValue;

    struct DnsFixed
    {
        public EventContext Context;
        public ushort QueryType;
        public short ResponseCode;
        public ushort QueryLength;
        public ushort ResponseLength;
        public ushort Id;
        public ushort Flags;
        public ushort EdnsPayloadSize;
        public DnsNotes Notes;
        public App Service;
    }

    struct IpFixed
    {
        public EventContext Context;
        public long BytesIn, BytesOut, PacketsIn, PacketsOut, PayloadIn, PayloadOut, MissedIn, MissedOut, Duration;
        public EchoStatistics Echo;
        public ushort LoginFailures, LoginSuccesses;
        public byte TcpFlags;
        public ConnectionState State;
        public App App;
        public FlowNotes Notes;
    }

    struct HttpFixed
    {
        public EventContext Context;
        public long BytesIn, BytesOut;
        public ushort Status;
        public FlowNotes Notes;
    }

    struct TlsFixed
    {
        public EventContext Context;
        public long ValidFrom, ValidTo;
        public ushort Version;
        public TlsNotes Notes;
    }

    struct HostFixed
    {
        public long Timestamp, Tick;
        public Address Address;
        public ulong HardwareAddress;
        public HostSource Source;
        public ushort Vlan;
        public Tunnel Tunnel;
    }

    struct AnomalyFixed
    {
        public EventContext Context;
        public DecodeFault Fault;
    }

    struct SignatureFixed
    {
        public EventContext Context;
        public uint SignatureId, GeneratorId, Revision;
        public byte Severity;
        public App App;
        public SignatureNotes Notes;
    }

    public static int Write(scoped in DnsEvent e, Span<byte> destination)
    {
        var writer = new Writer(destination, EventType.Dns);
        writer.Fixed(new DnsFixed
        {
            Context = e.Context,
            QueryType = e.QueryType,
            ResponseCode = e.ResponseCode,
            QueryLength = e.QueryLength,
            ResponseLength = e.ResponseLength,
            Id = e.Id,
            Flags = e.Flags,
            EdnsPayloadSize = e.EdnsPayloadSize,
            Notes = e.Notes,
            Service = e.Service,
        });
        writer.Text(e.Query);
        writer.Text(e.Answers);
        return writer.Length;
    }

    public static int Write(scoped in IpEvent e, Span<byte> destination)
    {
        var writer = new Writer(destination, EventType.Ip);
        writer.Fixed(new IpFixed
        {
            Context = e.Context,
            BytesIn = e.BytesIn,
            BytesOut = e.BytesOut,
            PacketsIn = e.PacketsIn,
            PacketsOut = e.PacketsOut,
            PayloadIn = e.PayloadIn,
            PayloadOut = e.PayloadOut,
            MissedIn = e.MissedIn,
            MissedOut = e.MissedOut,
            Echo = e.Echo,
            LoginFailures = e.LoginFailures,
            LoginSuccesses = e.LoginSuccesses,
            Duration = e.Duration,
            TcpFlags = e.TcpFlags,
            State = e.State,
            App = e.App,
            Notes = e.Notes,
        });
        writer.Text(e.Ja3);
        writer.Text(e.User);
        writer.Text(e.ClientSoftware);
        writer.Text(e.ServerSoftware);
        writer.Text(e.Hassh);
        writer.Text(e.HasshServer);
        return writer.Length;
    }

    public static int Write(scoped in HttpEvent e, Span<byte> destination)
    {
        var writer = new Writer(destination, EventType.Http);
        writer.Fixed(new HttpFixed { Context = e.Context, BytesIn = e.BytesIn, BytesOut = e.BytesOut, Status = e.Status, Notes = e.Notes });
        writer.Text(e.Url);
        writer.Text(e.Host);
        writer.Text(e.Method);
        writer.Text(e.ContentType);
        writer.Text(e.Referrer);
        writer.Text(e.UserAgent);
        return writer.Length;
    }

    public static int Write(scoped in TlsEvent e, Span<byte> destination)
    {
        var writer = new Writer(destination, EventType.Tls);
        writer.Fixed(new TlsFixed { Context = e.Context, ValidFrom = e.ValidFrom, ValidTo = e.ValidTo, Version = e.Version, Notes = e.Notes });
        writer.Text(e.Sni);
        writer.Text(e.Ja3);
        writer.Text(e.Ja3s);
        writer.Text(e.Ja4);
        writer.Text(e.CertificateHash);
        writer.Text(e.Issuer);
        writer.Text(e.Subject);
        writer.Text(e.Alpn);
        writer.Text(e.ServerAlpn);
        writer.Text(e.SubjectAltNames);
        return writer.Length;
    }

    public static int Write(scoped in HostEvent e, Span<byte> destination)
    {
        var writer = new Writer(destination, EventType.Host);
        writer.Fixed(new HostFixed
        {
            Timestamp = e.Timestamp,
            Tick = e.Tick,
            Address = e.Address,
            HardwareAddress = e.HardwareAddress,
            Source = e.Source,
            Vlan = e.Vlan,
            Tunnel = e.Tunnel,
        });
        writer.Text(e.Name);
        return writer.Length;
    }

    public static int Write(scoped in AnomalyEvent e, Span<byte> destination)
    {
        var writer = new Writer(destination, EventType.Anomaly);
        writer.Fixed(new AnomalyFixed { Context = e.Context, Fault = e.Fault });
        return writer.Length;
    }

    public static int Write(scoped in SignatureEvent e, Span<byte> destination)
    {
        var writer = new Writer(destination, EventType.Signature);
        writer.Fixed(new SignatureFixed
        {
            Context = e.Context,
            SignatureId = e.SignatureId,
            GeneratorId = e.GeneratorId,
            Revision = e.Revision,
            Severity = e.Severity,
            App = e.App,
            Notes = e.Notes,
        });
        writer.Text(e.Signature);
        writer.Text(e.Category);
        writer.Text(e.Action);
        writer.Text(e.Tags);
        writer.Text(e.Sensor);
        return writer.Length;
    }

    public static void Read<TSink>(ReadOnlySpan<byte> record, ref TSink sink)
        where TSink : struct, IEventSink, allows ref struct
    {
        var reader = new Reader(record[1..]);
        switch ((EventType)record[0])
        {
            case EventType.Dns:
                reader.Fixed(out DnsFixed dns);
                sink.OnDns(new DnsEvent
                {
                    Context = dns.Context,
                    QueryType = dns.QueryType,
                    ResponseCode = dns.ResponseCode,
                    QueryLength = dns.QueryLength,
                    ResponseLength = dns.ResponseLength,
                    Id = dns.Id,
                    Flags = dns.Flags,
                    EdnsPayloadSize = dns.EdnsPayloadSize,
                    Notes = dns.Notes,
                    Service = dns.Service,
                    Query = reader.Text(),
                    Answers = reader.Text(),
                });
                break;
            case EventType.Ip:
                reader.Fixed(out IpFixed ip);
                sink.OnIp(new IpEvent
                {
                    Context = ip.Context,
                    BytesIn = ip.BytesIn,
                    BytesOut = ip.BytesOut,
                    PacketsIn = ip.PacketsIn,
                    PacketsOut = ip.PacketsOut,
                    PayloadIn = ip.PayloadIn,
                    PayloadOut = ip.PayloadOut,
                    MissedIn = ip.MissedIn,
                    MissedOut = ip.MissedOut,
                    Echo = ip.Echo,
                    LoginFailures = ip.LoginFailures,
                    LoginSuccesses = ip.LoginSuccesses,
                    Duration = ip.Duration,
                    TcpFlags = ip.TcpFlags,
                    State = ip.State,
                    App = ip.App,
                    Notes = ip.Notes,
                    Ja3 = reader.Text(),
                    User = reader.Text(),
                    ClientSoftware = reader.Text(),
                    ServerSoftware = reader.Text(),
                    Hassh = reader.Text(),
                    HasshServer = reader.Text(),
                });
                break;
            case EventType.Http:
                reader.Fixed(out HttpFixed http);
                sink.OnHttp(new HttpEvent
                {
                    Context = http.Context,
                    BytesIn = http.BytesIn,
                    BytesOut = http.BytesOut,
                    Status = http.Status,
                    Notes = http.Notes,
                    Url = reader.Text(),
                    Host = reader.Text(),
                    Method = reader.Text(),
                    ContentType = reader.Text(),
                    Referrer = reader.Text(),
                    UserAgent = reader.Text(),
                });
                break;
            case EventType.Tls:
                reader.Fixed(out TlsFixed tls);
                sink.OnTls(new TlsEvent
                {
                    Context = tls.Context,
                    ValidFrom = tls.ValidFrom,
                    ValidTo = tls.ValidTo,
                    Version = tls.Version,
                    Notes = tls.Notes,
                    Sni = reader.Text(),
                    Ja3 = reader.Text(),
                    Ja3s = reader.Text(),
                    Ja4 = reader.Text(),
                    CertificateHash = reader.Text(),
                    Issuer = reader.Text(),
                    Subject = reader.Text(),
                    Alpn = reader.Text(),
                    ServerAlpn = reader.Text(),
                    SubjectAltNames = reader.Text(),
                });
                break;
            case EventType.Host:
                reader.Fixed(out HostFixed host);
                sink.OnHost(new HostEvent
                {
                    Timestamp = host.Timestamp,
                    Tick = host.Tick,
                    Address = host.Address,
                    HardwareAddress = host.HardwareAddress,
                    Source = host.Source,
                    Vlan = host.Vlan,
                    Tunnel = host.Tunnel,
                    Name = reader.Text(),
                });
                break;
            case EventType.Anomaly:
                reader.Fixed(out AnomalyFixed anomaly);
                sink.OnAnomaly(new AnomalyEvent { Context = anomaly.Context, Fault = anomaly.Fault });
                break;
            case EventType.Signature:
                reader.Fixed(out SignatureFixed signature);
                sink.OnSignature(new SignatureEvent
                {
                    Context = signature.Context,
                    SignatureId = signature.SignatureId,
                    GeneratorId = signature.GeneratorId,
                    Revision = signature.Revision,
                    Severity = signature.Severity,
                    App = signature.App,
                    Notes = signature.Notes,
                    Signature = reader.Text(),
                    Category = reader.Text(),
                    Action = reader.Text(),
                    Tags = reader.Text(),
                    Sensor = reader.Text(),
                });
                break;
            case (EventType)MarkKind:
                reader.Fixed(out InputMark mark);
                sink.OnMark(mark);
                break;
            default:
                throw new InvalidDataException($"an event of type {record[0]}");
        }
    }

    public static int Write(scoped in InputMark mark, Span<byte> destination)
    {
        var writer = new Writer(destination, (EventType)MarkKind);
        writer.Fixed(mark);
        return writer.Length;
    }

    ref struct Writer
    {
        readonly Span<byte> _destination;

        public Writer(Span<byte> destination, EventType type)
        {
            _destination = destination;
            destination[0] = (byte)type;
            Length = 1;
        }

        public int Length { get; private set; }

        public void Fixed<T>(in T value)
            where T : unmanaged
        {
            MemoryMarshal.Write(_destination[Length..], in value);
            Length += Unsafe.SizeOf<T>();
        }

        public void Text(ReadOnlySpan<byte> text)
        {
            // Leave room for the length words of the texts to come (ten at most).
            int room = _destination.Length - Length - 20;
            if (text.Length > Math.Min(room, MaximumText)) text = text[..Math.Max(0, Math.Min(room, MaximumText))];
            ushort length = (ushort)text.Length;
            MemoryMarshal.Write(_destination[Length..], in length);
            text.CopyTo(_destination[(Length + sizeof(ushort))..]);
            Length += sizeof(ushort) + text.Length;
        }
    }

    ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> _rest = bytes;

        public void Fixed<T>(out T value)
            where T : unmanaged
        {
            value = MemoryMarshal.Read<T>(_rest);
            _rest = _rest[Unsafe.SizeOf<T>()..];
        }

        public ReadOnlySpan<byte> Text()
        {
            int length = MemoryMarshal.Read<ushort>(_rest);
            ReadOnlySpan<byte> text = _rest.Slice(sizeof(ushort), length);
            _rest = _rest[(sizeof(ushort) + length)..];
            return text;
        }
    }
}
