using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>Which alert a broker cannot bear, and which only had bad luck.</summary>
public sealed class FleetSuspectTests
{
    [Fact]
    public void An_alert_is_refused_when_three_connections_in_a_row_broke_at_it_and_another_one_is_taken()
    {
        var suspect = new FleetSuspect();
        Assert.False(suspect.IsCareful);
        Assert.False(suspect.Broke(7, alone: false));
        Assert.True(suspect.IsCareful);
        Assert.False(suspect.WantsProof);
        Assert.False(suspect.Broke(7, alone: true));
        Assert.True(suspect.WantsProof);
        Assert.Null(suspect.Doubted);
        Assert.False(suspect.Broke(7, alone: true));
        Assert.Equal(7, suspect.Doubted);
        Assert.Equal(7, suspect.Took(8));
        Assert.Null(suspect.Doubted);
        Assert.Null(suspect.Took(9));
    }

    [Fact]
    public void A_broker_that_also_breaks_without_an_alert_costs_none()
    {
        var suspect = new FleetSuspect();
        for (int i = 0; i < 20; i++)
        {
            suspect.Broke(7, alone: i > 0);
            suspect.Broke(7, alone: true);
            // While the third connection stands and has no alert yet.
            suspect.Broke(null, alone: false);
            Assert.Null(suspect.Doubted);
        }
    }

    [Fact]
    public void A_broker_that_breaks_at_every_alert_is_told_of_and_costs_none()
    {
        var suspect = new FleetSuspect();
        for (int i = 0; i < 3; i++) Assert.False(suspect.Broke(7, alone: true));
        Assert.True(suspect.Broke(8, alone: true));
        Assert.Null(suspect.Doubted);
        Assert.Null(suspect.Took(9));
    }

    [Fact]
    public void An_alert_that_arrives_after_all_is_none_and_the_next_hundred_go_one_by_one()
    {
        var suspect = new FleetSuspect();
        for (int i = 0; i < 3; i++) suspect.Broke(7, alone: true);
        Assert.Null(suspect.Took(7));
        Assert.Null(suspect.Doubted);
        for (int i = 0; i < 98; i++) suspect.Took(8 + i);
        Assert.True(suspect.IsCareful);
        suspect.Took(200);
        Assert.False(suspect.IsCareful);
    }
}
