using Nfr.Panel;

namespace Nfr.Tests.Panel;

public class PanelDeskTests
{
    static readonly TimeSpan s_sleep = TimeSpan.FromMinutes(10);
    readonly PanelDesk _desk = new(s_sleep);
    double _now;

    TimeSpan Now => TimeSpan.FromSeconds(_now);
    PanelPage Page => _desk.View(Now).Page;

    void Take(PanelState state) => _desk.Take(state, Now);

    /// <summary>By somebody who looks at the display.</summary>
    PanelAsk Press(double seconds = 0.2)
    {
        _ = Page;
        _desk.Down(Now);
        _now += seconds;
        return _desk.Up(Now);
    }

    [Fact]
    public void Without_a_sensor_it_waits_a_minute_and_then_says_so()
    {
        Take(PanelState.Nothing);
        Assert.Equal(PanelPage.Starting, Page);
        _now = 61;
        Assert.Equal(PanelPage.NoSensor, Page);
    }

    [Fact]
    public void A_sensor_that_went_is_said_at_once_and_what_is_known_of_it_stays_to_be_read()
    {
        Take(PanelBed.Well());
        Assert.Equal(PanelPage.Identity, Page);
        Press();
        _now = 3;
        Take(PanelBed.Well() with { HasSensor = false });
        Assert.Equal(PanelPage.NoSensor, Page);
        Press();
        Assert.Equal(PanelPage.Identity, Page);
    }

    [Fact]
    public void A_press_turns_through_all_pages_and_begins_again()
    {
        Take(PanelBed.Well());
        List<PanelPage> pages = [Page];
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(PanelAsk.None, Press());
            pages.Add(Page);
        }
        Assert.Equal([PanelPage.Identity, PanelPage.Capture, PanelPage.Spool, PanelPage.Alerts, PanelPage.Health, PanelPage.Identity], pages);
    }

    [Fact]
    public void Pairing_and_setup_faults_have_pages_while_there_is_something_on_them()
    {
        PanelState state = PanelBed.Well() with { Address = "home/nfr-cellar", SetupFaults = ["line 3"] };
        Take(state);
        HashSet<PanelPage> pages = [];
        for (int i = 0; i < 7; i++)
        {
            pages.Add(Page);
            Press();
        }
        Assert.Superset(new HashSet<PanelPage> { PanelPage.Pairing, PanelPage.SetupFaults }, pages);
        while (Page != PanelPage.Pairing) Press();
        Take(PanelBed.Well());
        Assert.Equal(PanelPage.Identity, Page);
    }

    [Fact]
    public void What_box_it_is_and_by_what_keys_is_turned_to_by_the_button_alone()
    {
        PanelState state = PanelBed.Well() with { Address = "home/nfr-cellar" };
        Take(state);
        for (_now = 1; _now < 200; _now++) Assert.NotEqual(PanelPage.Pairing, Page);
        for (int i = 0; i < 6 && Page != PanelPage.Pairing; i++) Press();
        Assert.Equal(PanelPage.Pairing, Page);
        // And it does not stay for ever.
        _now += 120;
        for (int i = 0; i < 20; i++)
        {
            _now += 8;
            _ = Page;
        }
        Assert.NotEqual(PanelPage.Pairing, Page);
    }

    [Fact]
    public void Pages_turn_by_themselves_unless_one_was_just_chosen()
    {
        Take(PanelBed.Well());
        _now = 7.9;
        Assert.Equal(PanelPage.Identity, Page);
        _now = 8;
        Assert.Equal(PanelPage.Capture, Page);
        Press();
        Assert.Equal(PanelPage.Spool, Page);
        _now += 29;
        Assert.Equal(PanelPage.Spool, Page);
        _now += 2;
        Assert.Equal(PanelPage.Alerts, Page);
    }

    [Fact]
    public void The_seconds_of_a_page_begin_when_it_is_shown()
    {
        Take(PanelBed.Well());
        _ = Page;
        _now = 5.5;
        Assert.Equal(5, _desk.View(Now).Seconds);
        Press();
        Assert.Equal(0, _desk.View(Now).Seconds);
    }

    [Fact]
    public void A_new_alert_is_shown_and_a_press_acknowledges_what_was_shown()
    {
        Take(PanelBed.Well());
        _ = Page;
        _now = 2;
        Take(PanelBed.Well().With(PanelBed.Alert(7, 5), PanelBed.Alert(6, 2)));
        Assert.Equal(PanelPage.Alerts, Page);
        Assert.Equal(PanelAsk.Acknowledge, Press());
        Assert.Equal(7, _desk.Acknowledged);
        // At once, before the sensor has said so; and then again a press turns.
        Assert.Equal(0, _desk.State(Now).Unacknowledged);
        Assert.All(_desk.State(Now).Alerts, a => Assert.True(a.IsAcknowledged));
        Assert.Equal(PanelAsk.None, Press());
        Assert.Equal(PanelPage.Health, Page);
    }

    [Fact]
    public void An_acknowledgement_that_the_sensor_does_not_confirm_is_taken_back()
    {
        PanelState state = PanelBed.Well().With(PanelBed.Alert(7, 5));
        Take(state);
        Assert.Equal(PanelAsk.Acknowledge, Press());
        _now += 6;
        Take(state);
        Assert.Equal(1, _desk.State(Now).Unacknowledged);
    }

    [Fact]
    public void An_alert_that_comes_after_the_press_is_not_acknowledged_by_it()
    {
        Take(PanelBed.Well().With(PanelBed.Alert(7, 5)));
        Press();
        Take(PanelBed.Well().With(PanelBed.Alert(8, 3), PanelBed.Alert(7, 5)));
        Assert.Equal((2, 7L), (_desk.State(Now).Unacknowledged, _desk.Acknowledged));
        Assert.Equal(PanelPage.Alerts, Page);
    }

    [Fact]
    public void A_press_on_another_page_acknowledges_nothing()
    {
        Take(PanelBed.Well().With(PanelBed.Alert(7, 5)));
        Assert.Equal(PanelPage.Alerts, Page);
        _now = 31;
        Assert.NotEqual(PanelPage.Alerts, Page);
        Assert.Equal(PanelAsk.None, Press());
    }

    [Fact]
    public void In_the_dark_the_first_press_only_lights_the_display()
    {
        Take(PanelBed.Well().With(PanelBed.Alert(7, 5)));
        _now = 30;
        while (Page != PanelPage.Alerts || _now < 700) _now++;
        Assert.True(_desk.IsAsleep(Now));
        Assert.Equal(PanelAsk.None, Press());
        Assert.False(_desk.IsAsleep(Now));
        Assert.Equal(PanelAsk.Acknowledge, Press());
    }

    [Fact]
    public void It_goes_dark_after_its_time_and_a_new_alert_lights_it()
    {
        Take(PanelBed.Well());
        _now = 599;
        Assert.False(_desk.IsAsleep(Now));
        _now = 600;
        Assert.True(_desk.IsAsleep(Now));
        Take(PanelBed.Well().With(PanelBed.Alert(7, 1)));
        Assert.False(_desk.IsAsleep(Now));
        _now += 600;
        Take(PanelBed.Well().With(PanelBed.Alert(7, 1)));
        Assert.True(_desk.IsAsleep(Now));
    }

    [Fact]
    public void Alerts_that_come_all_the_time_do_not_keep_it_lit_and_a_graver_one_lights_it()
    {
        for (int minute = 0; minute < 9; minute++, _now += 60) Take(PanelBed.Well().With(PanelBed.Alert(minute + 1, 2)));
        Assert.False(_desk.IsAsleep(Now));
        for (int minute = 9; minute < 30; minute++, _now += 60)
        {
            Take(PanelBed.Well().With(PanelBed.Alert(minute + 1, 2)));
            Assert.Equal(PanelPage.Alerts, Page);
        }
        Assert.True(_desk.IsAsleep(Now));
        Take(PanelBed.Well().With(PanelBed.Alert(31, 5)));
        Assert.False(_desk.IsAsleep(Now));
        // Who has seen them is told of the next one.
        _now += 700;
        Take(PanelBed.Well());
        Assert.True(_desk.IsAsleep(Now));
        Take(PanelBed.Well().With(PanelBed.Alert(32, 2)));
        Assert.False(_desk.IsAsleep(Now));
    }

    [Fact]
    public void It_never_goes_dark_where_the_config_says_so()
    {
        var desk = new PanelDesk(TimeSpan.Zero);
        desk.Take(PanelBed.Well(), default);
        Assert.False(desk.IsAsleep(TimeSpan.FromDays(9)));
    }

    [Fact]
    public void It_is_lit_while_an_update_is_written_and_says_so()
    {
        Take(PanelBed.Well());
        _now = 700;
        Assert.True(_desk.IsAsleep(Now));
        Take(PanelBed.Well() with { Update = new PanelUpdate(PanelUpdatePhase.Writing, 4, "2.2.0", "") });
        _now = 9000;
        Assert.Equal((false, false, PanelPage.Updating), (_desk.IsAsleep(Now), _desk.IsDim(Now, TimeZoneInfo.Utc), Page));
    }

    [Fact]
    public void It_is_dimmed_after_a_minute_and_by_night()
    {
        Take(PanelBed.Well());
        _now = 59;
        Assert.False(_desk.IsDim(Now, TimeZoneInfo.Utc));
        _now = 60;
        Assert.True(_desk.IsDim(Now, TimeZoneInfo.Utc));
        Press();
        _now += 9;
        Assert.False(_desk.IsDim(Now, TimeZoneInfo.Utc));
        Take(PanelBed.Well() with { Now = PanelBed.Now.AddHours(11) });
        Assert.True(_desk.IsDim(Now, TimeZoneInfo.Utc));
        Take(PanelBed.Well() with { Now = PanelBed.Now.AddHours(11), Clock = PanelClock.Unset });
        Assert.False(_desk.IsDim(Now, TimeZoneInfo.Utc));
    }

    [Fact]
    public void Identify_comes_before_the_pages_and_ends()
    {
        Take(PanelBed.Well() with { IdentifyFor = TimeSpan.FromSeconds(20) });
        Assert.Equal(PanelPage.Identify, Page);
        Take(PanelBed.Well());
        Assert.Equal(PanelPage.Identity, Page);
    }

    [Fact]
    public void A_fault_that_begins_is_shown()
    {
        Take(PanelBed.Well());
        _ = Page;
        Take(PanelBed.Well() with { Health = PanelHealth.Fault });
        Assert.Equal(PanelPage.Health, Page);
    }

    [Fact]
    public void Holding_counts_down_and_letting_go_shuts_down_once()
    {
        Take(PanelBed.Well());
        _desk.Down(Now);
        _now = 2;
        Assert.Equal((PanelPage.ShutdownCountdown, 3), (Page, _desk.View(Now).Countdown));
        _now = 6;
        Assert.Equal((PanelPage.ShutdownReady, 9), (Page, _desk.View(Now).Countdown));
        Assert.Equal(PanelAsk.Shutdown, _desk.Up(Now));
        Assert.Equal((PanelPage.ShuttingDown, PanelMode.Writing), (Page, _desk.Mode(Now)));
        Assert.Equal(PanelAsk.None, Press());
        Assert.Equal(PanelPage.ShuttingDown, Page);
    }

    [Fact]
    public void A_shutdown_that_does_not_come_is_said()
    {
        Take(PanelBed.Well());
        Assert.Equal(PanelAsk.Shutdown, Press(6));
        _now += 90;
        Assert.Equal(PanelPage.NotPossible, Page);
        _now += 16;
        Assert.NotEqual(PanelPage.NotPossible, Page);
        Assert.Equal(PanelMode.Normal, _desk.Mode(Now));
    }

    [Fact]
    public void What_could_not_be_handed_over_is_said()
    {
        Take(PanelBed.Well());
        _now = 10;
        Press(6);
        _desk.Failed(Now);
        Assert.Equal((PanelPage.NotPossible, PanelMode.Normal), (Page, _desk.Mode(Now)));
    }

    [Fact]
    public void A_factory_reset_is_asked_once_more()
    {
        Take(PanelBed.Well());
        Assert.Equal(PanelAsk.None, Press(16));
        Assert.Equal((PanelPage.ResetConfirm, 10), (Page, _desk.View(Now).Countdown));
        Assert.Equal(PanelAsk.FactoryReset, Press());
        Assert.Equal(PanelPage.Resetting, Page);
    }

    [Fact]
    public void All_lights_are_on_at_the_start_for_two_seconds()
    {
        Take(PanelBed.Well());
        Assert.Equal(PanelMode.LightTest, _desk.Mode(Now));
        _now = 2;
        Assert.Equal(PanelMode.Normal, _desk.Mode(Now));
    }

    [Fact]
    public void A_page_that_nobody_has_seen_yet_is_not_acknowledged()
    {
        Take(PanelBed.Well());
        Assert.Equal(PanelPage.Identity, Page);
        // The alerts' page would be next; the panel is slow and has not drawn it.
        Take(PanelBed.Well().With(PanelBed.Alert(7, 5)));
        _desk.Down(Now);
        Assert.Equal(PanelAsk.None, _desk.Up(Now));
    }
}
