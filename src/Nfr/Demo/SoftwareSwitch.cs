using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Nfr.Native;

namespace Nfr.Demo;

/// <summary>
/// What a switch's mirror (SPAN) port does: every frame that crosses <c>from</c>, in either direction, is written once to <c>to</c>.
/// </summary>
sealed class SoftwareSwitch : IDisposable
{
    const ushort EtherTypeAll = 0x0003;
    /// <summary>packet(7): sll_pkttype lies at byte 10; 0 to 4 are the frame's way past us, above that are copies that loop back.</summary>
    const int PacketTypeOffset = 10;
    const byte PacketOutgoing = 4;
    /// <summary>Both ends have their offloads off: nothing longer than an MTU of 1500 and its Ethernet header.</summary>
    const int MaxFrame = 65536;

    readonly Socket _from;
    readonly Socket _to;
    readonly Thread _thread;
    volatile bool _stopping;

    public SoftwareSwitch(string from, string to)
    {
        // The kernel wants the protocol in network byte order; .NET hands it through as it is.
        _from = new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)BinaryPrimitives.ReverseEndianness(EtherTypeAll));
        _from.ReceiveBufferSize = 8 << 20;
        _from.ReceiveTimeout = 200;
        _from.Bind(new LinkEndPoint(MirrorPort.IndexOf(from), EtherTypeAll));
        // Protocol 0: this one never receives.
        _to = new Socket(AddressFamily.Packet, SocketType.Raw, 0);
        _to.Bind(new LinkEndPoint(MirrorPort.IndexOf(to), 0));
        _thread = new Thread(Copy) { IsBackground = true, Name = "software switch" };
        _thread.Start();
    }

    public long Frames { get; private set; }
    public long Bytes { get; private set; }
    /// <summary>Frames that could not be written.</summary>
    public long Lost { get; private set; }
    public int LongestFrame { get; private set; }

    void Copy()
    {
        byte[] buffer = new byte[MaxFrame];
        var sender = new SocketAddress(AddressFamily.Packet, LinkEndPoint.ReceiveLength);
        while (!_stopping)
        {
            try
            {
                sender.Size = LinkEndPoint.ReceiveLength;
                int length = _from.ReceiveFrom(buffer, SocketFlags.None, sender);
                if (sender[PacketTypeOffset] > PacketOutgoing) continue;
                LongestFrame = Math.Max(LongestFrame, length);
                _to.Send(buffer.AsSpan(0, length), SocketFlags.None);
                Frames++;
                Bytes += length;
            }
            catch (SocketException failure) when (failure.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                // Quiet for a while: look whether to stop.
            }
            catch (SocketException)
            {
                if (!_stopping) Lost++;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        _stopping = true;
        _thread.Join(TimeSpan.FromSeconds(2));
        _from.Dispose();
        _to.Dispose();
    }

    /// <summary>struct sockaddr_ll of packet(7).</summary>
    sealed class LinkEndPoint(int index, ushort protocol) : EndPoint
    {
        const int Length = 20;
        /// <summary>sizeof(sockaddr_storage): the least that .NET takes for a family it has no size for.</summary>
        public const int ReceiveLength = 128;
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, Length);
            BinaryPrimitives.WriteUInt16BigEndian(address.Buffer.Span[2..], protocol);
            if (BitConverter.IsLittleEndian) BinaryPrimitives.WriteInt32LittleEndian(address.Buffer.Span[4..], index);
            else BinaryPrimitives.WriteInt32BigEndian(address.Buffer.Span[4..], index);
            return address;
        }

        public override EndPoint Create(SocketAddress socketAddress) => this;
    }
}
