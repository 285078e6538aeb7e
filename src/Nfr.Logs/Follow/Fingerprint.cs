using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Nfr.Logs;

/// <summary>What some bytes of a file were: enough to know the file again under another name, copied or compressed.</summary>
/// <param name="Length">How many bytes; 0 = none were there, and nothing is said.</param>
/// <param name="Digest">The first 64 bits of their SHA-256.</param>
readonly record struct Fingerprint(int Length, ulong Digest)
{
    /// <summary>Bytes at a file's beginning that tell it from others: logs begin with a time.</summary>
    public const int HeadLength = 1024;
    /// <summary>Bytes before the place where reading stands.</summary>
    public const int TailLength = 256;

    public static Fingerprint Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return new Fingerprint(bytes.Length, BinaryPrimitives.ReadUInt64BigEndian(hash));
    }

    /// <summary>These bytes begin with those.</summary>
    public bool IsOf(ReadOnlySpan<byte> bytes) => bytes.Length >= Length && Of(bytes[..Length]) == this;
}

/// <summary>What lies right before a place in a file.</summary>
readonly record struct Waypoint(long Offset, Fingerprint Before);
