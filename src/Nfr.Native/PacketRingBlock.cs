namespace Nfr.Native;

/// <summary>Who a frame was for, sll_pkttype of packet(7).</summary>
public enum PacketDirection : byte
{
    ToThisHost = 0,
    Broadcast = 1,
    Multicast = 2,
    /// <summary>To another station: what a mirror port is made of.</summary>
    ToOtherHost = 3,
    Outgoing = 4,
}

/// <summary>One frame in a block of the ring; its bytes are gone when the block is given back.</summary>
public readonly ref struct PacketRingFrame
{
    internal PacketRingFrame(ReadOnlySpan<byte> bytes, uint originalLength, long timestamp, ushort vlanTpid, ushort vlanTci, byte direction)
    {
        Bytes = bytes;
        OriginalLength = (int)Math.Min(originalLength, int.MaxValue);
        Timestamp = timestamp;
        VlanTpid = vlanTpid;
        VlanTci = vlanTci;
        Direction = (PacketDirection)direction;
    }

    /// <summary>From the link layer header on, without the VLAN tag that the kernel took out.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    public int OriginalLength { get; }

    /// <summary>Nanoseconds since 1970 UTC, by the kernel when the frame came in.</summary>
    public long Timestamp { get; }

    /// <summary>EtherType of the tag that was taken out; 0 when there was none.</summary>
    public ushort VlanTpid { get; }

    public ushort VlanTci { get; }

    public PacketDirection Direction { get; }
}

/// <summary>A block lent by <see cref="PacketRing.Take"/>; empty when none was ready. Return it with <c>using</c>.</summary>
public unsafe ref struct PacketRingBlock
{
    internal const int StatusOffset = 8;
    internal const uint StatusUser = 1;
    const int NumPktsOffset = 12;
    const int OffsetToFirstPktOffset = 16;

    readonly PacketRing? _ring;
    readonly int _length;
    byte* _block;

    internal PacketRingBlock(PacketRing ring, byte* block, int length)
    {
        _ring = ring;
        _block = block;
        _length = length;
    }

    /// <summary>No block was ready. (A block that is ready may still hold no frame.)</summary>
    public readonly bool IsNone => _block == null;

    public readonly Enumerator GetEnumerator() => new(_block, _length);

    public void Dispose()
    {
        if (_block == null) return;
        _ring!.GiveBack(_block);
        _block = null;
    }

    /// <summary>
    /// Walks the frames. Every offset is checked against the end of the block although the kernel wrote it: an ABI surprise
    /// then ends the block early (<see cref="IsBroken"/>) and never reads beside it.
    /// </summary>
    public ref struct Enumerator
    {
        /// <summary>struct tpacket3_hdr (48) and the sockaddr_ll behind it up to sll_pkttype.</summary>
        const uint HeaderLength = 48 + 11;
        const int SecOffset = 4;
        const int NsecOffset = 8;
        const int SnaplenOffset = 12;
        const int LenOffset = 16;
        const int StatusOffset = 20;
        const int MacOffset = 24;
        const int VlanTciOffset = 32;
        const int VlanTpidOffset = 36;
        const int PktTypeOffset = 48 + 10;
        const uint VlanValid = 0x10;
        const uint VlanTpidValid = 0x40;

        readonly byte* _block;
        readonly uint _length;
        uint _left;
        uint _next;
        uint _at;
        uint _unread;

        internal Enumerator(byte* block, int length)
        {
            _block = block;
            _length = (uint)length;
            if (block == null) return;
            // SAFETY: both lie in the block's 48-byte header, and a block is at least a page.
            _left = *(uint*)(block + NumPktsOffset);
            _next = *(uint*)(block + OffsetToFirstPktOffset);
        }

        /// <summary>An offset in the block was impossible; the frames behind it could not be read.</summary>
        public bool IsBroken { get; private set; }

        /// <summary>Frames of the block that <see cref="MoveNext"/> has not come to, or could not read: 0 at the end of a sound block.</summary>
        public readonly int Unread => (int)(_left + _unread);

        public bool MoveNext()
        {
            if (_left == 0) return false;
            uint at = _next;
            if (at > _length - HeaderLength || (at & 3) != 0) return Broken(_left);
            // SAFETY: at + HeaderLength <= _length, checked above; so are all fixed offsets below it.
            byte* frame = _block + at;
            uint mac = *(ushort*)(frame + MacOffset);
            uint snaplen = *(uint*)(frame + SnaplenOffset);
            if (at + mac > _length || snaplen > _length - at - mac) return Broken(_left);
            uint step = *(uint*)frame;
            _left--;
            // The last frame has no next; any other step must lead forward.
            if (_left != 0)
            {
                if (step < HeaderLength || step > _length - at) return Broken(_left + 1);
                _next = at + step;
            }
            _at = at;
            return true;
        }

        bool Broken(uint unread)
        {
            _left = 0;
            _unread = unread;
            IsBroken = true;
            return false;
        }

        public readonly PacketRingFrame Current
        {
            get
            {
                // SAFETY: MoveNext has proven the header and [mac, mac + snaplen) to lie inside the block.
                byte* frame = _block + _at;
                uint status = *(uint*)(frame + StatusOffset);
                ushort tpid = 0, tci = 0;
                if ((status & VlanValid) != 0)
                {
                    tci = (ushort)*(uint*)(frame + VlanTciOffset);
                    tpid = (status & VlanTpidValid) != 0 ? *(ushort*)(frame + VlanTpidOffset) : (ushort)0x8100;
                }
                return new PacketRingFrame(
                    new ReadOnlySpan<byte>(frame + *(ushort*)(frame + MacOffset), (int)*(uint*)(frame + SnaplenOffset)),
                    *(uint*)(frame + LenOffset),
                    *(uint*)(frame + SecOffset) * 1_000_000_000L + *(uint*)(frame + NsecOffset),
                    tpid,
                    tci,
                    *(frame + PktTypeOffset));
            }
        }
    }
}
