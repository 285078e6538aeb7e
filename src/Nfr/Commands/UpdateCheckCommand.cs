using System.CommandLine;
using Nfr.Config;
using Nfr.Update;

namespace Nfr.Commands;

/// <summary>"nfr update check": asks update.url for the latest head and says what is new. Changes nothing.</summary>
static class UpdateCheckCommand
{
    public static Command Build(CommandSetup setup)
    {
        var check = new NfrCommand("check", "Ask update.url of the config whether there is a newer system, and say what is new.")
        {
            Remarks = ["Only the signed head is fetched. Nobody is asked without this command. What is offered is noted beside the record of updates (latest.json), where that can be written."],
        };
        check.SetAction(parsed =>
        {
            if (setup.Load(parsed, orDefaults: true) is not { } config) return ExitCode.Usage;
            using var stop = new StopSignals();
            return UpdateCommand.Try(setup, () =>
            {
                AppliancePaths paths = setup.Wiring.Appliance;
                ApplianceImage image = ApplianceImage.Load(paths.Image);
                if (config.Update.Url is not { } url) throw new UpdateException($"update.url is not set in {config.File}, so there is nobody to ask; set it, or name a bundle: nfr update URL");
                UpdateManifest latest = Ask(url, config, UpdateKeys.Load(paths.Keys), stop.Token);
                if (latest.Hardware != image.Hardware) throw new UpdateException($"{url.Host} offers a system for {latest.Hardware}, and this box is {image.Hardware}; set update.url to the one for {image.Hardware}");
                Note(paths, image, latest);
                if (latest.Counter <= image.Counter)
                {
                    setup.Terminal.Out.WriteLine($"{image.Title} runs, and nothing newer is offered ({latest.Title}).");
                    return ExitCode.Good;
                }
                setup.Terminal.Out.WriteLine($"{latest.Title} is there; {image.Title} runs. Install it with: nfr update {new Uri(url, latest.File)}");
                foreach (string line in latest.Notes.Split('\n', StringSplitOptions.RemoveEmptyEntries)) setup.Terminal.Out.WriteLine("  " + Printable.Of(line));
                return ExitCode.Good;
            });
        });
        return check;
    }

    /// <summary>For the fleet and scripts; who may not write there has the answer on the screen.</summary>
    static void Note(AppliancePaths paths, ApplianceImage image, UpdateManifest latest)
    {
        using var stream = new MemoryStream();
        using (var json = new System.Text.Json.Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("version", latest.Version);
            json.WriteNumber("counter", latest.Counter);
            json.WriteBoolean("newer", latest.Counter > image.Counter);
            json.WriteString("runs", image.Version);
            json.WriteEndObject();
        }
        try
        {
            WholeFile.Write(paths.Latest, stream.ToArray(), lasting: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Said on the screen.
        }
    }

    /// <summary>The manifest of the latest bundle, signed by one of ours.</summary>
    internal static UpdateManifest Ask(Uri url, NfrConfig config, UpdateKeys keys, CancellationToken stop)
    {
        try
        {
            using Uplink.ResumedDownload head = UpdateCommand.Download(url, config, stop);
            return BundleHead.Read(head, keys).Manifest;
        }
        catch (IOException e)
        {
            throw new UpdateException(e.Message);
        }
    }
}
