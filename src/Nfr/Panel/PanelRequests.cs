using Nfr.Config;

namespace Nfr.Panel;

/// <summary>What the button asks of the box is an empty file in a folder, and nothing else: a path unit of systemd sees it, acts and removes it (decision 009).</summary>
/// <param name="folder">/run/nfr/requests; a seam of tests.</param>
sealed class PanelRequests(string folder)
{
    /// <summary>The folder in which the box's units wait for requests; the sensor puts its own there too.</summary>
    public const string DefaultFolder = "/run/nfr/requests";

    /// <summary>Null = it is handed over; otherwise why not.</summary>
    public string? Put(PanelAsk ask)
    {
        string name = ask == PanelAsk.Shutdown ? "shutdown" : "factory-reset";
        try
        {
            using var file = new FileStream(Path.Combine(folder, name), FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return $"{folder}/{name}: {Reason.Of(fault)}; is this box an appliance, with nfr-requests.path running?";
        }
    }
}
