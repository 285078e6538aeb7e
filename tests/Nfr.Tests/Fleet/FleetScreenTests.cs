using System.Text.Json;
using Nfr.Fleet;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>What one sees.</summary>
public sealed class FleetScreenTests
{
    static readonly BrokerState s_broker = new("mqtts://broker.example:8883", TimeSpan.FromMinutes(12));

    static string Frame(FleetBed bed, FleetKeys keys, int width, int height, BrokerState? broker = null) =>
        FleetScreen.Text(FleetScreen.Frame(bed.Table, bed.Table.View(), broker ?? s_broker, keys, width, height), width, colours: false).TrimEnd('\n');

    static FleetKeys Keys() => new(null, "", FleetSort.Worst);

    static ConsoleKeyInfo Key(ConsoleKey key) => new('\0', key, false, false, false);

    static ConsoleKeyInfo Key(char key) => new(key, ConsoleKey.None, false, false, false);

    [Theory]
    [InlineData(80, "state    sensor            heard alerts  loss why")]
    [InlineData(120, "state    sensor            heard alerts  loss  pkt/s version   why")]
    [InlineData(200, "state    sensor            name                 heard alerts  loss  pkt/s version    clock address         waiting  °C    up why")]
    public void The_table_has_the_columns_that_the_screen_has_room_for(int width, string head)
    {
        string frame = Frame(FleetBed.Mixed(), Keys(), width, 16);
        Assert.All(frame.Split('\n'), l => Assert.InRange(l.Length, 0, width));
        Assert.Equal(16, frame.Split('\n').Length);
        string[] lines = frame.Split('\n');
        int at = Array.IndexOf(lines, head);
        Assert.True(at > 0, frame);
        string[] states = [.. lines[(at + 1)..(at + 9)].Select(l => l.Split(' ', 2)[0])];
        Assert.Equal(["offline", "alert", "fault", "fault", "offline", "silent", "degraded", "ok"], states);
        Assert.StartsWith("offline  munich/gone-alert", lines[at + 1], StringComparison.Ordinal);
        Assert.Contains("q: quit", lines[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public void The_screen_of_one_sensor_says_what_is_wrong_and_what_to_do_and_all_it_said_of_itself(int width)
    {
        FleetBed bed = FleetBed.Mixed();
        FleetKeys keys = Keys();
        FleetView view = bed.Table.View();
        keys.Window(keys.Shown(view), 20);
        for (int i = 0; i < 3; i++) keys.Press(Key(ConsoleKey.DownArrow), view);
        keys.Press(Key(ConsoleKey.Enter), view);
        Assert.Equal("hamburg/fault", keys.DetailKey);
        string frame = Frame(bed, keys, width, 110);
        Assert.All(frame.Split('\n'), l => Assert.InRange(l.Length, 0, width));
        string[] parts = [
            "hamburg/fault  Gate of hamburg", "fault, last heard 0 s ago", "  FAULT  engine.example has not taken events for 12 min\n         -> look whether the engine runs",
            "  look   the board slowed itself down 3 times: 81 °C", "Alerts: 0 in the last hour", "\nHealth\n", "\nLedger\n  packets                      1,000,000\n", "\nAbout\n", "  model                        Raspberry Pi 5 Model B\n"];
        Assert.All(parts, part => Assert.Contains(part, frame, StringComparison.Ordinal));
        Assert.True(frame.IndexOf("FAULT", StringComparison.Ordinal) < frame.IndexOf("  look ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(60)]
    [InlineData(70)]
    [InlineData(84)]
    [InlineData(120)]
    public void How_to_leave_is_never_cut_off(int width)
    {
        FleetBed bed = FleetBed.Mixed();
        FleetKeys keys = new(null, new string('m', 30), FleetSort.Worst);
        foreach (FleetKeys each in (FleetKeys[])[Keys(), keys])
        {
            string foot = Frame(bed, each, width, 16).Split('\n')[^1];
            Assert.Contains("q: quit", foot, StringComparison.Ordinal);
            Assert.InRange(foot.Length, 1, width);
        }
        Assert.InRange(FleetScreen.TooSmall.Length, 1, 90);
    }

    [Fact]
    public void A_first_try_that_has_not_ended_is_no_fault_yet()
    {
        string frame = Frame(FleetBed.Mixed(), Keys(), 100, 16, new BrokerState("mqtt://b", null));
        Assert.Contains("mqtt://b  connecting", frame, StringComparison.Ordinal);
        Assert.DoesNotContain("NOT CONNECTED", frame, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(79)]
    [InlineData(99)]
    [InlineData(133)]
    [InlineData(171)]
    [InlineData(300)]
    public void No_line_is_wider_than_the_screen_and_there_are_never_more_than_it_has(int width)
    {
        foreach (int height in (int[])[8, 12, 40])
        {
            string[] lines = Frame(FleetBed.Mixed(), Keys(), width, height).Split('\n');
            Assert.True(lines.Length <= height, $"{lines.Length} lines on {height}");
            Assert.All(lines, l => Assert.InRange(l.Length, 0, width));
        }
    }

    [Fact]
    public void A_broker_that_is_away_is_said_in_words_with_the_next_try()
    {
        string frame = Frame(FleetBed.Mixed(), Keys(), 120, 16, new BrokerState("mqtt://b:1883", null, "mqtt://b:1883 refuses the connection", TimeSpan.FromSeconds(4)));
        Assert.Contains("NOT CONNECTED", frame, StringComparison.Ordinal);
        Assert.Contains("mqtt://b:1883 refuses the connection; next try in 4 s", frame, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_not_taken_is_said()
    {
        var bed = new FleetBed();
        bed.Table.Take("nfr/x", default, false);
        bed.Say("a/b", FleetTopic.Health, "[]");
        Assert.Contains("messages not taken: 1 unreadable, 1 that is no sensor's", Frame(bed, Keys(), 80, 12), StringComparison.Ordinal);
    }

    [Fact]
    public void The_chosen_row_stays_with_its_sensor_when_the_order_changes()
    {
        FleetBed bed = FleetBed.Mixed();
        FleetKeys keys = Keys();
        FleetView view = bed.Table.View();
        keys.Window(keys.Shown(view), 3);
        for (int i = 0; i < 3; i++) keys.Press(Key(ConsoleKey.DownArrow), view);
        IReadOnlyList<FleetRow> shown = keys.Shown(view);
        Assert.Equal((1, 3), keys.Window(shown, 3));
        string chosen = shown[3].Key;
        bed.Beat(chosen);
        shown = keys.Shown(bed.Table.View());
        (int first, int selected) = keys.Window(shown, 3);
        Assert.Equal(chosen, shown[selected].Key);
        Assert.InRange(selected, first, first + 2);
    }

    [Fact]
    public void Before_a_key_is_pressed_and_after_Home_the_worst_are_seen()
    {
        FleetBed bed = FleetBed.Mixed();
        FleetKeys keys = Keys();
        FleetView view = bed.Table.View();
        Assert.Equal((0, 0), keys.Window(keys.Shown(view), 3));
        keys.Press(Key(ConsoleKey.End), view);
        Assert.Equal((5, 7), keys.Window(keys.Shown(view), 3));
        keys.Press(Key(ConsoleKey.Home), view);
        Assert.Equal((0, 0), keys.Window(keys.Shown(view), 3));
    }

    [Fact]
    public void A_search_is_typed_kept_and_taken_back()
    {
        FleetBed bed = FleetBed.Mixed();
        FleetKeys keys = Keys();
        FleetView view = bed.Table.View();
        foreach (char c in "/qmunich") keys.Press(Key(c), view);
        Assert.True(keys.Searching);
        Assert.Equal("qmunich", keys.Search);
        for (int i = 0; i < 7; i++) keys.Press(Key(ConsoleKey.Backspace), view);
        foreach (char c in "munich") keys.Press(Key(c), view);
        keys.Press(Key(ConsoleKey.Enter), view);
        Assert.Equal(3, keys.Shown(view).Count);
        Assert.Contains("of 3 with \"munich\"", Frame(bed, keys, 80, 16), StringComparison.Ordinal);
        keys.Press(Key(ConsoleKey.Escape), view);
        Assert.Equal(8, keys.Shown(view).Count);
        Assert.True(keys.Press(Key('q'), view));
    }

    [Fact]
    public void A_text_of_wide_letters_fits_its_cells()
    {
        Assert.Equal("倉庫… ", FleetText.Fit("倉庫東京", 6));
        Assert.Equal("  ab", FleetText.Fit("ab", 4, right: true));
        Assert.Equal("", FleetText.Fit("ab", 0));
        Assert.Equal("…", FleetText.Fit("ab", 1));
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(999, "999")]
    [InlineData(12_345, "12.3k")]
    [InlineData(999_499, "999k")]
    [InlineData(4_500_000, "4.5M")]
    [InlineData(1e20, "huge")]
    public void Numbers_fit_five_characters(double number, string text) => Assert.Equal(text, FleetText.Number(number));

    [Fact]
    public void One_document_says_all_and_lines_say_only_what_changes()
    {
        FleetBed bed = FleetBed.Mixed();
        FleetView view = bed.Table.View();
        using JsonDocument all = JsonDocument.Parse(FleetLines.Document(view, s_broker, FleetOrder.Of(view.Rows, null, "", FleetSort.Worst)));
        Assert.Equal((8, false, 2), (all.RootElement.GetProperty("count").GetInt32(), all.RootElement.GetProperty("well").GetBoolean(), all.RootElement.GetProperty("alertsInHour").GetInt32()));
        Assert.Equal("look whether the engine runs", all.RootElement.GetProperty("sensors").EnumerateArray().Single(s => s.GetProperty("sensor").GetString() == "hamburg/fault").GetProperty("troubles")[0].GetProperty("do").GetString());

        var changes = new FleetChanges();
        Assert.Equal(8 + 2, changes.Of(bed.Table, view, view.Rows).Count());
        bed.Beat("berlin/ok-1");
        view = bed.Table.View();
        Assert.Empty(changes.Of(bed.Table, view, view.Rows));
        bed.Say("berlin/ok-1", FleetTopic.Status, "offline");
        bed.Say("munich/gone", FleetTopic.Status, "");
        bed.Alert("hamburg/loss", id: "n");
        view = bed.Table.View();
        string[] lines = [.. changes.Of(bed.Table, view, view.Rows)];
        Assert.Equal(["state berlin/ok-1", "alert hamburg/loss", "gone munich/gone"], lines.Select(l =>
        {
            using JsonDocument line = JsonDocument.Parse(l);
            return $"{line.RootElement.GetProperty("change").GetString()} {line.RootElement.GetProperty("sensor").GetString()}";
        }));
    }
}
