using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>However a stream is cut, permuted, repeated and overlapped on its way, its content events are those of the stream in order.</summary>
public sealed class ReassemblyTests
{
    const int Cases = 4000;

    /// <summary>What the client says, then what the server answers; as many rounds as a connection has.</summary>
    sealed record Round(byte[] Client, byte[] Server);

    static byte[] Body(Random random, int most) => [.. Enumerable.Range(0, random.Next(most)).Select(_ => (byte)random.Next(256))];

    static Round Http(Random random, int i)
    {
        byte[] request = random.Next(3) switch
        {
            0 => Bytes.Ascii($"GET /{i} HTTP/1.1\r\nHost: h{i}\r\nUser-Agent: {new string('u', random.Next(300))}\r\n\r\n"),
            1 => Chunked($"POST /{i} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", random),
            _ => Sized($"PUT /{i} HTTP/1.1\r\nHost: h\r\n", Body(random, 3000)),
        };
        byte[] response = random.Next(3) switch
        {
            0 => Bytes.Ascii("HTTP/1.1 304 Not\r\n\r\n"),
            1 => Chunked("HTTP/1.1 200 OK\r\nContent-Type: t/x\r\nTransfer-Encoding: chunked\r\n\r\n", random),
            _ => Sized("HTTP/1.1 200 OK\r\nContent-Type: t/y\r\n", Body(random, 5000)),
        };
        return new Round(request, response);
    }

    static byte[] Sized(string head, byte[] body) => [.. Bytes.Ascii($"{head}Content-Length: {body.Length}\r\n\r\n"), .. body];

    static byte[] Chunked(string head, Random random)
    {
        var bytes = new List<byte>(Bytes.Ascii(head));
        for (int i = random.Next(5); i > 0; i--)
        {
            byte[] data = [.. Body(random, 800), 1];
            bytes.AddRange([.. Bytes.Ascii($"{data.Length:x}\r\n"), .. data, 13, 10]);
        }
        bytes.AddRange(Bytes.Ascii("0\r\n\r\n"));
        return [.. bytes];
    }

    static (int Port, Round[] Rounds) Conversation(Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                return (53, [.. Enumerable.Range(0, random.Next(1, 5)).Select(i => new Round(
                    Contents.OverTcp(Contents.Query(i, $"n{i}.example")), Contents.OverTcp(Contents.Answer(i, $"n{i}.example"))))]);
            case 1:
                byte[] hello = random.Next(2) == 0 ? Contents.ClientHello : Contents.Recut(Contents.ClientHello, random.Next(20, 100));
                return (443, [new Round(hello, random.Next(3) switch { 0 => Contents.ServerHello13, 1 => Contents.ServerFlight12, _ => Contents.Resumed12 })]);
            case 2:
                return (25, [
                    new Round(Bytes.Ascii("EHLO c\r\n"), Bytes.Ascii("250-mail\r\n250 STARTTLS\r\n")), new Round(Bytes.Ascii("STARTTLS\r\n"), Bytes.Ascii("220 go\r\n")),
                    new Round(Contents.ClientHello, Contents.ServerFlight12)]);
            default:
                return (80, [.. Enumerable.Range(0, random.Next(1, 5)).Select(i => Http(random, i))]);
        }
    }

    static List<(int From, int To)> Cut(Random random, int length)
    {
        var pieces = new List<(int, int)>();
        int most = random.Next(5) == 0 ? 6 : 1400;
        for (int from = 0; from < length;)
        {
            // Small pieces only at the start, so that a window of a permutation stays a window.
            int to = Math.Min(length, from + random.Next(1, from < 60 ? most + 1 : 1401));
            pieces.Add((from, to));
            if (random.Next(6) == 0) pieces.Add((Math.Max(0, from - random.Next(40)), Math.Min(length, to + random.Next(200))));
            from = to;
        }
        return pieces;
    }

    static void Permute<T>(Random random, List<T> list, int window)
    {
        for (int i = 0; i + 1 < list.Count; i++)
        {
            int j = Math.Min(list.Count - 1, i + random.Next(window));
            (list[i], list[j]) = (list[j], list[i]);
        }
    }

    static void Play(DecodeBed bed, int clientPort, int serverPort, Round[] rounds, Random? random, uint start)
    {
        var talk = new TcpTalk(p => bed.Ip(p), clientPort: clientPort, serverPort: serverPort, clientStart: start, serverStart: start * 7);
        talk.Open();
        foreach (Round round in rounds)
        {
            for (int direction = 0; direction < 2; direction++)
            {
                byte[] stream = direction == 0 ? round.Client : round.Server;
                uint first = direction == 0 ? talk.Out : talk.In, acknowledgment = direction == 0 ? talk.In : talk.Out;
                List<(int From, int To)> pieces = random is null ? [(0, stream.Length)] : Cut(random, stream.Length);
                if (random is not null) Permute(random, pieces, random.Next(1, 8));
                foreach ((int from, int to) in pieces) talk.Raw(direction, first + (uint)from, acknowledgment, TcpTalk.Ack, stream[from..to]);
                if (direction == 0) talk.Out += (uint)stream.Length;
                else talk.In += (uint)stream.Length;
            }
        }
        talk.Close();
    }

    [Fact]
    public void Any_cut_order_repeat_and_overlap_gives_the_same_events()
    {
        using var straight = new DecodeBed();
        using var crooked = new DecodeBed();
        var random = new Random(20_260_010);
        for (int i = 0; i < Cases; i++)
        {
            int clientPort = 1024 + (i % 60_000);
            (int serverPort, Round[] rounds) = Conversation(random);
            uint start = random.Next(4) == 0 ? 0u - (uint)random.Next(3000) : (uint)random.Next();
            Play(straight, clientPort, serverPort, rounds, null, start);
            Play(crooked, clientPort, serverPort, rounds, random, start);
            string[] expected = [.. straight.Seen.Content], actual = [.. crooked.Seen.Content];
            Assert.NotEmpty(expected);
            Assert.True(expected.AsSpan().SequenceEqual(actual), $"case {i}, port {serverPort}:\n{string.Join('\n', expected)}\nagainst\n{string.Join('\n', actual)}");
            foreach (DecodeBed bed in new[] { straight, crooked })
            {
                bed.Seen.Dns.Clear();
                bed.Seen.Http.Clear();
                bed.Seen.Tls.Clear();
                Assert.Equal((0, 0), (bed.Decoder.BuffersInUse, bed.Decoder.ConversationsInUse));
            }
        }
        Assert.Empty(straight.Faults);
        Assert.Empty(crooked.Faults);
    }

    [Fact]
    public void Of_an_overlap_that_differs_the_first_bytes_win()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Open();
        byte[] good = Bytes.Ascii("GET /good HTTP/1.1\r\nHost: h\r\n\r\n"), evil = Bytes.Ascii("GET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
        talk.Raw(0, talk.Out + 4, talk.In, TcpTalk.Ack, good[4..20]);
        talk.Raw(0, talk.Out, talk.In, TcpTalk.Ack, evil);
        bed.Drain();
        Assert.StartsWith("GET http://h/good 0", Assert.Single(bed.Seen.Http), StringComparison.Ordinal);
        Assert.Equal([DecodeFault.StreamOverlapDiffers], bed.Faults);
    }

    [Fact]
    public void Overlaps_that_differ_are_told_once_a_flow_and_counted_each_time()
    {
        using var bed = new DecodeBed();
        for (int port = 2000; port < 2002; port++)
        {
            TcpTalk talk = new TcpTalk(bed, port).Open();
            byte[] good = Bytes.Ascii("GET /good HTTP/1.1\r\nHost: h\r\n\r\n"), evil = Bytes.Ascii("GET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
            talk.Raw(0, talk.Out + 4, talk.In, TcpTalk.Ack, good[4..12]);
            // Held and sent again otherwise: twice before, and once with, what completes it.
            talk.Raw(0, talk.Out + 4, talk.In, TcpTalk.Ack, evil[4..12]);
            talk.Raw(0, talk.Out + 2, talk.In, TcpTalk.Ack, evil[2..14]);
            talk.Raw(0, talk.Out, talk.In, TcpTalk.Ack, evil);
        }
        bed.Drain();
        Assert.Equal(6, bed.Fault(DecodeFault.StreamOverlapDiffers));
        Assert.Equal(
            [(DecodeFault.StreamOverlapDiffers, "10.0.0.1:2000", "192.0.2.1:80"), (DecodeFault.StreamOverlapDiffers, "10.0.0.1:2001", "192.0.2.1:80")], bed.Seen.Anomalies);
        Assert.All(bed.Seen.Ip, f => Assert.Equal(FlowNotes.Ambiguous, f.Notes & FlowNotes.Ambiguous));
    }

    [Fact]
    public void What_a_parser_has_consumed_cannot_be_compared()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Open();
        byte[] good = Bytes.Ascii("GET /good HTTP/1.1\r\nHost: h\r\n\r\n"), evil = Bytes.Ascii("GET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
        talk.Raw(0, talk.Out, talk.In, TcpTalk.Ack, good);
        talk.Raw(0, talk.Out, talk.In, TcpTalk.Ack, evil);
        bed.Drain();
        Assert.StartsWith("GET http://h/good 0", Assert.Single(bed.Seen.Http), StringComparison.Ordinal);
        Assert.Empty(bed.Seen.Anomalies);
    }

    [Fact]
    public void Ranges_hold_what_a_plain_array_holds()
    {
        var random = new Random(20_260_011);
        for (int round = 0; round < 20_000; round++)
        {
            var ranges = default(ReceivedRanges);
            byte[] buffer = new byte[256], model = new byte[256];
            bool[] known = new bool[256];
            for (int step = random.Next(1, 30); step > 0; step--)
            {
                if (random.Next(6) == 0)
                {
                    int shift = random.Next(1, 40);
                    ranges.Shift(buffer, shift);
                    model.AsSpan(shift).CopyTo(model);
                    known.AsSpan(shift).CopyTo(known);
                    known.AsSpan(256 - shift).Clear();
                }
                else
                {
                    int offset = random.Next(200);
                    byte[] payload = new byte[random.Next(1, random.Next(2) == 0 ? 6 : 56)];
                    random.NextBytes(payload);
                    bool laid = ranges.TryLay(buffer, offset, payload, out bool differs);
                    Assert.True(laid || ranges.Count == ReceivedRanges.Maximum);
                    bool expectedDiffers = false;
                    for (int i = 0; laid && i < payload.Length; i++)
                    {
                        if (known[offset + i]) expectedDiffers |= model[offset + i] != payload[i];
                        else (known[offset + i], model[offset + i]) = (true, payload[i]);
                    }
                    Assert.Equal(expectedDiffers, differs);
                }
                int ready = Array.IndexOf(known, false), end = Array.LastIndexOf(known, true) + 1;
                Assert.Equal((ready < 0 ? 256 : ready, end), (ranges.Ready, ranges.End));
                int hole = ready < end && ready >= 0 ? Array.IndexOf(known, true, ready) : 0;
                Assert.Equal(hole, ranges.HoleEnd);
                for (int i = 0; i < 256; i++) Assert.True(!known[i] || buffer[i] == model[i]);
            }
        }
    }
}
