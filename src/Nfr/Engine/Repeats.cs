using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Nfr.Engine;

/// <summary>Which events a body brings, as our sensors say it (X-NFR-Sensor, X-NFR-Sequence); a sensor never gives a number twice.</summary>
readonly record struct BodyRange(string Sensor, long First, long Last)
{
    const int MaxSensor = 64;

    /// <summary>Null when it is not said, as the original does not.</summary>
    public static BodyRange? Of(string? sensor, string? sequence)
    {
        if (sensor is null || sequence is null || sensor.Length is 0 or > MaxSensor) return null;
        int hyphen = sequence.IndexOf('-', StringComparison.Ordinal);
        return hyphen > 0 && long.TryParse(sequence.AsSpan(0, hyphen), NumberStyles.None, CultureInfo.InvariantCulture, out long first)
            && long.TryParse(sequence.AsSpan(hyphen + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long last) && first <= last ? new BodyRange(sensor, first, last) : null;
    }
}

/// <summary>
/// A line that was taken, in eight bytes: a hash, and what became of it in the lowest. The hash is seeded at the start of the engine; it need not last, since nothing of this
/// does. Two lines of one sensor and of the same few thousand numbers would have to agree in 56 bits to be taken for one.
/// </summary>
static class LineMark
{
    const ulong Outcome = 0xFF;

    static readonly ulong s_seed = Secret(), s_step = Secret();

    static ulong Secret() => BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;

    static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }

    /// <summary>Of a line of which nothing has become yet.</summary>
    public static ulong Of(ReadOnlySpan<byte> line)
    {
        ulong mark = s_seed ^ (ulong)line.Length;
        for (; line.Length >= 16; line = line[16..]) mark = Fold(BinaryPrimitives.ReadUInt64LittleEndian(line) ^ s_step, BinaryPrimitives.ReadUInt64LittleEndian(line[8..]) ^ mark);
        Span<byte> rest = stackalloc byte[16];
        rest.Clear();
        line.CopyTo(rest);
        mark = Fold(BinaryPrimitives.ReadUInt64LittleEndian(rest) ^ s_step, BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]) ^ mark);
        return BitOperations.RotateLeft(Fold(mark, s_step), 32) & ~Outcome;
    }

    public static ulong With(ulong mark, LineOutcome outcome) => mark | (byte)outcome;

    public static LineOutcome OutcomeOf(ulong mark) => (LineOutcome)(mark & Outcome);

    /// <summary>Where it is among those taken, whatever became of it; -1 = nowhere.</summary>
    public static int IndexIn(ReadOnlySpan<ulong> taken, ulong mark) => taken.IndexOfAnyInRange(mark, mark | Outcome);
}

/// <summary>
/// The bodies that a key last brought, of one type: when an answer is lost or does not come in time, the sensor sends its events again, in parts perhaps, and what was scored is
/// not scored twice. Each line that was taken is kept as a <see cref="LineMark"/>, in its order. A body whose numbers meet those of a kept one of the same sensor is held against it line by
/// line: so it does not matter where it begins and ends now, nor what the sensor has dropped in between. Lines count and not numbers alone, since sensors are cloned and put back from
/// backups. Any thread.
/// </summary>
sealed class Repeats
{
    /// <summary>A sensor has one body a type under way, and is done with what lies before it; this is for several sensors with one key.</summary>
    const int Kept = 8;
    /// <summary>Lines of all of them, 8 bytes each: 256 KiB a key and type at most. The oldest go first; of one longer body, what lies beyond is not known again.</summary>
    public const int MaxLines = 32_768;

    /// <summary>One body.</summary>
    public sealed class Body(BodyRange range)
    {
        public BodyRange Range => range;
        /// <summary>Of its lines so far; replaced whole.</summary>
        public ulong[] Marks { get; set; } = [];
        public long KeptAt { get; set; }
    }

    /// <summary>Lines of all keys and types together, 64 MiB: of more, a body is not kept, and its repeat would be scored again.</summary>
    const long MaxLinesOfAll = 8 << 20;
    /// <summary>A sensor that has not come again by then had its answer: its back-off ends at five minutes.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromMinutes(15);

    static long s_lines;

    readonly Lock _lock = new();
    readonly List<Body> _bodies = new(0);

    void Remove(int index)
    {
        Interlocked.Add(ref s_lines, -_bodies[index].Marks.Length);
        _bodies.RemoveAt(index);
    }

    /// <summary>Lets go of what nobody will send again.</summary>
    /// <param name="now">As <see cref="Environment.TickCount64"/>.</param>
    public void Forget(long now)
    {
        lock (_lock)
        {
            for (int i = _bodies.Count - 1; i >= 0; i--)
            {
                if (now - _bodies[i].KeptAt > (long)Memory.TotalMilliseconds) Remove(i);
            }
        }
    }

    /// <summary>Lines taken before that may be among those of this body.</summary>
    public List<ulong[]> Meeting(in BodyRange range)
    {
        List<ulong[]> meeting = [];
        lock (_lock)
        {
            foreach (Body body in _bodies)
            {
                if (body.Range.Sensor == range.Sensor && body.Range.First <= range.Last && range.First <= body.Range.Last) meeting.Add(body.Marks);
            }
        }
        return meeting;
    }

    /// <summary>Keeps a body, or what more was taken of it.</summary>
    public void Keep(Body body, List<ulong> marks)
    {
        lock (_lock)
        {
            int at = _bodies.IndexOf(body);
            if (at >= 0 && body.Marks.Length == marks.Count) return;
            // Sensors work from the oldest on: what comes before it was answered.
            for (int i = _bodies.Count - 1; i >= 0; i--)
            {
                if (i == at || (_bodies[i].Range.Sensor == body.Range.Sensor && _bodies[i].Range.Last < body.Range.First)) Remove(i);
            }
            if (Interlocked.Add(ref s_lines, marks.Count) > MaxLinesOfAll)
            {
                Interlocked.Add(ref s_lines, -marks.Count);
                return;
            }
            body.Marks = CollectionsMarshal.AsSpan(marks).ToArray();
            body.KeptAt = Environment.TickCount64;
            _bodies.Add(body);
            while (_bodies.Count > 1 && (_bodies.Count > Kept || _bodies.Sum(static b => b.Marks.Length) > MaxLines)) Remove(0);
        }
    }
}
