using System.Buffers.Text;
using System.Text.Unicode;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Faults.Outage;

/// <summary>Events of about 200 bytes of all four types, each with its number within its type and the second in which it was accepted; one in fifty is scored.</summary>
sealed class OutageEvents
{
    readonly Random _random = new(72);
    readonly int[] _accepted = new int[EventTypes.UploadedCount];
    readonly byte[] _line = new byte[512];

    /// <summary>Accepted so far, by type: the numbers below it.</summary>
    public int Accepted(EventType type) => _accepted[(int)type];

    public long AcceptedOfAll => _accepted.Sum(n => (long)n);

    /// <summary>One second of a sensor's life; tells how many of each type came.</summary>
    public void Append(Spool spool, int second, int events, Span<int> byType)
    {
        byType.Clear();
        for (int i = 0; i < events; i++)
        {
            EventType type = _random.Next(20) switch { < 11 => EventType.Dns, < 16 => EventType.Ip, < 18 => EventType.Http, _ => EventType.Tls };
            Utf8.TryWrite(
                _line,
                $"{{\"n\":{_accepted[(int)type]++},\"s\":{second},\"ts\":\"2026-11-21T{second / 3600 % 24:00}:{second / 60 % 60:00}:{second % 60:00}.{_random.Next(1_000_000):000000}Z\",\"srcIP\":\"10.14.{_random.Next(8)}.{_random.Next(256)}\",\"query\":\"{_random.Next():x8}.cdn{_random.Next(400)}.example-{_random.Next(60)}.net\",\"qtype\":\"A\",\"srcHost\":\"desk-{_random.Next(200)}.office.example\"}}",
                out int length);
            spool.Append(type, _random.Next(50) == 0 ? 3 : 0, _line.AsSpan(0, length));
            byType[(int)type]++;
        }
    }

    public static bool TryRead(ReadOnlySpan<byte> line, out int number, out int second)
    {
        second = 0;
        number = 0;
        return line.StartsWith("{\"n\":"u8) && Utf8Parser.TryParse(line[5..], out number, out int used)
            && line[(5 + used)..].StartsWith(",\"s\":"u8) && Utf8Parser.TryParse(line[(5 + used + 5)..], out second, out _);
    }
}
