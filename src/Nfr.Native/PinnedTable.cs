using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>
/// A table of a fixed number of entries, all zero at first, whose memory never moves: it begins at a huge page's border, and the kernel is asked to use such pages
/// for it. A table of many megabytes that is read at random otherwise costs a walk through the page tables for nearly every entry. Memory is taken when entries are first
/// touched, as always; a kernel without huge pages gives common ones.
/// </summary>
public sealed partial class PinnedTable<T>
    where T : unmanaged
{
    /// <summary>Of x86-64, and of ARM64 with pages of 4 KiB. Elsewhere the border is as good as any other.</summary>
    const int HugePage = 2 * 1024 * 1024;

    /// <summary>MADV_HUGEPAGE of asm-generic/mman-common.h.</summary>
    const int AdviceHugePage = 14;

    readonly byte[] _memory;
    readonly nint _first;

    /// <summary>Entries; at most 1 GiB of them.</summary>
    public unsafe PinnedTable(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)length * sizeof(T), 1L << 30, nameof(length));
        Length = length;
        int bytes = length * sizeof(T);
        int border = bytes >= HugePage ? HugePage : 64;
        _memory = GC.AllocateArray<byte>(bytes + border, pinned: true);
        // SAFETY: the array is pinned, so its address is its own for as long as it lives.
        nint address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
        _first = ((address + border - 1) & ~(nint)(border - 1)) - address;
        // A hint; a refusal changes nothing.
        if (border == HugePage) _ = NativeMemoryAdvice.madvise(address + _first, (nuint)(bytes & ~(HugePage - 1)), AdviceHugePage);
    }

    public int Length { get; }

    /// <summary>The entry itself. Throws <see cref="ArgumentOutOfRangeException"/> outside of 0 to <see cref="Length"/>.</summary>
    public unsafe ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((uint)index >= (uint)Length) Refuse();
            // SAFETY: 0 <= index < Length, and _memory has room for Length entries behind _first; the reference keeps the array alive.
            return ref Unsafe.As<byte, T>(ref Unsafe.AddByteOffset(ref MemoryMarshal.GetArrayDataReference(_memory), _first + ((nint)index * sizeof(T))));
        }
    }

    [DoesNotReturn]
    static void Refuse() => throw new ArgumentOutOfRangeException("index");
}

/// <summary>madvise(2).</summary>
static partial class NativeMemoryAdvice
{
    [LibraryImport("libc")]
    internal static partial int madvise(nint address, nuint length, int advice);
}
