using System.Net;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Config;

/// <summary>One item of inputs.syslog: where log lines of others are taken over the network.</summary>
/// <param name="Listen">Address and port.</param>
/// <param name="Udp">Datagrams are taken.</param>
/// <param name="Tcp">Connections are taken.</param>
/// <param name="Format">As the file says it.</param>
/// <param name="Type">all, dns, ip, http or tls.</param>
/// <param name="From">Who may send; empty = the private networks.</param>
/// <param name="Line">Its line in the config file.</param>
public sealed record SyslogInputConfig(IPEndPoint Listen, bool Udp, bool Tcp, string Format, string Type, IReadOnlyList<IpPrefix> From, int Line)
{
    public LogFormat LogFormat => LogFormats.Of(Format)!.Value;

    /// <summary>"udp and tcp".</summary>
    public string Protocols => Udp && Tcp ? "udp and tcp" : Udp ? "udp" : "tcp";

    /// <summary>Each may have 64 connections of 64 KiB.</summary>
    const int Most = 8;

    internal static IReadOnlyList<SyslogInputConfig> ReadAll(Section inputs)
    {
        List<SyslogInputConfig> all = [];
        foreach (Section s in inputs.Items("syslog"))
        {
            if (Read(s) is not { } listener) continue;
            if (all.FirstOrDefault(l => l.Listen.Equals(listener.Listen) && ((l.Udp && listener.Udp) || (l.Tcp && listener.Tcp))) is { } other)
                s.Fault("listen", $"{listener.Listen} is listened on by line {other.Line} too; use another port");
            else if (all.Count == Most) s.Fault("", $"more than {Most} items; one takes the lines of any number of senders");
            else all.Add(listener);
        }
        return all;
    }

    static SyslogInputConfig? Read(Section s)
    {
        string? listen = s.Text("listen", expected: "address:port");
        string protocol = s.Choice("protocol", "both", "udp", "tcp", "both"), format = LogWords.Format(s), type = LogWords.Type(s);
        List<IpPrefix> from = [];
        foreach ((string text, int line) in s.Entries("from"))
        {
            if (IpPrefix.TryParse(text, out IpPrefix prefix)) from.Add(prefix);
            else s.FaultAt(line, "from", $"\"{text}\" is no network; write one such as 10.0.0.0/8 or 192.168.1.5/32");
        }
        s.End();
        if (listen is null)
        {
            if (s.Present) s.Fault("listen", "missing; name an address and port such as 0.0.0.0:5514");
            return null;
        }
        if (!IPEndPoint.TryParse(listen, out IPEndPoint? point) || point.Port == 0)
        {
            s.Fault("listen", $"expected address:port, such as 0.0.0.0:5514 or [::]:5514, found \"{listen}\"");
            return null;
        }
        return LogWords.Agree(s, format, type) ? new SyslogInputConfig(point, protocol != "tcp", protocol != "udp", format, type, from, s.Line) : null;
    }
}
