using System.Numerics;
using System.Runtime.CompilerServices;

namespace Nfr.Scoring.Beacons;

/// <summary>
/// The last contacts of one client with one destination, oldest first: when they began, and how many bytes the client sent. Events of one contact (a query, a handshake, the
/// flow's end) come one after another and not in order; what begins within <see cref="Burst"/> of a contact belongs to it.
/// </summary>
struct Contacts
{
    public const int Capacity = 32;
    /// <summary>Hundredths of a second.</summary>
    public const uint Burst = 500;
    /// <summary>Sizes are kept as logarithms, 2,048 steps to a doubling: 0.03 %.</summary>
    const double Steps = 2048;

    [InlineArray(Capacity)]
    struct Times
    {
        uint _first;
    }

    [InlineArray(Capacity)]
    struct Sizes
    {
        ushort _first;
    }

    Times _times;
    Sizes _sizes;
    /// <summary>Bit i: a connection of contact i was seen, not only a query for the name.</summary>
    uint _connected;

    public int Count { get; private set; }
    public readonly int Connected => BitOperations.PopCount(_connected);

    /// <summary>Hundredths of a second of tick; differences are right for 497 days.</summary>
    public static uint TimeOf(long tick) => (uint)(tick / 10_000_000);

    /// <summary>Adds what an event tells.</summary>
    /// <param name="time">As <see cref="TimeOf"/>.</param>
    /// <param name="bytes">Sent by the client.</param>
    /// <param name="connected">Whether it is more than a query.</param>
    /// <param name="opens">False: it only adds to a contact that is there.</param>
    /// <returns>True when it is a contact of its own.</returns>
    public bool Add(uint time, long bytes, bool connected, bool opens)
    {
        int at = Count;
        while (at > 0 && (int)(_times[at - 1] - time) > 0) at--;
        // Now at = how many began before or with it.
        if (at > 0 && time - _times[at - 1] <= Burst) return Join(at - 1, bytes, connected);
        if (at < Count && _times[at] - time <= Burst) return Join(at, bytes, connected);
        if (!opens || (at == 0 && Count == Capacity)) return false;
        if (Count == Capacity)
        {
            // The oldest goes: those between it and the new one move down, those behind stay.
            at--;
            for (int i = 0; i < at; i++) (_times[i], _sizes[i]) = (_times[i + 1], _sizes[i + 1]);
            uint below = (1u << at) - 1, behind = ~(((1u << at) << 1) - 1);
            _connected = ((_connected >> 1) & below) | (_connected & behind);
        }
        else
        {
            for (int i = Count; i > at; i--) (_times[i], _sizes[i]) = (_times[i - 1], _sizes[i - 1]);
            uint below = (1u << at) - 1;
            _connected = (_connected & below) | ((_connected & ~below) << 1);
            Count++;
        }
        _times[at] = time;
        _sizes[at] = 0;
        Join(at, bytes, connected);
        return true;
    }

    bool Join(int at, long bytes, bool connected)
    {
        if (connected) _connected |= 1u << at;
        if (bytes > 0) _sizes[at] = (ushort)Math.Min(ushort.MaxValue, Math.Round(Math.Log2(1 + BytesOf(at) + bytes) * Steps));
        return false;
    }

    readonly double BytesOf(int at) => Math.Pow(2, _sizes[at] / Steps) - 1;

    /// <summary>Hundredths of a second from the first to the last.</summary>
    public readonly uint Span => Count == 0 ? 0 : _times[Count - 1] - _times[0];
    public readonly uint First => _times[0];
    public readonly uint Last => _times[Count - 1];

    /// <param name="seconds">At least <see cref="Capacity"/> long.</param>
    /// <returns>How many there are: one less than contacts.</returns>
    public readonly int Intervals(Span<float> seconds)
    {
        for (int i = 1; i < Count; i++) seconds[i - 1] = (_times[i] - _times[i - 1]) / 100f;
        return Math.Max(0, Count - 1);
    }

    /// <summary>Sizes of the contacts with bytes.</summary>
    public readonly int Bytes(Span<float> bytes)
    {
        int count = 0;
        for (int i = 0; i < Count; i++)
        {
            if (_sizes[i] != 0) bytes[count++] = (float)BytesOf(i);
        }
        return count;
    }
}
