using System.Reflection;
using System.Reflection.Emit;
using Nfr.Commands;
using Nfr.Config;

namespace Nfr.Tests.Nfr;

public sealed class CommandLineTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-cli-").FullName;
    readonly List<(RunContext Run, ReadOptions Options)> _reads = [];
    readonly List<RunContext> _starts = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    (int Code, string Out, string Error) Run(params string[] arguments)
    {
        var terminal = new Terminal(new StringReader(""), new StringWriter(), new StringWriter());
        int code = CommandLine.Run(arguments, terminal, new Wiring
        {
            Read = (run, options, _) =>
            {
                _reads.Add((run, options));
                return 0;
            },
            Start = (run, _, _) =>
            {
                _starts.Add(run);
                return 0;
            },
            Account = (_, _) => throw new InvalidOperationException("not asked for"),
            DefaultConfig = Path.Combine(_folder, "etc", "config.yml"),
        });
        return (code, terminal.Out.ToString()!, terminal.Error.ToString()!);
    }

    string Write(string text, string name = "config.yml")
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public void The_sensor_that_runs_is_asked_also_where_the_config_cannot_be_used_unless_that_was_named()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "etc"));
        string path = Write("colour: red\n", "etc/config.yml");
        (int code, _, string error) = Run("status");
        Assert.Contains($"{path}:1: ", error, StringComparison.Ordinal);
        // No sensor runs, or this machine's own one answers.
        Assert.NotEqual(2, code);
        Assert.Equal(2, Run("status", "-c", path).Code);
    }

    [Theory]
    [InlineData("foo", "unknown command \"foo\"; see nfr help")]
    [InlineData("raed x", "unknown command \"raed\" (did you mean \"read\"?); see nfr help")]
    [InlineData("--foo", "unknown option --foo; see nfr help")]
    [InlineData("start --foo", "unknown option --foo for \"start\"; see nfr help start")]
    [InlineData("start extra", "unexpected \"extra\" for \"start\"; see nfr help start")]
    [InlineData("read", "\"read\" needs FILE; see nfr help read")]
    [InlineData("read --foo x.pcap", "unknown option --foo for \"read\"; see nfr help read")]
    [InlineData("read x.pcap --prnt=events", "unknown option --prnt for \"read\" (did you mean --print?); see nfr help read")]
    [InlineData("read -x", "unknown option -x for \"read\"; see nfr help read")]
    [InlineData("read x --format", "option --format needs a value; see nfr help read")]
    [InlineData("read x -f pdf", "--format takes pcap, auto, zeek, bro, suricata, msdns, bind, syslog-named, dnsmasq, pihole, unbound, coredns, edge; not \"pdf\"; see nfr help read")]
    [InlineData("read x -f msdns --type tls", "msdns logs hold no tls events; tls is read from zeek (or bro) and suricata; see nfr help read")]
    [InlineData("read x --type udp", "--type takes all, dns, ip, http, tls; not \"udp\"; see nfr help read")]
    [InlineData("read x --print all", "--print takes events or alerts; not \"all\"; see nfr help read")]
    [InlineData("read x --json", "--json needs --stats; see nfr help read")]
    [InlineData("read x --json --stats --print events", "--json and --print would both write to stdout; choose one; see nfr help read")]
    [InlineData("read x -c a -c b", "option -c takes one value; see nfr help read")]
    [InlineData("-c", "option -c needs a value; see nfr help")]
    [InlineData("account", "\"account\" needs a command: register, reset, status; see nfr help account")]
    [InlineData("account rest", "unknown command \"account rest\" (did you mean \"reset\"?); see nfr help account")]
    [InlineData("account reset", "\"account reset\" needs EMAIL; see nfr help account reset")]
    [InlineData("account reset nobody", "\"nobody\" is no e-mail address; see nfr help account reset")]
    [InlineData("account register --host x", "--host takes an address such as https://api.alphasoc.net; not \"x\"; see nfr help account register")]
    [InlineData("config", "\"config\" needs a command: check; see nfr help config")]
    [InlineData("config chekc", "unknown command \"config chekc\" (did you mean \"check\"?); see nfr help config")]
    [InlineData("help nothing", "no command \"nothing\"; see nfr help")]
    [InlineData("help acount", "no command \"acount\" (did you mean \"account\"?); see nfr help")]
    public void Wrong_usage_is_one_line_and_exit_2(string arguments, string complaint)
    {
        (int code, string output, string error) = Run(arguments.Split(' '));
        Assert.Equal($"nfr: {complaint}\n", error);
        Assert.Equal((2, ""), (code, output));
    }

    [Theory]
    [InlineData("")]
    [InlineData("account")]
    [InlineData("account register")]
    [InlineData("account reset")]
    [InlineData("account status")]
    [InlineData("config")]
    [InlineData("config check")]
    [InlineData("explain")]
    [InlineData("read")]
    [InlineData("simulate")]
    [InlineData("spool")]
    [InlineData("spool export")]
    [InlineData("spool peek")]
    [InlineData("spool requeue")]
    [InlineData("spool status")]
    [InlineData("start")]
    [InlineData("version")]
    [InlineData("help")]
    public void Every_command_has_help_that_fits_80_columns(string command)
    {
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        (int code, string help, string error) = Run(["help", .. words]);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains($"\nUsage:\n  nfr {command}".TrimEnd(), help, StringComparison.Ordinal);
        Assert.All(help.Split('\n'), line => Assert.True(line.Length <= 80 && line == line.TrimEnd(), line));
        if (command != "version") Assert.Equal(help, Run([.. words, "--help"]).Out);
        Assert.Equal(help, Run([.. words, "-h"]).Out);
    }

    [Fact]
    public void Simulate_without_a_word_says_what_it_would_send_and_sends_nothing()
    {
        (int code, string output, string error) = Run("simulate");
        Assert.Equal(2, code);
        Assert.Contains("\n  connect to 198.51.100.66:443, send nothing\n", output, StringComparison.Ordinal);
        Assert.Contains("\ntunnel-icmp: ", output, StringComparison.Ordinal);
        Assert.StartsWith("nfr simulate: nothing was sent.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_arguments_help_is_shown()
    {
        Assert.Equal((0, Run("help").Out, ""), Run());
        foreach (string command in new[] { "account register", "account reset", "account status", "config check", "explain", "read", "start", "version", "help" })
            Assert.Contains($"\n  {command} ", Run().Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_version_has_no_commit_in_it()
    {
        Assert.Matches(@"^nfr version \d+\.\d+\.\d+\n$", Run("version").Out);
        Assert.Equal(Run("version"), Run("--version"));
    }

    [Fact]
    public void A_build_on_a_stand_in_runtime_says_in_its_version_that_it_is_not_for_shipping()
    {
        Assert.False(VersionText.VerificationBuild);
        Assert.Matches(@"^nfr version \d+\.\d+\.\d+ \(verification build: not for shipping\)$", VersionText.Text(verification: true));
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new("marked"), AssemblyBuilderAccess.Run,
            [new(typeof(AssemblyMetadataAttribute).GetConstructor([typeof(string), typeof(string)])!, ["VerificationBuild", "true"])]);
        Assert.True(VersionText.MarksVerification(assembly));
    }

    [Fact]
    public void A_shell_can_ask_for_completions()
    {
        Assert.Contains("read", Run("[suggest:2]", "re").Out, StringComparison.Ordinal);
        Assert.Contains("syslog-named", Run("[suggest:14]", "read --format ").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_takes_its_options_and_needs_no_config()
    {
        Assert.Equal((0, "", ""), Run("read", "a.pcap", "--type", "tls", "--print=alerts", "b.pcapng", "--stats"));
        (RunContext run, ReadOptions options) = Assert.Single(_reads);
        Assert.Equal(["a.pcap", "b.pcapng"], options.Files);
        Assert.Equal(("pcap", "tls", PrintMode.Alerts, true, false), (options.Format, options.Type, options.Print, options.Stats, options.Json));
        Assert.True(run.Config.Engine.IsEmbedded);
        Assert.Equal("default", Assert.Single(run.Scope).Name);

        Assert.Equal(0, Run("read", "--", "-odd-name", "@x").Code);
        Assert.Equal(["-odd-name", "@x"], _reads[1].Options.Files);
        Assert.Equal(0, Run("read", "-", "/h").Code);
        Assert.Equal(["-", "/h"], _reads[2].Options.Files);
    }

    [Fact]
    public void A_config_that_is_named_must_be_there()
    {
        Assert.Equal((2, "", $"{_folder}/none.yml: cannot be read: no such file\n"), Run("read", "-c", $"{_folder}/none.yml", "x"));
        Assert.Equal((2, "", $"{_folder}: is a folder; name the file in it\n"), Run("start", "-c", _folder));
        Assert.Equal((2, "", $"nfr: there is no {_folder}/etc/config.yml; put the shipped config.yml and scope.yml there, or name a config with -c FILE\n"), Run("start"));
    }

    [Fact]
    public void Start_runs_with_config_and_scope()
    {
        Write("groups: {lab: {in_scope: [10.9.0.0/16]}}", "lab.yml");
        string path = Write($"inputs: {{sniffer: {{enabled: true}}}}\nscope: {{file: lab.yml}}\ndata: {{dir: {_folder}/data}}\nlog: {{file: {_folder}/nfr.log}}\n");
        Assert.Equal((0, "", ""), Run("-c", path, "start"));
        RunContext run = Assert.Single(_starts);
        Assert.Equal("lab", Assert.Single(run.Scope).Name);
        Assert.True(Directory.Exists($"{_folder}/data/spool"));
    }

    [Theory]
    [InlineData("inputs: {sniffer: {enabled: true}}\nlog: {level: loud}", 2, "{0}:2: log.level: expected one of debug, info, warn, error, found \"loud\"")]
    [InlineData("log: {level: info}", 2, "{0}: no input is switched on; set inputs.sniffer.enabled: true, or name a log in inputs.monitor")]
    [InlineData("inputs: {sniffer: {enabled: true}}\nengine: {host: 'https://e.example'}", 2, "{0}:2: engine.api_key is not set, and https://e.example wants one; run 'nfr account register', or set host: embedded to score on board alone")]
    [InlineData("inputs: {sniffer: {enabled: true}}\noutputs: {file: no/alerts.json}", 2, "{0}:2: outputs.file: the folder {1}/no does not exist; create it, or name another file")]
    [InlineData("inputs: {sniffer: {enabled: true}}\noutputs: {file: .}", 2, "{0}:2: outputs.file: {1} is a folder; name a file in it")]
    [InlineData("inputs: {sniffer: {enabled: true}}\nlog: {file: config.yml/x.log}", 2, "{0}:2: log.file: {0} is no folder")]
    [InlineData("inputs: {sniffer: {enabled: true}}\noutputs: {file: /dev/null}", 2, "{0}:2: outputs.file: /dev/null is not a regular file; for the terminal write stdout or stderr")]
    [InlineData("inputs: {sniffer: {enabled: true}}\ndata: {dir: config.yml}", 2, "{0}:2: data.dir: {0} is a file; a folder is needed")]
    [InlineData("inputs: {sniffer: {enabled: true}}\nscope: {file: no.yml}", 2, "{1}/no.yml: cannot be read: no such file; correct scope.file in the config, or remove it to use the built-in scope")]
    [InlineData("inputs: {monitor: [{format: bro, type: dns, file: config.yml/dns.log}]}\ndata: {dir: d}\nlog: {file: stderr}", 2, "{0}:1: inputs.monitor: {0} is no folder")]
    [InlineData("inputs: {monitor: [{file: /dev/stdin}]}\ndata: {dir: d}\nlog: {file: stderr}", 2, "{0}:1: inputs.monitor: /dev/stdin is no log file; \"nfr read -\" reads from a pipe")]
    public void What_keeps_the_sensor_from_starting_is_told(string config, int code, string complaint)
    {
        string path = Write(config);
        if (!config.Contains("data:", StringComparison.Ordinal)) File.AppendAllText(path, "\ndata: {dir: data}\n");
        string expected = string.Format(null, complaint, path, _folder) + "\n";
        (int started, string _, string error) = Run("start", "-c", path);
        Assert.Equal((code, expected), (started, string.Join('\n', error.Split('\n').Where(l => !l.Contains("spool.dir", StringComparison.Ordinal)))));
        (int check, string output, string checkError) = Run("config", "check", "-c", path);
        Assert.Equal((2, "", error), (check, output, checkError));
        Assert.Empty(_starts);
    }

    [Fact]
    public void The_check_names_each_log_and_whether_it_can_be_read_now()
    {
        Write("{}\n", "eve.json");
        Write("", "eve-2.json");
        string path = Write("inputs:\n  monitor:\n  - file: eve.json\n  - {file: eve*.json, type: dns, from: end}\n  - {file: none.log, format: bind}\n  - {file: no/dns.log, format: zeek}\n  syslog:\n  - listen: 127.0.0.1:5514\ndata: {dir: data}\n");
        (int code, string output, string error) = Run("config", "check", "-c", path);
        Assert.Equal((0, ""), (code, error));
        foreach (string row in new[]
        {
            "sniffer   off\n", $"monitor   {_folder}/eve.json (auto, all types): 3 bytes, can be read\n", $"monitor   {_folder}/eve*.json (auto, dns, from the end): 2 files, 3 bytes, can be read\n",
            $"monitor   {_folder}/none.log (bind, all types): it is not there yet\n", "syslog    127.0.0.1:5514 udp and tcp (auto, all types) from private networks\n",
            $"note: {path}:6: inputs.monitor: the folder {_folder}/no does not exist; {_folder}/no/dns.log is read as soon as it does\n",
        }) Assert.Contains(row, output, StringComparison.Ordinal);
        Assert.Equal(0, Run("start", "-c", path).Code);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_one_line_and_exit_1()
    {
        string path = Write("inputs: {sniffer: {enabled: true}}\ndata: {dir: /proc/nfr}\n");
        (int code, string _, string error) = Run("start", "-c", path);
        Assert.Equal(1, code);
        Assert.StartsWith("nfr: data.dir: cannot create /proc/nfr: ", error, StringComparison.Ordinal);
        Assert.EndsWith($"; set data.dir in {path}, or run as a user who may\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Config_check_says_what_the_sensor_would_do_and_changes_nothing()
    {
        string path = Write("""
            engine: {api_key: abc}
            inputs:
              sniffer: {enabled: true, interface: [nowhere0], workers: 2, filter: not port 22}
            outputs: {file: alerts.cef, format: cef, graylog: {uri: "tcp://10.0.0.1:12201"}, targets: [{name: siem, format: leef, filter: {severity: 3}, syslog: {host: logs.invalid, protocol: tls}}]}
            dns_events: {failed: {file: x.pcap}}
            data: {dir: data}
            """);
        (int code, string output, string error) = Run("config", "check", "-c", path);
        Assert.Equal("", error);
        Assert.Equal(0, code);
        Assert.Equal($"""
            {path}: ok

              engine    https://api.alphasoc.net, alerts every 5m
              events    dns, ip, http, tls
              sniffer   nowhere0 (not on this machine); 2 workers, ring 32MiB, filter "not port 22"
              scope     built in: default
              scoring   on board, lists in {_folder}/feeds
              output    file: {_folder}/alerts.cef (cef)
              output    graylog: gelf tcp://10.0.0.1:12201
              output    siem: syslog tls://logs.invalid:6514 (leef), only severity 3 and above
              spool     {_folder}/data/spool, at most 1GiB
              metrics   http://127.0.0.1:9419/metrics
              log       stdout, info

            note: {path}: scoring.feeds: {_folder}/feeds does not exist; no indicator lists are used until it does
            note: {path}:5: dns_events.failed.file: is not used any more: unsent events wait in the spool (spool.dir)
            note: {path}:6: data.dir: {_folder}/data does not exist; start creates it
            note: output siem: the name logs.invalid cannot be resolved here and now; its alerts wait in the spool until it can

            """, output);
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Config_check_tells_every_fault_of_both_files()
    {
        Write("groups: {lab: {in_scope: [x], colour: red}}", "lab.yml");
        string path = Write("inputs: {}\nscope: {file: lab.yml}\ndata: {dir: data}\n");
        Assert.Equal(
            $"""
            {_folder}/lab.yml:1: in_scope: expected a network in CIDR form, such as 10.0.0.0/8 or fc00::/7; found "x"
            {_folder}/lab.yml:1: unknown key "colour" in groups.lab; known are in_scope, label, out_scope, trusted_domains, trusted_ips
            {path}:1: no input is switched on; set inputs.sniffer.enabled: true, or name a log in inputs.monitor

            """, Run("config", "check", "-c", path).Error);
        Assert.Equal(2, Run("config", "check", "-c", path).Code);
    }

    [Fact]
    public void The_shipped_files_pass_the_check()
    {
        (int code, string output, string error) = Run("config", "check", "-c", ConfigTests.Shipped("config.yml"));
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("embedded: nothing leaves this machine", output, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(ConfigTests.Shipped("config.yml")), ShippedFiles.Config);
        Assert.Equal(File.ReadAllText(ConfigTests.Shipped("scope.yml")), ShippedFiles.Scope);
    }

    [Fact]
    public void The_check_says_what_leaves_the_machine_and_which_output_would_be_silent()
    {
        string path = Write("inputs: {sniffer: {enabled: true}}\noutputs:\n  elastic: {hosts: [\"http://127.0.0.1:9299\"], events: [dns, ip]}\n  targets:\n" +
            "  - {name: hook, format: ocsf, filter: {groups: [default, servers]}, webhook: {url: \"http://127.0.0.1:9/\"}}\n");
        (int code, string output, string error) = Run("config", "check", "-c", path);
        Assert.Equal((0, ""), (code, error));
        foreach (string said in new[]
        {
            "embedded: events are scored on board\n", "dns, ip events to elastic http://127.0.0.1:9299, index logs-nfr.{type}-default\n",
            "elastic: elastic http://127.0.0.1:9299, index logs-nfr.alert-default\n", "(ocsf), only groups default, servers\n",
            "note: output hook: filter.groups: the scope has no group servers; it has default\n",
        }) Assert.Contains(said, output, StringComparison.Ordinal);
        Assert.Contains("stdout and stderr are paths of file", Run("config", "check", "-c", Write("inputs: {sniffer: {enabled: true}}\noutputs: {targets: [{name: a, stdout: {path: x}}]}\n")).Error, StringComparison.Ordinal);
        Assert.Contains("embedded: events stay on this machine\n", Run("config", "check", "-c", Write("inputs: {sniffer: {enabled: true}}\noutputs: {syslog: {ip: 127.0.0.1}}\n")).Out, StringComparison.Ordinal);
    }
}
