namespace Nfr.Events;

/// <summary>Counts the payloads of ICMP echoes (RFC 792, RFC 4443 4.1): a reply brings back the request's.</summary>
static class EchoPayloads
{
    /// <summary>Where ping puts the time of sending: 16 bytes (8 on 32-bit systems). It changes with each request and is left out of the comparison.</summary>
    const int TimeStamp = 16;

    /// <summary>Adds one echo. Its payload is what was captured behind the echo header; when bytes were cut off, the content is not compared.</summary>
    public static void Add(ref FlowDetail detail, bool isReply, ReadOnlySpan<byte> payload, int cutOff)
    {
        ref EchoStatistics echo = ref detail.Echo;
        ushort length = (ushort)Math.Min(payload.Length + cutOff, ushort.MaxValue);
        bool first = echo.Requests + echo.Replies == 0;
        if (first || length < echo.MinimumPayload) echo.MinimumPayload = length;
        if (length > echo.MaximumPayload) echo.MaximumPayload = length;
        bool firstOfSide = (isReply ? echo.Replies++ : echo.Requests++) == 0;
        if (cutOff > 0) return;
        var hash = default(HashCode);
        if (payload.Length > TimeStamp) hash.AddBytes(payload[TimeStamp..]);
        hash.Add(payload.Length);
        uint content = (uint)hash.ToHashCode();
        ref uint last = ref isReply ? ref detail.LastReply : ref detail.LastRequest;
        if (!firstOfSide && last != content) echo.Changed++;
        last = content;
        if (isReply && echo.Requests > 0 && detail.LastRequest != content) echo.Mismatched++;
    }
}
