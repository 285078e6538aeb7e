using System.Runtime.CompilerServices;
using Nfr.Native;

namespace Nfr.Tests.Native;

public sealed class PinnedTableTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(300_000)]
    public void Entries_begin_at_a_border_are_zero_and_keep_what_is_written(int length)
    {
        var table = new PinnedTable<long>(length);
        long border = length * sizeof(long) >= 2 * 1024 * 1024 ? 2 * 1024 * 1024 : 64;
        Assert.Equal(0, (long)Unsafe.ByteOffset(ref Unsafe.NullRef<long>(), ref table[0]) % border);
        Assert.Equal(0, table[length - 1]);
        for (int i = 0; i < length; i++) table[i] = i * 3L;
        GC.Collect();
        for (int i = 0; i < length; i++) Assert.Equal(i * 3L, table[i]);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(10)]
    [InlineData(int.MaxValue)]
    public void An_index_outside_is_refused(int index)
    {
        var table = new PinnedTable<int>(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => table[index]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(int.MaxValue)]
    public void A_length_that_cannot_be_had_is_refused(int length) => Assert.Throws<ArgumentOutOfRangeException>(() => new PinnedTable<long>(length));
}
