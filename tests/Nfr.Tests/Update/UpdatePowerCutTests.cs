using Nfr.Update;
using Xunit.Abstractions;

namespace Nfr.Tests.Update;

/// <summary>The power goes before and in every operation of an update and of its confirmation: what boots then is the old system or the new one, whole, and the box can be updated again.</summary>
public sealed class UpdatePowerCutTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>Of what an unsynced card may have kept, for each place of the cut.</summary>
    const int Seeds = 16;

    readonly Bundles _bundles = new();

    public void Dispose() => _bundles.Dispose();

    ApplianceImage Known(SimulatedBox box, char slot) => _bundles.IsNew(box.Slot(slot)) ? Bundles.Image(12, "2.1.0") : Bundles.Image();

    void Boot(SimulatedBox box) => box.Boot((_, slot) => Known(box, slot));

    bool IsWhole(SimulatedBox box) => _bundles.IsOld(box.Slot(box.Booted)) || _bundles.IsNew(box.Slot(box.Booted));

    void Update(SimulatedBox box, byte[] bundle) => Bundles.Updater(box, _bundles.Keys).Run(new MemoryStream(bundle), default);

    static ConfirmResult Confirm(SimulatedBox box, bool well) => new Confirmation(box, () => well ? null : "it is not", new HastyTime()).Run(TimeSpan.FromSeconds(30), orBack: true, default);

    int OperationsOf(byte[] bundle)
    {
        SimulatedBox box = _bundles.Box();
        Update(box, bundle);
        return box.Operations;
    }

    [Fact]
    public void In_every_state_the_old_or_the_new_system_boots_whole_and_the_update_can_be_done_again()
    {
        byte[] bundle = _bundles.Make();
        int operations = OperationsOf(bundle), states = 0, news = 0;
        for (int cut = 0; cut <= operations; cut++)
        {
            for (int seed = 0; seed < Seeds; seed++, states++)
            {
                SimulatedBox box = _bundles.Box((seed * 100_003) + cut);
                box.CutAt = cut;
                try
                {
                    Update(box, bundle);
                }
                catch (PowerCutException)
                {
                    // As meant.
                }
                Boot(box);
                Assert.True(IsWhole(box), $"torn after a cut at operation {cut}, seed {seed}");
                Assert.Equal(box.OnTrial, _bundles.IsNew(box.Slot(box.Booted)));
                if (box.OnTrial) news++;
                else
                {
                    Assert.Equal('a', box.Booted);
                    Confirm(box, well: true);
                    Update(box, bundle);
                    Boot(box);
                }
                Assert.True(box.OnTrial);
                Assert.Equal(ConfirmResult.Confirmed, Confirm(box, well: true));
                Boot(box);
                Assert.Equal(('b', true, false), (box.Booted, _bundles.IsNew(box.Slot('b')), box.OnTrial));
            }
        }
        output.WriteLine($"{operations} operations, {states} states: {states - news} booted the old system, {news} the new one on trial, none a torn one");
        Assert.True(states > 1000 && news >= Seeds, $"{states} states, {news} of them new");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cut_while_a_trial_is_settled_leaves_one_whole_system_lasting(bool well)
    {
        byte[] bundle = _bundles.Make();
        for (int cut = 0; cut < 4; cut++)
        {
            SimulatedBox box = _bundles.Box(cut);
            Update(box, bundle);
            Boot(box);
            Assert.True(box.OnTrial);
            box.CutAt = box.Operations + cut;
            try
            {
                Confirm(box, well);
            }
            catch (PowerCutException)
            {
                // As meant.
            }
            Boot(box);
            Assert.True(IsWhole(box));
            Assert.False(box.OnTrial);
            // Whether it was settled before the cut or by it: what the record says in the end is what is.
            Confirm(box, well: true);
            UpdateRecord record = box.ReadRecord()!;
            Assert.Equal(box.Booted == 'b' ? UpdatePhase.Good : UpdatePhase.Failed, record.Phase);
            Assert.True(well || box.Booted == 'a');
        }
    }

    [Fact]
    public void A_second_update_after_one_that_waits_for_its_reboot_is_not_tried_while_it_is_torn()
    {
        byte[] bundle = _bundles.Make();
        int operations = OperationsOf(bundle);
        for (int cut = 1; cut < operations; cut += 3)
        {
            SimulatedBox box = _bundles.Box(cut);
            Update(box, bundle);
            // Armed, and the box was not rebooted: another update begins over the slot that is asked for.
            box.CutAt = box.Operations + cut;
            Assert.Throws<PowerCutException>(() => Update(box, bundle));
            Boot(box);
            Assert.True(IsWhole(box), $"torn after {cut}");
        }
    }

    [Fact]
    public void Alarm_a_card_that_lies_about_syncing_is_noticed_by_this_very_test()
    {
        byte[] bundle = _bundles.Make();
        int torn = 0;
        for (int seed = 0; seed < 20; seed++)
        {
            SimulatedBox box = _bundles.Box(seed, lies: true);
            Update(box, bundle);
            Boot(box);
            if (!IsWhole(box)) torn++;
        }
        Assert.True(torn > 15, $"{torn} of 20");
    }

    /// <summary>A clock whose waits are over at once.</summary>
    internal sealed class HastyTime : TimeProvider
    {
        long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => _now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _now += dueTime.Ticks;
            ITimer timer = System.CreateTimer(static _ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            callback(state);
            return timer;
        }
    }
}
