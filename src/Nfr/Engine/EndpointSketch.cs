using System.Numerics;
using Nfr.Wire;

namespace Nfr.Engine;

/// <summary>
/// About how many different addresses a key's events of today came from: HyperLogLog (Flajolet et al. 2007) with 1,024 registers, within 3 %;
/// small numbers by linear counting, nearly exact. 1 KiB. Used under its key's lock.
/// </summary>
sealed class EndpointSketch
{
    public const int Size = 1024;
    const int IndexBits = 10;

    readonly byte[] _registers = new byte[Size];
    Address _last;

    public ReadOnlySpan<byte> Registers => _registers;

    public void Clear()
    {
        _registers.AsSpan().Clear();
        _last = default;
    }

    public void Load(ReadOnlySpan<byte> registers)
    {
        if (registers.Length == Size) registers.CopyTo(_registers);
    }

    public void Add(in Address address)
    {
        // Events of one client come in runs.
        if (address == _last) return;
        _last = address;
        ulong hash = Math.BigMul(address.Low ^ 0x9E37_79B9_7F4A_7C15, address.High ^ 0xC2B2_AE3D_27D4_EB4F, out ulong low) ^ low;
        hash *= 0xFF51_AFD7_ED55_8CCD;
        hash ^= hash >> 33;
        ref byte register = ref _registers[(int)(hash >> (64 - IndexBits))];
        register = Math.Max(register, (byte)(BitOperations.LeadingZeroCount((hash << IndexBits) | 1) + 1));
    }

    public long Count()
    {
        double sum = 0;
        int empty = 0;
        foreach (byte register in _registers)
        {
            sum += Math.ScaleB(1, -register);
            if (register == 0) empty++;
        }
        double estimate = 0.7213 / (1 + (1.079 / Size)) * Size * Size / sum;
        if (estimate <= 2.5 * Size && empty > 0) estimate = Size * Math.Log((double)Size / empty);
        return (long)Math.Round(estimate);
    }
}
