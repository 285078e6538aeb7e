using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Nfr.Simulate;

/// <summary>
/// Asks one DNS server from one address. A host lookup is two queries in parallel, A and AAAA, each from a socket and a port of its own,
/// as common resolvers do it. A truncated answer is asked for again by TCP.
/// </summary>
public sealed class StubResolver(IPEndPoint server, IPAddress? source, Random random)
{
    readonly Lock _randomLock = new();

    /// <summary>A and AAAA of <paramref name="name"/>; the addresses of both. No answer, a refusal and "no such name" give none.</summary>
    public async Task<IReadOnlyList<IPAddress>> LookupHostAsync(string name, TimeSpan timeout, CancellationToken stop)
    {
        DnsReply?[] replies = await Task.WhenAll(
            QueryAsync(name, DnsWire.TypeA, timeout, stop), QueryAsync(name, DnsWire.TypeAaaa, timeout, stop)).ConfigureAwait(false);
        return [.. replies.SelectMany(reply => reply?.Addresses ?? [])];
    }

    /// <summary>One question; null when nothing came back in time.</summary>
    public async Task<DnsReply?> QueryAsync(string name, ushort type, TimeSpan timeout, CancellationToken stop)
    {
        byte[] query = DnsWire.Query(NextId(), name, type);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(timeout);
        try
        {
            DnsReply? reply = await OverUdpAsync(query, limit.Token).ConfigureAwait(false);
            return reply is { Truncated: true } ? await OverTcpAsync(query, limit.Token).ConfigureAwait(false) : reply;
        }
        catch (Exception failure) when (failure is SocketException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    async Task<DnsReply?> OverUdpAsync(byte[] query, CancellationToken stop)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (source is not null) socket.Bind(new IPEndPoint(source, 0));
        await socket.ConnectAsync(server, stop).ConfigureAwait(false);
        await socket.SendAsync(query, stop).ConfigureAwait(false);
        byte[] buffer = new byte[4096];
        while (true)
        {
            int length = await socket.ReceiveAsync(buffer, stop).ConfigureAwait(false);
            if (DnsWire.Read(buffer.AsSpan(0, length)) is { } reply && reply.Id == BinaryPrimitives.ReadUInt16BigEndian(query)) return reply;
        }
    }

    async Task<DnsReply?> OverTcpAsync(byte[] query, CancellationToken stop)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (source is not null) socket.Bind(new IPEndPoint(source, 0));
        await socket.ConnectAsync(server, stop).ConfigureAwait(false);
        using var stream = new NetworkStream(socket);
        byte[] framed = new byte[query.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Length);
        query.CopyTo(framed.AsSpan(2));
        await stream.WriteAsync(framed, stop).ConfigureAwait(false);
        byte[] length = new byte[2];
        await stream.ReadExactlyAsync(length, stop).ConfigureAwait(false);
        byte[] reply = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(reply, stop).ConfigureAwait(false);
        return DnsWire.Read(reply);
    }

    ushort NextId()
    {
        lock (_randomLock) return (ushort)random.Next(0x10000);
    }
}
