using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>
/// What a query and its answer have in common in a log. A log that does not say a part leaves it as it is by default, in both lines. The name is compared
/// without regard to case; it is the event's unless the log knows the two by something else.
/// </summary>
public readonly ref struct DnsPairKey
{
    public Address Client { get; init; }
    public ushort ClientPort { get; init; }
    /// <summary>DNS id, or the number that the log itself gives a query.</summary>
    public uint Id { get; init; }
    public byte Protocol { get; init; }
    public ushort QueryType { get; init; }
    /// <summary>In the model's form.</summary>
    public ReadOnlySpan<byte> Name { get; init; }

    /// <summary>All that an event says of itself.</summary>
    public static DnsPairKey Of(scoped in DnsEvent e, ReadOnlySpan<byte> name) => new()
    {
        Client = e.Context.Source,
        ClientPort = e.Context.SourcePort,
        Id = e.Id,
        Protocol = e.Context.Protocol,
        QueryType = e.QueryType,
        Name = name,
    };
}
