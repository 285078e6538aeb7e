using System.Net;

namespace Nfr.Config;

/// <summary>status: how the running sensor is asked for its ledger.</summary>
public sealed record StatusConfig
{
    public const string Off = "off";
    public static string DefaultSocket => "/run/nfr/status.sock";

    /// <summary>Absolute path of the local socket that "nfr status" asks; null = the default place, else the spool's folder; "off" = none.</summary>
    public string? Socket { get; init; }
    /// <summary>The ledger is balanced this often, and told in the log when something moved.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(60);

    internal static StatusConfig Read(Section s)
    {
        var status = new StatusConfig
        {
            Socket = s.FilePath("socket", null, Off),
            Interval = s.Duration("interval", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
        };
        s.End();
        return status;
    }
}

/// <summary>metrics: numbers for Prometheus over HTTP.</summary>
public sealed record MetricsConfig
{
    /// <summary>Where to listen; null = nowhere.</summary>
    public IPEndPoint? Listen { get; init; } = new(IPAddress.Loopback, 9419);

    internal static MetricsConfig Read(Section s)
    {
        IPEndPoint? listen = new(IPAddress.Loopback, 9419);
        string text = s.Text("listen", listen.ToString(), "address:port or off")!;
        if (text == StatusConfig.Off) listen = null;
        else if (IPEndPoint.TryParse(text, out IPEndPoint? point) && point.Port > 0) listen = point;
        else s.Fault("listen", $"expected address:port, such as 127.0.0.1:9419, or off, found \"{text}\"");
        s.End();
        return new MetricsConfig { Listen = listen };
    }
}
