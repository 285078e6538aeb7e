using System.Buffers.Binary;

namespace Nfr.Fuzz;

/// <summary>Makes a new input of an old one: bits, bytes, cuts, insertions, pieces of others, and the words that protocols are sensitive to.</summary>
sealed class Mutator(Random random, IReadOnlyList<byte[]> words, int maximumLength)
{
    static readonly byte[] s_bytes = [0, 1, 2, 3, 4, 12, 16, 0x1F, 0x20, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFE, 0xFF];
    static readonly ushort[] s_shorts = [0, 1, 2, 4, 0x7F, 0x80, 0xFF, 0x100, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0xC000, 0xC00C, 0xFFFE, 0xFFFF];

    readonly byte[] _buffer = new byte[maximumLength];
    int _length;

    public ReadOnlySpan<byte> Next(IReadOnlyList<byte[]> corpus)
    {
        byte[] start = corpus[random.Next(corpus.Count)];
        _length = Math.Min(start.Length, _buffer.Length);
        start.AsSpan(0, _length).CopyTo(_buffer);
        for (int rounds = 1 << random.Next(5); rounds > 0; rounds--) Change(corpus);
        return _buffer.AsSpan(0, _length);
    }

    void Change(IReadOnlyList<byte[]> corpus)
    {
        if (_length == 0)
        {
            Insert(1 + random.Next(16));
            return;
        }
        int at = random.Next(_length);
        switch (random.Next(10))
        {
            case 0:
                _buffer[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                _buffer[at] = (byte)random.Next(256);
                break;
            case 2:
                _buffer[at] = s_bytes[random.Next(s_bytes.Length)];
                break;
            case 3 when at + 2 <= _length:
                BinaryPrimitives.WriteUInt16BigEndian(_buffer.AsSpan(at), s_shorts[random.Next(s_shorts.Length)]);
                break;
            case 4:
                // Lengths count what follows: one too few, one too many.
                _buffer[at] = (byte)(_buffer[at] + random.Next(-2, 3));
                break;
            case 5:
                int cut = Math.Min(1 + random.Next(16), _length - at);
                _buffer.AsSpan(at + cut, _length - at - cut).CopyTo(_buffer.AsSpan(at));
                _length -= cut;
                break;
            case 6:
                Insert(1 + random.Next(16));
                break;
            case 7 when words.Count > 0:
                Overwrite(at, words[random.Next(words.Count)]);
                break;
            case 8:
                byte[] other = corpus[random.Next(corpus.Count)];
                if (other.Length == 0) break;
                int from = random.Next(other.Length);
                Overwrite(at, other.AsSpan(from, Math.Min(1 + random.Next(64), other.Length - from)));
                break;
            case 9 when random.Next(4) == 0:
                _length = at;
                break;
        }
    }

    void Overwrite(int at, ReadOnlySpan<byte> bytes)
    {
        bytes = bytes[..Math.Min(bytes.Length, _buffer.Length - at)];
        bytes.CopyTo(_buffer.AsSpan(at));
        _length = Math.Max(_length, at + bytes.Length);
    }

    void Insert(int count)
    {
        count = Math.Min(count, _buffer.Length - _length);
        int at = random.Next(_length + 1);
        _buffer.AsSpan(at, _length - at).CopyTo(_buffer.AsSpan(at + count));
        random.NextBytes(_buffer.AsSpan(at, count));
        _length += count;
    }
}
