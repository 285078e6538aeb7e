using System.Globalization;
using System.Text.Json;
using Nfr.Faults.Kill;
using Nfr.Storage;
using Nfr.Tests.Uplink;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Faults.Outputs;

/// <summary>
/// Seven outputs through fifty kills. What is promised then: at each output that lives every spooled alert arrives, in order; a kill between a sink's word and the
/// bookmark behind it repeats what that one page held (<see cref="AlertOutput.PageSize"/> alerts at most), from its first alert on, and nothing older.
/// </summary>
public sealed class KilledOutputsTests(ITestOutputHelper output)
{
    readonly record struct Came(int Life, string Alert);

    [Fact]
    public async Task Each_spooled_alert_arrives_in_order_through_fifty_kills_and_a_kill_repeats_one_page_at_most()
    {
        int kills = Tier.Of(50, 1000);
        using var folder = new RamFolder();
        var came = ManyOutputs.Webhooks.ToDictionary(name => name, _ => new List<Came>());
        var newest = ManyOutputs.Webhooks.ToDictionary(name => name, _ => 0);
        var random = new Random(7);
        await using EngineServer receiver = await EngineServer.StartAsync();
        receiver.Answer = async (context, request) =>
        {
            string[] path = request.Path.Split('/');
            int fate;
            lock (random) fate = random.Next(30);
            if (path[2] == "dead")
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                return;
            }
            if (path[2] == "flapping" && fate < 10)
            {
                await EngineServer.Json(context, 503, "{}");
                return;
            }
            using JsonDocument page = JsonDocument.Parse(request.Body);
            string[] alerts = [.. page.RootElement.EnumerateArray().Select(a => Name(a))];
            int of = int.Parse(path[1], CultureInfo.InvariantCulture);
            lock (came)
            {
                // What a dead process had sent may be read only now. It got no answer and moved no bookmark, so all of it comes again.
                if (of >= newest[path[2]]) came[path[2]].AddRange(alerts.Select(alert => new Came(of, alert)));
                newest[path[2]] = Math.Max(newest[path[2]], of);
            }
            await Task.Delay(path[2] == "slow" ? 20 + (fate * 5) : fate / 3);
            await EngineServer.Json(context, 200, "{}");
        };
        // Where each file stood at each life's end: lines before it came from that life or an earlier one.
        var ends = new List<Dictionary<string, int>>();
        long acknowledged = 0;
        for (int life = 0; life < kills; life++)
        {
            using SensorChild child = Child(folder, receiver.Host, life, "load");
            await child.UntilReadyAsync();
            await Task.Delay(new Random(life).Next(50, 500));
            await child.KillAsync();
            acknowledged += child.Notes.SpooledAlerts;
            ends.Add(ManyOutputs.Files.ToDictionary(name => name, name => Lines(folder, name).Count));
        }
        using (SensorChild drain = Child(folder, receiver.Host, kills, "drain")) await drain.EndAsync();

        using Spool spool = Spool.Open(new SpoolOptions { Directory = folder.In("spool") }, TimeProvider.System);
        string[] stored = [.. spool.ReadAlerts(0, int.MaxValue).Select(a => a.Alert.Event.Query!)];
        Assert.True(stored.Length >= acknowledged, $"{acknowledged} alerts were acknowledged, {stored.Length} are in the spool");
        Assert.Equal(0, spool.Counters.Alerts.Evicted);
        var said = new List<string>();
        foreach (string name in ManyOutputs.Files)
        {
            List<string> lines = Lines(folder, name);
            said.Add(Held(name, stored, [.. lines.Select((line, i) => new Came(ends.Count(end => end[name] <= i), line))], kills));
        }
        lock (came)
        {
            foreach (string name in ManyOutputs.Webhooks.Where(name => name != "dead")) said.Add(Held(name, stored, came[name], kills));
            Assert.Empty(came["dead"]);
        }
        Assert.Equal(0, spool.GetBookmark("output:dead"));
        output.WriteLine($"{kills} kills, {stored.Length:N0} alerts spooled ({acknowledged:N0} acknowledged): at each live output all of them, in order; came again: {string.Join(", ", said)}; the dead one has none and delayed nobody");
    }

    /// <summary>In order from the first to the last; a step back only where a life begins, by a page at most, and to nothing that the life before had not sent.</summary>
    static string Held(string name, string[] stored, IReadOnlyList<Came> came, int kills)
    {
        Dictionary<string, int> place = stored.Select((alert, i) => (alert, i)).ToDictionary(p => p.alert, p => p.i);
        int next = 0, repeated = 0, back = 0;
        int life = 0;
        foreach (Came one in came)
        {
            int at = place[one.Alert];
            if (at != next)
            {
                Assert.True(one.Life > life, $"{name}: alert {at} came in life {one.Life} where {next} was due");
                Assert.InRange(next - at, 1, AlertOutput.PageSize);
                repeated += next - at;
                back++;
            }
            life = one.Life;
            next = at + 1;
        }
        Assert.Equal(stored.Length, next);
        Assert.True(back <= kills);
        return $"{name} {repeated} after {back} kills";
    }

    static List<string> Lines(RamFolder folder, string name)
    {
        string path = folder.In(name);
        if (!File.Exists(path)) return [];
        string text = File.ReadAllText(path);
        // A kill may leave half a line; the next write cuts it off.
        string whole = text[..(text.LastIndexOf('\n') + 1)];
        return [.. whole.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            using JsonDocument alert = JsonDocument.Parse(line);
            return Name(alert.RootElement);
        })];
    }

    static string Name(JsonElement alert) => alert.GetProperty("query").GetString()!;

    static SensorChild Child(RamFolder folder, string receiver, int life, string what) => new(folder, life, "outputs", folder.In("spool"), receiver, life.ToString(CultureInfo.InvariantCulture), what);
}
