using System.Text;
using Nfr.Config;
using Nfr.Pipeline;
using Nfr.Uplink;

namespace Nfr.Tests.Nfr;

public sealed class TargetConfigTests
{
    static (NfrConfig? Config, string[] Faults) Parse(string text)
    {
        NfrConfig? config = NfrConfig.Parse("/opt/sensor/config.yml", Encoding.UTF8.GetBytes(text), out IReadOnlyList<ConfigFault> faults);
        return (config, [.. faults.Select(f => f.ToString())]);
    }

    static IReadOnlyList<OutputOptions> Good(string text)
    {
        (NfrConfig? config, string[] faults) = Parse(text);
        Assert.Empty(faults);
        return config!.Outputs.Targets;
    }

    [Fact]
    public void Targets_are_places_with_names_formats_and_filters()
    {
        IReadOnlyList<OutputOptions> targets = Good("""
            outputs:
              targets:
                - name: archive
                  format: cef
                  filter: {severity: 3, groups: [servers], threats: c2_communication}
                  file: {path: alerts.cef, max_size: 1MiB, keep: 2}
                - name: screen
                  file: {path: stdout}
            """);
        Assert.Equal(["archive", "screen"], targets.Select(t => t.Name));
        Assert.Equal(new FileSinkOptions { Path = "/opt/sensor/alerts.cef", MaxBytes = 1 << 20, Keep = 2 }, targets[0].Sink);
        Assert.Equal(AlertFormat.Cef, targets[0].Format);
        Assert.Equal((3, "servers", "c2_communication"), (targets[0].Filter.Severity, targets[0].Filter.Groups.Single(), targets[0].Filter.Threats.Single()));
        Assert.Equal(new StreamSinkOptions(), targets[1].Sink);
        Assert.Equal((AlertFormat.Json, 1), (targets[1].Format, targets[1].Filter.Severity));
    }

    [Fact]
    public void A_syslog_target_has_the_usual_ports_sizes_and_framings()
    {
        IReadOnlyList<OutputOptions> targets = Good("""
            outputs:
              targets:
                - {name: plain, syslog: {host: logs.example}}
                - {name: old, format: cef, syslog: {host: "[2001:db8::1]", port: 1514, rfc: 3164, facility: authpriv}}
                - {name: sure, format: leef, syslog: {host: 10.0.0.1, protocol: tls, tls: {server_name: logs.example}, max_size: 64KiB}}
                - {name: quick, syslog: {host: 10.0.0.1, protocol: udp}}
            """);
        SyslogSinkOptions plain = Assert.IsType<SyslogSinkOptions>(targets[0].Sink);
        Assert.Equal(("syslog tcp://logs.example:514", SyslogRfc.Rfc5424, SyslogFraming.Octet, 16, 8192), (plain.Where, plain.Rfc, plain.Framing, plain.Facility, plain.MaxBytes));
        SyslogSinkOptions old = Assert.IsType<SyslogSinkOptions>(targets[1].Sink);
        Assert.Equal(("syslog tcp://[2001:db8::1]:1514", SyslogRfc.Rfc3164, SyslogFraming.Line, 10), (old.Where, old.Rfc, old.Framing, old.Facility));
        SyslogSinkOptions sure = Assert.IsType<SyslogSinkOptions>(targets[2].Sink);
        Assert.Equal(("syslog tls://10.0.0.1:6514", SyslogFraming.Octet, 65536, "logs.example"), (sure.Where, sure.Framing, sure.MaxBytes, sure.Link.Tls.ServerName));
        Assert.Equal(2048, Assert.IsType<SyslogSinkOptions>(targets[3].Sink).MaxBytes);
        Assert.Equal([AlertFormat.Json, AlertFormat.Cef, AlertFormat.Leef, AlertFormat.Json], targets.Select(t => t.Format));
    }

    [Fact]
    public void A_gelf_target_has_its_level_by_severity_unless_one_is_set()
    {
        IReadOnlyList<OutputOptions> targets = Good("""
            outputs:
              targets:
                - {name: a, gelf: {host: graylog.example, protocol: udp, compression: none, chunk_size: 8KiB}}
                - {name: b, gelf: {host: graylog.example, level: 3}}
            """);
        Assert.Equal(new GelfSinkOptions { Link = new LinkOptions { Protocol = LinkProtocol.Udp, Host = "graylog.example", Port = 12201, Tls = ((GelfSinkOptions)targets[0].Sink).Link.Tls }, Compress = false, ChunkBytes = 8192 }, targets[0].Sink);
        Assert.Equal(3, Assert.IsType<GelfSinkOptions>(targets[1].Sink).Level);
    }

    [Fact]
    public void The_originals_keys_go_on_working()
    {
        (NfrConfig? config, string[] faults) = Parse("outputs: {file: none, syslog: {ip: 10.0.0.1, port: 1514, proto: udp, format: cef}, graylog: {uri: 'tcp://[::1]:12201', level: 4}}");
        Assert.Empty(faults);
        IReadOnlyList<OutputOptions> outputs = SensorParts.OutputsOf(config!.Outputs);
        SyslogSinkOptions syslog = Assert.IsType<SyslogSinkOptions>(outputs[0].Sink);
        Assert.Equal(("syslog", AlertFormat.Cef, "syslog udp://10.0.0.1:1514", SyslogRfc.Original, SyslogFraming.Line), (outputs[0].Name, outputs[0].Format, syslog.Where, syslog.Rfc, syslog.Framing));
        GelfSinkOptions graylog = Assert.IsType<GelfSinkOptions>(outputs[1].Sink);
        Assert.Equal(("graylog", "gelf tcp://[::1]:12201", 4), (outputs[1].Name, graylog.Where, graylog.Level));
    }

    [Theory]
    [InlineData("- {file: {path: a}}", "name: missing")]
    [InlineData("- {name: file, file: {path: a}}", "is taken by another output")]
    [InlineData("- {name: a, file: {path: a}}\n    - {name: a, file: {path: b}}", "is taken by another output")]
    [InlineData("- {name: a}", "expected exactly one of file")]
    [InlineData("- {name: a, file: {}}", "path: missing")]
    [InlineData("- {name: a, file: {keep: 3}}", "path: missing")]
    [InlineData("- {name: a, format: xml, file: {path: a}}", "format: expected one of json, cef, leef, ecs, ocsf")]
    [InlineData("- {name: a, elastic: {}}", "hosts: missing")]
    [InlineData("- {name: elastic, elastic: {hosts: a}}", "is taken by another output")]
    [InlineData("- {name: a, elastic: {hosts: 'ftp://a'}}", "\"ftp://a\" is no address")]
    [InlineData("- {name: a, elastic: {hosts: a, cloud_id: b}}", "hosts and cloud_id exclude each other")]
    [InlineData("- {name: a, elastic: {cloud_id: b}}", "this is no cloud id")]
    [InlineData("- {name: a, elastic: {hosts: a, api_key: b, api_key_file: c}}", "api_key is set too; keep one of them")]
    [InlineData("- {name: a, elastic: {hosts: a, api_key: b, username: c, password: d}}", "api_key and username exclude each other")]
    [InlineData("- {name: a, elastic: {hosts: a, username: c}}", "password is missing")]
    [InlineData("- {name: a, elastic: {hosts: a, password: c}}", "username is missing")]
    [InlineData("- {name: a, elastic: {hosts: a, index: Alerts}}", "expected the name of an index")]
    [InlineData("- {name: a, elastic: {hosts: a, shards: 3}}", "unknown key \"shards\"")]
    [InlineData("- {name: a, format: json, elastic: {hosts: a}}", "format: expected one of ecs")]
    [InlineData("- {name: a, file: {path: a}, filter: {severity: 6}}", "filter.severity: expected a whole number from 1 to 5")]
    [InlineData("- {name: a, file: {path: a}, level: 3}", "unknown key \"level\"")]
    [InlineData("- {name: a, syslog: {port: 514}}", "host: missing")]
    [InlineData("- {name: a, syslog: {host: 'a b'}}", "expected an address or host name")]
    [InlineData("- {name: a, syslog: {host: a, facility: local8}}", "facility: expected one of kern")]
    [InlineData("- {name: a, syslog: {host: a, tls: {server_name: b}}}", "tls: protocol is tcp")]
    [InlineData("- {name: a, syslog: {host: a, protocol: udp, max_size: 100KiB}}", "max_size: expected a size from 480B to")]
    [InlineData("- {name: a, format: json, gelf: {host: a}}", "gelf has one format of its own")]
    [InlineData("- {name: a, gelf: {host: a, level: 8}}", "level: expected a whole number from 0 to 7")]
    public void A_target_that_cannot_be_is_a_fault_with_its_line(string item, string expected)
    {
        (NfrConfig? config, string[] faults) = Parse($"outputs:\n  targets:\n    {item}\n");
        Assert.Null(config);
        Assert.Contains(faults, f => f.Contains(expected, StringComparison.Ordinal) && f.StartsWith("/opt/sensor/config.yml:", StringComparison.Ordinal));
    }

    [Fact]
    public void A_cluster_is_a_target_of_its_own_or_the_section_elastic()
    {
        (NfrConfig? config, string[] faults) = Parse("""
            outputs:
              elastic: {hosts: [https://es1.example, "es2.example:9201"], api_key_file: es.key}
              targets:
                - {name: second, elastic: {cloud_id: "site:ZXhhbXBsZS5jb20kYWJjZGVm", username: nfr, password: x, index: alerts, template: true}}
            """);
        Assert.Empty(faults);
        Assert.Equal(["https://es1.example:9200/", "http://es2.example:9201/"], config!.Outputs.Elastic.Cluster!.Hosts.Select(h => h.ToString()));
        Assert.Equal("/opt/sensor/es.key", config.Outputs.Elastic.Cluster.ApiKey!.File);
        var second = (ElasticSinkOptions)config.Outputs.Targets.Single().Sink;
        Assert.Equal(("alerts", true, "nfr", "x"), (second.Index, second.Cluster.Template, second.Cluster.Username, second.Cluster.Password!.Text));
        Assert.Equal("https://abcdef.example.com/", second.Cluster.Hosts.Single().ToString());
        Assert.Equal(AlertFormat.Ecs, config.Outputs.Targets.Single().Format);
        Assert.Equal(["file", "elastic", "second"], global::Nfr.Pipeline.SensorParts.OutputsOf(config.Outputs).Select(o => o.Name));
    }

    [Fact]
    public void Events_that_are_shipped_have_a_consumer_of_their_own_beside_the_engines()
    {
        const string Shipping = "outputs:\n  elastic: {hosts: es.example, events: [dns, tls, dns]}\n";
        (NfrConfig? config, string[] faults) = Parse(Shipping);
        Assert.Empty(faults);
        Assert.Equal([global::Nfr.Events.EventType.Dns, global::Nfr.Events.EventType.Tls], config!.Outputs.Elastic.Events);
        Assert.Equal(["elastic"], global::Nfr.Pipeline.SensorParts.ConsumersOf(config));
        Assert.Equal(["engine", "elastic"], global::Nfr.Pipeline.SensorParts.ConsumersOf(Parse(Shipping + "engine: {host: 'https://e.example', api_key: k}\n").Config!));
        Assert.Equal(["engine"], global::Nfr.Pipeline.SensorParts.ConsumersOf(Parse("").Config!));
    }

    [Theory]
    [InlineData("{hosts: a, events: [dns, smtp]}", "expected any of dns, ip, http, tls, found \"smtp\"")]
    [InlineData("{events: dns}", "hosts: missing")]
    [InlineData("{hosts: a, events_index: 'Logs-{type}'}", "expected the name of an index")]
    [InlineData("{hosts: 'a b'}", "is no address")]
    public void A_section_elastic_that_cannot_be_is_a_fault_with_its_line(string section, string expected)
    {
        (NfrConfig? config, string[] faults) = Parse($"outputs:\n  elastic: {section}\n");
        Assert.Null(config);
        Assert.Contains(faults, f => f.Contains(expected, StringComparison.Ordinal) && f.StartsWith("/opt/sensor/config.yml:2:", StringComparison.Ordinal));
    }
}
