using System.Net;
using System.Net.Sockets;

namespace Nfr.Uplink;

/// <summary>
/// Pages over UDP. Nobody acknowledges a datagram, so it cannot be vouched for: it may be lost on the way or in a full buffer without a word. What does come back is heard: a port or
/// host that is unreachable (ICMP) within <see cref="Listening"/> after a page is a fault, and the page comes again whole; one that comes later fails the next page. The name is asked
/// for again every ten minutes and after each fault.
/// </summary>
sealed class DatagramSender(LinkOptions link, TimeProvider time) : PageSender
{
    public static readonly TimeSpan Listening = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan s_age = TimeSpan.FromMinutes(10);

    readonly byte[] _dropped = new byte[512];
    Socket? _socket;
    Task<int>? _heard;
    long _opened;

    public override async Task<SinkAnswer> SendAsync(IReadOnlyList<IReadOnlyList<byte[]>> alerts, CancellationToken cancel)
    {
        try
        {
            if (_heard is { IsFaulted: true }) await _heard;
            if (_socket is not null && time.GetElapsedTime(_opened) > s_age) Drop();
            if (_socket is null && await OpenAsync(cancel) is { } fault) return SinkAnswer.None(fault);
            foreach (IReadOnlyList<byte[]> alert in alerts)
            {
                foreach (byte[] datagram in alert) await _socket!.SendAsync(datagram.AsMemory(), SocketFlags.None, cancel);
            }
            await ListenAsync(cancel);
            return new SinkAnswer(alerts.Count, 0, null);
        }
        catch (SocketException e)
        {
            Drop();
            return SinkAnswer.None(LinkFault.Describe(e, link));
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) Drop();
        base.Dispose(disposing);
    }

    async Task<string?> OpenAsync(CancellationToken cancel)
    {
        using CancellationTokenSource late = new(OneWayStream.ConnectTimeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        try
        {
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(link.Host, either.Token);
            if (addresses.Length == 0) return $"the name {link.Host} cannot be resolved, check DNS";
            _socket = new Socket(addresses[0].AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            // Tells of unreachable ports, and drops what others send us.
            await _socket.ConnectAsync(addresses[0], link.Port, cancel);
            _opened = time.GetTimestamp();
            return null;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"the name {link.Host} cannot be resolved within {OneWayStream.ConnectTimeout.TotalSeconds:0} s, check DNS";
        }
    }

    async Task ListenAsync(CancellationToken cancel)
    {
        Task silence = Task.Delay(Listening, time, cancel);
        while (true)
        {
            _heard ??= _socket!.ReceiveAsync(_dropped.AsMemory(), SocketFlags.None, CancellationToken.None).AsTask();
            if (await Task.WhenAny(_heard, silence) == silence)
            {
                await silence;
                return;
            }
            await _heard;
            // Something was said; it is not our business.
            _heard = null;
        }
    }

    void Drop()
    {
        // Seen, whatever came of it.
        _heard?.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _heard = null;
        _socket?.Dispose();
        _socket = null;
    }
}
