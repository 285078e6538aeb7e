using System.Buffers;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>Alerts to be written together, in order of their sequence, and the same as whole lines of the output's format.</summary>
public sealed class AlertPage
{
    readonly int[] _ends;

    /// <param name="alerts">At least one.</param>
    /// <param name="format">Of <see cref="Lines"/>.</param>
    /// <param name="sensor">Whose alerts they are.</param>
    public AlertPage(IReadOnlyList<StoredAlert> alerts, AlertFormat format, SensorIdentity sensor)
    {
        ArgumentNullException.ThrowIfNull(alerts);
        Alerts = alerts;
        Format = format;
        Sensor = sensor;
        var output = new ArrayBufferWriter<byte>(1024 * Math.Max(1, alerts.Count));
        _ends = new int[alerts.Count];
        for (int i = 0; i < alerts.Count; i++)
        {
            AlertLines.Write(format, alerts[i].Alert, sensor, output);
            _ends[i] = output.WrittenCount;
        }
        Lines = output.WrittenMemory;
    }

    public IReadOnlyList<StoredAlert> Alerts { get; }
    public int Count => Alerts.Count;
    public AlertFormat Format { get; }
    public SensorIdentity Sensor { get; }

    /// <summary>UTF-8, each line ended by a line feed.</summary>
    public ReadOnlyMemory<byte> Lines { get; }

    /// <summary>The lines of one alert, each ended; some formats have several.</summary>
    public ReadOnlyMemory<byte> LinesOf(int index)
    {
        int start = index == 0 ? 0 : _ends[index - 1];
        return Lines[start.._ends[index]];
    }
}
