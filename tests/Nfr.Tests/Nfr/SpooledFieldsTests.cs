using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Tests.Storage;

namespace Nfr.Tests.Nfr;

public sealed class SpooledFieldsTests
{
    static bool Cuts(SpooledFields fields, Spool spool, EventType type) => fields.MayExceedApi(spool.Consumer("engine").Peek(type, 1, 10_000)!);

    static void Put(Spool spool, EventType type)
    {
        spool.Append(type, 0, SpoolTestBed.Line("x"));
        Assert.Null(spool.Flush());
    }

    [Fact]
    public void What_was_spooled_with_all_fields_is_cut_in_later_runs_too_and_nothing_else_is()
    {
        using var bed = new SpoolTestBed();
        using (Spool spool = bed.Open())
        {
            var fields = new SpooledFields(spool, bed.Time);
            Put(spool, EventType.Tls);
            Assert.False(Cuts(fields, spool, EventType.Tls));
            fields.SpoolsAll();
            Put(spool, EventType.Dns);
            Assert.True(Cuts(fields, spool, EventType.Dns));
        }
        // The config changed: nobody wants all fields any more. Twice, so that the numbers last.
        for (int run = 0; run < 2; run++)
        {
            using Spool spool = bed.Open();
            var fields = new SpooledFields(spool, bed.Time);
            if (run == 0) Put(spool, EventType.Ip);
            Assert.True(Cuts(fields, spool, EventType.Dns));
            Assert.False(Cuts(fields, spool, EventType.Ip));
        }
        using (Spool spool = bed.Open())
        {
            var fields = new SpooledFields(spool, bed.Time);
            Put(spool, EventType.Dns);
            Assert.Null(spool.Delivered(EventType.Dns, 1));
            Assert.False(Cuts(fields, spool, EventType.Dns));
        }
    }

    [Fact]
    public void Of_a_spool_without_a_note_everything_may_have_all_fields()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        Put(spool, EventType.Dns);
        var fields = new SpooledFields(spool, bed.Time);
        Put(spool, EventType.Ip);
        Assert.True(Cuts(fields, spool, EventType.Dns));
        Assert.False(Cuts(fields, spool, EventType.Ip));
    }
}
