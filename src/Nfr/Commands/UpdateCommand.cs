using System.CommandLine;
using Nfr.Config;
using Nfr.Health;
using Nfr.Pipeline;
using Nfr.Update;
using Nfr.Uplink;

namespace Nfr.Commands;

/// <summary>"nfr update FILE|URL|-" and what belongs to it: an appliance gets a newer system.</summary>
static class UpdateCommand
{
    public static Command Build(CommandSetup setup)
    {
        var from = new Argument<string>("bundle") { HelpName = "FILE|URL|-", Description = "The bundle: a file, an http(s) address, or stdin." };
        var same = new Option<bool>("--allow-same") { Description = "Also write the version that runs once more: a repair." };
        var stay = new Option<bool>("--no-reboot") { Description = "Do not reboot; the next reboot tries it." };
        var update = new NfrCommand("update", "Update an appliance: write a signed bundle to the idle slot and boot it, once, on trial.")
        {
            Remarks =
            [
                "The bundle is written as it comes in and stored nowhere. Refused are bundles of strangers, for other boards, and with a counter that is not above this system's; then nothing is changed.",
                "The new system confirms itself when its sensor is well; a system that does not, or does not start at all, is left by itself for the one before. The spool and settings on /data are kept.",
                "The power may be cut at any moment. Needs root. A config with mistakes hinders no bundle from a file or stdin, only one from a server.",
            ],
            Examples =
            [
                ("update nfr-2.1.0.nfru", "From a file."),
                ("update https://updates.example.net/nfr-2.1.0.nfru", "From a server; a broken connection is taken up where it was."),
                ("update status", "What runs, and how the last update ended."),
            ],
        };
        update.Add(from);
        update.Add(same);
        update.Add(stay);
        update.Add(Status(setup));
        update.Add(UpdateCheckCommand.Build(setup));
        update.Add(Confirm(setup));
        update.Add(UpdateMakeCommand.Build(setup));
        update.SetAction(parsed =>
        {
            string bundle = parsed.GetValue(from)!;
            // Its mistakes are told. What lies here needs nothing of it, and may be what mends a box whose sensor does not start for them.
            NfrConfig? config = setup.Load(parsed, orDefaults: true);
            using var stop = new StopSignals();
            return Try(setup, () =>
            {
                AppliancePaths paths = setup.Wiring.Appliance;
                var box = new Appliance(paths);
                NeedRoot();
                UpdateKeys keys = UpdateKeys.Load(paths.Keys);
                Updater.RefuseTrial(box);
                using UpdateLock alone = UpdateLock.Take(paths.Lock);
                if (config is null)
                {
                    if (IsAddress(bundle)) return setup.Terminal.Fail(ExitCode.Usage, NotFetched(box));
                    setup.Terminal.Error.WriteLine("the config has mistakes, of which this update needs nothing: it goes on");
                }
                using Stream stream = Open(bundle, config ?? NfrConfig.Default(setup.ConfigPath(parsed)), stop.Token);
                var screen = new UpdateScreen(setup.Terminal);
                using var progress = new UpdateProgress(paths.Progress, screen.Show, TimeProvider.System);
                try
                {
                    var updater = new Updater(box, keys, progress) { AllowSame = parsed.GetValue(same), Reboots = !parsed.GetValue(stay) };
                    UpdateManifest manifest = updater.Run(stream, stop.Token);
                    screen.End();
                    setup.Terminal.Out.WriteLine($"{manifest.Title} is in slot {box.Idle}; {(updater.Reboots ? "the box reboots into it now" : "reboot to try it")}. It stays when its sensor is well, else {box.Image.Title} comes back.");
                    return ExitCode.Good;
                }
                finally
                {
                    screen.End();
                }
            });
        });
        return update;
    }

    static NfrCommand Status(CommandSetup setup)
    {
        var json = new Option<bool>("--json") { Description = "The same as one JSON object." };
        var status = new NfrCommand("status", "Show what runs, from which slot, and how the last update ended.");
        status.Add(json);
        status.SetAction(parsed => Try(setup, () =>
        {
            var box = new Appliance(setup.Wiring.Appliance);
            NeedRoot();
            bool isUnderWay = BoxNotes.IsUnderWay(setup.Wiring.Appliance.Progress, TimeProvider.System);
            if (parsed.GetValue(json)) setup.Terminal.Out.WriteLine(UpdateScreen.Json(box, isUnderWay));
            else ScreenLine.Write(UpdateScreen.Lines(box, isUnderWay), setup.Terminal);
            return ExitCode.Good;
        }));
        return status;
    }

    static NfrCommand Confirm(CommandSetup setup)
    {
        var back = new Option<bool>("--or-back") { Description = "When the sensor does not become well, reboot into the system before." };
        var within = new Option<int>("--within") { Description = "So many seconds it has for that. Default: 300", HelpName = "SECONDS", DefaultValueFactory = _ => (int)Confirmation.DefaultPatience.TotalSeconds };
        var confirm = new NfrCommand("confirm", "Make a system that is on trial lasting, once its sensor is well.")
        {
            Remarks =
            [
                "Well is: a capture port is open and has a link or packets (where a log is read open is enough, or no port at all if none is set), the spool takes what comes, and each engine has answered or says why not. Exit code 3 when it is not.",
                "An update that is under way is waited for. Who confirms what another has confirmed has succeeded.",
            ],
        };
        confirm.Add(back);
        confirm.Add(within);
        confirm.SetAction(parsed =>
        {
            int seconds = parsed.GetValue(within);
            if (seconds is < 0 or > 86_400) return setup.Usage("update confirm", "--within takes a number of seconds from 0 to 86400");
            // Its mistakes are told. What there is to settle is settled all the same, and where a sensor runs with it, that sensor is asked where sensors are found by default.
            NfrConfig? config = setup.Load(parsed, orDefaults: true);
            using var stop = new StopSignals();
            return Try(setup, () =>
            {
                AppliancePaths paths = setup.Wiring.Appliance;
                var box = new Appliance(paths);
                NeedRoot();
                var confirmation = new Confirmation(box, () => Missing(config ?? NfrConfig.Default(setup.ConfigPath(parsed)), paths) is { } missing ? config is null ? missing + ", and the config has mistakes (nfr config check)" : missing : null, TimeProvider.System)
                {
                    Lock = Locked(setup, paths),
                };
                ConfirmResult result = confirmation.Run(TimeSpan.FromSeconds(seconds), parsed.GetValue(back), stop.Token);
                if (result == ConfirmResult.Unwell) return setup.Terminal.Fail(ExitCode.Unwell, confirmation.Text);
                setup.Terminal.Out.WriteLine(confirmation.Text);
                return ExitCode.Good;
            });
        });
        return confirm;
    }

    /// <summary>Takes the lock, and says once that it is waited for.</summary>
    static Func<IDisposable?> Locked(CommandSetup setup, AppliancePaths paths)
    {
        bool told = false;
        return () =>
        {
            if (UpdateLock.TryTake(paths.Lock) is { } alone)
            {
                // Nobody writes while we have the lock: what says so was left by one that was killed.
                UpdateProgress.ClearStale(paths.Progress);
                return alone;
            }
            if (!told) setup.Terminal.Error.WriteLine("another update, or the confirmation of one, is under way; waiting for it to end");
            told = true;
            return null;
        };
    }

    static string? Missing(NfrConfig config, AppliancePaths paths)
    {
        TimeSpan flush = new[] { config.DnsEvents, config.IpEvents, config.HttpEvents, config.TlsEvents }.Max(e => e.FlushInterval);
        string missing = "no sensor is running";
        foreach (string place in StatusSocket.Places(config).Where(Path.Exists))
        {
            if (StatusClient.Ask(place, out string? why) is { } answer) return SensorHealth.Missing(answer, name => HasLink(paths.Interfaces, name), flush);
            missing = $"the sensor does not answer ({why})";
        }
        return missing;
    }

    static bool HasLink(string interfaces, string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(interfaces, name, "carrier")).Trim() == "1";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An interface that is down refuses the question.
            return false;
        }
    }

    static bool IsAddress(string bundle) => bundle.Contains("://", StringComparison.Ordinal);

    /// <summary>The defaults know neither the proxy nor whom to trust. Somebody wanted another system on the box: it is noted as any bundle that is not taken.</summary>
    static string NotFetched(Appliance box)
    {
        const string Why = "the config has mistakes (nfr config check), so it is not known by which proxy and certificates to fetch the bundle (update.proxy, update.tls); mend it, or bring the bundle as a file, which works as it is: nfr update FILE";
        box.Log("an update was not taken: " + Why);
        box.WriteRefusal(new UpdateRecord(UpdatePhase.Refused, box.Idle, "", 0, box.BootId, Why));
        return Why;
    }

    static Stream Open(string bundle, NfrConfig config, CancellationToken stop)
    {
        if (bundle == "-") return Console.OpenStandardInput();
        if (IsAddress(bundle))
        {
            return UpdateConfig.TryUrl(bundle, out Uri? url) ? Download(url!, config, stop)
                : throw new UpdateException($"{Printable.Of(bundle)} is no address that a bundle can be fetched from; http://HOST/PATH and https://HOST/PATH are");
        }
        try
        {
            return new FileStream(bundle, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UpdateException($"{Printable.Of(bundle)} cannot be read: {Reason.Of(e)}");
        }
    }

    internal static ResumedDownload Download(Uri url, NfrConfig config, CancellationToken stop) =>
        new(url, new DownloadOptions { Version = VersionText.Version, Tls = config.Update.Tls, Proxy = config.Update.Proxy }, TimeProvider.System, stop);

    static void NeedRoot()
    {
        if (!Environment.IsPrivilegedProcess) throw new UpdateException("this reads or writes what the card boots from and needs root: run it with sudo");
    }

    /// <summary>A refusal is one line.</summary>
    internal static int Try(CommandSetup setup, Func<int> work)
    {
        try
        {
            return work();
        }
        catch (UpdateException e)
        {
            return setup.Terminal.Fail(ExitCode.Failed, Printable.Of(e.Message));
        }
        catch (OperationCanceledException)
        {
            return setup.Terminal.Fail(ExitCode.Failed, "interrupted; nothing was settled");
        }
    }
}
