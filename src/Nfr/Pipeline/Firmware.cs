using System.Text.Json;
using Nfr.Commands;
using Nfr.Config;
using Nfr.Uplink;
using Nfr.Update;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>Which version runs, and which "nfr update check" was offered last: of the image on an appliance, of the program elsewhere. One thread.</summary>
/// <param name="paths">Where an appliance says so.</param>
/// <param name="log">For a file that is there and says nothing, once.</param>
sealed class Firmware(AppliancePaths paths, ILogger log)
{
    /// <summary>It has four short fields.</summary>
    const int MostBytes = 4096;

    ApplianceImage? _image;
    bool _looked, _told;
    DateTime _stamp;
    string? _latest;

    public FleetFirmware Look()
    {
        if (!_looked)
        {
            // It lies on the root, which is not written while it runs.
            _looked = true;
            try
            {
                if (File.Exists(paths.Image)) _image = ApplianceImage.Load(paths.Image);
            }
            catch (UpdateException damaged)
            {
                log.Warning("fleet: {Fault}", damaged.Message);
            }
        }
        return _image is null ? new FleetFirmware(VersionText.Version, null) : new FleetFirmware(_image.Version, Latest(_image));
    }

    string? Latest(ApplianceImage image)
    {
        try
        {
            var file = new FileInfo(paths.Latest);
            if (!file.Exists)
            {
                (_stamp, _latest) = (default, null);
                return null;
            }
            if (file.LastWriteTimeUtc == _stamp) return _latest;
            (_stamp, _latest) = (file.LastWriteTimeUtc, null);
            if (file.Length <= MostBytes) _latest = Read(File.ReadAllBytes(paths.Latest), image);
            if (_latest is null) Tell("it does not say version and counter");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            (_stamp, _latest) = (default, null);
            Tell(Reason.Of(fault));
        }
        return _latest;
    }

    /// <summary>What is offered and is not above what runs is nothing new: the box was updated since, or by a file.</summary>
    static string? Read(byte[] bytes, ApplianceImage image)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 4 });
            string? version = document.RootElement.GetProperty("version").GetString();
            if (!UpdateManifest.IsWord(version)) return null;
            return document.RootElement.GetProperty("counter").GetInt64() > image.Counter ? version : image.Version;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }

    void Tell(string why)
    {
        if (!_told) log.Warning("fleet: {File} is passed by: {Why}; nfr update check writes it anew", paths.Latest, why);
        _told = true;
    }
}
