using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Tests.Sensor;
using Ledger = Nfr.Pipeline.Ledger;
using Frames = Nfr.Tests.Sensor.Frames;
using Nfr.Tests.Storage;

namespace Nfr.Tests.Nfr;

/// <summary>The intervals of a run are the run: what moved adds up over them, and each begins with the stocks that the one before ended with.</summary>
public sealed class LedgerSpanTests
{
    /// <summary>What lies somewhere at the beginning of a span, and what lies there at its end.</summary>
    static readonly Dictionary<string, string> s_stocks = new()
    {
        ["flows.openBefore"] = "flows.open", ["pipeline.queuedBefore"] = "pipeline.queued", ["spool.inSpoolBefore"] = "spool.inSpool", ["alertSpool.inSpoolBefore"] = "alertSpool.inSpool",
        ["interfaces.near.waitedBefore"] = "interfaces.near.waiting",
    };

    /// <summary>Stocks whose beginning is not told, and what is no count.</summary>
    static readonly HashSet<string> s_others = ["spool.pending", "alertSpool.pending", "tcp.missedRatio", "interfaces.near.flowsOpen", "interfaces.near.workers"];

    /// <summary>Every number of the ledger by its path.</summary>
    internal static Dictionary<string, double> Numbers(Ledger ledger)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            LedgerJson.Write(json, "l", ledger);
            json.WriteEndObject();
        }
        using JsonDocument document = JsonDocument.Parse(stream.ToArray());
        var numbers = new Dictionary<string, double>();
        Walk(document.RootElement.GetProperty("l"), "", numbers);
        return numbers;
    }

    static void Walk(JsonElement element, string path, Dictionary<string, double> numbers)
    {
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string name = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            if (property.Value.ValueKind == JsonValueKind.Object) Walk(property.Value, name, numbers);
            else if (property.Value.ValueKind == JsonValueKind.Number) numbers[name] = property.Value.GetDouble();
        }
    }

    internal static void AssertAddUp(IReadOnlyList<LedgerInterval> intervals, Ledger run)
    {
        Dictionary<string, double> whole = Numbers(run);
        Dictionary<string, double>[] parts = [.. intervals.Select(i => Numbers(i.Moved))];
        foreach (LedgerInterval interval in intervals) Assert.Empty(interval.Moved.Gaps);
        foreach (string name in whole.Keys.Concat(parts.SelectMany(p => p.Keys)).Distinct())
        {
            if (s_others.Contains(name) || s_stocks.ContainsValue(name)) continue;
            if (s_stocks.TryGetValue(name, out string? at))
            {
                Assert.Equal((name, whole.GetValueOrDefault(name)), (name, parts[0].GetValueOrDefault(name)));
                Assert.Equal((at, whole.GetValueOrDefault(at)), (at, parts[^1].GetValueOrDefault(at)));
                for (int i = 1; i < parts.Length; i++) Assert.Equal((name, parts[i - 1].GetValueOrDefault(at)), (name, parts[i].GetValueOrDefault(name)));
                continue;
            }
            Assert.Equal((name, whole.GetValueOrDefault(name)), (name, parts.Sum(p => p.GetValueOrDefault(name))));
        }
    }

    [Fact]
    public void Intervals_add_up_to_the_run_in_every_number()
    {
        var random = new Random(7);
        for (int round = 0; round < 20; round++)
        {
            using var bed = new LedgerBed(scope: Scope.Default, decoding: new DecoderOptions { MaximumFlows = 1024, DatagramIdleTimeout = 5_000_000_000, ActiveTimeout = 20_000_000_000 }, spoolBytes: SpoolOptions.LeastBytes, patient: round % 2 == 0);
            List<LedgerInterval> intervals = [];
            for (int step = 0; step < 40; step++)
            {
                for (int i = random.Next(60); i > 0; i--) bed.Frame(Some(random));
                switch (random.Next(6))
                {
                    case 0: bed.Wait(random.Next(12)); break;
                    case 1 or 2: bed.Take(); break;
                    case 3: Assert.Null(bed.Spool.StoreEngineAlerts([Storage.SpoolTestBed.Alert("1")], "f")); break;
                    case 4: Assert.Null(bed.Spool.Delivered((EventType)random.Next(4), random.Next(400))); break;
                    case 5: intervals.Add(bed.Clock.Turn(bed.Now())); break;
                }
                // A full ring waits for nobody here.
                if (bed.Ring.Waiting > bed.Ring.Capacity / 2) bed.Take();
            }
            Ledger end = bed.End();
            intervals.Add(bed.Clock.Turn(end));
            Assert.Empty(end.Gaps);
            AssertAddUp(intervals, end);
            Assert.True(intervals.Count > 1);
        }
    }

    static byte[] Some(Random random)
    {
        string client = $"{(random.Next(3) == 0 ? "198.51.100" : "10.0.0")}.{random.Next(1, 20)}";
        byte[] frame = random.Next(4) switch
        {
            0 => Frames.Query(client, 4000 + random.Next(3), $"host{random.Next(9)}.example", (ushort)random.Next(4)),
            1 => Frames.Tcp(client, 4000 + random.Next(9), "192.0.2.1", 80, Frames.Ack | Frames.Push, (uint)random.Next(1, 1000), Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")),
            2 => Frames.Tcp(client, 4000 + random.Next(9), "192.0.2.1", 80, Frames.Syn),
            _ => Frames.Udp(client, 5000 + random.Next(400), "192.0.2.1", 9, "x"u8),
        };
        // Now and then one that is not what it says.
        if (random.Next(5) == 0) frame[random.Next(12, 40)] = (byte)random.Next(256);
        return frame;
    }
}
