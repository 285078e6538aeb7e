using System.Globalization;
using System.Text.Json;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Wire;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Nfr;

/// <summary>Every fault shows by a name of its own wherever the ledger is told.</summary>
public sealed class LedgerFaultTests
{
    static readonly DecodeFault[] s_faults = [.. Enum.GetValues<DecodeFault>().Where(f => f is not DecodeFault.None and not DecodeFault.Count)];

    /// <summary>Of each fault so many that the number says which it is.</summary>
    static long CountOf(DecodeFault fault) => 1000 + (int)fault;

    static Ledger WithAll()
    {
        var decoded = new DecodeCounters();
        foreach (DecodeFault fault in s_faults) decoded.Faults[(int)fault] = CountOf(fault);
        decoded.Frames = decoded.PacketFaults;
        return new Ledger { Captures = [new CaptureEntry("eth7", default(global::Nfr.Capture.CaptureStatistics), null, decoded, new long[EventTypes.Count], new long[EventTypes.Count], 0, 0)] };
    }

    static StatusReport Report(Ledger run) => new()
    {
        SensorId = "s", Now = DateTimeOffset.UnixEpoch, Started = DateTimeOffset.UnixEpoch, Uptime = TimeSpan.Zero, Ports = [new PortReport("eth7", true)], Run = run, SpoolFolder = "/", SpoolMost = 1,
    };

    [Fact]
    public void The_text_of_stats_names_each_with_its_count()
    {
        string[] lines = [.. LedgerText.Write(WithAll()).Split('\n').Select(l => l.Trim())];
        foreach (DecodeFault fault in s_faults)
        {
            string name = LedgerText.Spell(fault);
            Assert.Single(lines, l => l.StartsWith(name + " ", StringComparison.Ordinal) && l.EndsWith(" " + CountOf(fault).ToString("N0", CultureInfo.InvariantCulture), StringComparison.Ordinal));
        }
        Assert.Equal(s_faults.Length, s_faults.Select(LedgerText.Spell).Distinct().Count());
    }

    [Fact]
    public void Json_names_each_for_the_run_and_for_its_interface()
    {
        using var output = new StringWriter();
        ReadStats.WriteJson(WithAll(), 1, 0, output);
        using JsonDocument json = JsonDocument.Parse(output.ToString());
        JsonElement run = json.RootElement.GetProperty("faults"), port = json.RootElement.GetProperty("interfaces").GetProperty("eth7").GetProperty("faults");
        foreach (DecodeFault fault in s_faults)
        {
            string name = JsonNamingPolicy.CamelCase.ConvertName(fault.ToString());
            Assert.Equal((CountOf(fault), CountOf(fault)), (run.GetProperty(name).GetInt64(), port.GetProperty(name).GetInt64()));
        }
    }

    [Fact]
    public void Metrics_name_each_from_the_start_on()
    {
        string[] loud = MetricsText.Write(Report(WithAll())).Split('\n'), quiet = MetricsText.Write(Report(new Ledger { Captures = [WithAll().Captures[0] with { Decoded = new DecodeCounters() }] })).Split('\n');
        foreach (DecodeFault fault in s_faults)
        {
            string sample = $"nfr_faults_total{{interface=\"eth7\",fault=\"{JsonNamingPolicy.CamelCase.ConvertName(fault.ToString())}\"}} ";
            Assert.Contains(sample + CountOf(fault).ToString(CultureInfo.InvariantCulture), loud);
            Assert.Contains(sample + "0", quiet);
        }
    }

    [Fact]
    public void Metrics_say_of_each_name_once_what_it_is()
    {
        string[] lines = MetricsText.Write(Report(WithAll())).TrimEnd('\n').Split('\n');
        string[] types = [.. lines.Where(l => l.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(l => l.Split(' ')[2])];
        Assert.Equal(types.Length, types.Distinct().Count());
        foreach (string line in lines.Where(l => l[0] != '#')) Assert.Contains(line.Split('{', ' ')[0], types);
        foreach (string type in lines.Where(l => l.EndsWith(" counter", StringComparison.Ordinal)).Select(l => l.Split(' ')[2])) Assert.EndsWith("_total", type, StringComparison.Ordinal);
    }
}
