namespace Nfr.Capture;

/// <summary>What one unit of a pcapng interface's time stamps is: if_tsresol and if_tsoffset.</summary>
readonly struct PcapngStampUnit
{
    readonly bool _whole;
    readonly ulong _multiplier;
    readonly ulong _divisor;
    readonly int _shift;
    readonly long _offsetSeconds;

    /// <param name="resolution">High bit clear: units of 10^-n seconds; set: of 2^-n.</param>
    /// <param name="offsetSeconds">Added to every stamp.</param>
    public PcapngStampUnit(byte resolution, long offsetSeconds)
    {
        int exponent = resolution & 0x7F;
        _offsetSeconds = offsetSeconds;
        _multiplier = 1_000_000_000;
        _divisor = 1;
        if ((resolution & 0x80) != 0) _shift = exponent;
        else if (exponent <= 9) _multiplier = PowerOfTen(9 - exponent);
        else
        {
            // Finer than 10^-28 s, the 64 bits of a stamp do not reach one nanosecond.
            _multiplier = exponent > 28 ? 0ul : 1;
            _divisor = PowerOfTen(Math.Min(exponent, 28) - 9);
        }
        _whole = _shift == 0 && _divisor == 1 && offsetSeconds == 0;
    }

    /// <summary>The unit of an interface that does not say: microseconds.</summary>
    public static PcapngStampUnit Microseconds { get; } = new(6, 0);

    /// <summary>Nanoseconds since 1970; a stamp that no 63 bits can hold becomes the nearest that they can, one before 1970 becomes 0.</summary>
    public long Nanoseconds(ulong units) =>
        _whole && units <= long.MaxValue / _multiplier ? (long)(units * _multiplier) : Exactly(units);

    long Exactly(ulong units)
    {
        // 64 bits times 10^9 fit into 128.
        UInt128 scaled = ((UInt128)units * _multiplier >> _shift) / _divisor;
        Int128 stamp = (Int128)scaled + (Int128)_offsetSeconds * 1_000_000_000;
        return (long)Int128.Clamp(stamp, 0, long.MaxValue);
    }

    static ulong PowerOfTen(int exponent)
    {
        ulong power = 1;
        while (exponent-- > 0) power *= 10;
        return power;
    }
}
