using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Nfr.Events;

/// <summary>What content said of a flow beyond its app: few flows have any, so it lies beside the table and not in each entry.</summary>
struct FlowDetail
{
    public const int UserSpace = 64, SoftwareSpace = 96;

    public Hash128 Hassh;
    public Hash128 HasshServer;
    public bool HasHassh;
    public bool HasHasshServer;
    public ushort LoginFailures;
    public ushort LoginSuccesses;
    public EchoStatistics Echo;
    /// <summary>Hash of the last payload each way, for <see cref="EchoStatistics.Changed"/> and Mismatched.</summary>
    public uint LastRequest;
    public uint LastReply;
    public byte UserLength;
    public byte ClientSoftwareLength;
    public byte ServerSoftwareLength;
    UserText _user;
    SoftwareText _clientSoftware;
    SoftwareText _serverSoftware;

    [InlineArray(UserSpace)]
    struct UserText
    {
        byte _first;
    }

    [InlineArray(SoftwareSpace)]
    struct SoftwareText
    {
        byte _first;
    }

    [UnscopedRef] public readonly ReadOnlySpan<byte> User => ((ReadOnlySpan<byte>)_user)[..UserLength];
    [UnscopedRef] public readonly ReadOnlySpan<byte> ClientSoftware => ((ReadOnlySpan<byte>)_clientSoftware)[..ClientSoftwareLength];
    [UnscopedRef] public readonly ReadOnlySpan<byte> ServerSoftware => ((ReadOnlySpan<byte>)_serverSoftware)[..ServerSoftwareLength];

    /// <summary>Texts longer than their space are cut.</summary>
    public void SetUser(ReadOnlySpan<byte> text) => UserLength = Copy(text, _user);
    public void SetClientSoftware(ReadOnlySpan<byte> text) => ClientSoftwareLength = Copy(text, _clientSoftware);
    public void SetServerSoftware(ReadOnlySpan<byte> text) => ServerSoftwareLength = Copy(text, _serverSoftware);

    static byte Copy(ReadOnlySpan<byte> text, Span<byte> space)
    {
        text = text[..Math.Min(text.Length, space.Length)];
        text.CopyTo(space);
        return (byte)text.Length;
    }
}

/// <summary>
/// A fixed number of <see cref="FlowDetail"/>; a flow rents one at its first log-in, banner or echo and gives it back when it is exported.
/// When all are taken, further flows go without and are counted (<see cref="Refused"/>); their events are as complete otherwise.
/// </summary>
sealed class FlowDetails
{
    /// <summary>4,096 entries of about 340 bytes: 1.4 MiB.</summary>
    public const int Capacity = 4096;

    /// <summary>A flow without details.</summary>
    public const int None = 0;

    readonly FlowDetail[] _details = new FlowDetail[Capacity + 1];
    readonly int[] _free = new int[Capacity];
    int _freeCount = Capacity;

    public FlowDetails()
    {
        // Index 0 means none, so that a cleared flow has none.
        for (int i = 0; i < Capacity; i++) _free[i] = Capacity - i;
    }

    public int InUse => Capacity - _freeCount;
    public long Refused { get; private set; }

    public ref FlowDetail this[int index] => ref _details[index];

    /// <summary>Makes sure that the flow has details; false when none is to be had.</summary>
    public bool TryRent(ref Flow flow)
    {
        if (flow.Details != None) return true;
        if (_freeCount == 0)
        {
            Refused++;
            return false;
        }
        flow.Details = (ushort)_free[--_freeCount];
        _details[flow.Details] = default;
        return true;
    }

    public void Return(ref Flow flow)
    {
        if (flow.Details == None) return;
        _free[_freeCount++] = flow.Details;
        flow.Details = None;
    }
}
