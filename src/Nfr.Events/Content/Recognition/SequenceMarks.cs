namespace Nfr.Events;

/// <summary>
/// Sixteen bits for each direction of a datagram flow: a number of one datagram, to be compared with the next. They lie in the initial sequence number, which
/// only TCP has a use for.
/// </summary>
static class SequenceMarks
{
    /// <summary>Keeps the number, and says what was kept before; 0 at first.</summary>
    public static ushort Exchange(ref Flow flow, int direction, ushort number)
    {
        int shift = direction == 0 ? 0 : 16;
        ushort before = (ushort)(flow.InitialSequence >> shift);
        flow.InitialSequence = (flow.InitialSequence & ~(0xFFFFu << shift)) | ((uint)number << shift);
        return before;
    }
}
