using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>conn.log: a connection, told when it has ended.</summary>
public sealed partial class ZeekParser
{
    LineVerdict OnConn(ZeekRow row, IEventSink sink)
    {
        var e = default(IpEvent);
        if (Context(row, ref e.Context, stamped: false) is not LineVerdict.Event and var fault) return fault;
        if (!row.Has(ZeekField.RespH)) return LineVerdict.Destination;
        e.Context.Protocol = Protocol(row, e.Context);
        e.PayloadOut = row.Amount(ZeekField.OrigBytes);
        e.PayloadIn = row.Amount(ZeekField.RespBytes);
        e.BytesOut = row.Has(ZeekField.OrigIPBytes) ? row.Amount(ZeekField.OrigIPBytes) : e.PayloadOut;
        e.BytesIn = row.Has(ZeekField.RespIPBytes) ? row.Amount(ZeekField.RespIPBytes) : e.PayloadIn;
        e.PacketsOut = row.Amount(ZeekField.OrigPkts);
        e.PacketsIn = row.Amount(ZeekField.RespPkts);
        e.Duration = row.Interval(ZeekField.Duration);
        Stamp(ref e.Context, e.Context.Timestamp, e.Duration);
        e.State = EventWords.StateOf(row[ZeekField.ConnState]);
        e.Ja3 = row.Text(ZeekField.Ja3);
        e.App = ZeekServices.Of(row, e.Context, ref e.Notes);
        History(row, ref e);
        sink.OnIp(e);
        return LineVerdict.Event;
    }

    /// <summary>
    /// A letter for each kind of packet, capitals for the originator's: S a SYN, H a SYN with ACK, A an ACK alone, F a FIN, R a RST. What letters leave open (whether data came with PSH or ACK)
    /// is not said here either. C is a packet with a bad checksum, of which Zeek looks at nothing: then no SYN means nothing.
    /// </summary>
    static void History(ZeekRow row, ref IpEvent e)
    {
        long missed = row.Amount(ZeekField.MissedBytes);
        ReadOnlySpan<byte> history = row.Text(ZeekField.History);
        if (missed > 0)
        {
            e.Notes |= FlowNotes.MissedBytes;
            // One number for both ways; G and g say whose bytes were missed.
            bool gapOut = history.Contains((byte)'G'), gapIn = history.Contains((byte)'g');
            if (gapOut && !gapIn) e.MissedOut = missed;
            if (gapIn && !gapOut) e.MissedIn = missed;
        }
        if (e.Context.Protocol != IPProtocol.Tcp || history.IsEmpty) return;
        bool begun = false;
        foreach (byte letter in history)
        {
            switch (letter | 0x20)
            {
                case 's': e.TcpFlags |= TcpFlags.Syn; begun = true; break;
                case 'h': e.TcpFlags |= TcpFlags.Syn | TcpFlags.Ack; begun = true; break;
                case 'a': e.TcpFlags |= TcpFlags.Ack; break;
                case 'f': e.TcpFlags |= TcpFlags.Fin; break;
                case 'r': e.TcpFlags |= TcpFlags.Rst; break;
                // SYN with FIN or RST; several flags at once; not looked at.
                case 'i' or 'q' or 'c': begun = true; break;
            }
        }
        if (!begun) e.Notes |= FlowNotes.Midstream;
    }
}
