using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 4253 7.1, SSH_MSG_KEXINIT: ten name-lists in order of preference. Every getter is safe once <see cref="TryRead"/> has said None.</summary>
public readonly ref struct SshKexInit
{
    /// <summary>The message number, RFC 4253 12.</summary>
    public const byte MessageNumber = 20;

    /// <summary>Before the first list: the number and the cookie.</summary>
    const int ListsAt = 17;

    /// <summary>first_kex_packet_follows and the reserved word.</summary>
    const int Trailer = 5;

    SshKexInit(ReadOnlySpan<byte> kex, ReadOnlySpan<byte> hostKey, Ciphers toServer, Ciphers toClient)
    {
        KexAlgorithms = kex;
        ServerHostKeyAlgorithms = hostKey;
        EncryptionClientToServer = toServer.Encryption;
        EncryptionServerToClient = toClient.Encryption;
        MacClientToServer = toServer.Mac;
        MacServerToClient = toClient.Mac;
        CompressionClientToServer = toServer.Compression;
        CompressionServerToClient = toClient.Compression;
    }

    // Each list is text: names separated by commas (RFC 4251 5).
    public ReadOnlySpan<byte> KexAlgorithms { get; }
    public ReadOnlySpan<byte> ServerHostKeyAlgorithms { get; }
    public ReadOnlySpan<byte> EncryptionClientToServer { get; }
    public ReadOnlySpan<byte> EncryptionServerToClient { get; }
    public ReadOnlySpan<byte> MacClientToServer { get; }
    public ReadOnlySpan<byte> MacServerToClient { get; }
    public ReadOnlySpan<byte> CompressionClientToServer { get; }
    public ReadOnlySpan<byte> CompressionServerToClient { get; }

    /// <summary>Reads a packet's payload, which begins with the message number.</summary>
    public static DecodeFault TryRead(ReadOnlySpan<byte> payload, out SshKexInit init)
    {
        init = default;
        if (payload.Length < ListsAt || payload[0] != MessageNumber) return DecodeFault.SshKexInitTruncated;
        ReadOnlySpan<byte> rest = payload[ListsAt..];
        Ciphers toServer = default, toClient = default;
        if (!TryTake(ref rest, out ReadOnlySpan<byte> kex) || !TryTake(ref rest, out ReadOnlySpan<byte> hostKey)
            || !TryTake(ref rest, out toServer.Encryption) || !TryTake(ref rest, out toClient.Encryption)
            || !TryTake(ref rest, out toServer.Mac) || !TryTake(ref rest, out toClient.Mac)
            || !TryTake(ref rest, out toServer.Compression) || !TryTake(ref rest, out toClient.Compression)
            || !TryTake(ref rest, out _) || !TryTake(ref rest, out _)
            || rest.Length < Trailer)
        {
            return DecodeFault.SshKexInitTruncated;
        }
        init = new SshKexInit(kex, hostKey, toServer, toClient);
        return DecodeFault.None;
    }

    static bool TryTake(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> list)
    {
        list = default;
        if (rest.Length < 4) return false;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        if (length > rest.Length - 4) return false;
        list = rest.Slice(4, (int)length);
        rest = rest[(4 + (int)length)..];
        return true;
    }

    /// <summary>The lists of one direction.</summary>
    ref struct Ciphers
    {
        public ReadOnlySpan<byte> Encryption, Mac, Compression;
    }
}
