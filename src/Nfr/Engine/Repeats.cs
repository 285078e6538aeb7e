using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Nfr.Engine;

/// <summary>Which events a body brings, as our sensors say it (X-NFR-Sensor, X-NFR-Sequence); a sensor never gives a number twice.</summary>
readonly record struct BodyRange(string Sensor, long First)
{
    const int MaxSensor = 64;

    /// <summary>Null when it is not said, as the original does not.</summary>
    public static BodyRange? Of(string? sensor, string? sequence)
    {
        if (sensor is null || sequence is null || sensor.Length is 0 or > MaxSensor) return null;
        int hyphen = sequence.IndexOf('-', StringComparison.Ordinal);
        return hyphen > 0 && long.TryParse(sequence.AsSpan(0, hyphen), NumberStyles.None, CultureInfo.InvariantCulture, out long first) ? new BodyRange(sensor, first) : null;
    }
}

/// <summary>
/// The bodies that a key last brought, of one type: when an answer is lost, the sensor sends its events again, and what was scored is not scored twice. A body is
/// known by its first event: the number and, since sensors are cloned and put back from backups, the line itself. It may end elsewhere than the first time:
/// so many lines as were taken then are passed over, and what follows is new. Any thread.
/// </summary>
sealed class Repeats
{
    /// <summary>A sensor has one body a type under way; this is for several sensors with one key. About 300 bytes each.</summary>
    const int Kept = 8;

    readonly record struct Taken(BodyRange Range, ulong FirstLine, IntakeResult Result);

    readonly Lock _lock = new();
    readonly List<Taken> _taken = new(0);

    public static ulong Mark(ReadOnlySpan<byte> firstLine)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(firstLine, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }

    /// <summary>What became of this body's beginning when it was here before; null when it is new.</summary>
    public IntakeResult? Find(in BodyRange range, ulong firstLine)
    {
        lock (_lock)
        {
            foreach (Taken taken in _taken)
            {
                if (taken.Range == range && taken.FirstLine == firstLine) return taken.Result;
            }
            return null;
        }
    }

    /// <param name="range">Of the body.</param>
    /// <param name="firstLine">Its <see cref="Mark"/>.</param>
    /// <param name="result">Of all its lines so far; not changed any more.</param>
    public void Keep(in BodyRange range, ulong firstLine, IntakeResult result)
    {
        lock (_lock)
        {
            for (int i = 0; i < _taken.Count; i++)
            {
                if (_taken[i].Range != range) continue;
                _taken.RemoveAt(i);
                break;
            }
            if (_taken.Count == Kept) _taken.RemoveAt(0);
            _taken.Add(new Taken(range, firstLine, result));
        }
    }
}
