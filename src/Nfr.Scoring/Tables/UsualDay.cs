using System.Runtime.CompilerServices;

namespace Nfr.Scoring.Tables;

/// <summary>
/// What a day is like of one that has days unlike each other: the second greatest of the last fourteen on which there was anything, so that a job of every week is usual and what
/// happened once is not. Of fewer than seven days the greatest counts. 64 bytes.
/// </summary>
struct UsualDay
{
    const int Days = 14, Few = 7;

    [InlineArray(Days)]
    struct Ring
    {
        float _first;
    }

    Ring _days;
    byte _next;

    /// <summary>Days that are remembered.</summary>
    public byte Count { get; private set; }

    /// <summary>0 while no day is known.</summary>
    public readonly double Bytes
    {
        get
        {
            float greatest = 0, second = 0;
            for (int i = 0; i < Count; i++)
            {
                float day = _days[i];
                if (day > greatest) (greatest, second) = (day, greatest);
                else if (day > second) second = day;
            }
            return Count < Few ? greatest : second;
        }
    }

    public void Add(long bytes)
    {
        if (bytes <= 0) return;
        _days[_next] = bytes;
        _next = (byte)((_next + 1) % Days);
        Count = (byte)Math.Min(Days, Count + 1);
    }
}
