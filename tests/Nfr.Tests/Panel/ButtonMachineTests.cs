using Nfr.Panel;

namespace Nfr.Tests.Panel;

public class ButtonMachineTests
{
    readonly ButtonMachine _button = new();

    static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    /// <summary>On a panel that shows at once what it asks.</summary>
    ButtonAct Hold(double from, double seconds)
    {
        _button.Down(S(from));
        ButtonAct act = _button.Up(S(from + seconds));
        _button.Asked(S(from + seconds));
        return act;
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.05)]
    [InlineData(0.99)]
    public void A_short_press_is_a_press(double seconds) => Assert.Equal(ButtonAct.Press, Hold(100, seconds));

    [Theory]
    [InlineData(1.0)]
    [InlineData(4.99)]
    public void Let_go_before_five_seconds_nothing_happens(double seconds) => Assert.Equal(ButtonAct.None, Hold(100, seconds));

    [Theory]
    [InlineData(5.0)]
    [InlineData(14.99)]
    public void Let_go_from_five_seconds_on_it_shuts_down(double seconds) => Assert.Equal(ButtonAct.Shutdown, Hold(100, seconds));

    [Fact]
    public void Nothing_happens_while_it_is_still_held()
    {
        _button.Down(S(0));
        List<ButtonPhase> phases = [.. new[] { 0.5, 1, 4.9, 5, 14.9, 15, 59.9, 60, 600 }.Select(s => _button.Phase(S(s)))];
        Assert.Equal([ButtonPhase.Down, ButtonPhase.Holding, ButtonPhase.Holding, ButtonPhase.ShutdownReady, ButtonPhase.ShutdownReady, ButtonPhase.ResetReady, ButtonPhase.ResetReady, ButtonPhase.Stuck, ButtonPhase.Stuck], phases);
    }

    [Fact]
    public void The_countdown_counts_whole_seconds_to_the_next_meaning()
    {
        _button.Down(S(10));
        Assert.Equal([0, 4, 3, 1, 10, 1, 0], new[] { 10.5, 11, 12.5, 14.2, 15, 24.5, 25 }.Select(s => _button.Countdown(S(s))));
    }

    [Fact]
    public void A_factory_reset_needs_fifteen_seconds_and_then_a_short_press()
    {
        Assert.Equal(ButtonAct.None, Hold(0, 15));
        Assert.Equal((ButtonPhase.Confirming, 10), (_button.Phase(S(15)), _button.Countdown(S(15))));
        Assert.Equal(ButtonAct.FactoryReset, Hold(24.5, 0.9));
        Assert.Equal(ButtonPhase.Idle, _button.Phase(S(26)));
    }

    [Fact]
    public void A_factory_reset_that_nobody_confirms_does_not_happen()
    {
        Hold(0, 20);
        Assert.Equal(ButtonPhase.Idle, _button.Phase(S(30)));
        Assert.Equal(ButtonAct.Press, Hold(30.1, 0.2));
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(6.0)]
    [InlineData(16.0)]
    public void A_long_press_is_no_confirmation_and_ends_the_question(double seconds)
    {
        Hold(0, 16);
        Assert.Equal(ButtonAct.None, Hold(17, seconds));
        Assert.Equal(ButtonPhase.Idle, _button.Phase(S(17 + seconds)));
        Assert.Equal(ButtonAct.Press, Hold(40, 0.2));
    }

    [Fact]
    public void A_button_that_is_stuck_means_nothing_until_it_is_up_again()
    {
        Assert.Equal(ButtonAct.None, Hold(0, 60));
        Assert.Equal(ButtonPhase.Idle, _button.Phase(S(60)));
        Assert.Equal(ButtonAct.Press, Hold(61, 0.2));
    }

    [Fact]
    public void A_release_without_a_press_means_nothing() => Assert.Equal(ButtonAct.None, _button.Up(S(5)));

    [Fact]
    public void A_press_whose_release_was_lost_begins_anew()
    {
        _button.Down(S(0));
        _button.Down(S(20));
        Assert.Equal(ButtonAct.Press, _button.Up(S(20.5)));
    }

    [Fact]
    public void Nothing_counts_that_was_begun_before_presses_were_lost()
    {
        _button.Down(S(0));
        _button.Forget();
        Assert.Equal(ButtonAct.None, _button.Up(S(6)));
        Hold(10, 15);
        _button.Forget();
        Assert.Equal(ButtonAct.Press, Hold(26, 0.2));
    }

    [Fact]
    public void A_question_that_nobody_could_read_is_not_answered_by_a_press()
    {
        _button.Down(S(0));
        Assert.Equal(ButtonAct.None, _button.Up(S(20)));
        // The panel is slow: it has shown nothing yet.
        _button.Down(S(21));
        Assert.Equal(ButtonAct.None, _button.Up(S(21.2)));
        _button.Asked(S(22));
        Assert.Equal(ButtonPhase.Idle, _button.Phase(S(22)));
        Assert.Equal(ButtonAct.Press, Hold(23, 0.2));
        // And a question of before is not one that was shown.
        Assert.Equal(ButtonAct.None, Hold(30, 20));
        _button.Down(S(51));
        Assert.Equal(ButtonAct.FactoryReset, _button.Up(S(51.2)));
        _button.Down(S(60));
        _button.Up(S(80));
        _button.Down(S(81));
        Assert.Equal(ButtonAct.None, _button.Up(S(81.2)));
    }

    [Fact]
    public void Whatever_is_pressed_no_reset_comes_without_fifteen_seconds_before_it()
    {
        var random = new Random(3);
        for (int run = 0; run < 2000; run++)
        {
            var button = new ButtonMachine();
            double now = 0;
            double armedUntil = -1;
            for (int i = 0; i < 20; i++)
            {
                now += random.NextDouble() * 12;
                double held = random.NextDouble() * (random.Next(3) == 0 ? 30 : 6);
                bool armed = now < armedUntil;
                button.Down(S(now));
                ButtonAct act = button.Up(S(now += held));
                button.Asked(S(now));
                Assert.Equal(armed && held < 1, act == ButtonAct.FactoryReset);
                Assert.True(act != ButtonAct.Shutdown || (held >= 5 && held < 15));
                armedUntil = held >= 15 && !armed ? now + 10 : -1;
            }
        }
    }
}
