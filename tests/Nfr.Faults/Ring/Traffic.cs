using System.Text;
using Nfr.Events;

namespace Nfr.Faults.Ring;

/// <summary>Events and alerts as a sensor makes them: they repeat themselves as much, and as little.</summary>
static class Traffic
{
    /// <summary>About 200 bytes, as a DNS event is.</summary>
    public static byte[] DnsLine(Random random, int second)
    {
        Span<byte> label = stackalloc byte[random.Next(3, 12)];
        random.NextBytes(label);
        return Encoding.UTF8.GetBytes(
            $"{{\"ts\":\"2026-11-21T09:{second / 60 % 60:00}:{second % 60:00}.{random.Next(1_000_000):000000}Z\",\"srcIP\":\"10.14.{random.Next(8)}.{random.Next(256)}\","
            + $"\"srcPort\":{random.Next(1024, 65536)},\"query\":\"{Convert.ToHexStringLower(label)}.cdn{random.Next(400)}.example-{random.Next(60)}.net\","
            + $"\"qtype\":\"{(random.Next(3) == 0 ? "AAAA" : "A")}\",\"srcHost\":\"desk-{random.Next(200)}.office.example\",\"srcMac\":\"02:42:0a:0e:{random.Next(256):x2}:{random.Next(256):x2}\"}}");
    }

    /// <summary>One that says which it is, with so many bytes that do not compress.</summary>
    public static byte[] Line(Random chance, long number, int random = 16)
    {
        Span<byte> noise = stackalloc byte[random];
        chance.NextBytes(noise);
        return Encoding.UTF8.GetBytes($"{{\"n\":{number},\"x\":\"{Convert.ToBase64String(noise)}\",\"srcHost\":\"desk-{chance.Next(200)}.office.example\"}}");
    }

    public static Alert Alert(long number) => new()
    {
        Threats = [new AlertThreat($"threat-{number}", "A name that machines make", 4)],
        Flags = ["dga"],
        Labels = [],
        Groups = [new AlertGroup("office", "Office")],
        Event = new AlertEvent { Type = EventType.Dns, Ts = "2026-11-21T09:00:00.123456Z", SrcIP = "10.14.0.1", SrcPort = 5353, Query = $"n{number}.example", QType = "A" },
    };
}
