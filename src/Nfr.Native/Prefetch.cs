using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Nfr.Native;

/// <summary>Asks for memory before it is needed. A hint: it changes nothing and cannot fault.</summary>
public static class Prefetch
{
    /// <summary>Bytes of a cache line, of every processor that we run on.</summary>
    const int Line = 64;

    /// <summary>All lines of a value, which must lie in pinned memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Value<T>(ref readonly T value)
        where T : unmanaged => Start(in value, sizeof(T));

    /// <summary>The lines of its first bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Start<T>(ref readonly T value, int length)
        where T : unmanaged
    {
        // SAFETY: [at, at + sizeof(T)) is the value itself, which the caller has pinned; a hint is not even a read.
        byte* at = (byte*)Unsafe.AsPointer(ref Unsafe.AsRef(in value));
        for (int i = 0; i < Math.Min(length, sizeof(T)); i += Line)
        {
            if (Sse.IsSupported) Sse.Prefetch0(at + i);
            // Other processors have no such hint in .NET: a load whose result nobody waits for does the same.
            else _ = Volatile.Read(ref at[i]);
        }
    }
}
