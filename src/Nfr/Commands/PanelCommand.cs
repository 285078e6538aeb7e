using System.CommandLine;
using Nfr.Config;
using Nfr.Health;
using Nfr.Panel;
using Nfr.Service;

namespace Nfr.Commands;

/// <summary>"nfr panel": lights, display and button of the box.</summary>
static class PanelCommand
{
    /// <summary>What --say can show: for units that run while no panel does.</summary>
    static readonly (string Word, PanelPage Page, PanelMode Mode)[] s_screens =
    [
        ("starting", PanelPage.Starting, PanelMode.Normal),
        ("setup-faults", PanelPage.SetupFaults, PanelMode.Normal),
        ("updating", PanelPage.Updating, PanelMode.Writing),
        ("shutting-down", PanelPage.ShuttingDown, PanelMode.Writing),
        ("resetting", PanelPage.Resetting, PanelMode.Writing),
        ("unplug", PanelPage.SafeToUnplug, PanelMode.Off),
    ];

    static string Screens => string.Join(", ", s_screens.Select(s => s.Word));

    public static Command Build(CommandSetup setup)
    {
        var lights = new Option<bool>("--lights") { Description = "Print what each light means, as a table, and end." };
        var say = new Option<string?>("--say") { Description = $"Show one screen, set the lights for it, and end: {Screens}.", HelpName = "SCREEN" };
        var panel = new NfrCommand("panel", "Drive the box's lights, display and button by what the sensor tells.")
        {
            Remarks =
            [
                "Runs until SIGINT or SIGTERM beside the sensor, and without one: then it says so. Lights are /sys/class/leds/nfr:*, the display is an SSD1306 on an I2C bus, the button an "
                + "input device called nfr-button (panel in the config); what is missing is said once and looked for again.",
                "The button: pressed shortly it turns to the next page, or acknowledges the alerts that are shown; held for 5 seconds it shuts the box down; held for 15 seconds and then pressed "
                + "once more it erases all that was recorded, keys and settings (on an image nfr.txt and the certificates beside it too); the system keeps its version.",
            ],
            Examples =
            [
                ("panel", "As the unit nfr-panel runs it."),
                ("panel --lights", "What the lights mean."),
                ("panel --preview pages.png", "Every page as a picture; --page capture for one, --state trouble for another state."),
                ("panel --say unplug", "\"It is safe to unplug\", for the end of a shutdown."),
            ],
        };
        panel.Add(lights);
        panel.Add(say);
        var preview = new PanelPreview();
        preview.AddTo(panel);
        panel.SetAction(parsed =>
        {
            if (preview.Run(setup, parsed) is { } done) return done;
            if (parsed.GetValue(lights))
            {
                setup.Terminal.Out.Write(LightTable.ToMarkdown());
                return ExitCode.Good;
            }
            string? word = parsed.GetValue(say);
            if (word is not null && !s_screens.Any(s => s.Word == word)) return setup.Usage("panel", $"--say takes one of {Screens}");
            // A box with a broken config has lights and a display all the same: they say so.
            NfrConfig config = LoadOrDefault(setup, parsed, out IReadOnlyList<string> faults);
            void Say(string sentence) => setup.Terminal.Error.WriteLine("panel: " + sentence);
            if (!config.Panel.Enabled)
            {
                Say("panel.enabled is false in the config: nothing to do");
                return ExitCode.Good;
            }
            PanelParts parts = Parts(config.Panel, faults, Say);
            using PanelClient client = parts.Client;
            using Display? display = parts.Display;
            using PanelButton? button = parts.Button;
            if (word is not null) return SayOne(parts, s_screens.First(s => s.Word == word));
            using var stop = new StopSignals();
            using Notifier? systemd = Notifier.Of(Environment.GetEnvironmentVariable, Environment.ProcessId, TimeProvider.System, out string? untold);
            if (untold is not null) Say(untold);
            new PanelLoop(parts, Say, TimeProvider.System, Alive(systemd)).Run(stop.Token);
            return ExitCode.Good;
        });
        return panel;
    }

    /// <summary>Tells systemd after the first round that it works, and then every fifth second that it still goes round; null when nobody asks.</summary>
    static Action? Alive(Notifier? systemd)
    {
        if (systemd is null) return null;
        TimeProvider time = TimeProvider.System;
        long? told = null;
        return () =>
        {
            if (told is { } at && time.GetElapsedTime(at) < TimeSpan.FromSeconds(5)) return;
            if (told is null) systemd.Ready();
            systemd.Alive();
            told = time.GetTimestamp();
        };
    }

    static NfrConfig LoadOrDefault(CommandSetup setup, ParseResult parsed, out IReadOnlyList<string> faults)
    {
        faults = [];
        string path = setup.ConfigPath(parsed);
        if (!Path.Exists(path)) return NfrConfig.Default(path);
        NfrConfig? config = ConfigFile.Load(path, out IReadOnlyList<ConfigFault> found);
        if (config is not null) return config;
        setup.Tell(found);
        faults = [.. found.Select(f => f.ToString())];
        return NfrConfig.Default(path);
    }

    static PanelParts Parts(PanelConfig config, IReadOnlyList<string> faults, Action<string> say)
    {
        TimeProvider time = TimeProvider.System;
        return new PanelParts
        {
            Client = new PanelClient(config.Socket, say, time),
            Leds = config.Leds == StatusConfig.Off ? null : new Leds("/sys/class/leds", config.Leds, say, time),
            Display = config.Display == StatusConfig.Off ? null
                : new Display(new DisplayOptions { Bus = config.DisplayBus, Address = config.DisplayAddress, Contrast = (byte)config.Contrast }, Display.Buses, Display.Open, say, time),
            Button = config.Button == StatusConfig.Off ? null : new PanelButton(config.Button, "/sys/class/input", "/dev/input", PanelButton.Open, say, time),
            Requests = new PanelRequests(PanelRequests.DefaultFolder),
            Notes = BoxNotePlaces.Default,
            Sleep = config.Sleep,
            ConfigFaults = faults,
        };
    }

    static int SayOne(PanelParts parts, (string Word, PanelPage Page, PanelMode Mode) screen)
    {
        BoxNotes notes = BoxNotes.Read(parts.Notes, TimeProvider.System);
        var state = new PanelState { Name = Environment.MachineName, Version = VersionText.Version, Update = notes.Update, SetupFaults = [.. parts.ConfigFaults, .. notes.Setup] };
        parts.Leds?.Show(LightTable.Of(state, screen.Mode));
        var picture = new ScreenBuffer();
        Pages.Draw(state, new PanelView(screen.Page), picture);
        parts.Display?.Show(picture, isLit: true, isDim: false);
        // A new trigger's files may need a moment.
        for (int i = 0; i < 10 && parts.Leds is { IsSettling: true } leds; i++)
        {
            Thread.Sleep(100);
            leds.Show(LightTable.Of(state, screen.Mode));
        }
        return ExitCode.Good;
    }
}
