using Nfr.Events;

namespace Nfr.Logs.Suricata;

/// <summary>One of a record's stamps, line by line: thousands of lines are of one second, and differ in its fraction alone. One thread.</summary>
sealed class EveStamps(TimeZoneInfo zone)
{
    /// <summary>"2018-09-03T09:39:47".</summary>
    const int LengthToSeconds = 19;
    /// <summary>"+02:00", "Z".</summary>
    const int MaxOffset = 6;

    static readonly long[] s_units = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

    readonly byte[] _second = new byte[LengthToSeconds], _offset = new byte[MaxOffset];
    /// <summary>0 = nothing is remembered.</summary>
    int _offsetLength;
    long _nanoseconds;

    /// <summary>As <see cref="EveTime.TryParse"/>.</summary>
    public bool TryParse(JsonRaw value, out long nanoseconds)
    {
        if (IsRemembered(value, out nanoseconds)) return true;
        if (!EveTime.TryParse(value, zone, out nanoseconds)) return false;
        Remember(value.Bytes, nanoseconds);
        return true;
    }

    bool IsRemembered(JsonRaw value, out long nanoseconds)
    {
        nanoseconds = 0;
        ReadOnlySpan<byte> text = value.Bytes;
        int digits = text.Length - LengthToSeconds - 1 - _offsetLength;
        if (_offsetLength == 0 || digits is < 1 or > 9 || value.Kind != JsonKind.String || value.Escaped || text[LengthToSeconds] != '.') return false;
        if (!text[..LengthToSeconds].SequenceEqual(_second) || !text[^_offsetLength..].SequenceEqual(_offset.AsSpan(0, _offsetLength))) return false;
        long fraction = 0;
        foreach (byte c in text.Slice(LengthToSeconds + 1, digits))
        {
            uint digit = (uint)(c - '0');
            if (digit > 9) return false;
            fraction = (fraction * 10) + digit;
        }
        nanoseconds = _nanoseconds + (fraction * s_units[digits]);
        return true;
    }

    /// <summary>What is behind the fraction is remembered as it is written; without it the offset is the machine's, which this does not ask for again.</summary>
    void Remember(ReadOnlySpan<byte> text, long nanoseconds)
    {
        _offsetLength = 0;
        if (text.Length < LengthToSeconds + 3 || text[LengthToSeconds] != '.') return;
        int end = text[(LengthToSeconds + 1)..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (end is < 1 or > 9) return;
        ReadOnlySpan<byte> offset = text[(LengthToSeconds + 1 + end)..];
        if (offset.Length > MaxOffset) return;
        long fraction = 0;
        foreach (byte c in text.Slice(LengthToSeconds + 1, end)) fraction = (fraction * 10) + c - '0';
        text[..LengthToSeconds].CopyTo(_second);
        offset.CopyTo(_offset);
        _offsetLength = offset.Length;
        _nanoseconds = nanoseconds - (fraction * s_units[end]);
    }
}
