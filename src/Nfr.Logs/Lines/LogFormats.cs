namespace Nfr.Logs;

/// <summary>What wrote a log. The words of "format:" and "--format".</summary>
public enum LogFormat : byte
{
    /// <summary>Told by the first lines.</summary>
    Auto,
    /// <summary>Zeek's logs, TSV or JSON: dns, conn, http, ssl, x509. "bro" is the same.</summary>
    Zeek,
    /// <summary>Suricata's EVE JSON.</summary>
    Suricata,
    /// <summary>Microsoft DNS debug log.</summary>
    Msdns,
    /// <summary>BIND's query log, in a file of its own or through syslog. "syslog-named" is the same.</summary>
    Bind,
    /// <summary>dnsmasq, and Pi-hole.</summary>
    Dnsmasq,
    Unbound,
    CoreDns,
    /// <summary>BlueCat DNS Edge: a JSON array.</summary>
    Edge,
}

public static class LogFormats
{
    /// <summary>The words that a config or a command line may say, pcap left out.</summary>
    public static readonly string[] Words = ["auto", "zeek", "bro", "suricata", "msdns", "bind", "syslog-named", "dnsmasq", "pihole", "unbound", "coredns", "edge"];

    /// <summary>The format of a word; null when it is none.</summary>
    public static LogFormat? Of(string word) => word switch
    {
        "auto" => LogFormat.Auto,
        "zeek" or "bro" => LogFormat.Zeek,
        "suricata" => LogFormat.Suricata,
        "msdns" => LogFormat.Msdns,
        "bind" or "syslog-named" => LogFormat.Bind,
        "dnsmasq" or "pihole" => LogFormat.Dnsmasq,
        "unbound" => LogFormat.Unbound,
        "coredns" => LogFormat.CoreDns,
        "edge" => LogFormat.Edge,
        _ => null,
    };

    /// <summary>A parser for one file.</summary>
    public static LineParser? Parser(LogFormat format, LineOptions options) => format switch
    {
        LogFormat.Auto => new AutoParser(options),
        LogFormat.Suricata => new Suricata.EveParser(options),
        LogFormat.Msdns => new MsdnsParser(options),
        LogFormat.Bind => new BindParser(options),
        LogFormat.Dnsmasq => new DnsmasqParser(options),
        LogFormat.Unbound => new UnboundParser(options),
        LogFormat.CoreDns => new CoreDnsParser(options),
        LogFormat.Edge => new EdgeParser(options),
        LogFormat.Zeek => new ZeekParser(options),
        _ => null,
    };
}
