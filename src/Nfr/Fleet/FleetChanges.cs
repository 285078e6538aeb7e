using Nfr.Health;

namespace Nfr.Fleet;

/// <summary>Makes of views, one after the other, the lines of --json: what is another than before. Heartbeats that change nothing but numbers make none.</summary>
sealed class FleetChanges
{
    readonly Dictionary<string, FleetRow> _before = new(StringComparer.Ordinal);

    /// <param name="table">For alerts that are more than one.</param>
    /// <param name="view">Made of it just now.</param>
    /// <param name="shown">Those of the view that are told of.</param>
    public IEnumerable<string> Of(FleetTable table, FleetView view, IReadOnlyList<FleetRow> shown)
    {
        foreach (FleetRow row in shown)
        {
            bool known = _before.TryGetValue(row.Key, out FleetRow? before);
            _before[row.Key] = row;
            long alerts = row.AlertCount - (before?.AlertCount ?? 0);
            if (alerts > 0 && table.Detail(row.Key) is { } detail)
            {
                // More than are kept in one second: the newest; the row's count tells of all.
                foreach (SensorAlert alert in detail.Alerts.Take((int)Math.Min(alerts, FleetBounds.MostAlerts)).Reverse()) yield return FleetLines.Alert(row.Key, alert, view.Now);
            }
            if (!known) yield return FleetLines.Change("new", row, view.Now);
            else if (before!.State != row.State) yield return FleetLines.Change("state", row, view.Now);
            else if (before.About != row.About) yield return FleetLines.Change("info", row, view.Now);
            else if (!Same(before.Health?.Troubles, row.Health?.Troubles)) yield return FleetLines.Change("troubles", row, view.Now);
        }
        if (_before.Count <= view.Rows.Count) yield break;
        HashSet<string> left = [.. view.Rows.Select(r => r.Key)];
        foreach (FleetRow gone in _before.Values.Where(r => !left.Contains(r.Key)).ToArray())
        {
            _before.Remove(gone.Key);
            yield return FleetLines.Change("gone", gone, view.Now);
        }
    }

    static bool Same(IReadOnlyList<Trouble>? a, IReadOnlyList<Trouble>? b) => (a ?? []).SequenceEqual(b ?? []);
}
