using Nfr.Logs;

namespace Nfr.Tests.Logs.Elastic;

/// <summary>What is remembered of the documents taken, and how it lasts.</summary>
public sealed class TakenDocumentsTests
{
    static TakenDocuments Restored(string head, string?[] rows)
    {
        TakenDocuments again = new(rows.Length);
        Assert.True(again.Restore(head, rows));
        return again;
    }

    [Fact]
    public void Nothing_is_kept_of_what_was_not_accepted()
    {
        TakenDocuments taken = new(2);
        for (int i = 0; i < 10; i++) taken.Take(1000 + i, (ulong)i);
        taken.Accept(7);
        TakenDocuments again = Restored(taken.Head()!, [taken.Row(0), taken.Row(1)]);
        for (int i = 0; i < 10; i++) Assert.Equal(i < 7, again.Has(1000 + i, (ulong)i));
        Assert.Equal(1006, again.Newest);
        Assert.Null(taken.Head());
    }

    [Theory]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(3071)]
    [InlineData(3072)]
    [InlineData(9000)]
    [InlineData(20_000)]
    public void The_state_is_made_in_small_pieces_and_is_whole_at_each_commit(int count)
    {
        TakenDocuments taken = new(4);
        string head = "";
        string?[] rows = new string?[4];
        long written = 0;
        for (int i = 0; i < count; i++)
        {
            taken.Take((long)i / 3 * 1_000_000, (ulong)i * 7919);
            if (i % 100 != 0 && i != count - 1) continue;
            taken.Accept(i + 1);
            head = taken.Head() ?? head;
            written += head.Length;
            for (int r = 0; r < 4; r++)
            {
                if (taken.Row(r) is not { } row) continue;
                rows[r] = row;
                written += row.Length;
            }
        }
        Assert.All(rows, r => Assert.True((r?.Length ?? 0) <= 64 << 10));
        Assert.True(written < 150L * count + 10_000, $"{written / count} bytes a document");
        TakenDocuments again = Restored(head, rows);
        long known = 0;
        for (int i = 0; i < count; i++)
        {
            bool has = again.Has((long)i / 3 * 1_000_000, (ulong)i * 7919);
            Assert.Equal(taken.Has((long)i / 3 * 1_000_000, (ulong)i * 7919), has);
            if (has) known++;
            // From the floor on all is known.
            if ((long)i / 3 * 1_000_000 >= again.Floor) Assert.True(has);
        }
        Assert.InRange(known, Math.Min(count, 3 * TakenDocuments.PerRow), 4 * TakenDocuments.PerRow);
    }

    [Fact]
    public void What_the_pipeline_did_not_keep_yet_is_not_forgotten()
    {
        TakenDocuments taken = new(2);
        int n = 0;
        for (; taken.HasRoom; n++) taken.Take(n, (ulong)n);
        Assert.Equal(TakenDocuments.PerRow, n);
        taken.Accept(n);
        taken.Head();
        Assert.True(taken.HasRoom);
    }

    [Theory]
    [InlineData("")]
    [InlineData("2 0 0 0 0 ")]
    [InlineData("1 0 0 0 0 not base64!")]
    [InlineData("1 0 0 x 0 ")]
    [InlineData("1 0 0 0 -5 ")]
    [InlineData("1 0 0 0 0 AAAA")]
    public void A_state_that_cannot_be_read_is_said_to_be_none(string head) => Assert.False(new TakenDocuments(2).Restore(head, [null, null]));

    [Fact]
    public void A_damaged_row_narrows_what_is_known()
    {
        TakenDocuments taken = new(2);
        for (int i = 0; i < 600; i++) taken.Take(i, (ulong)i);
        taken.Accept(600);
        TakenDocuments again = Restored(taken.Head()!, ["1 0 garbage!", null]);
        Assert.Equal(599, again.Floor);
    }

    [Fact]
    public void The_number_of_rows_may_change()
    {
        TakenDocuments taken = new(8);
        for (int i = 0; i < 12_000; i++) taken.Take(i, (ulong)i);
        taken.Accept(12_000);
        string head = taken.Head()!;
        string?[] rows = [.. Enumerable.Range(0, 8).Select(taken.Row)];
        TakenDocuments fewer = new(2);
        Assert.True(fewer.Restore(head, rows));
        Assert.True(fewer.Has(11_999, 11_999));
        for (long i = fewer.Floor; i < 12_000; i++) Assert.True(fewer.Has(i, (ulong)i));
    }
}
