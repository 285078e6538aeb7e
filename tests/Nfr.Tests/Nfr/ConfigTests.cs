using System.Text;
using System.Text.RegularExpressions;
using Nfr.Config;
using Nfr.Pipeline;

namespace Nfr.Tests.Nfr;

public sealed partial class ConfigTests
{
    static NfrConfig? Parse(string text, out string faults)
    {
        NfrConfig? config = NfrConfig.Parse("config.yml", Encoding.UTF8.GetBytes(text), out IReadOnlyList<ConfigFault> list);
        faults = string.Join('\n', list);
        return config;
    }

    static NfrConfig Good(string text)
    {
        NfrConfig? config = Parse(text, out string faults);
        Assert.Equal("", faults);
        return config!;
    }

    [Theory]
    [InlineData("engnie:\n  host: x", "config.yml:1: unknown key \"engnie\"; did you mean \"engine\"?")]
    [InlineData("\n\nwhatever: 1", "config.yml:3: unknown key \"whatever\"; see the shipped config.yml for all keys")]
    [InlineData("alphasoc:\n  host: x", "config.yml:1: unknown key \"alphasoc\"; it is called engine now")]
    [InlineData("inputs:\n  sniffer:\n    enabled: true\n    interfaces: eth0", "config.yml:4: unknown key \"interfaces\" in inputs.sniffer; did you mean \"interface\"?")]
    [InlineData("spool:\n  colour: red", "config.yml:2: unknown key \"colour\" in spool; known are card_size, dir, max_age, max_ages, max_size, quotas")]
    [InlineData("log:\n  level: info\n  level: warn", "config.yml:3: \"level\" is set twice; first in line 2")]
    [InlineData("log:\n  level: loud", "config.yml:2: log.level: expected one of debug, info, warn, error, found \"loud\"")]
    [InlineData("log: info", "config.yml:1: log: expected keys under it, found a value")]
    [InlineData("log: [info]", "config.yml:1: log: expected keys under it, found a list")]
    [InlineData("log:\n  level: [info]", "config.yml:2: log.level: expected one of debug, info, warn, error, found a list")]
    [InlineData("log:\n  file:\n    name: x", "config.yml:3: log.file: expected a path, found more keys")]
    [InlineData("outputs:\n  enabled: maybe", "config.yml:2: outputs.enabled: expected true or false, found \"maybe\"")]
    [InlineData("outputs:\n  enabled: \"true\"", "config.yml:2: outputs.enabled: expected true or false without quotes, found \"true\"")]
    [InlineData("outputs:\n  syslog:\n    port: 70000", "config.yml:3: outputs.syslog.port: expected a whole number from 1 to 65535, found \"70000\"")]
    [InlineData("outputs:\n  syslog:\n    port: 1.5", "config.yml:3: outputs.syslog.port: expected a whole number from 1 to 65535, found \"1.5\"")]
    [InlineData("outputs:\n  syslog:\n    ip: not an address", "config.yml:3: outputs.syslog.ip: expected an address or host name, found \"not an address\"")]
    [InlineData("outputs:\n  syslog: {proto: sctp}", "config.yml:2: outputs.syslog.proto: expected one of tcp, udp, found \"sctp\"")]
    [InlineData("outputs:\n  graylog:\n    uri: tcp://10.0.0.1", "config.yml:3: outputs.graylog.uri: expected tcp://host:port or udp://host:port, found \"tcp://10.0.0.1\"")]
    [InlineData("outputs:\n  graylog:\n    level: 8", "config.yml:3: outputs.graylog.level: expected a whole number from 0 to 7, found \"8\"")]
    [InlineData("outputs:\n  format: xml", "config.yml:2: outputs.format: expected one of json, cef, leef, found \"xml\"")]
    [InlineData("engine:\n  alerts:\n    poll_interval: 4s", "config.yml:3: engine.alerts.poll_interval: expected a duration from 5s to 24h, such as 5m, found \"4s\"")]
    [InlineData("engine:\n  alerts:\n    poll_interval: 300", "config.yml:3: engine.alerts.poll_interval: expected a duration from 5s to 24h, such as 5m (a number needs a unit: ms, s, m or h), found \"300\"")]
    [InlineData("engine:\n  host: ftp://x", "config.yml:2: engine.host: expected an address such as https://api.alphasoc.net, or embedded; found \"ftp://x\"")]
    [InlineData("engine:\n  api_key: \"two words\"", "config.yml:2: engine.api_key: an API key has no spaces, colons or letters outside ASCII; run 'nfr account register' for one")]
    [InlineData("dns_events:\n  buffer_size: 63", "config.yml:2: dns_events.buffer_size: expected a whole number from 64 to 1000000, found \"63\"")]
    [InlineData("tls_events:\n  flush_interval: 1s", "config.yml:2: tls_events.flush_interval: expected a duration from 5s to 24h, such as 30s, found \"1s\"")]
    [InlineData("http_events:\n  failed:\n    file: x", "config.yml:2: unknown key \"failed\" in http_events; known are buffer_size, flush_interval")]
    [InlineData("spool:\n  max_size: 1 MB", "config.yml:2: spool.max_size: expected a size from 16MiB to 1TiB, such as 1GiB, found \"1 MB\"")]
    [InlineData("spool:\n  quotas: {dns: 0%}", "config.yml:2: spool.quotas.dns: expected a share from 1% to 100%, or a size of at least 1MiB, such as 200MiB, found \"0%\"")]
    [InlineData("spool:\n  max_ages:\n    alerts: 10", "config.yml:3: spool.max_ages.alerts: expected a duration from 1h to 87600h, such as 720h (a number needs a unit: ms, s, m or h), found \"10\"")]
    [InlineData("spool:\n  max_size: 5 apples", "config.yml:2: spool.max_size: expected a size from 16MiB to 1TiB, such as 1GiB, found \"5 apples\"")]
    [InlineData("inputs:\n  sniffer:\n    interface: eth0,eth1", "config.yml:3: inputs.sniffer.interface: \"eth0,eth1\" is no interface name; write one name, or a list such as [eth0, eth1]")]
    [InlineData("inputs:\n  sniffer:\n    interface: [eth0, eth0]", "config.yml:3: inputs.sniffer.interface: eth0 is listed twice")]
    [InlineData("inputs:\n  sniffer:\n    workers: 0", "config.yml:3: inputs.sniffer.workers: expected a whole number from 1 to 64, found \"0\"")]
    [InlineData("inputs:\n  monitor:\n  - format: bro\n    type: dns", "config.yml:3: inputs.monitor[0]: file missing; name the log file, its folder, or a pattern such as /var/log/suricata/eve*.json")]
    [InlineData("inputs:\n  monitor:\n  - {file: /x, format: zeek}\n  - {file: /x, format: suricata}", "config.yml:4: inputs.monitor[1].format: /x is zeek by line 3 and suricata here; keep one of them")]
    [InlineData("inputs:\n  monitor:\n  - {file: /x, format: edge}", "config.yml:3: inputs.monitor[0].format: expected one of auto, zeek, bro, suricata, msdns, bind, syslog-named, dnsmasq, pihole, unbound, coredns, found \"edge\"")]
    [InlineData("inputs:\n  syslog:\n  - {protocol: tcp}", "config.yml:3: inputs.syslog[0].listen: missing; name an address and port such as 0.0.0.0:5514")]
    [InlineData("inputs:\n  syslog:\n  - {listen: localhost}", "config.yml:3: inputs.syslog[0].listen: expected address:port, such as 0.0.0.0:5514 or [::]:5514, found \"localhost\"")]
    [InlineData("inputs:\n  syslog:\n  - {listen: 0.0.0.0:514, type: tls, format: bind}", "config.yml:3: inputs.syslog[0].type: bind logs hold no tls events; tls is read from zeek (or bro) and suricata")]
    [InlineData("inputs:\n  syslog:\n  - {listen: 0.0.0.0:514, from: 10.0.0.1}", "config.yml:3: inputs.syslog[0].from: \"10.0.0.1\" is no network; write one such as 10.0.0.0/8 or 192.168.1.5/32")]
    [InlineData("inputs:\n  syslog:\n  - {listen: 0.0.0.0:514}\n  - {listen: 0.0.0.0:514, protocol: udp}", "config.yml:4: inputs.syslog[1].listen: 0.0.0.0:514 is listened on by line 3 too; use another port")]
    [InlineData("inputs:\n  timezone: Middle/Earth", "config.yml:2: inputs.timezone: this machine knows no time zone \"Middle/Earth\"; write one such as Europe/Berlin or UTC (timedatectl list-timezones), or local")]
    [InlineData("inputs:\n  monitor:\n  - {format: msdns, type: ip, file: /x}", "config.yml:3: inputs.monitor[0].type: msdns logs hold no ip events; ip is read from zeek (or bro) and suricata")]
    [InlineData("inputs:\n  monitor:\n  - {format: edgy, type: dns, file: /x}", "config.yml:3: inputs.monitor[0].format: expected one of auto, zeek, bro, suricata, msdns, bind, syslog-named, dnsmasq, pihole, unbound, coredns, found \"edgy\"")]
    [InlineData("inputs:\n  monitor:\n  - /x", "config.yml:3: inputs.monitor: expected keys in each item of the list")]
    [InlineData("inputs:\n  monitor:\n    format: bro", "config.yml:3: inputs.monitor: expected a list, each item beginning with \"- \"")]
    [InlineData("inputs:\n  elastic:\n    hosts: {a: b}", "config.yml:3: inputs.elastic.hosts: expected a list of texts, found more keys")]
    [InlineData("inputs:\n  elastic:\n    hosts:\n    - a\n    - [b]", "config.yml:5: inputs.elastic.hosts: expected text in each item of the list")]
    [InlineData("outputs:\n  enabled: false", "config.yml:1: inputs: neither an input nor an output is switched on; set inputs.sniffer.enabled: true, or name a log in inputs.monitor")]
    [InlineData("- a", "config.yml:1: expected \"key: value\" lines")]
    [InlineData("just words", "config.yml:1: expected \"key: value\" lines")]
    [InlineData("log:\n  level: info\n---\nlog:\n", "config.yml:3: a second YAML document begins here (\"---\"); one file holds one")]
    [InlineData("log:\n\tlevel: info", "config.yml:2: YAML: a tab stands where spaces belong; indent with spaces")]
    [InlineData("log: *nothing", "config.yml:1: no anchor &nothing stands before this alias")]
    [InlineData("log: &a [*a]", "config.yml:1: &a contains itself")]
    [InlineData("? [a, b]\n: 1", "config.yml:1: a key must be plain text")]
    [InlineData("data:\n  dir: \"a\\0b\"", "config.yml:2: data.dir: a path cannot hold a zero byte")]
    public void A_fault_is_told_with_its_line(string text, string fault)
    {
        Assert.Null(Parse(text, out string faults));
        Assert.Equal(fault, faults);
    }

    [Theory]
    [InlineData("log:\n level: info\n  file: x\n", "config.yml:3: YAML: ")]
    [InlineData("log: {level: info\n", "config.yml:")]
    [InlineData("log: \"open\n", "config.yml:")]
    [InlineData("a: b: c\n", "config.yml:1: YAML: ")]
    [InlineData("must_have:\n  - @timestamp\n", "config.yml:2: YAML: ")]
    public void A_fault_of_YAML_itself_is_told_with_its_line(string text, string beginning)
    {
        Assert.Null(Parse(text, out string faults));
        Assert.StartsWith(beginning, faults, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", faults, StringComparison.Ordinal);
    }

    [Fact]
    public void All_faults_are_told_at_once_in_order()
    {
        Parse("""
            log:
              level: loud
            engine:
              alerts: {poll_interval: 1s}
              colour: red
            spool:
              max_size: tiny
            """, out string faults);
        Assert.Equal([2, 4, 5, 7], faults.Split('\n').Select(f => int.Parse(f.Split(':')[1])));
    }

    [Fact]
    public void Elasticsearch_is_held_to_its_rules_once_it_is_enabled()
    {
        const string Text = """
            inputs:
              elastic:
                enabled: true
                username: elastic
                searches:
                  - event_type: dns
                    indices: []
                  - event_type: tls
                    indices: [x]
                    search_term: '{'
                  - event_type: http
                    indices: [x]
                    must_have_fields: [url.full]
                    field_names: {timestamp: "@timestamp", src_ip: source.ip}
            """;
        Parse(Text, out string faults);
        Assert.Equal("""
            config.yml:2: inputs.elastic.hosts: name the servers in hosts, or a cloud_id
            config.yml:6: inputs.elastic.searches[0].search_term: set index_schema, search_term or must_have_fields; else every document would be read
            config.yml:6: inputs.elastic.searches[0].field_names: timestamp is missing; no schema names it
            config.yml:6: inputs.elastic.searches[0].field_names: event_ingested is missing; no schema names it
            config.yml:6: inputs.elastic.searches[0].field_names: src_ip is missing; no schema names it
            config.yml:6: inputs.elastic.searches[0].field_names: query is missing; no schema names it
            config.yml:7: inputs.elastic.searches[0].indices: name at least one index, such as filebeat-*
            config.yml:8: inputs.elastic.searches[1].field_names: timestamp is missing; no schema names it
            config.yml:8: inputs.elastic.searches[1].field_names: event_ingested is missing; no schema names it
            config.yml:8: inputs.elastic.searches[1].field_names: src_ip is missing; no schema names it
            config.yml:10: inputs.elastic.searches[1].search_term: expected a query clause as JSON, such as '{"term": {"tags": "zeek.dns"}}'
            config.yml:14: inputs.elastic.searches[2].field_names: event_ingested is missing; no schema names it
            config.yml:14: inputs.elastic.searches[2].field_names: url is missing; no schema names it
            """, faults);
        Good(Text.Replace("enabled: true", "enabled: false", StringComparison.Ordinal));
    }

    [Fact]
    public void What_the_original_takes_of_a_search_is_taken_with_a_note()
    {
        const string Text = """
            inputs:
              elastic:
                enabled: true
                hosts: [http://192.0.2.1:9200]
                username: elastic
                searches:
                  - event_type: dns
                    indices: [x]
                    index_schema: ecs
                    poll_interval: 0
                    batch_size: 20000
                    pit_keep_alive: 0
                  - event_type: tls
                    indices: [x]
                    index_schema: ecs
                    poll_interval: 0.5
                    batch_size: 0
            """;
        NfrConfig config = Good(Text);
        Assert.Equal("""
            config.yml:5: inputs.elastic.username: there is no password beside it; it logs in with an empty one
            config.yml:10: inputs.elastic.searches[0].poll_interval: 0 is taken for the default, 30s
            config.yml:11: inputs.elastic.searches[0].batch_size: 20000 is taken for the most that a server gives, 10000
            config.yml:12: inputs.elastic.searches[0].pit_keep_alive: 0 is taken for the default, 3m
            config.yml:16: inputs.elastic.searches[1].poll_interval: that is taken for the least, 1s
            config.yml:17: inputs.elastic.searches[1].batch_size: 0 is taken for the default, 10000
            """, string.Join('\n', config.Notes));
        ElasticSearchConfig[] searches = [.. config.Inputs.Elastic.Searches];
        Assert.Equal([(30.0, 10_000, 180.0), (1.0, 10_000, 180.0)], searches.Select(s => (s.PollInterval.TotalSeconds, s.BatchSize, s.PitKeepAlive.TotalSeconds)));
        Assert.Equal("config.yml:5: inputs.elastic.password: not used, because there is no username beside it", Assert.Single(Good(Text.Replace("username: elastic", "password: left", StringComparison.Ordinal)).Notes, n => n.Line == 5).ToString());
    }

    [Fact]
    public void An_ip_search_of_ECS_is_two_of_the_searches_that_can_be_run()
    {
        string text = "inputs:\n  elastic:\n    enabled: true\n    hosts: [localhost:9200]\n    searches:\n" + string.Concat(Enumerable.Range(0, 9).Select(i => $"    - {{event_type: ip, indices: [x{i}], index_schema: ecs}}\n"));
        _ = Parse(text, out string faults);
        Assert.Contains("at most 16 searches can be run, where one for ip with index_schema ecs is two", faults, StringComparison.Ordinal);
        Good(text.Replace("[x8], index_schema: ecs", "[x8], index_schema: ecs, field_names: {event_ingested: x}", StringComparison.Ordinal).Replace("    - {event_type: ip, indices: [x7], index_schema: ecs}\n", "", StringComparison.Ordinal));
    }

    [Fact]
    public void An_empty_file_is_all_defaults()
    {
        foreach (string text in new[] { "", "# nothing\n", "---\n", "~\n", "\uFEFF" })
        {
            NfrConfig config = Good(text);
            Assert.True(config.Engine.IsEmbedded);
            Assert.False(config.Inputs.Sniffer.Enabled);
            Assert.Equal("stderr", config.Outputs.File);
            Assert.Equal("stdout", config.Log.File);
            Assert.Equal(TimeSpan.FromMinutes(5), config.Engine.AlertPollInterval);
            Assert.Equal(65535, config.TlsEvents.BufferSize);
            Assert.Equal("/var/lib/nfr/spool", config.Spool.Dir);
            Assert.Null(config.Scope.File);
        }
    }

    [Theory]
    [InlineData("engine: {api_key: abc}", "https://api.alphasoc.net", 0)]
    [InlineData("engine: {host: https://engine.example/, api_key: abc}", "https://engine.example", 0)]
    [InlineData("engine: {host: http://10.0.0.5:8080, api_key: abc}", "http://10.0.0.5:8080", 1)]
    [InlineData("engine: {host: http://127.0.0.1:8080, api_key: abc}", "http://127.0.0.1:8080", 0)]
    [InlineData("engine: {host: embedded, api_key: abc}", "embedded", 1)]
    [InlineData("engine: {host: , api_key: }", "embedded", 0)]
    public void The_host_follows_from_the_key_unless_it_is_set(string text, string host, int notes)
    {
        NfrConfig config = Good(text);
        Assert.Equal(host, config.Engine.Host);
        Assert.Equal(notes, config.Notes.Count);
    }

    [Fact]
    public void A_start_without_input_or_key_says_what_to_do()
    {
        Assert.Equal(
            ["config.yml:1: engine.api_key is not set, and https://api.alphasoc.net wants one; run 'nfr account register', or set host: embedded to score on board alone",
                "config.yml: no input is switched on; set inputs.sniffer.enabled: true, or name a log in inputs.monitor"],
            Good("engine: {host: 'https://api.alphasoc.net'}").StartFaults.Select(f => f.ToString()));
        Assert.Empty(Good("inputs: {sniffer: {enabled: true}}").StartFaults);
    }

    [Fact]
    public void Relative_paths_are_seen_from_the_folder_of_the_file()
    {
        NfrConfig? config = NfrConfig.Parse("/opt/sensor/config.yml", "scope: {file: scope.yml}\noutputs: {file: log/alerts.json}\nlog: {file: stderr}\ndata: {dir: ../data}"u8, out _);
        Assert.Equal("/opt/sensor/scope.yml", config!.Scope.File);
        Assert.Equal("/opt/sensor/log/alerts.json", config.Outputs.File);
        Assert.Equal("stderr", config.Log.File);
        Assert.Equal("/opt/data", config.Data.Dir);
        Assert.Equal("/opt/data/spool", config.Spool.Dir);
        Assert.Equal("/opt/sensor/feeds", config.Scoring.Feeds);
    }

    [Fact]
    public void A_file_of_the_original_loads_unchanged()
    {
        // Every key of version 1.x, as its sample file has them: many are there and empty.
        NfrConfig config = Good("""
            engine:
              host: https://api.alphasoc.net
              api_key: test-api-key
              analyze:
                dns: true
                ip: true
              alerts:
                poll_interval: 5m
            inputs:
              sniffer:
                enabled: true
                interface:
              monitor:
                - format:
                  type:
                  file:
              #msdns_time_format: "1/02/2006 3:04:05 PM"
              use_inotify: yes
              elastic:
                enabled: false
                cloud_id:
                api_key:
                username:
                password:
                searches:
                  - event_type: dns
                    batch_size: 10000
                    indices:
                    index_schema: ecs
                    search_terms:
                    must_have_fields:
                    field_names:
                      timestamp:
                      status:
                      user_agent:
            outputs:
              enabled: true
              syslog:
                ip:
                port: 514
                proto: tcp
                format: json
              graylog:
                uri:
                level: 1
              file: stderr
              format: json
            scope:
              file:
            log:
              file: stdout
              level: info
            data:
              file: /run/nfr.data
              dir: /run/nfr/data
            dns_events:
              buffer_size: 65535
              flush_interval: 30s
              failed:
                file:
            ip_events:
              buffer_size: 65535
              flush_interval: 30s
              failed:
                file:
            http_events:
              buffer_size: 65535
              flush_interval: 30s
            """);
        Assert.Equal("test-api-key", config.Engine.ApiKey);
        Assert.True(config.Inputs.Sniffer.Enabled);
        Assert.Empty(config.Inputs.Sniffer.Interfaces);
        Assert.Empty(config.Inputs.Monitor);
        Assert.True(config.Inputs.UseInotify);
        Assert.Equal("/run/nfr/data", config.Data.Dir);
        Assert.Empty(config.Notes);
    }

    [Theory]
    [InlineData(16, 16, null)]
    [InlineData(17, 16, "17 log items and 16 searches keep 65 places in the spool, which has 64")]
    [InlineData(13, 13, "13 log items and 13 searches keep 65 places in the spool, which has 64")]
    [InlineData(12, 13, null)]
    [InlineData(32, 3, null)]
    [InlineData(32, 0, null)]
    public void Log_items_and_searches_share_the_places_of_the_spool(int items, int searches, string? says)
    {
        string text = "inputs:\n  monitor:\n" + string.Concat(Enumerable.Range(0, items).Select(i => $"  - file: /var/log/dns{i}.log\n"))
            + (searches == 0 ? "" : "  elastic:\n    enabled: true\n    hosts: [localhost:9200]\n    searches:\n")
            + string.Concat(Enumerable.Range(0, searches).Select(i => $"    - {{event_type: dns, indices: [filebeat{i}-*], index_schema: ecs}}\n"));
        _ = Parse(text, out string faults);
        if (says is null) Assert.Equal("", faults);
        else Assert.Contains($"inputs.monitor: {says}; let one item stand for many", faults, StringComparison.Ordinal);
    }

    [Fact]
    public void Nine_syslog_items_are_one_too_many()
    {
        _ = Parse("inputs:\n  syslog:\n" + string.Concat(Enumerable.Range(1, 9).Select(i => $"  - listen: 0.0.0.0:{i}\n")), out string faults);
        Assert.Equal("config.yml:11: inputs.syslog[8]: more than 8 items; one takes the lines of any number of senders", faults);
    }

    [Fact]
    public void The_sections_of_the_guides_load()
    {
        // The README's monitor and elastic examples and the Packetbeat guide's.
        NfrConfig config = Good("""
            inputs:
              sniffer:
                enabled: true
                interface: eth1
              monitor:
                - format: bro
                  type: dns
                  file: /path/to/dns.log
                - format: bro
                  type: ip
                  file: /path/to/conn.log
                - format: bro
                  type: http
                  file: /path/to/http.log
                - format: suricata
                  type: dns
                  file: /path/to/eve.json
              elastic:
                enabled: true
                hosts:
                  - localhost:9200
                  - http://localhost:9200
                # api_key: ... # or:
                username: elastic
                password: changeme
                searches:
                  - event_type: dns
                    indices:
                    - packetbeat-*
                    index_schema: ecs
                    poll_interval: 30
                    pit_keep_alive: 2.5m
                  - event_type: tls
                    indices:
                    - filebeat-*
                    index_schema: graylog
            """);
        Assert.Equal(["eth1"], config.Inputs.Sniffer.Interfaces);
        Assert.Equal(4, config.Inputs.Monitor.Count);
        Assert.Equal(new MonitorConfig("suricata", "dns", "/path/to/eve.json", 15), config.Inputs.Monitor[3]);
        Assert.Equal(TimeSpan.FromSeconds(150), config.Inputs.Elastic.Searches[0].PitKeepAlive);
    }

    [Fact]
    public void The_originals_outputs_are_read_with_its_words()
    {
        NfrConfig config = Good("outputs: {file: none, syslog: {ip: 10.0.0.1}, graylog: {uri: 'udp://[::1]:12201'}}");
        Assert.Null(config.Outputs.File);
        Assert.Equal(("udp", "::1", 12201), (config.Outputs.Graylog.Protocol, config.Outputs.Graylog.Host!.Trim('[', ']'), config.Outputs.Graylog.Port));
        Assert.Equal(["syslog: syslog tcp://10.0.0.1:514", "graylog: gelf udp://[::1]:12201"], SensorParts.OutputsOf(config.Outputs).Select(o => $"{o.Name}: {o.Sink.Where}"));
        Assert.Null(Good("outputs: {file: ''}\ninputs: {sniffer: {enabled: true}}").Outputs.File);
    }

    [Fact]
    public void A_time_format_that_is_no_layout_is_refused_where_it_stands()
    {
        Assert.Null(Parse("inputs:\n  msdns_time_format: today", out string faults));
        Assert.StartsWith("config.yml:2: inputs.msdns_time_format: \"today\" lacks a month", faults, StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_needs_no_more_than_its_file()
    {
        NfrConfig config = Good("""
            inputs:
              timezone: Asia/Kolkata
              monitor:
                - file: /var/log/eve*.json
                - {file: /zeek/logs, format: bro, from: end}
                - {file: /e/eve.json, format: suricata, type: ip}
                - {file: /e/eve.json, format: suricata, type: tls}
              syslog:
                - listen: "[::]:5514"
                  protocol: udp
                  from: [10.0.0.0/8, fd00::/8]
                - {listen: 0.0.0.0:5514, protocol: tcp, format: pihole}
            """);
        Assert.Equal(
            [new("auto", "all", "/var/log/eve*.json", 4), new("bro", "all", "/zeek/logs", 5) { FromEnd = true }, new("suricata", "ip", "/e/eve.json", 6), new("suricata", "tls", "/e/eve.json", 7)],
            config.Inputs.Monitor);
        Assert.Equal((global::Nfr.Logs.LogFormat.Zeek, "Asia/Kolkata"), (config.Inputs.Monitor[1].LogFormat, config.Inputs.Timezone.Id));
        Assert.Equal(["[::]:5514 udp auto all 10.0.0.0/8,fd00::/8", "0.0.0.0:5514 tcp pihole all "],
            config.Inputs.Syslog.Select(l => $"{l.Listen} {l.Protocols} {l.Format} {l.Type} {string.Join(',', l.From)}"));
        Assert.True(config.Inputs is { Any: true, HasLogs: true, Sniffer.Enabled: false });
        Assert.Empty(config.StartFaults);
    }

    [Fact]
    public void Anchors_and_merges_are_read_and_alias_bombs_are_not()
    {
        NfrConfig config = Good("dns_events: &e {buffer_size: 100, flush_interval: 10s}\nip_events: *e\ntls_events:\n  <<: *e\n  buffer_size: 200\n");
        Assert.Equal(100, config.IpEvents.BufferSize);
        Assert.Equal((200, 10.0), (config.TlsEvents.BufferSize, config.TlsEvents.FlushInterval.TotalSeconds));

        var bomb = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (int i = 1; i < 10; i++) bomb.Append($"a{i}: &a{i} [*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1}]\n");
        Assert.Null(Parse(bomb.ToString(), out string faults));
        Assert.Equal("config.yml:5: stands for more than 200000 values once its aliases are written out", faults);
    }

    [Fact]
    public void What_is_no_text_or_too_much_of_it_is_refused()
    {
        Assert.Null(NfrConfig.Parse("config.yml", [.. "log:\n  file: "u8, 0xC3, 0x28], out IReadOnlyList<ConfigFault> faults));
        Assert.Equal("config.yml:2: is not UTF-8 text; save the file as UTF-8", Assert.Single(faults).ToString());
        Assert.Null(NfrConfig.Parse("config.yml", new byte[(1024 * 1024) + 1], out faults));
        Assert.Equal("config.yml: is larger than 1048576 bytes; is this the right file?", Assert.Single(faults).ToString());
        Assert.Null(Parse(new string('[', 10_000), out string deep));
        Assert.Contains("nested deeper", deep, StringComparison.Ordinal);
        Assert.Null(Parse(string.Concat(Enumerable.Range(0, 150).Select(i => $"k{i}: 1\n")), out string many));
        Assert.EndsWith("config.yml: and 50 more faults; is this the right file?", many, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_stays_one_line_whatever_the_file_says()
    {
        Parse("\"a\\nb\\e[31m\": 1", out string faults);
        Assert.Equal("config.yml:1: unknown key \"a b [31m\"; see the shipped config.yml for all keys", faults);
    }

    [Fact]
    public void Mutated_files_give_faults_and_never_an_exception()
    {
        byte[] config = File.ReadAllBytes(Shipped("config.yml")), scope = File.ReadAllBytes(Shipped("scope.yml"));
        var random = new Random(20261121);
        string[] pieces = [":", "- ", "\n", "  ", "\t", "{", "}", "[", "]", "&a ", "*a", "<<: ", "\"", "'", "|\n", ">", "? ", "!!int ", "%", "---\n", "...\n", "\u0085", "é", "\0", "#", ",", "@", "`"];
        for (int run = 0; run < 2000; run++)
        {
            List<byte> bytes = [.. run % 2 == 0 ? config : scope];
            for (int edits = random.Next(1, 8); edits > 0; edits--)
            {
                int at = random.Next(bytes.Count);
                switch (random.Next(5))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes.RemoveRange(at, Math.Min(random.Next(200), bytes.Count - at - 1)); break;
                    case 2: bytes.InsertRange(at, Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)])); break;
                    case 3: bytes.InsertRange(at, bytes.GetRange(at / 2, random.Next(Math.Min(100, bytes.Count / 2)))); break;
                    default: bytes.RemoveRange(at + 1, bytes.Count - at - 1); break;
                }
            }
            byte[] text = [.. bytes];
            object? read = run % 2 == 0
                ? NfrConfig.Parse("config.yml", text, out IReadOnlyList<ConfigFault> faults)
                : ScopeFile.Parse("scope.yml", text, out faults);
            Assert.Equal(read is null, faults.Count > 0);
            Assert.All(faults, f => Assert.DoesNotContain('\n', f.ToString()));
        }
    }

    [Fact]
    public void The_shipped_config_loads_and_is_what_the_code_does_by_default_but_for_the_sniffer()
    {
        NfrConfig? shipped = ConfigFile.Load(Shipped("config.yml"), out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        Assert.True(shipped!.Inputs.Sniffer.Enabled);
        Assert.Empty(shipped.StartFaults);
        Assert.Empty(shipped.Notes);
        Assert.Equal(Shipped("scope.yml"), shipped.Scope.File);
        NfrConfig plain = NfrConfig.Default(Shipped("config.yml"));
        Assert.Equal(Show(plain with { Inputs = plain.Inputs with { Sniffer = plain.Inputs.Sniffer with { Enabled = true } }, Scope = shipped.Scope }), Show(shipped));
    }

    static string Show(NfrConfig c) => string.Join('\n', c.Engine, c.Inputs.Sniffer with { Interfaces = [] }, c.Inputs.Elastic with { Hosts = [], Searches = [] }, c.Inputs.UseInotify,
        c.Inputs.MsdnsTimeFormat, c.Inputs.Timezone, c.Inputs.Monitor.Count, c.Inputs.Syslog.Count, c.Outputs, c.Scope, c.Log, c.Data, c.Spool, c.Flows, c.Scoring, c.DnsEvents, c.IpEvents, c.HttpEvents, c.TlsEvents)
        .Replace("System.String[]", "", StringComparison.Ordinal);

    [Fact]
    public void Every_key_is_documented_in_the_shipped_config_and_every_documented_key_is_known()
    {
        // Take the "#" away from lines that hold a key, whether in force or not, and read what keys there are.
        var path = new List<(int Indent, string Key)>();
        var documented = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string raw in File.ReadAllLines(Shipped("config.yml")))
        {
            Match line = KeyLine().Match(raw);
            if (!line.Success) continue;
            string key = line.Groups["key"].Value;
            int indent = line.Groups["outer"].Length + line.Groups["inner"].Length;
            path.RemoveAll(p => p.Indent >= indent);
            string full = string.Join('.', path.Select(p => p.Key).Append(key)).Replace("monitor.", "monitor[].", StringComparison.Ordinal).Replace("inputs.syslog.", "inputs.syslog[].", StringComparison.Ordinal).Replace("searches.", "searches[].", StringComparison.Ordinal).Replace("feeds.", "feeds[].", StringComparison.Ordinal).Replace("targets.", "targets[].", StringComparison.Ordinal).Replace("engines.", "engines[].", StringComparison.Ordinal);
            path.Add((indent, key));
            documented.Add(full);
        }
        // Names that older sample files of the original use; read, but not advertised.
        string[] older = ["inputs.elastic.searches[].search_terms", "inputs.elastic.searches[].field_names.status"];
        Assert.Equal(NfrConfig.KnownKeys.Except(older).Order(StringComparer.Ordinal), documented);
    }

    [Fact]
    public void Every_key_in_the_shipped_config_has_a_comment_above_it()
    {
        string[] lines = File.ReadAllLines(Shipped("config.yml"));
        Assert.All(lines, l => Assert.True(l.Length <= 80, l));
        foreach (int i in Enumerable.Range(0, lines.Length).Where(i => PlainKey().IsMatch(lines[i])))
        {
            // A run of keys may share a comment; a section's is its heading.
            int above = i - 1;
            while (above >= 0 && PlainKey().IsMatch(lines[above])) above--;
            Assert.True(lines[above].TrimStart().StartsWith('#'), $"line {i + 1}: {lines[i]}");
        }
    }

    [GeneratedRegex(@"^(?<outer> *)(# )?(?<inner> *)(?<key>[a-z0-9_]+):( |$)")]
    private static partial Regex KeyLine();

    [GeneratedRegex(@"^ +[a-z_0-9]+:")]
    private static partial Regex PlainKey();

    internal static string Shipped(string name)
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Nfr.slnx"))) folder = Path.GetDirectoryName(folder);
        return Path.Combine(folder!, name);
    }
}
