using System.Buffers;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>Alerts to be written together, in order of their sequence, and the same as whole lines of the output's format.</summary>
public sealed class AlertPage
{
    (ReadOnlyMemory<byte> Text, int[] Ends)? _lines;

    /// <param name="alerts">At least one.</param>
    /// <param name="format">Of <see cref="Lines"/>.</param>
    /// <param name="sensor">Whose alerts they are.</param>
    public AlertPage(IReadOnlyList<StoredAlert> alerts, AlertFormat format, SensorIdentity sensor)
    {
        ArgumentNullException.ThrowIfNull(alerts);
        Alerts = alerts;
        Format = format;
        Sensor = sensor;
    }

    public IReadOnlyList<StoredAlert> Alerts { get; }
    public int Count => Alerts.Count;
    public AlertFormat Format { get; }
    public SensorIdentity Sensor { get; }

    /// <summary>The program is at its end and nothing comes any more: a sink that gathers does so no longer.</summary>
    public bool IsLast { get; init; }

    /// <summary>UTF-8, each line ended by a line feed. Written when first asked for: some sinks have no use for it.</summary>
    public ReadOnlyMemory<byte> Lines => Written.Text;

    /// <summary>The lines of one alert, each ended; some formats have several.</summary>
    public ReadOnlyMemory<byte> LinesOf(int index)
    {
        (ReadOnlyMemory<byte> text, int[] ends) = Written;
        return text[(index == 0 ? 0 : ends[index - 1])..ends[index]];
    }

    (ReadOnlyMemory<byte> Text, int[] Ends) Written => _lines ??= Write();

    (ReadOnlyMemory<byte>, int[]) Write()
    {
        var output = new ArrayBufferWriter<byte>(1024 * Math.Max(1, Count));
        int[] ends = new int[Count];
        for (int i = 0; i < Count; i++)
        {
            AlertLines.Write(Format, Alerts[i].Alert, Sensor, output);
            ends[i] = output.WrittenCount;
        }
        return (output.WrittenMemory, ends);
    }
}
