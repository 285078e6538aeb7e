using System.Globalization;
using System.Text.Json;
using Nfr.Events;
using Nfr.Health;

namespace Nfr.Commands;

/// <summary>
/// A status answer on one screen of 80 columns: first whether all is well and what to do if not, then a few lines a stage in the order of the way. What is zero and
/// usually is stays away; --json has it.
/// </summary>
static partial class StatusScreen
{
    const int Width = 79;

    /// <summary>More troubles than this are counted: the rest of the screen explains the first.</summary>
    const int MostTroubles = 6;

    public static IEnumerable<ScreenLine> Lines(JsonElement root)
    {
        DateTime now = root.GetProperty("clock").GetProperty("now").GetDateTime();
        return [Title(root, now), .. Verdict(root), .. Capture(root), .. Inputs(root, now), .. Ledger(root), .. Spool(root, now), .. Uplinks(root, now), .. Outputs(root, now), .. Fleet(root, now), .. Box(root, now), .. Lists(root)];
    }

    static ScreenLine Title(JsonElement root, DateTime now)
    {
        // The name's beginning tells one sensor from another; all of it is in --json.
        string sensor = Text(root, "sensor");
        string left = $"nfr {Text(root, "version")}, sensor {sensor[..Math.Min(12, sensor.Length)]}, up {Up(TimeSpan.FromSeconds(root.GetProperty("clock").GetProperty("uptimeSeconds").GetDouble()))}";
        string right = now.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + "Z";
        return new(left + right.PadLeft(Math.Max(right.Length + 1, Width - left.Length)), ScreenMark.Head);
    }

    static IEnumerable<ScreenLine> Verdict(JsonElement root)
    {
        JsonElement[] troubles = [.. root.GetProperty("troubles").EnumerateArray()];
        int notices = troubles.Count(t => Text(t, "gravity") == "notice"), bad = troubles.Length - notices;
        string look = notices == 0 ? "" : notices == 1 ? "1 thing to look at" : string.Create(CultureInfo.InvariantCulture, $"{notices} things to look at");
        yield return bad == 0
            ? new(notices == 0 ? "All is well." : $"All is well; {look}:", ScreenMark.Good)
            : new(string.Create(CultureInfo.InvariantCulture, $"{bad} {(bad == 1 ? "TROUBLE" : "TROUBLES")}{(notices > 0 ? ", " + look : "")}:"), ScreenMark.Bad);
        foreach (JsonElement trouble in troubles.Take(MostTroubles))
        {
            ScreenMark mark = Text(trouble, "gravity") == "notice" ? ScreenMark.Notice : ScreenMark.Bad;
            string head = Text(trouble, "gravity") switch { "loss" => "  LOSS   ", "fault" => "  FAULT  ", _ => "  look   " };
            foreach (string line in Wrap(Text(trouble, "what"), Width - head.Length))
            {
                yield return new(head + line, mark);
                head = new string(' ', head.Length);
            }
            head += "-> ";
            foreach (string line in Wrap(Text(trouble, "do"), Width - head.Length))
            {
                yield return new(head + line);
                head = new string(' ', head.Length);
            }
        }
        if (troubles.Length > MostTroubles) yield return new(string.Create(CultureInfo.InvariantCulture, $"  and {troubles.Length - MostTroubles} more: nfr status --json"), ScreenMark.Notice);
    }

    static IEnumerable<ScreenLine> Capture(JsonElement root)
    {
        if (root.GetProperty("capture").GetArrayLength() > 0) yield return new("Capture               packets/s      bits/s       packets   card  kernel   nfr", ScreenMark.Head);
        foreach (JsonElement port in root.GetProperty("capture").EnumerateArray())
        {
            string Rate(string name) => port.TryGetProperty(name, out JsonElement rate) ? Short(rate.GetDouble()) : "-";
            JsonElement dropped = port.GetProperty("dropped");
            long card = Count(dropped, "card"), kernel = Count(dropped, "kernel"), own = Count(dropped, "decoder");
            bool open = port.GetProperty("open").GetBoolean();
            string name = Cut(Text(port, "interface"), 15) + (open ? "" : " GONE");
            yield return new(string.Create(CultureInfo.InvariantCulture,
                $"  {name,-21}{Rate("packetsPerSecond"),8}{Rate("bitsPerSecond"),12}{Number(Count(port, "packets")),14}{Lost(card),7}{Lost(kernel),8}{Lost(own),6}"), open ? ScreenMark.None : ScreenMark.Bad);
            foreach (JsonElement condition in port.GetProperty("conditions").EnumerateArray()) yield return new("    " + Cut(Text(condition, "what"), Width - 4), ScreenMark.Notice);
        }

        static string Lost(long count) => count == 0 ? "0" : "-" + Short(count);
    }

    static IEnumerable<ScreenLine> Ledger(JsonElement root)
    {
        JsonElement run = root.GetProperty("run");
        JsonElement? interval = Find(root, "interval"), moved = Find(interval, "moved");
        string last = interval is { } i ? string.Create(CultureInfo.InvariantCulture, $"last {i.GetProperty("seconds").GetDouble():0} s") : "";
        yield return new(string.Create(CultureInfo.InvariantCulture, $"{"Ledger",-44}{"whole run",17}{last,17}"), ScreenMark.Head);
        if (root.GetProperty("capture").GetArrayLength() > 0 || Inputs(root).Length == 0) yield return Both("packets decoded", "packets");
        if (Inputs(root).Length > 0) yield return Both("lines read", "lines");
        yield return Both("events made", "events", Sum);
        if (Sum(run.GetProperty("events")) > 0) yield return new("    " + string.Join(", ", run.GetProperty("events").EnumerateObject().Where(t => t.Value.GetInt64() > 0).Select(t => $"{t.Name} {Short(t.Value.GetInt64())}")));
        yield return Both("events in scope", "pipeline.inScope");
        yield return Both("alerts raised", "pipeline.alerts");
        yield return Both("spooled", "spool.spooled");
        if (interval is { } span && Count(span, "lost") is > 0 and var lost) yield return new(string.Create(CultureInfo.InvariantCulture, $"  {"lost",-42}{"",17}{Number(lost),17}"), ScreenMark.Bad);
        yield return new(string.Create(CultureInfo.InvariantCulture, $"  {"what came in against where it went",-42}{Sums(run),17}{(moved is { } m ? Sums(m) : ""),17}"),
            Closes(run) && (moved is not { } mv || Closes(mv)) ? ScreenMark.Good : ScreenMark.Bad);

        ScreenLine Both(string name, string path, Func<JsonElement, long>? of = null)
        {
            string Of(JsonElement? ledger) => Find(ledger, path) is { } value ? Number(of is null ? value.GetInt64() : of(value)) : "";
            return new(string.Create(CultureInfo.InvariantCulture, $"  {name,-42}{Of(run),17}{Of(moved),17}"));
        }

        static long Sum(JsonElement counts) => counts.EnumerateObject().Sum(c => c.Value.GetInt64());
        static bool Closes(JsonElement ledger) => ledger.GetProperty("closes").GetBoolean();
        static string Sums(JsonElement ledger) => !Closes(ledger) ? "does NOT add up" : ledger.GetProperty("exact").GetBoolean() ? "adds up" : "no time to ask";
    }

    static IEnumerable<ScreenLine> Spool(JsonElement root, DateTime now)
    {
        if (Find(root, "spool") is not { } spool) yield break;
        long bytes = Count(spool, "bytesOnDisk"), most = Count(spool, "maxBytes");
        yield return new(Apart("Spool", string.Create(CultureInfo.InvariantCulture, $"{Sizes.Of(bytes)} of {Sizes.Of(most)}, {Share(bytes, most):P0}")), ScreenMark.Head);
        string held = Join(spool.GetProperty("classes").EnumerateObject().Where(c => Count(c.Value, "held") > 0).Select(c => $"{c.Name} {Number(Count(c.Value, "held"))} ({Sizes.Of(Count(c.Value, "bytes"))})"));
        string head = "  holds      ";
        foreach (string line in Wrap(held.Length == 0 ? "nothing" : held, Width - head.Length))
        {
            yield return new(head + line);
            head = new string(' ', head.Length);
        }
        List<string> bad = [];
        if (spool.GetProperty("failing").GetBoolean()) bad.Add("CANNOT BE WRITTEN");
        if (spool.GetProperty("diskFull").GetBoolean()) bad.Add("disk full");
        if (Count(spool, "faults") is > 0 and var faults) bad.Add($"{Number(faults)} faults, the last: {Cut(Text(spool, "lastFault"), 40)}");
        if (Count(spool, "quarantine") is > 0 and var items) bad.Add($"{Number(items)} in quarantine");
        if (bad.Count > 0) yield return new(Cut("  trouble    " + string.Join(", ", bad), Width), ScreenMark.Notice);
        foreach (ScreenLine line in Outlook(spool)) yield return line;
    }

    static IEnumerable<ScreenLine> Outlook(JsonElement spool)
    {
        string rate = Find(spool, "eventsPerSecond") is { } perSecond ? string.Create(CultureInfo.InvariantCulture, $"{perSecond.GetDouble():0.#} events/s") : "";
        string written = "  written    " + Sizes.Of(Count(spool, "bytesWritten")) + $" since the start in {Number(Count(spool, "commits"))} commits";
        JsonElement? outlook = Find(spool, "outlook");
        string ring = outlook is not { } known ? "" : Find(known, "ringDays") is { } days ? $"at today's rate the ring holds {Days(days.GetDouble())}" : "the ring is not filling";
        if (rate.Length + ring.Length > 0) yield return new("  comes in   " + rate + (rate.Length > 0 && ring.Length > 0 ? "; " : "") + ring);
        if (outlook is { } by)
        {
            written = Cut(string.Create(CultureInfo.InvariantCulture,
                $"  written    {Sizes.Of(Count(by, "bytesPerDay"))} a day, {Sizes.Of(Count(spool, "bytesWritten"))} so far: a {Count(by, "cardBytes") / 1e9:0} GB card lasts {Days(by.GetProperty("cardYears").GetDouble() * 365.25)}"), Width);
        }
        yield return new(written);

        static string Days(double days) => days > 36_525 ? "over 100 years" : Ages.Of(TimeSpan.FromDays(days));
    }

    static IEnumerable<ScreenLine> Uplinks(JsonElement root, DateTime now)
    {
        JsonElement[] uplinks = [.. root.GetProperty("uplinks").EnumerateArray()], consumers = [.. root.GetProperty("consumers").EnumerateArray()];
        if (uplinks.Length == 0) yield return new("Uplink   none: all is scored on board", ScreenMark.Head);
        foreach (JsonElement uplink in uplinks)
        {
            JsonElement[] types = [.. uplink.GetProperty("types").EnumerateObject().Select(t => t.Value)];
            bool failing = uplink.GetProperty("trouble").ValueKind == JsonValueKind.String;
            yield return new(Apart($"Uplink {Text(uplink, "name")}  {Text(uplink, "engine")}", failing ? "FAILING" : "well"), failing ? ScreenMark.Bad : ScreenMark.Head);
            yield return new((Latest(types, "lastSuccess") is not { } last ? "  delivered  nothing yet"
                : $"  delivered  {Number(types.Sum(t => Count(t, "deliveredEvents")))} events, {Sizes.Of(types.Sum(t => Count(t, "deliveredBytes")))}, the last {Ago(last, now)}")
                + NotZero(types.Sum(t => Count(t, "rejectedEvents")), "not wanted") + NotZero(types.Sum(t => Count(t, "quarantinedEvents")), "put aside"));
            JsonElement? own = consumers.FirstOrDefault(c => Text(c, "name") == Text(uplink, "name")) is { ValueKind: JsonValueKind.Object } found ? found : null;
            string busy = string.Join(", ", uplink.GetProperty("types").EnumerateObject().Where(t => Text(t.Value, "phase") is not ("Idle" or "Off")).Select(t => $"{t.Name} {Phase(Text(t.Value, "phase"))}"));
            if (own is { } account) yield return Waiting(account, busy, now);
            foreach (ScreenLine line in Error(types.MaxBy(t => Moment(t, "lastErrorAt") ?? default), types.Sum(t => Count(t, "failedRequests")), now, failing)) yield return line;
        }
        // Who takes events and is no engine.
        foreach (JsonElement other in consumers.Where(c => !uplinks.Any(u => Text(u, "name") == Text(c, "name"))))
        {
            yield return new($"Events to {Text(other, "name")}", ScreenMark.Head);
            yield return new($"  delivered  {Number(Count(other, "delivered"))} events{NotZero(Count(other, "quarantined"), "put aside")}");
            yield return Waiting(other, "", now);
        }

        static string Phase(string phase) => phase switch { "Sending" => "sends", "BackingOff" => "waits to try again", "KeyRefused" => "key refused", "OutsideWindow" => "waits for its hours", _ => phase };
    }

    static ScreenLine Waiting(JsonElement consumer, string busy, DateTime now)
    {
        long waiting = Count(consumer, "waiting");
        string[] types = [.. consumer.GetProperty("types").EnumerateObject().Where(t => Count(t.Value, "waiting") > 0).Select(t => $"{t.Name} {Number(Count(t.Value, "waiting"))}")];
        return new(Cut("  waiting    " + (waiting == 0 ? "nothing" : Join(types) + (Moment(consumer, "oldestWaiting") is { } oldest ? $", the oldest {Ago(oldest, now)}" : ""))
            + NotZero(Count(consumer, "missed"), "missed") + (busy.Length > 0 ? "; " + busy : ""), Width), Count(consumer, "missed") > 0 ? ScreenMark.Notice : ScreenMark.None);
    }

    static IEnumerable<ScreenLine> Fleet(JsonElement root, DateTime now)
    {
        if (Find(root, "fleet") is not { } fleet) yield break;
        bool connected = fleet.GetProperty("connected").GetBoolean(), failing = fleet.GetProperty("trouble").ValueKind == JsonValueKind.String;
        yield return new(Apart($"Fleet  {Text(fleet, "broker")}", connected ? "connected" : failing ? "FAILING" : "connecting"), failing ? ScreenMark.Bad : ScreenMark.Head);
        long refused = fleet.GetProperty("commandsRefused").EnumerateObject().Sum(r => r.Value.GetInt64());
        string since = Moment(fleet, "since") is { } at ? $", connected {Ago(at, now)}" : "", mqtt = Said(fleet, "mqtt") ? $" by MQTT {Text(fleet, "mqtt")}" : "";
        yield return new(Cut($"  said       {Number(Count(fleet, "heartbeats"))} heartbeats{mqtt}{since}; commands {Number(Count(fleet, "commandsTaken"))}{NotZero(refused, "refused")}", Width));
    }

    static IEnumerable<ScreenLine> Outputs(JsonElement root, DateTime now)
    {
        JsonElement[] outputs = [.. root.GetProperty("outputs").EnumerateArray()];
        if (outputs.Length > 0) yield return new("Outputs                                   delivered  refused  waiting  last ago", ScreenMark.Head);
        foreach (JsonElement output in outputs)
        {
            bool failing = output.GetProperty("trouble").ValueKind == JsonValueKind.String;
            long refused = Count(output, "refused");
            string last = Moment(output, "lastSuccess") is { } at ? Ages.Of(now > at ? now - at : TimeSpan.Zero) : "never";
            string name = Cut($"  {Text(output, "name")}  {Text(output, "target")}", failing ? 33 : 41) + (failing ? " FAILING" : "");
            yield return new(string.Create(CultureInfo.InvariantCulture, $"{name,-42}{Number(Count(output, "alerts")),9}{Number(refused),9}{Number(Count(output, "waiting")),9}{last,10}"),
                failing ? ScreenMark.Bad : refused > 0 ? ScreenMark.Notice : ScreenMark.None);
            foreach (ScreenLine line in Error(output, Count(output, "failedWrites"), now, failing)) yield return line;
            if (refused > 0) yield return new(Cut($"  refused    the last: {Text(output, "lastRefusal")}", Width), ScreenMark.Notice);
            if (Said(output, "holding")) yield return new(Cut($"  waits      {Text(output, "holding")}", Width));
            if (Said(output, "remark")) yield return new(Cut($"  note       {Text(output, "remark")}", Width), ScreenMark.Notice);
        }
    }

    /// <summary>An older sensor does not have the key.</summary>
    static bool Said(JsonElement of, string key) => of.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String;

    static IEnumerable<ScreenLine> Error(JsonElement of, long failed, DateTime now, bool failing)
    {
        if (of.ValueKind == JsonValueKind.Undefined || Moment(of, "lastErrorAt") is not { } at) yield break;
        string next = failing && Moment(of, "nextTry") is { } until && until > now ? $"; next try in {Ages.Of(until - now)}" : "";
        string head = $"  failed     {Number(failed)} x, the last {Ago(at, now)}{next}: ";
        yield return new(head + Cut(Text(of, "lastError"), Math.Max(20, Width - head.Length)), failing ? ScreenMark.Bad : ScreenMark.None);
    }

    static IEnumerable<ScreenLine> Box(JsonElement root, DateTime now)
    {
        yield return new("Box", ScreenMark.Head);
        JsonElement clock = root.GetProperty("clock");
        string kept = Find(clock, "synchronised") is not { } synchronised ? "nobody says whether it is kept"
            : !synchronised.GetBoolean() ? "NOT synchronised"
            : Find(clock, "estimatedErrorSeconds") is { } about && Find(clock, "maximumErrorSeconds") is { } most ? $"synchronised, off by about {Seconds(about.GetDouble())}, {Seconds(most.GetDouble())} at most" : "synchronised";
        string jumps = Count(clock, "jumps") switch { 0 => "no jumps", 1 => "1 jump, ", var n => $"{n} jumps, the last " };
        if (Moment(clock, "lastJumpAt") is { } jumped) jumps += string.Create(CultureInfo.InvariantCulture, $"by {clock.GetProperty("lastJumpSeconds").GetDouble():+0.0;-0.0} s {Ago(jumped, now)}");
        yield return new(Cut($"  clock      {kept}; {jumps}", Width));
        if (Find(root, "box") is not { } box) yield break;
        if (Find(box, "disk") is { } disk)
        {
            long free = Count(disk, "freeBytes"), size = Count(disk, "sizeBytes");
            bool readOnly = disk.GetProperty("readOnly").GetBoolean();
            yield return new(Cut(string.Create(CultureInfo.InvariantCulture, $"  disk       {Sizes.Of(free)} of {Sizes.Of(size)} free ({Share(free, size):P0}) on {Text(disk, "mountPoint")} ({Text(disk, "fileSystem")}{(readOnly ? ", READ-ONLY" : "")})"), Width),
                readOnly ? ScreenMark.Bad : ScreenMark.None);
        }
        string[] warm = [.. box.GetProperty("temperatures").EnumerateArray().Select(t => string.Create(CultureInfo.InvariantCulture, $"{Text(t, "sensor")} {t.GetProperty("celsius").GetDouble():0} °C"))];
        string[] held = [.. (Find(box, "throttling")?.EnumerateArray() ?? default).Select(t => Words(t.GetString()!))];
        yield return new(Cut("  heat       " + (warm.Length == 0 ? "this box has no thermometer" : string.Join(", ", warm)) + (held.Length > 0 ? "; " + string.Join(", ", held) : ""), Width));
        JsonElement process = box.GetProperty("process");
        // A sensor that runs on from before an upgrade of the package does not say how old its process is.
        double uptime = (Find(process, "uptimeSeconds") ?? clock.GetProperty("uptimeSeconds")).GetDouble();
        yield return new(string.Create(CultureInfo.InvariantCulture,
            $"  memory     {Sizes.Of(Count(process, "residentBytes"))} of {Sizes.Of(Count(process, "mostResidentBytes"))}, heap {Sizes.Of(Count(process, "heapBytes"))}; processor {(uptime > 0 ? process.GetProperty("cpuSeconds").GetDouble() / uptime : 0):P1} since the start"));
    }

    static IEnumerable<ScreenLine> Lists(JsonElement root)
    {
        JsonElement[] lists = [.. root.GetProperty("lists").EnumerateArray()];
        if (lists.Length == 0) yield break;
        long indicators = lists.Sum(l => Count(l, "indicators"));
        double oldest = lists.Max(l => l.TryGetProperty("ageSeconds", out JsonElement age) ? age.GetDouble() : 0);
        yield return new($"  lists      {Number(indicators)} {(indicators == 1 ? "indicator" : "indicators")} in {lists.Length} {(lists.Length == 1 ? "list" : "lists")}{(oldest > 0 ? $", the oldest copy {Ages.Of(TimeSpan.FromSeconds(oldest))} old" : "")}");
    }
}
