using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Nfr.Events;

/// <summary>The beginning of a payload behind its time stamp.</summary>
[InlineArray(Length)]
struct EchoSample
{
    public const int Length = 64;

    byte _first;
}

/// <summary>What a flow remembers of its echoes.</summary>
struct FlowEcho
{
    public EchoStatistics Counts;
    /// <summary>Hash of the last payload each way, for <see cref="EchoStatistics.Changed"/> and Mismatched.</summary>
    public uint LastRequest;
    public uint LastReply;
    /// <summary>The beginnings of the two, for <see cref="EchoStatistics.Data"/>.</summary>
    public EchoSample RequestSample;
    public EchoSample ReplySample;
}

/// <summary>
/// Counts the payloads of ICMP echoes (RFC 792, RFC 4443 4.1). A reply brings back the request's payload, and a ping tool fills it once, with a pattern
/// behind the time of sending; a tunnel does neither.
/// </summary>
static class EchoPayloads
{
    /// <summary>Where ping puts the time of sending: 16 bytes (8 on 32-bit systems). It changes with each request and is left out of the comparison.</summary>
    const int TimeStamp = 16;

    /// <summary>Bytes behind it that make a payload worth judging, and that have to differ from the one before: more than a counter and an identifier of 16.</summary>
    const int LeastFilled = 16, LeastDifferent = 17;

    /// <summary>Adds one echo. Its payload is what was captured behind the echo header; when bytes were cut off, the content is not compared.</summary>
    public static void Add(ref FlowEcho flow, bool isReply, ReadOnlySpan<byte> payload, int cutOff)
    {
        ref EchoStatistics echo = ref flow.Counts;
        ushort length = (ushort)Math.Min(payload.Length + cutOff, ushort.MaxValue);
        bool first = echo.Requests + echo.Replies == 0;
        if (first || length < echo.MinimumPayload) echo.MinimumPayload = length;
        if (length > echo.MaximumPayload) echo.MaximumPayload = length;
        bool firstOfSide = (isReply ? echo.Replies++ : echo.Requests++) == 0;
        if (HoldsPacket(payload, cutOff)) echo.Packets++;
        if (cutOff > 0) return;
        var hash = default(HashCode);
        if (payload.Length > TimeStamp) hash.AddBytes(payload[TimeStamp..]);
        hash.Add(payload.Length);
        uint content = (uint)hash.ToHashCode();
        ref uint last = ref isReply ? ref flow.LastReply : ref flow.LastRequest;
        if (!firstOfSide && last != content) echo.Changed++;
        last = content;
        if (isReply && echo.Requests > 0)
        {
            if (flow.LastRequest == content) return;
            echo.Mismatched++;
        }
        if (payload.Length >= TimeStamp + LeastFilled) Judge(ref echo, ref isReply ? ref flow.ReplySample : ref flow.RequestSample, firstOfSide, payload[TimeStamp..]);
    }

    static void Judge(ref EchoStatistics echo, ref EchoSample sample, bool firstOfSide, ReadOnlySpan<byte> filling)
    {
        echo.Filled++;
        Span<byte> before = sample;
        ReadOnlySpan<byte> now = filling[..Math.Min(filling.Length, EchoSample.Length)];
        int same = 0;
        for (int i = 0; i < now.Length; i++)
        {
            if (before[i] == now[i]) same++;
        }
        now.CopyTo(before);
        // An estimate for what lies behind the sample: as much of it differs.
        int different = (int)((long)(now.Length - same) * filling.Length / now.Length);
        if (firstOfSide || different < LeastDifferent || IsPattern(now)) return;
        echo.Data++;
        echo.DataBytes += (uint)different;
    }

    /// <summary>
    /// What ping tools fill with: one byte again and again, bytes or letters that count up, or a few bytes repeated. One place in eight may be otherwise: the end of a
    /// time stamp, an identifier, the start of the alphabet again.
    /// </summary>
    public static bool IsPattern(ReadOnlySpan<byte> filling)
    {
        int counting = 0, pairs = 0, fours = 0, eights = 0;
        for (int i = 1; i < filling.Length; i++)
        {
            byte step = (byte)(filling[i] - filling[i - 1]);
            if (step is 0 or 1 or 0xFF) counting++;
            if (i >= 2 && filling[i] == filling[i - 2]) pairs++;
            if (i >= 4 && filling[i] == filling[i - 4]) fours++;
            if (i >= 8 && filling[i] == filling[i - 8]) eights++;
        }
        return Most(counting, filling.Length - 1) || Most(pairs, filling.Length - 2) || Most(fours, filling.Length - 4) || Most(eights, filling.Length - 8);

        static bool Most(int fitting, int places) => fitting * 8 >= places * 7;
    }

    /// <summary>A tunnel's own header before the packet is this long at most.</summary>
    const int DeepestPacket = 32;

    /// <summary>An IPv4 or IPv6 packet somewhere at the start, whose own length says that it ends where the payload ends.</summary>
    static bool HoldsPacket(ReadOnlySpan<byte> payload, int cutOff)
    {
        for (int i = 0; i <= DeepestPacket && i + 20 <= payload.Length; i++)
        {
            int rest = payload.Length - i + cutOff;
            byte first = payload[i];
            if (first is >= 0x45 and <= 0x4F)
            {
                int header = (first & 15) * 4;
                // Source and destination are not zero, and something made the packet live (RFC 791 3.1).
                if (BinaryPrimitives.ReadUInt16BigEndian(payload[(i + 2)..]) == rest && rest >= header && payload[i + 8] != 0
                    && payload[i + 9] is 1 or 6 or 17 or 47 or 50 or 132 && BinaryPrimitives.ReadUInt32BigEndian(payload[(i + 12)..]) != 0) return true;
            }
            else if (first >> 4 == 6 && i + 40 <= payload.Length && payload[i + 6] is 0 or 6 or 17 or 44 or 58
                && BinaryPrimitives.ReadUInt16BigEndian(payload[(i + 4)..]) == rest - 40) return true;
        }
        return false;
    }
}
