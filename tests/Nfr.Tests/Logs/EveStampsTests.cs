using System.Text;
using Nfr.Events;
using Nfr.Logs.Suricata;

namespace Nfr.Tests.Logs;

public sealed class EveStampsTests
{
    [Fact]
    public void A_stamp_is_the_same_whichever_was_read_before()
    {
        TimeZoneInfo zone = TimeZoneInfo.CreateCustomTimeZone("two", TimeSpan.FromHours(2), "two", "two");
        string[] seconds = ["2018-09-03T09:39:47", "2018-09-03T09:39:48", "2016-12-31T23:59:60", "1969-12-31T23:59:59", "2018-02-30T09:39:47", "2018-09-03"];
        string[] fractions = ["", ".1", ".123456", ".123457", ".000000001", ".1234567891", ".", ".12a456", ".999999999"];
        string[] offsets = ["", "Z", "z", "+0200", "+02:00", "-0930", "+2", "x", "+0299", "-02:00:00"];
        var stamps = new EveStamps(zone);
        var random = new Random(3);
        int good = 0, fromMemory = 0;
        string second = seconds[0], offset = offsets[3];
        for (int i = 0; i < 20_000; i++)
        {
            bool same = random.Next(3) > 0;
            if (!same) (second, offset) = (seconds[random.Next(seconds.Length)], offsets[random.Next(offsets.Length)]);
            string text = second + fractions[random.Next(fractions.Length)] + offset;
            var value = new JsonRaw(random.Next(20) == 0 ? JsonKind.Number : JsonKind.String, Encoding.ASCII.GetBytes(text), false);
            bool expected = EveTime.TryParse(value, zone, out long nanoseconds);
            bool read = stamps.TryParse(value, out long actual);
            if (expected != read || (read && nanoseconds != actual)) Assert.Fail($"{text}: {expected} {nanoseconds}, {read} {actual}");
            if (read) good++;
            if (read && same) fromMemory++;
        }
        Assert.True(good > 4000 && fromMemory > 2000, $"{good} good, {fromMemory} of the second before");
    }
}
