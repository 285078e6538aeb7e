using Nfr.Wire;

namespace Nfr.Events;

/// <summary>When, and who with whom: what every event has. Source is the client, destination the server.</summary>
public struct EventContext
{
    /// <summary>Ticks of a running machine are below it: 18 years of running. Those above are stamps, of 1988 and later.</summary>
    public const long Past = 1L << 59;

    /// <summary>Nanoseconds since 1970 UTC of the event's first packet.</summary>
    public long Timestamp;
    /// <summary>The same instant on a clock that never steps back, nanoseconds: what detectors measure intervals by. In a file, the greatest stamp so far.</summary>
    public long Tick;

    /// <summary>In a running sensor: it was long ago, told by a log that is caught up, and <see cref="Tick"/> is its stamp.</summary>
    public readonly bool IsPast => Tick >= Past;

    public Address Source;
    public Address Destination;
    public ushort SourcePort;
    public ushort DestinationPort;
    /// <summary>IANA protocol number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6.</summary>
    public byte Protocol;
    /// <summary>Identifier of the outermost VLAN tag; 0 when there was none.</summary>
    public ushort Vlan;
    /// <summary>What the flow came in; <see cref="TunnelKind.None"/> for most.</summary>
    public Tunnel Tunnel;
}
