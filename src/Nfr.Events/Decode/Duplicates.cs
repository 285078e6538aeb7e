using System.Runtime.CompilerServices;

namespace Nfr.Events;

/// <summary>
/// Notices frames that came twice within a moment: the mark of a port that mirrors both directions of the same traffic. One packet in
/// eight is remembered (chosen by its own hash, so that both copies are), which is enough for a share.
/// </summary>
sealed class Duplicates(DecodeCounters counters)
{
    const int Slots = 1024;

    /// <summary>Copies of a mirror lie microseconds apart; a TCP retransmission comes 200 ms later.</summary>
    const long Window = 20_000_000;

    struct Slot
    {
        public ulong Mark;
        public long Tick;
    }

    readonly Slot[] _slots = new Slot[Slots];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Look(uint flowHash, in Packet packet, long tick)
    {
        // All that tells two packets of a flow apart, whatever its protocol.
        uint own = flowHash ^ packet.Sequence ^ packet.Identification ^ ((uint)packet.WireBytes * 0x85EBCA6B) ^ (packet.Acknowledgment * 0xC2B2AE35);
        if (own * 0x9E3779B1 >> 29 == 0) Remember(flowHash, packet, tick);
    }

    void Remember(uint flowHash, in Packet packet, long tick)
    {
        ulong mark = ((ulong)flowHash << 32) ^ ((ulong)packet.Identification << 40) ^ packet.Sequence ^ ((ulong)packet.Acknowledgment << 13)
            ^ ((ulong)(uint)packet.WireBytes << 3) ^ ((ulong)packet.TcpFlags << 56);
        mark *= 0x9E3779B97F4A7C15UL;
        counters.DuplicatesLookedAt++;
        ref Slot slot = ref _slots[(mark >> 40) & (Slots - 1)];
        // A direction of its own: a reply may carry the same numbers.
        ulong own = mark ^ packet.Source.Low;
        if (slot.Mark == own && tick - slot.Tick < Window)
        {
            counters.Duplicates++;
            return;
        }
        slot.Mark = own;
        slot.Tick = tick;
    }
}
