using System.Buffers;
using System.Text;
using Nfr.Events;

namespace Nfr.Uplink;

public enum AlertFormat : byte
{
    /// <summary>The original's mapped alert, one per line.</summary>
    Json,
    /// <summary>ArcSight's Common Event Format, one line per threat.</summary>
    Cef,
    /// <summary>QRadar's Log Event Extended Format 2.0, one line per threat.</summary>
    Leef,
    /// <summary>A document of the Elastic Common Schema, one per line.</summary>
    Ecs,
    /// <summary>A Detection Finding of the Open Cybersecurity Schema Framework 1.2, one per line.</summary>
    Ocsf,
}

/// <summary>Writes alerts in a format of lines.</summary>
static class AlertLines
{
    /// <summary>One line or more of the alert, each ended by a line feed.</summary>
    public static void Write(AlertFormat format, Alert alert, SensorIdentity sensor, ArrayBufferWriter<byte> output)
    {
        switch (format)
        {
            case AlertFormat.Cef:
                Add(CefFormat.Lines(alert, sensor.Version), output);
                break;
            case AlertFormat.Leef:
                Add(LeefFormat.Lines(alert, sensor.Version), output);
                break;
            case AlertFormat.Ecs:
                EcsAlerts.Write(alert, sensor, output);
                output.Write("\n"u8);
                break;
            case AlertFormat.Ocsf:
                OcsfFormat.Write(alert, sensor, output);
                output.Write("\n"u8);
                break;
            default:
                AlertJson.Write(alert, output);
                output.Write("\n"u8);
                break;
        }
    }

    static void Add(IReadOnlyList<string> lines, ArrayBufferWriter<byte> output)
    {
        foreach (string line in lines)
        {
            output.Advance(Encoding.UTF8.GetBytes(line, output.GetSpan(Encoding.UTF8.GetMaxByteCount(line.Length))));
            output.Write("\n"u8);
        }
    }
}
