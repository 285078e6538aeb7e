using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Nfr.Wire;

/// <summary>
/// The keys of one direction's Initial packets: they follow from the version and from the connection ID that the client chose first, both
/// in the clear (RFC 9001 5.2, RFC 9369 3.3).
/// </summary>
public struct QuicKeys
{
    const int SecretLength = 32, NonceLength = 12;

    [InlineArray(NonceLength)]
    struct Nonce
    {
        byte _first;
    }

    Aes128 _packet;
    Aes128 _header;
    Nonce _nonce;

    public static QuicKeys Derive(QuicVersion version, ReadOnlySpan<byte> destinationConnectionId, bool server)
    {
        bool v2 = version == QuicVersion.Version2;
        Span<byte> initial = stackalloc byte[SecretLength], secret = stackalloc byte[SecretLength], key = stackalloc byte[Aes128.KeyLength];
        HMACSHA256.HashData(Salt(version), destinationConnectionId, initial);
        ExpandLabel(initial, server ? "server in"u8 : "client in"u8, secret);
        var keys = new QuicKeys();
        ExpandLabel(secret, v2 ? "quicv2 key"u8 : "quic key"u8, key);
        keys._packet = new Aes128(key);
        ExpandLabel(secret, v2 ? "quicv2 hp"u8 : "quic hp"u8, key);
        keys._header = new Aes128(key);
        ExpandLabel(secret, v2 ? "quicv2 iv"u8 : "quic iv"u8, keys._nonce);
        return keys;
    }

    /// <summary>
    /// Opens an Initial packet: its payload of frames is written to <paramref name="destination"/>, and its length returned; 0 when the packet is
    /// too short. The tag is not verified (it guards against damage only, as everyone has the keys): what comes of wrong keys are no frames.
    /// </summary>
    public readonly int Open(QuicInitial packet, Span<byte> destination)
    {
        ReadOnlySpan<byte> bytes = packet.Protected;
        // RFC 9001 5.4.2: the sample lies where a packet number of four bytes would end.
        const int SampleOffset = 4, TagLength = 16;
        if (bytes.Length < SampleOffset + Aes128.BlockLength) return 0;
        Span<byte> mask = stackalloc byte[Aes128.BlockLength];
        _header.Encrypt(bytes[SampleOffset..], mask);
        int numberLength = ((packet.FirstByte ^ mask[0]) & 3) + 1;
        Span<byte> nonce = stackalloc byte[NonceLength];
        ((ReadOnlySpan<byte>)_nonce).CopyTo(nonce);
        // An Initial's number is small, so the truncated form is the number itself (RFC 9000 A.3).
        for (int i = 0; i < numberLength; i++) nonce[NonceLength - numberLength + i] ^= (byte)(bytes[i] ^ mask[1 + i]);
        int length = bytes.Length - numberLength - TagLength;
        if (length <= 0 || length > destination.Length) return 0;
        _packet.Counter(nonce, bytes.Slice(numberLength, length), destination);
        return length;
    }

    /// <summary>HKDF-Expand-Label of RFC 8446 7.1 with an empty context, for at most one block of output.</summary>
    static void ExpandLabel(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, Span<byte> output)
    {
        ReadOnlySpan<byte> prefix = "tls13 "u8;
        Span<byte> info = stackalloc byte[32], block = stackalloc byte[SecretLength];
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)output.Length);
        info[2] = (byte)(prefix.Length + label.Length);
        prefix.CopyTo(info[3..]);
        label.CopyTo(info[(3 + prefix.Length)..]);
        int length = 3 + prefix.Length + label.Length;
        info[length++] = 0;
        info[length++] = 1;
        HMACSHA256.HashData(secret, info[..length], block);
        block[..output.Length].CopyTo(output);
    }

    static ReadOnlySpan<byte> Salt(QuicVersion version) => version switch
    {
        QuicVersion.Version2 => [0x0D, 0xED, 0xE3, 0xDE, 0xF7, 0x00, 0xA6, 0xDB, 0x81, 0x93, 0x81, 0xBE, 0x6E, 0x26, 0x9D, 0xCB, 0xF9, 0xBD, 0x2E, 0xD9],
        QuicVersion.Draft29 => [0xAF, 0xBF, 0xEC, 0x28, 0x99, 0x93, 0xD2, 0x4C, 0x9E, 0x97, 0x86, 0xF1, 0x9C, 0x61, 0x11, 0xE0, 0x43, 0x90, 0xA8, 0x99],
        QuicVersion.Draft23 => [0xC3, 0xEE, 0xF7, 0x12, 0xC7, 0x2E, 0xBB, 0x5A, 0x11, 0xA7, 0xD2, 0x43, 0x2B, 0xB4, 0x63, 0x65, 0xBE, 0xF9, 0xF5, 0x02],
        _ => [0x38, 0x76, 0x2C, 0xF7, 0xF5, 0x59, 0x34, 0xB3, 0x4D, 0x17, 0x9A, 0xE6, 0xA4, 0xC8, 0x0C, 0xAD, 0xCC, 0xBB, 0x7F, 0x0A],
    };
}
