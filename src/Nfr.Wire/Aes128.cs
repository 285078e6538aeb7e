using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Nfr.Wire;

/// <summary>
/// AES-128 (FIPS 197), encryption only, and counter mode. It opens QUIC Initial packets, whose keys follow from bytes in the clear (RFC 9001
/// 5.2): nothing here is secret, so a table's timing tells nobody anything. The runtime's own allocates an object for each key, and a key
/// serves one packet or two.
/// </summary>
public struct Aes128
{
    public const int KeyLength = 16;
    public const int BlockLength = 16;
    const int Rounds = 10;

    [InlineArray(4 * (Rounds + 1))]
    struct Schedule
    {
        uint _first;
    }

    static readonly byte[] Substitution = MakeSubstitution();
    static readonly uint[] Mixed = MakeMixed();

    Schedule _schedule;

    public Aes128(ReadOnlySpan<byte> key)
    {
        Span<uint> words = _schedule;
        for (int i = 0; i < 4; i++) words[i] = BinaryPrimitives.ReadUInt32BigEndian(key[(4 * i)..]);
        byte constant = 1;
        for (int i = 4; i < words.Length; i++)
        {
            uint word = words[i - 1];
            if (i % 4 == 0)
            {
                word = Substitute(BitOperations.RotateLeft(word, 8)) ^ ((uint)constant << 24);
                constant = Double(constant);
            }
            words[i] = words[i - 4] ^ word;
        }
    }

    /// <summary>One block; source and destination may be the same.</summary>
    public readonly void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ReadOnlySpan<uint> k = _schedule;
        uint a = BinaryPrimitives.ReadUInt32BigEndian(source) ^ k[0];
        uint b = BinaryPrimitives.ReadUInt32BigEndian(source[4..]) ^ k[1];
        uint c = BinaryPrimitives.ReadUInt32BigEndian(source[8..]) ^ k[2];
        uint d = BinaryPrimitives.ReadUInt32BigEndian(source[12..]) ^ k[3];
        for (int round = 1; round < Rounds; round++)
        {
            k = k[4..];
            uint e = Mix(a, b, c, d) ^ k[0];
            uint f = Mix(b, c, d, a) ^ k[1];
            uint g = Mix(c, d, a, b) ^ k[2];
            uint h = Mix(d, a, b, c) ^ k[3];
            (a, b, c, d) = (e, f, g, h);
        }
        k = k[4..];
        BinaryPrimitives.WriteUInt32BigEndian(destination, Last(a, b, c, d) ^ k[0]);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], Last(b, c, d, a) ^ k[1]);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], Last(c, d, a, b) ^ k[2]);
        BinaryPrimitives.WriteUInt32BigEndian(destination[12..], Last(d, a, b, c) ^ k[3]);
    }

    /// <summary>Counter mode as GCM has it (NIST SP 800-38D 6.5) for a 96-bit nonce: the first block of the text has counter 2.</summary>
    public readonly void Counter(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> block = stackalloc byte[BlockLength];
        Span<byte> stream = stackalloc byte[BlockLength];
        nonce.CopyTo(block);
        uint counter = 2;
        for (int at = 0; at < source.Length; at += BlockLength, counter++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(block[12..], counter);
            Encrypt(block, stream);
            int n = Math.Min(BlockLength, source.Length - at);
            for (int i = 0; i < n; i++) destination[at + i] = (byte)(source[at + i] ^ stream[i]);
        }
    }

    /// <summary>SubBytes, ShiftRows and MixColumns for one column (FIPS 197 5.1), given the columns that its rows come from.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static uint Mix(uint a, uint b, uint c, uint d) =>
        Mixed[a >> 24] ^ BitOperations.RotateRight(Mixed[(byte)(b >> 16)], 8)
        ^ BitOperations.RotateRight(Mixed[(byte)(c >> 8)], 16) ^ BitOperations.RotateRight(Mixed[(byte)d], 24);

    static uint Last(uint a, uint b, uint c, uint d) =>
        ((uint)Substitution[a >> 24] << 24) | ((uint)Substitution[(byte)(b >> 16)] << 16)
        | ((uint)Substitution[(byte)(c >> 8)] << 8) | Substitution[(byte)d];

    static uint Substitute(uint word) => Last(word, word, word, word);

    /// <summary>Times x in GF(2^8), FIPS 197 4.2.</summary>
    static byte Double(byte value) => (byte)((value << 1) ^ ((value & 0x80) != 0 ? 0x1B : 0));

    /// <summary>FIPS 197 5.1.1: the inverse in GF(2^8), then the affine map. Inverses by powers of the generator 3.</summary>
    static byte[] MakeSubstitution()
    {
        var power = new byte[255];
        var logarithm = new byte[256];
        byte value = 1;
        for (int i = 0; i < 255; i++)
        {
            power[i] = value;
            logarithm[value] = (byte)i;
            value ^= Double(value);
        }
        var box = new byte[256];
        for (int i = 0; i < 256; i++)
        {
            int inverse = i == 0 ? 0 : power[(255 - logarithm[i]) % 255];
            // The inverse and its rotations by one to four bits.
            int twice = inverse | (inverse << 8);
            box[i] = (byte)(inverse ^ (twice >> 7) ^ (twice >> 6) ^ (twice >> 5) ^ (twice >> 4) ^ 0x63);
        }
        return box;
    }

    static uint[] MakeMixed()
    {
        var table = new uint[256];
        for (int i = 0; i < 256; i++)
        {
            byte s = Substitution[i];
            byte s2 = Double(s);
            table[i] = ((uint)s2 << 24) | ((uint)s << 16) | ((uint)s << 8) | (byte)(s2 ^ s);
        }
        return table;
    }
}
