using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>Which alert a broker cannot bear, and which only had bad luck.</summary>
public sealed class FleetSuspectTests
{
    [Fact]
    public void An_alert_is_guilty_when_it_breaks_a_third_connection_that_has_just_taken_another()
    {
        var suspect = new FleetSuspect();
        Assert.False(suspect.IsCareful);
        Assert.Equal(FleetVerdict.None, suspect.Broke(7, alone: false));
        Assert.True(suspect.IsCareful);
        Assert.Null(suspect.Doubted);
        Assert.Equal(FleetVerdict.None, suspect.Broke(7, alone: true));
        Assert.Equal(7, suspect.Doubted);
        suspect.Took(8);
        Assert.Null(suspect.Doubted);
        Assert.Equal(FleetVerdict.Guilty, suspect.Broke(7, alone: true));
        Assert.Equal(FleetVerdict.None, suspect.Broke(9, alone: true));
    }

    [Fact]
    public void An_alert_behind_which_there_is_no_other_is_tried_on()
    {
        var suspect = new FleetSuspect();
        for (int i = 0; i < 20; i++) Assert.Equal(FleetVerdict.None, suspect.Broke(7, alone: true));
        Assert.Equal(7, suspect.Doubted);
        suspect.Took(8);
        Assert.Equal(FleetVerdict.Guilty, suspect.Broke(7, alone: true));
    }

    [Fact]
    public void A_broker_that_also_breaks_without_an_alert_costs_none()
    {
        var suspect = new FleetSuspect();
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(FleetVerdict.None, suspect.Broke(7, alone: i > 0));
            Assert.Equal(FleetVerdict.None, suspect.Broke(7, alone: true));
            // While the third connection stands and has no alert yet, or only took another.
            if (i % 2 == 0) suspect.Took(8);
            Assert.Equal(FleetVerdict.None, suspect.Broke(null, alone: false));
            Assert.Null(suspect.Doubted);
        }
    }

    [Fact]
    public void A_broker_that_breaks_at_every_alert_is_told_of_and_costs_none()
    {
        var suspect = new FleetSuspect();
        for (int i = 0; i < 2; i++) Assert.Equal(FleetVerdict.None, suspect.Broke(7, alone: true));
        Assert.Equal(FleetVerdict.Whichever, suspect.Broke(8, alone: true));
        Assert.Null(suspect.Doubted);
    }

    [Fact]
    public void That_another_alert_was_taken_by_an_earlier_connection_proves_nothing()
    {
        var suspect = new FleetSuspect();
        for (int i = 0; i < 2; i++) suspect.Broke(7, alone: true);
        suspect.Took(8);
        suspect.Forget();
        Assert.Equal(FleetVerdict.None, suspect.Broke(7, alone: true));
    }

    [Fact]
    public void An_alert_that_arrives_after_all_is_not_guilty_and_the_next_hundred_go_one_by_one()
    {
        var suspect = new FleetSuspect();
        for (int i = 0; i < 3; i++) suspect.Broke(7, alone: true);
        suspect.Took(7);
        Assert.Null(suspect.Doubted);
        for (int i = 0; i < 98; i++) suspect.Took(8 + i);
        Assert.True(suspect.IsCareful);
        suspect.Took(200);
        Assert.False(suspect.IsCareful);
        Assert.Equal(FleetVerdict.None, suspect.Broke(7, alone: true));
    }
}
