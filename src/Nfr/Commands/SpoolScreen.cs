using System.Globalization;
using System.Text;
using System.Text.Json;
using Nfr.Config;
using Nfr.Health;
using Nfr.Storage;

namespace Nfr.Commands;

/// <summary>What lies in a spool, on one screen of 80 columns or as JSON.</summary>
static class SpoolScreen
{
    const int MostQuarantined = 8;

    public static IEnumerable<ScreenLine> Lines(SpoolFacts facts, SpoolConfig config, DateTimeOffset now)
    {
        yield return new(Text($"Spool   {config.Dir}: {Sizes.Of(facts.BytesOnDisk)} of {Sizes.Of(config.MaxSize)} on disk"), ScreenMark.Head);
        yield return new(Text($"  {"",-14}{"rows",9}  {"events",11}  {"bytes",9}  {"oldest",10}  {"newest",10}"));
        foreach (SpoolShare share in facts.Shares)
        {
            yield return new(Text(
                $"  {share.Type + (share.Scored ? ", scored" : ""),-14}{share.Rows,9:N0}  {share.Events,11:N0}  {Sizes.Of(share.Bytes),9}  {Ago(share.Oldest, now),10}  {Ago(share.Newest, now),10}"));
        }
        if (facts.Shares.Count == 0) yield return new("  empty");
        if (facts.Outlook is { } outlook)
        {
            string days = outlook.RingDays is { } ring ? $"; at this rate the ring holds {Span(ring)}" : "";
            yield return new(Text($"  rate    {Sizes.Of(outlook.BytesPerDay)} written a day{days}"));
            yield return new(Text($"  card    an estimated {Span(outlook.CardYears * 365.25)} of a card of {outlook.CardBytes / 1e9:0.#} GB"));
        }
        else
        {
            yield return new("  rate    not known yet: the sensor has to have run for ten minutes");
        }
        foreach (var consumer in facts.Consumers.GroupBy(c => c.Name))
        {
            yield return new(Text($"Consumer {Printable.Of(consumer.Key)}"), ScreenMark.Head);
            if (consumer.All(c => c.Tally.Since == 0))
            {
                yield return new("  no event has come for it yet");
                continue;
            }
            yield return new(Text($"  {"",-6}{"delivered",12}  {"waiting",11}  {"put aside",10}  {"missed",10}  {"oldest waits",14}"));
            foreach ((_, Events.EventType type, ConsumerTally tally) in consumer)
            {
                if (tally.Since == 0) continue;
                string oldest = tally.OldestWaiting is { } waits ? Ago(waits, now) : "";
                yield return new(Text($"  {Events.EventTypes.Name(type),-6}{tally.Delivered,12:N0}  {tally.Waiting,11:N0}  {tally.Quarantined,10:N0}  {tally.Missed,10:N0}  {oldest,14}"),
                    tally.Missed > 0 ? ScreenMark.Notice : ScreenMark.None);
            }
        }
        if (facts.Quarantined.Count + facts.QuarantinedFiles.Count == 0) yield break;
        yield return new(Text($"Put aside   {facts.Quarantined.Sum(row => row.Last - row.First + 1):N0} events in {facts.Quarantined.Count:N0} rows"), ScreenMark.Head);
        foreach (QuarantinedRow row in facts.Quarantined.TakeLast(MostQuarantined))
        {
            string line = Text($"  #{row.Id} {row.Type} {row.First}{(row.Last > row.First ? $"-{row.Last}" : "")}{(row.Consumer is null ? "" : $" by {row.Consumer}")}, {Ago(row.At, now)} ago: ") + Printable.Of(row.Reason);
            yield return new(line.Length <= 79 ? line : line[..76] + "...");
        }
        if (facts.Quarantined.Count > MostQuarantined) yield return new(Text($"  and {facts.Quarantined.Count - MostQuarantined:N0} older ones: nfr spool status --json"));
        foreach (string folder in facts.QuarantinedFiles) yield return new("  " + folder);
    }

    public static string Json(SpoolFacts facts, SpoolConfig config)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("folder", config.Dir);
            json.WriteNumber("bytesOnDisk", facts.BytesOnDisk);
            json.WriteNumber("maxBytes", config.MaxSize);
            json.WriteStartArray("classes");
            foreach (SpoolShare share in facts.Shares)
            {
                json.WriteStartObject();
                json.WriteString("type", share.Type);
                json.WriteBoolean("scored", share.Scored);
                json.WriteNumber("rows", share.Rows);
                json.WriteNumber("events", share.Events);
                json.WriteNumber("bytes", share.Bytes);
                json.WriteString("oldest", share.Oldest);
                json.WriteString("newest", share.Newest);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("consumers");
            foreach ((string name, Events.EventType type, ConsumerTally tally) in facts.Consumers)
            {
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteString("type", Events.EventTypes.Name(type));
                json.WriteNumber("since", tally.Since);
                json.WriteNumber("delivered", tally.Delivered);
                json.WriteNumber("quarantined", tally.Quarantined);
                json.WriteNumber("missed", tally.Missed);
                json.WriteNumber("waiting", tally.Waiting);
                if (tally.OldestWaiting is { } oldest) json.WriteString("oldestWaiting", oldest);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("quarantined");
            foreach (QuarantinedRow row in facts.Quarantined)
            {
                json.WriteStartObject();
                json.WriteNumber("id", row.Id);
                json.WriteString("type", row.Type);
                json.WriteNumber("first", row.First);
                json.WriteNumber("last", row.Last);
                json.WriteString("at", row.At);
                json.WriteString("reason", row.Reason);
                json.WriteString("consumer", row.Consumer);
                json.WriteNumber("bytes", row.Bytes);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("quarantinedFiles");
            foreach (string folder in facts.QuarantinedFiles) json.WriteStringValue(folder);
            json.WriteEndArray();
            if (facts.Outlook is { } outlook)
            {
                json.WriteStartObject("outlook");
                json.WriteNumber("bytesPerDay", outlook.BytesPerDay);
                if (outlook.RingDays is { } days) json.WriteNumber("ringDays", Math.Round(days, 2));
                json.WriteNumber("cardYears", Math.Round(outlook.CardYears, 2));
                json.WriteNumber("cardBytes", outlook.CardBytes);
                json.WriteNumber("cardOverwrites", SpoolOutlook.CardOverwrites);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(text.ToArray());
    }

    // A stamp of a clock that was not set yet may lie ahead.
    static string Ago(DateTimeOffset at, DateTimeOffset now) => at > now + TimeSpan.FromMinutes(1) ? "ahead" : Ages.Of(now > at ? now - at : TimeSpan.Zero);

    static string Span(double days) => days > 100_000 ? "more than 270 years" : Ages.Of(TimeSpan.FromDays(days));

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
