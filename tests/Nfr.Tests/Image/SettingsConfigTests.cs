using System.Runtime.Versioning;
using System.Text;
using Nfr.Config;

namespace Nfr.Tests.Image;

/// <summary>config.yml and scope.yml beside nfr.txt: laid over what is made of it, asked of the sensor, and left out when that refuses.</summary>
[SupportedOSPlatform("linux")]
public sealed class SettingsConfigTests : SettingsBed
{
    string Overlay { set => File.WriteAllText(At("card/config.yml"), value); }

    NfrConfig Parsed()
    {
        NfrConfig? config = NfrConfig.Parse("/etc/nfr/config.yml", Encoding.UTF8.GetBytes(Config), out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        return config!;
    }

    /// <summary>A sensor that knows no name "colour" and says so as the true one does.</summary>
    string NoColour => Checker("grep -n colour: \"$4\" | sed \"s|\\([0-9]*\\):.*|$4:\\1: outputs.colour: nobody knows it|\" | grep . && exit 2; exit 0");

    [Fact]
    public void What_has_no_name_in_nfr_txt_is_laid_over_it()
    {
        Overlay = """
            # Mine
            ---
            "fleet":
                id: hall-3   # with four blanks
                heartbeat: 1m
            outputs:
              targets:
              - name: ops
                webhook:
                  url: https://hooks.example.net/x

            inputs:
              sniffer:
                filter: "not port 22"
              use_inotify: false
            spool:
              max_size: 2GiB
            engine:
              upload: {max_bytes: 2MiB}
            """.ReplaceLineEndings("\r\n");
        Assert.Empty(After("engine.url = https://engine.example.net\nengine.key = 0123456789abcdef\nbroker = mqtts://b.example\nsite = works\n"));
        NfrConfig config = Parsed();
        Assert.Equal(("hall-3", "works", "b.example", 60.0), (config.Fleet.Id, config.Fleet.Site, config.Fleet.Host, config.Fleet.Heartbeat.TotalSeconds));
        Assert.Equal((1, "/run/nfr/alerts.jsonl"), (config.Outputs.Keep, config.Outputs.File));
        Assert.Equal("ops", Assert.Single(config.Outputs.Targets).Name);
        Assert.Equal((true, "not port 22"), (config.Inputs.Sniffer.Enabled, config.Inputs.Sniffer.Filter));
        Assert.Equal("enx001122334455", Assert.Single(config.Inputs.Sniffer.Interfaces));
        Assert.Equal(2L << 30, config.Spool.MaxSize);
        Assert.Contains("https://engine.example.net", config.Engine.Host!.ToString(), StringComparison.Ordinal);
        Assert.Contains("config.yml of the card: fleet outputs inputs spool engine", Read("card/nfr.txt.report"), StringComparison.Ordinal);
        // It stays on the card as it is.
        Assert.Contains("# with four blanks", Read("card/config.yml"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_shipped_config_itself_can_be_laid_over_it()
    {
        string shipped = File.ReadAllText(Path.Combine(Shell.Root, "config.yml"));
        Overlay = shipped;
        string[] faults = After("broker = mqtts://b.example\n");
        Assert.All(faults, f => Assert.Contains("is not for this file and was left out", f, StringComparison.Ordinal));
        Assert.Equal("b.example", Parsed().Fleet.Host);
        Assert.Contains("interface: [enx001122334455]", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_sensor_refuses_in_it_is_named_with_its_own_line_and_the_rest_counts()
    {
        Overlay = "# a\n\nscoring:\n  enabled: false\n  colour: red\n";
        Text = "broker = mqtts://b.example\n";
        Start(NoColour);
        Assert.Equal("config.yml line 5: outputs.colour: nobody knows it (config.yml of the card is not used at all until that is mended)", Assert.Single(Faults));
        Assert.Equal((true, "b.example"), (Parsed().Scoring.Enabled, Parsed().Fleet.Host));
        Overlay = "scoring:\n  enabled: false\n";
        Start(NoColour);
        Assert.Empty(Faults);
        Assert.False(Parsed().Scoring.Enabled);
    }

    [Fact]
    public void Words_of_the_sensor_with_backslashes_are_shown_as_they_are()
    {
        Overlay = "outputs:\n  format: x\n  colour: red\n";
        Text = "# nothing\n";
        Start(Checker("""grep -q colour: "$4" || exit 0; printf '%s:%s: %s\n' "$4" "$(grep -n colour: "$4" | cut -d: -f1)" 'outputs.colour: no a\nb\033[1mc\cd'; exit 2"""));
        Assert.Equal(@"config.yml line 3: outputs.colour: no a\nb\033[1mc\cd (config.yml of the card is not used at all until that is mended)", Assert.Single(Faults));
    }

    [Fact]
    public void No_byte_of_a_file_reaches_a_terminal_as_a_command_to_it()
    {
        // Also those beyond ASCII: U+009B begins one like ESC [.
        Overlay = "\e[1m just \u009b1m words\n# end\n";
        string fault = Assert.Single(After("# nothing\n"));
        Assert.StartsWith("config.yml line 1: ", fault, StringComparison.Ordinal);
        Assert.DoesNotContain(Read("data/settings/config.yml"), c => char.IsControl(c) && c != '\n');
        Assert.Contains("?[1m just ?1m words", Read("data/settings/config.yml"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("outputs:\n  format: cef\n bad: 1\n", "config.yml line 3: ")]
    [InlineData("just words\n", "config.yml line 1: expected \"name:\" here")]
    [InlineData("- a\n- b: c\n", "config.yml line 1: expected \"name:\" here")]
    [InlineData("inputs: {sniffer: {enabled: false}}\n", "config.yml line 1: inputs: write each of its settings in a line of its own below it")]
    [InlineData("inputs:\n  sniffer: {interface: lo}\n", "config.yml line 2: inputs.sniffer: write each of its settings")]
    [InlineData("scoring:\n  enabled: false\nscoring:\n  enabled: true\n", "config.yml line 3: scoring is set twice; first in line 1")]
    public void A_file_that_cannot_be_laid_over_is_refused_with_its_line(string overlay, string words)
    {
        // With a remark, or it would be no config at all.
        Overlay = overlay + "# end\n";
        Assert.StartsWith(words, Assert.Single(After("# nothing\n")), StringComparison.Ordinal);
        Assert.Equal((true, true), (Parsed().Scoring.Enabled, Parsed().Inputs.Sniffer.Enabled));
    }

    [Theory]
    [InlineData("data:\n  dir: /tmp/x\n", "data", "the box keeps it where it has to be")]
    [InlineData("spool:\n  dir: /tmp/x\n  max_size: 2GiB\n", "spool.dir", "the box keeps it where it has to be")]
    [InlineData("outputs:\n  max_size: 1GiB\n", "outputs.max_size", "the box keeps it")]
    [InlineData("panel:\n  sleep: 0s\n  socket: /tmp/x\n", "panel.socket", "the box keeps it")]
    [InlineData("inputs:\n  sniffer:\n    enabled: false\n", "inputs.sniffer.enabled", "capture = in nfr.txt")]
    [InlineData("inputs:\n  sniffer:\n    interface: lo\n", "inputs.sniffer.interface", "capture = in nfr.txt")]
    [InlineData("scope:\n  file: /tmp/x\n", "scope", "put a file scope.yml beside it")]
    public void What_is_the_boxs_to_say_is_left_out_and_told(string overlay, string path, string words)
    {
        Overlay = overlay + "scoring:\n  enabled: false\n";
        string fault = Assert.Single(After("# nothing\n"));
        Assert.Contains($": {path} is not for this file and was left out: {words}", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("/tmp/x", Config, StringComparison.Ordinal);
        Assert.Equal((false, true, "/var/lib/nfr"), (Parsed().Scoring.Enabled, Parsed().Inputs.Sniffer.Enabled, Parsed().Data.Dir));
        Assert.Equal("enx001122334455", Assert.Single(Parsed().Inputs.Sniffer.Interfaces));
    }

    [Fact]
    public void How_bright_and_how_long_the_display_shines_is_the_owners_to_say()
    {
        Overlay = "panel:\n  sleep: 0s\n  contrast: 20\n  display: /dev/i2c-1 0x3d\n";
        Assert.Empty(After("# nothing\n"));
        Assert.Equal((TimeSpan.Zero, 20, "/dev/i2c-1 0x3d"), (Parsed().Panel.Sleep, Parsed().Panel.Contrast, Parsed().Panel.Display));
    }

    [Fact]
    public void A_key_in_it_goes_to_nobody_while_the_address_in_nfr_txt_is_wrong()
    {
        Overlay = "engine:\n  api_key: 0123456789abcdef\nscoring:\n  enabled: false\n";
        string[] faults = After("engine.url = engine.example.net\n");
        Assert.Contains(faults, f => f.StartsWith("config.yml line 1: engine is not for this file", StringComparison.Ordinal));
        Assert.DoesNotContain("api_key", Config, StringComparison.Ordinal);
        Assert.False(Parsed().Scoring.Enabled);
    }

    [Fact]
    public void A_key_in_it_goes_to_nobody_without_an_address_in_nfr_txt_and_the_rest_counts()
    {
        Overlay = "engine:\n  api_key: 0123456789abcdef\n  analyze:\n    dns: false\n";
        string fault = Assert.Single(After("site = works\n"));
        Assert.StartsWith("config.yml line 2: engine.api_key is not for this file and was left out: engine.url in nfr.txt has to be there", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("api_key", Config, StringComparison.Ordinal);
        Assert.False(Parsed().Engine.Analyze.Dns);
        Assert.True(Parsed().Engine.IsEmbedded);
        Overlay = "engine:\n  host: https://engine.example.net\n  api_key: 0123456789abcdef\n";
        Assert.Equal(2, After("site = works\n").Length);
        Assert.True(Parsed().Engine.IsEmbedded);
        Assert.Empty(After("engine.url = https://engine.example.net\n"));
        Assert.Contains("api_key: 0123456789abcdef", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_that_is_lost_changes_nothing_and_a_file_that_was_removed_is_gone()
    {
        Overlay = "scoring:\n  enabled: false\n";
        File.WriteAllText(At("card/scope.yml"), "groups:\n  own:\n    in_scope: [192.0.2.0/24]\n");
        Assert.Empty(After("name = hall-3\n"));
        string before = Config;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("data/settings/config.yml")));
        foreach (string file in new[] { "nfr.txt", "config.yml", "scope.yml" }) File.Delete(At("card/" + file));
        Start();
        Assert.Equal(before, Config);
        Assert.Contains("192.0.2.0/24", Read("data/settings/nfr/scope.yml.card"), StringComparison.Ordinal);
        // Rotten is as good as gone.
        File.WriteAllBytes(At("card/config.yml"), new byte[3000]);
        Assert.Equal("config.yml on the card is empty or rotten: there is neither a setting nor a remark in it. What it said last stays in force", Assert.Single(After("name = hall-3\n")));
        Assert.False(Parsed().Scoring.Enabled);
        File.Delete(At("card/config.yml"));
        Assert.Empty(After("name = hall-3\n"));
        Assert.True(Parsed().Scoring.Enabled);
    }

    [Fact]
    public void A_scope_of_its_own_takes_the_place_of_networks()
    {
        File.WriteAllText(At("card/scope.yml"), "groups:\n  own:\n    in_scope: [192.0.2.0/24]\n");
        Assert.StartsWith("nfr.txt line 1: networks is of no use beside scope.yml", Assert.Single(After("networks = 10.0.0.0/8\n")), StringComparison.Ordinal);
        Assert.Equal("/etc/nfr/scope.yml.card", Parsed().Scope.File);
        // Refused, it falls away, and nothing else does. (What has been taken once is not asked about again until it changes.)
        File.WriteAllText(At("card/scope.yml"), "groups:\n  own: {colour: red}\n");
        Start(Checker("grep -q scope.yml.card \"$4\" && { echo '/etc/nfr/scope.yml.card:2: groups.own: nobody knows it'; exit 2; }; exit 0"));
        Assert.Contains("scope.yml line 2: groups.own: nobody knows it (scope.yml of the card is not used at all until that is mended)", Faults);
        Assert.Equal("/etc/nfr/scope.yml", Parsed().Scope.File);
        Assert.Contains("10.0.0.0/8", Read("data/settings/nfr/scope.yml"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_sensor_is_asked_three_times_at_most_and_then_the_box_records()
    {
        Overlay = "scoring:\n  enabled: false\n";
        Text = "broker = mqtts://b.example\nupdate.url = https://u.example/x\n";
        // It finds another fault each time.
        Start(Checker($"echo asked >> {At("asked")}\ncase $(wc -l < {At("asked")}) in 1) echo \"$4:3: update.url: no\" ;; 2) echo \"$4:3: fleet.broker: no\" ;; *) echo \"$4:3: engine.host: no\" ;; esac; exit 2"));
        Assert.Equal(3, File.ReadAllLines(At("asked")).Length);
        Assert.Contains("update.url: no", Assert.Single(Faults), StringComparison.Ordinal);
        Assert.Contains("sniffer:", Config, StringComparison.Ordinal);
        Assert.DoesNotContain("fleet", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sensors_answers_are_waited_for_so_long_in_all()
    {
        Text = "broker = mqtts://b.example\nupdate.url = https://u.example/x\n";
        // It refuses something new after three seconds each time: the second answer is not waited for to its end.
        Start(Checker($"echo asked >> {At("asked")}\nsleep 3\necho \"$4:3: update.url: no\"; exit 2"), ("NFR_CHECK_PATIENCE", "5"));
        Assert.Equal(2, File.ReadAllLines(At("asked")).Length);
        Assert.Contains(Faults, f => f.StartsWith("the sensor did not say within 5 s whether it takes the settings, so it runs with capture alone", StringComparison.Ordinal));
        Assert.Contains("sniffer:", Config, StringComparison.Ordinal);
        Assert.DoesNotContain("fleet", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sensor_that_does_not_answer_leaves_the_settings_of_the_last_start_in_force()
    {
        string hangs = Checker("sleep 600");
        Text = "broker = mqtts://b.example\n";
        Start(hangs, ("NFR_CHECK_PATIENCE", "1"));
        Assert.StartsWith("the sensor did not say within 1 s whether it takes the settings, so it runs with capture alone", Assert.Single(Faults), StringComparison.Ordinal);
        Assert.DoesNotContain("fleet", Config, StringComparison.Ordinal);
        Start();
        Assert.Empty(Faults);
        Text = "broker = mqtts://c.example\n";
        Start(hangs, ("NFR_CHECK_PATIENCE", "1"));
        Assert.Contains("it runs with those of the last start", Assert.Single(Faults), StringComparison.Ordinal);
        Assert.Equal("b.example", Parsed().Fleet.Host);
        // Asked again, it says yes.
        Start();
        Assert.Equal("c.example", Parsed().Fleet.Host);
    }

    [Fact]
    public void The_remark_at_its_head_says_where_more_is_set()
    {
        After("# nothing\n");
        Assert.Contains("a file\n# config.yml beside nfr.txt", Config, StringComparison.Ordinal);
    }
}
