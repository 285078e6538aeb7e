using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Oracles;

/// <summary>A capture put through the decode loop: its events as the lines that "nfr read --print" writes, parsed, in their order.</summary>
sealed class DecodedCapture
{
    /// <summary>Bytes of content each way, beside an ip event's own fields.</summary>
    public const string PayloadOut = "test.payloadOut", PayloadIn = "test.payloadIn";

    static readonly ConcurrentDictionary<string, Lazy<DecodedCapture>> s_read = new(StringComparer.Ordinal);

    readonly List<JsonElement> _events;

    DecodedCapture(List<JsonElement> events, DecodeCounters counters)
    {
        _events = events;
        Counters = counters;
    }

    public DecodeCounters Counters { get; }
    public IReadOnlyList<JsonElement> Events => _events;

    /// <summary>Events of one type: "dns", "ip", "http", "tls", "host", "anomaly".</summary>
    public IEnumerable<JsonElement> Of(string type) => _events.Where(e => e.GetProperty("type").GetString() == type);

    /// <summary>Read once for all tests of a run. The ledger closes and nothing stays rented, else this throws.</summary>
    /// <param name="isHome">Whether an address is one of ours; null = nobody says.</param>
    /// <param name="separation">What tells flows apart.</param>
    public static DecodedCapture Read(string path, Func<Address, bool>? isHome = null, FlowSeparation separation = FlowSeparation.Networks) =>
        isHome is not null || separation != FlowSeparation.Networks ? Decode(path, isHome, separation)
            : s_read.GetOrAdd(path, p => new Lazy<DecodedCapture>(() => Decode(p, null, separation))).Value;

    internal static DecodedCapture Decode(string path, Func<Address, bool>? isHome, FlowSeparation separation, bool lookAhead = true)
    {
        var events = new List<JsonElement>();
        using CaptureFile? capture = CaptureFile.Open(path, out string? error);
        if (capture is null) return new DecodedCapture(events, new DecodeCounters { NonIp = 0 }) { Fault = error };
        var decoder = new FrameDecoder<Collect>(new DecoderOptions { MaximumFlows = 32_768, IsHome = isHome, Separation = separation }, new Collect(events, new EventJson(), new ArrayBufferWriter<byte>(4096)));
        var feed = new Feed(decoder, lookAhead);
        while (capture.Read(ref feed))
        {
        }
        decoder.Drain();
        Assert.True(decoder.Counters.Closes);
        Assert.Equal((0, 0, 0), (decoder.BuffersInUse, decoder.ConversationsInUse, decoder.DetailsInUse));
        return new DecodedCapture(events, decoder.Counters) { Fault = capture.Fault?.Message };
    }

    /// <summary>Why the file could not be read, or not to its end.</summary>
    public string? Fault { get; private init; }

    readonly struct Feed(FrameDecoder<Collect> decoder, bool lookAhead) : IFrameSink
    {
        public void OnFrame(scoped in Frame frame) => decoder.OnFrame(frame);
        public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
        {
            if (lookAhead) decoder.OnAhead(bytes, linkType, place);
        }
    }

    readonly struct Collect(List<JsonElement> events, EventJson json, ArrayBufferWriter<byte> line) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e)
        {
            json.WriteLine(e, line);
            Keep();
        }

        public void OnIp(scoped in IpEvent e)
        {
            json.WriteLine(e, line);
            // The line says bytes of packets; the oracles also ask whether there was any content.
            int end = line.WrittenSpan.LastIndexOf((byte)'}');
            byte[] more = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $",\"{PayloadOut}\":{e.PayloadOut},\"{PayloadIn}\":{e.PayloadIn}}}"));
            byte[] text = [.. line.WrittenSpan[..end], .. more];
            line.ResetWrittenCount();
            line.Write(text);
            Keep();
        }

        public void OnHttp(scoped in HttpEvent e)
        {
            json.WriteLine(e, line);
            Keep();
        }

        public void OnTls(scoped in TlsEvent e)
        {
            json.WriteLine(e, line);
            Keep();
        }

        public void OnHost(scoped in HostEvent e)
        {
            json.WriteLine(e, line);
            Keep();
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
            json.WriteLine(e, line);
            Keep();
        }

        void Keep()
        {
            var reader = new Utf8JsonReader(line.WrittenSpan);
            events.Add(JsonElement.ParseValue(ref reader));
            line.ResetWrittenCount();
        }
    }
}
