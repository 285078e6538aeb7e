using System.Globalization;
using Nfr.Config;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Pipeline;

/// <summary>What a read came to, in one sentence for whoever sits before the terminal; scripts have --stats --json and the exit code.</summary>
static class ReadSummary
{
    const string NoneOfYours = " (name your networks in scope.file)";

    /// <summary>Who of the config's engines a read does not upload to; null when there is none.</summary>
    public static string? NotUploaded(NfrConfig config) => config.MoreEngines.Count == 0
        ? null
        : $"a read uploads {(config.Engine.IsEmbedded ? "nothing" : $"to {config.Engine.Host} (engine:) alone")}; {string.Join(", ", config.MoreEngines.Select(e => e.Name))} (engines:) would have it from a running sensor";

    /// <param name="ledger">Of the whole read, with its stage.</param>
    /// <param name="delivered">Events that the engine took; null without one.</param>
    /// <param name="config">Names the engine and the output.</param>
    /// <param name="printed">Whether the alerts were printed just now.</param>
    public static string Of(Ledger ledger, long? delivered, NfrConfig config, bool printed = false)
    {
        long events = EventTypes.All.Sum(ledger.EventsOf), inScope = ledger.Stage!.InScope.Sum(), alerts = ledger.Stage.Alerts;
        string sent = delivered is { } n ? string.Create(CultureInfo.InvariantCulture, $"; {n:N0} went to {config.Engine.Host}") : "";
        string seen = printed ? "" : !config.Outputs.Enabled || config.Outputs.File is not { } file ? " (--print alerts shows them)" : (file is OutputsConfig.Stderr or OutputsConfig.Stdout ? " (on " : " (in ") + file + ")";
        string raised = alerts == 0 ? "no alert" : string.Create(CultureInfo.InvariantCulture, $"{alerts:N0} alert{(alerts == 1 ? "" : "s")}{seen}");
        string packets = string.Create(CultureInfo.InvariantCulture, $"{ledger.Frames:N0} packets"), lines = string.Create(CultureInfo.InvariantCulture, $"{ledger.Lines:N0} lines");
        string came = ledger.Inputs.Count == 0 ? packets : ledger.Captures.Count == 0 ? lines : packets + " and " + lines;
        string skipped = ledger.LinesSkipped == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {ledger.LinesSkipped:N0} line{(ledger.LinesSkipped == 1 ? "" : "s")} could not be read");
        return string.Create(CultureInfo.InvariantCulture, $"{came} made {events:N0} events, {inScope:N0} of them in scope{(events > 0 && inScope == 0 ? NoneOfYours : "")}{sent}; {raised}{skipped}.");
    }

    /// <summary>Lines came and none could be read: that is a read that failed, and most often of another format.</summary>
    public static string? NothingRead(Ledger ledger, Commands.ReadOptions options)
    {
        long worth = ledger.Lines - ledger.LinesOf(LineVerdict.Header);
        if (worth == 0 || ledger.LinesSkipped < worth || EventTypes.All.Sum(ledger.LineEventsOf) > 0) return null;
        return string.Create(CultureInfo.InvariantCulture, $"none of {worth:N0} lines could be read{(options.Format == Commands.ReadOptions.Auto ? "; say what wrote them with --format" : $" as {options.Format}; --format auto finds out what wrote them")}");
    }
}
