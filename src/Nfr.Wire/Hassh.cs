using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Nfr.Wire;

/// <summary>
/// HASSH and HASSHServer (Reardon, 2018): MD5 of "key exchange;encryption;mac;compression", the client's lists towards the server, the server's
/// towards the client. Lists longer than <see cref="MaxTextLength"/> together have no fingerprint.
/// </summary>
public static class Hassh
{
    /// <summary>The longest text hashed, in bytes; real ones have a few hundred.</summary>
    public const int MaxTextLength = 8192;

    /// <summary>The hash, whose 32 hex digits are the fingerprint; false when the text is too long.</summary>
    /// <param name="init">The key exchange of one side.</param>
    /// <param name="server">Sent by the server: HASSHServer.</param>
    /// <param name="hash">Written in hex, digit by digit as an MD5 is.</param>
    public static bool TryHash(SshKexInit init, bool server, out UInt128 hash)
    {
        hash = default;
        Span<byte> text = stackalloc byte[MaxTextLength];
        var cursor = new Utf8Cursor(text);
        cursor.Append(init.KexAlgorithms);
        cursor.Append((byte)';');
        cursor.Append(server ? init.EncryptionServerToClient : init.EncryptionClientToServer);
        cursor.Append((byte)';');
        cursor.Append(server ? init.MacServerToClient : init.MacClientToServer);
        cursor.Append((byte)';');
        cursor.Append(server ? init.CompressionServerToClient : init.CompressionClientToServer);
        if (cursor.IsCut) return false;
        Span<byte> digest = stackalloc byte[MD5.HashSizeInBytes];
        MD5.HashData(cursor.Written, digest);
        hash = BinaryPrimitives.ReadUInt128BigEndian(digest);
        return true;
    }
}
