using System.Buffers.Binary;
using Nfr.Events;
using Nfr.Tests.Wire;

namespace Nfr.Tests.Events;

public sealed class EventRingTests
{
    const int Capacity = 4 * EventEncoding.MaximumLength;

    struct Refusing : IEventSink
    {
        public readonly void OnDns(scoped in DnsEvent e) => throw new InvalidOperationException();
        public readonly void OnIp(scoped in IpEvent e) => throw new InvalidOperationException();
        public readonly void OnHttp(scoped in HttpEvent e) => throw new InvalidOperationException();
        public readonly void OnTls(scoped in TlsEvent e) => throw new InvalidOperationException();
        public readonly void OnHost(scoped in HostEvent e) => throw new InvalidOperationException();
        public readonly void OnAnomaly(scoped in AnomalyEvent e) => throw new InvalidOperationException();
    }

    static byte[] Text(int length, int seed) => [.. Enumerable.Range(0, length).Select(i => (byte)('a' + ((i + seed) % 26)))];

    static string Drain(EventRing ring)
    {
        var seen = new Seen();
        var sink = new Collector(seen);
        ring.Read(ref sink, int.MaxValue);
        return string.Join('\n', [.. seen.Ip.Select(f => f.ToString()), .. seen.Content]);
    }

    static EventRing With(Func<EventRing, bool> write)
    {
        var ring = new EventRing(Capacity);
        Assert.True(write(ring));
        Assert.False(ring.IsEmpty);
        return ring;
    }

    static string Direct(Action<Collector> give)
    {
        var seen = new Seen();
        give(new Collector(seen));
        return string.Join('\n', [.. seen.Ip.Select(f => f.ToString()), .. seen.Content]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(200)]
    public void Every_kind_of_event_comes_out_as_it_went_in(int length)
    {
        byte[] answers = new byte[4096];
        var writer = new DnsAnswerWriter(answers);
        for (int i = 0; i < length / 8; i++)
        {
            Text(10, i).CopyTo(writer.TextSpace);
            writer.Commit(1, 60, 10);
        }
        byte[] packed = writer.Written.ToArray();

        DnsEvent Dns() => new() { Context = Make.Context(), Query = Text(length, 1), QueryType = 28, ResponseCode = -1, Answers = packed, QueryLength = 3, ResponseLength = 65_535 };
        Assert.Equal(Direct(s => s.OnDns(Dns())), Drain(With(r => r.TryWriteDns(Dns()))));

        IpEvent Ip() => new()
        {
            Context = Make.Context("2001:db8::1", "2001:db8::2", 6, 1, 2), BytesIn = long.MaxValue, BytesOut = 1, PacketsIn = 2, PacketsOut = 3, PayloadIn = 4, PayloadOut = 5,
            Duration = 6, TcpFlags = 255, State = ConnectionState.SHR, App = App.Http2, Notes = (FlowNotes)63, Ja3 = length == 0 ? default : Text(32, 0),
        };
        Assert.Equal(Direct(s => s.OnIp(Ip())), Drain(With(r => r.TryWriteIp(Ip()))));

        HttpEvent Http() => new()
        {
            Context = Make.Context(), Url = Text(length, 1), Host = Text(length, 2), Method = Text(length, 3), ContentType = Text(length, 4), Referrer = Text(length, 5),
            UserAgent = Text(length, 6), Status = 999, BytesIn = -1, BytesOut = long.MaxValue, Notes = FlowNotes.CleartextCredentials,
        };
        Assert.Equal(Direct(s => s.OnHttp(Http())), Drain(With(r => r.TryWriteHttp(Http()))));

        TlsEvent Tls() => new()
        {
            Context = Make.Context(), Sni = Text(length, 1), Version = 0x0304, Ja3 = Text(length, 2), Ja3s = Text(length, 3), Ja4 = Text(length, 4), CertificateHash = Text(length, 5),
            Issuer = Text(length, 6), Subject = Text(length, 7), ValidFrom = TlsEvent.NoTime, ValidTo = long.MaxValue, Alpn = Text(length, 8),
        };
        Assert.Equal(Direct(s => s.OnTls(Tls())), Drain(With(r => r.TryWriteTls(Tls()))));
    }

    [Fact]
    public void Texts_beyond_any_limit_are_cut_and_the_others_stay()
    {
        byte[] huge = Text(70_000, 0);
        var ring = new EventRing(Capacity);
        Assert.True(ring.TryWriteHttp(new HttpEvent { Url = huge, Host = huge, Method = huge, ContentType = huge, Referrer = huge, UserAgent = huge, Status = 200 }));
        Assert.True(ring.TryWriteDns(new DnsEvent { Query = huge, Answers = huge }));
        Assert.True(ring.TryWriteTls(new TlsEvent { Sni = huge, Ja3 = huge, Ja3s = huge, Ja4 = huge, CertificateHash = huge, Issuer = huge, Subject = huge, Alpn = huge }));
        var seen = new Seen();
        var sink = new Collector(seen);
        Assert.Equal(3, ring.Read(ref sink, 10));
        Assert.Equal((1, 1, 1), (seen.Http.Count, seen.Dns.Count, seen.Tls.Count));
        Assert.Contains(Bytes.Text(huge.AsSpan(0, 16_384)) + " 200", seen.Http[0], StringComparison.Ordinal);
        Assert.True(ring.IsEmpty);
    }

    [Fact]
    public void A_full_ring_refuses_and_takes_again_when_read()
    {
        var ring = new EventRing(Capacity);
        byte[] url = Text(3000, 0);
        int written = 0;
        while (ring.TryWriteHttp(new HttpEvent { Url = url, Status = (ushort)written })) written++;
        Assert.InRange(written, Capacity / 3200, Capacity / 3000);
        Assert.InRange(ring.Waiting, Capacity - 3200, Capacity);
        Assert.False(ring.TryWriteHttp(new HttpEvent { Url = url }));
        var seen = new Seen();
        var sink = new Collector(seen);
        Assert.Equal(2, ring.Read(ref sink, 2));
        Assert.True(ring.TryWriteHttp(new HttpEvent { Url = url, Status = 777 }));
        Assert.Equal(written - 1, ring.Read(ref sink, int.MaxValue));
        Assert.True(ring.IsEmpty);
        Assert.Contains(" 777 ", seen.Http[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Events_go_round_the_ring_in_order()
    {
        var ring = new EventRing(Capacity);
        var random = new Random(20_260_003);
        int written = 0, read = 0;
        while (written < 20_000)
        {
            for (int i = random.Next(60); i > 0; i--)
            {
                if (!ring.TryWriteDns(new DnsEvent { Query = Text(random.Next(3000), 0), QueryType = (ushort)written })) break;
                written++;
            }
            var seen = new Seen();
            var sink = new Collector(seen);
            int n = ring.Read(ref sink, random.Next(60));
            Assert.Equal(Enumerable.Range(read, n).Select(i => (ushort)i), seen.Dns.Select(e => ushort.Parse(e.Split(' ')[^4])));
            read += n;
        }
    }

    [Fact]
    public void An_event_that_cannot_be_taken_is_skipped_alone()
    {
        var ring = new EventRing(Capacity);
        var random = new Random(4);
        var seen = new Seen();
        var sink = new Collector(seen);
        for (int i = 0; i < 3000; i++)
        {
            byte[] url = Text(random.Next(1, 16_000), 0);
            Assert.True(ring.TryWriteHttp(new HttpEvent { Url = url, Status = 1 }));
            Assert.True(ring.TryWriteHttp(new HttpEvent { Url = url, Status = 2 }));
            var refusing = new Refusing();
            Assert.Throws<InvalidOperationException>(() => ring.Read(ref refusing, 1));
            ring.SkipOne();
            Assert.Equal(1, ring.Read(ref sink, 10));
            Assert.Contains(" 2 in=", seen.Http[^1], StringComparison.Ordinal);
            Assert.True(ring.IsEmpty);
        }
        ring.SkipOne();
        Assert.True(ring.IsEmpty);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(Capacity + 8)]
    public void A_capacity_that_cannot_work_is_refused(int capacity) => Assert.Throws<ArgumentOutOfRangeException>(() => new EventRing(capacity));

    struct Sequence : IEventSink
    {
        public long Next, Wrong;

        void Take(in EventContext context, ReadOnlySpan<byte> text)
        {
            // Each event's text is its own number over and over: a torn record shows.
            bool right = context.Timestamp == Next && text.Length == (int)(Next % 61) * 8;
            for (int i = 0; right && i < text.Length; i += 8) right = BinaryPrimitives.ReadInt64LittleEndian(text[i..]) == Next;
            if (!right) Wrong++;
            Next++;
        }

        public void OnDns(scoped in DnsEvent e) => Take(e.Context, e.Query);
        public void OnIp(scoped in IpEvent e) => Take(e.Context, e.Ja3);
        public void OnHttp(scoped in HttpEvent e) => Take(e.Context, e.UserAgent);
        public void OnTls(scoped in TlsEvent e) => Take(e.Context, e.Alpn);

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }
    }

    [Fact]
    public void A_million_events_cross_two_threads_whole_and_in_order()
    {
        const int Count = 1_000_000;
        var ring = new EventRing(Capacity);
        var producer = new Thread(() =>
        {
            byte[] text = new byte[61 * 8];
            for (long i = 0; i < Count; i++)
            {
                int length = (int)(i % 61) * 8;
                for (int at = 0; at < length; at += 8) BinaryPrimitives.WriteInt64LittleEndian(text.AsSpan(at), i);
                var context = new EventContext { Timestamp = i };
                var wait = new SpinWait();
                while (!Write(ring, i, context, text.AsSpan(0, length))) wait.SpinOnce();
            }
        });
        producer.Start();
        var sink = new Sequence();
        var idle = new SpinWait();
        while (sink.Next < Count)
        {
            if (ring.Read(ref sink, 1000) == 0) idle.SpinOnce();
        }
        producer.Join();
        Assert.Equal((Count, 0), (sink.Next, sink.Wrong));
        Assert.True(ring.IsEmpty);
    }

    static bool Write(EventRing ring, long i, in EventContext context, ReadOnlySpan<byte> text) => (i & 3) switch
    {
        0 => ring.TryWriteDns(new DnsEvent { Context = context, Query = text }),
        1 => ring.TryWriteIp(new IpEvent { Context = context, Ja3 = text }),
        2 => ring.TryWriteHttp(new HttpEvent { Context = context, UserAgent = text }),
        _ => ring.TryWriteTls(new TlsEvent { Context = context, Alpn = text }),
    };
}
