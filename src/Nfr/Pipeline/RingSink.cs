using System.Diagnostics;
using Nfr.Events;

namespace Nfr.Pipeline;

/// <summary>
/// The end of a capture worker: puts events into its ring. When the ring is full a live worker drops the event and counts it, since frames
/// do not wait; a file's worker waits, since a file does, and so does a live one that exports its flows at the end.
/// </summary>
readonly struct RingSink(EventRing ring, long[] dropped, RingPatience patience) : IEventSink
{
    public void OnDns(scoped in DnsEvent e)
    {
        while (!ring.TryWriteDns(e))
        {
            if (!Retry(EventType.Dns)) return;
        }
    }

    public void OnIp(scoped in IpEvent e)
    {
        while (!ring.TryWriteIp(e))
        {
            if (!Retry(EventType.Ip)) return;
        }
    }

    public void OnHttp(scoped in HttpEvent e)
    {
        while (!ring.TryWriteHttp(e))
        {
            if (!Retry(EventType.Http)) return;
        }
    }

    public void OnTls(scoped in TlsEvent e)
    {
        while (!ring.TryWriteTls(e))
        {
            if (!Retry(EventType.Tls)) return;
        }
    }

    public void OnHost(scoped in HostEvent e)
    {
        while (!ring.TryWriteHost(e))
        {
            if (!Retry(EventType.Host)) return;
        }
    }

    public void OnAnomaly(scoped in AnomalyEvent e)
    {
        while (!ring.TryWriteAnomaly(e))
        {
            if (!Retry(EventType.Anomaly)) return;
        }
    }

    public void OnSignature(scoped in SignatureEvent e)
    {
        while (!ring.TryWriteSignature(e))
        {
            if (!Retry(EventType.Signature)) return;
        }
    }

    bool Retry(EventType type)
    {
        if (patience.Lasts)
        {
            Thread.Sleep(1);
            return true;
        }
        dropped[(int)type]++;
        return false;
    }
}

/// <summary>Whether a full ring is waited for; set by the thread that writes to it.</summary>
sealed class RingPatience
{
    long _until;

    public static RingPatience Endless { get; } = new() { _until = long.MaxValue };

    public bool Lasts => _until != 0 && Stopwatch.GetTimestamp() < _until;

    public void Begin(TimeSpan span) => _until = Stopwatch.GetTimestamp() + (long)(span.TotalSeconds * Stopwatch.Frequency);
}

/// <summary>For counting alone: the decoder's own numbers are all that is wanted.</summary>
readonly struct NullSink : IEventSink
{
    public void OnDns(scoped in DnsEvent e)
    {
    }

    public void OnIp(scoped in IpEvent e)
    {
    }

    public void OnHttp(scoped in HttpEvent e)
    {
    }

    public void OnTls(scoped in TlsEvent e)
    {
    }

    public void OnHost(scoped in HostEvent e)
    {
    }

    public void OnAnomaly(scoped in AnomalyEvent e)
    {
    }

    public void OnSignature(scoped in SignatureEvent e)
    {
    }
}

/// <summary>From a frame source into a decode loop.</summary>
readonly struct DecoderInlet<TSink>(FrameDecoder<TSink> decoder) : Wire.IFrameSink
    where TSink : struct, IEventSink
{
    public void OnFrame(scoped in Wire.Frame frame) => decoder.OnFrame(frame);
    public void OnAhead(scoped ReadOnlySpan<byte> bytes, Wire.LinkType linkType, int place) => decoder.OnAhead(bytes, linkType, place);
}
