using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Unicode;

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

    /// <summary>Texts longer than their space are cut; what is not printable text becomes a question mark.</summary>
    public void SetUser(ReadOnlySpan<byte> text) => UserLength = Copy(text, _user);
    public void SetClientSoftware(ReadOnlySpan<byte> text) => ClientSoftwareLength = Copy(text, _clientSoftware);
    public void SetServerSoftware(ReadOnlySpan<byte> text) => ServerSoftwareLength = Copy(text, _serverSoftware);

    /// <summary>Takes over what a parser has found since the last time: counts are added, the rest replaces what was there.</summary>
    public void Add(in FlowDetail found)
    {
        if (found.HasHassh) (HasHassh, Hassh) = (true, found.Hassh);
        if (found.HasHasshServer) (HasHasshServer, HasshServer) = (true, found.HasshServer);
        LoginFailures = (ushort)Math.Min(LoginFailures + found.LoginFailures, ushort.MaxValue);
        LoginSuccesses = (ushort)Math.Min(LoginSuccesses + found.LoginSuccesses, ushort.MaxValue);
        if (found.UserLength > 0) SetUser(found.User);
        if (found.ClientSoftwareLength > 0) SetClientSoftware(found.ClientSoftware);
        if (found.ServerSoftwareLength > 0) SetServerSoftware(found.ServerSoftware);
    }

    static byte Copy(ReadOnlySpan<byte> text, Span<byte> space)
    {
        if (text.Length > space.Length)
        {
            // Not in the middle of a character (RFC 3629 3).
            int end = space.Length;
            while (end > space.Length - 4 && (text[end] & 0xC0) == 0x80) end--;
            text = text[..end];
        }
        bool isText = Utf8.IsValid(text);
        for (int i = 0; i < text.Length; i++)
        {
            byte b = text[i];
            space[i] = b is < 0x20 or 0x7F || (b >= 0x80 && !isText) ? (byte)'?' : b;
        }
        return (byte)text.Length;
    }
}

/// <summary>
/// A fixed number of <see cref="FlowDetail"/>; a flow rents one at its first log-in, banner or echo and gives it back when it is exported.
/// When all are taken, further flows go without and are counted (<see cref="Refused"/>); their events are as complete otherwise.
/// </summary>
sealed class FlowDetails
{
    /// <summary>4,096 entries of about 290 bytes, and of 180 for echoes: 1.9 MiB.</summary>
    public const int Capacity = 4096;

    /// <summary>A flow without details.</summary>
    public const int None = 0;

    readonly FlowDetail[] _details = new FlowDetail[Capacity + 1];
    readonly FlowEcho[] _echoes = new FlowEcho[Capacity + 1];
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

    /// <summary>What a flow of ICMP keeps of its echoes.</summary>
    public ref FlowEcho EchoOf(int index) => ref _echoes[index];

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
        _echoes[flow.Details] = default;
        return true;
    }

    public void Return(ref Flow flow)
    {
        if (flow.Details == None) return;
        _free[_freeCount++] = flow.Details;
        flow.Details = None;
    }
}
