using Nfr.Storage;
using Nfr.Tests.Capture;

namespace Nfr.Tests.Sensor;

/// <summary>What the world or the user gets wrong is one clear line and the right exit code, never a stack trace.</summary>
public sealed class RefusalTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-refusal-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string Write(string text, string name = "config.yml")
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    string Config(string sniffer = "    interface: lo", string more = "") => Write($"""
        inputs:
          sniffer:
            enabled: true
        {sniffer}
        {(more.Contains("data:", StringComparison.Ordinal) ? "" : $"data:\n  dir: {_folder}/data")}
        {more}

        """);

    static Ended Start(string config, params string[] prefix) => NfrProcess.Run(["start", "-c", config], prefix);

    [Fact]
    public void A_missing_interface_is_one_line_and_exit_1() =>
        Start(Config("    interface: eth99")).Fails(1, "capture: interface eth99 does not exist; interfaces here: ");

    [CableFact]
    public void A_filter_that_does_not_compile_is_one_line_and_exit_1() =>
        Start(Config("    interface: lo\n    filter: udp prot 53")).Fails(1, "capture: the filter \"udp prot 53\" does not compile: ");

    [Fact]
    public void A_missing_config_is_one_line_and_exit_2() => Start(Path.Combine(_folder, "none.yml")).Fails(2, "none.yml: cannot be read: no such file");

    [Fact]
    public void An_unknown_key_is_named_with_its_line()
    {
        Ended end = Start(Config(more: "engin:\n  host: embedded"));
        end.Fails(2, "config.yml:7: ");
        Assert.Contains("\"engine\"", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_fault_of_a_config_is_told_at_once()
    {
        Ended end = Start(Write("inputs:\n  sniffer:\n    enabled: perhaps\n    workers: 99\nlog:\n  level: loud\n"));
        Assert.Equal(2, end.Code);
        Assert.Equal(3, end.ErrorLines.Length);
        Assert.All(end.ErrorLines, line => Assert.Matches("config.yml:[346]: ", line));
    }

    [Theory]
    [InlineData("\tinputs: {")]
    [InlineData("inputs: [unclosed")]
    [InlineData("\0\u0001\u0002")]
    [InlineData("- a list\n- not a map")]
    public void What_is_no_yaml_is_exit_2_with_its_place(string text)
    {
        Ended end = Start(Write(text));
        Assert.Equal(2, end.Code);
        Assert.All(end.ErrorLines, line => Assert.Contains("config.yml", line, StringComparison.Ordinal));
        Assert.NotEmpty(end.ErrorLines);
    }

    [Fact]
    public void A_scope_with_faults_is_exit_2_with_every_line()
    {
        Write("groups:\n  default:\n    in_scope:\n    - 10.0.0.0/99\n    trusted_ips: [nonsense]\n    colour: red\n", "scope.yml");
        Ended end = Start(Config(more: "scope:\n  file: scope.yml"));
        Assert.Equal(2, end.Code);
        Assert.Equal(3, end.ErrorLines.Length);
        Assert.All(end.ErrorLines, line => Assert.Contains("scope.yml:", line, StringComparison.Ordinal));
    }

    [Fact]
    public void A_data_folder_that_cannot_be_made_is_one_line_and_exit_1() =>
        Start(Config(more: "data:\n  dir: /proc/nfr")).Fails(1, "data.dir: cannot create /proc/nfr: ");

    [Fact]
    public void A_data_folder_that_is_a_file_is_named() =>
        Start(Config(more: $"data:\n  dir: {Write("", "occupied")}")).Fails(2, "occupied is a file; a folder is needed");

    [CableFact]
    public void A_second_sensor_on_the_same_spool_is_one_line_and_exit_1()
    {
        using var bench = new SensorBench();
        NfrProcess first = bench.Listen();
        first.Expect("spool: ");
        bench.Start().End().Fails(1, "spool");
        first.Signal(NfrProcess.Terminate);
        Assert.Equal(0, first.End().Code);
    }

    [UnprivilegedFact]
    public void Without_permission_the_line_names_the_capability()
    {
        using var bench = new SensorBench();
        Unprivileged.Own(bench.In(""));
        string data = Path.Combine(bench.In(""), "data");
        NfrProcess.Run(["start", "-c", bench.ConfigPath], ["nsenter", "--net=/run/netns/" + bench.Network.Name, .. Unprivileged.Prefix(capability: false)], program: Unprivileged.Program)
            .Fails(1, "capture: no permission to open a packet socket on near: run as root or give the binary CAP_NET_RAW");
        Assert.True(Directory.Exists(data));
    }

    [UnprivilegedFact]
    public void A_user_with_cap_net_raw_and_nothing_else_captures()
    {
        using var bench = new SensorBench();
        Unprivileged.Own(bench.In(""));
        using NfrProcess sensor = NfrProcess.Start(
            ["start", "-c", bench.ConfigPath], ["nsenter", "--net=/run/netns/" + bench.Network.Name, .. Unprivileged.Prefix(capability: true)], program: Unprivileged.Program);
        sensor.Expect("capture: listening on near");
        Assert.Contains("CapEff:\t0000000000002000", File.ReadAllText($"/proc/{sensor.Id}/status"), StringComparison.Ordinal);
        using (var load = new DnsLoad(bench.Network, 500)) sensor.Until(() => load.Sent > 200, "some questions");
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Equal(0, end.Code);
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        using Spool spool = bench.OpenSpool();
        Assert.True(spool.Counters.Total.InSpool > 200);
    }

    [UnprivilegedFact]
    public void A_user_without_any_right_follows_logs_when_the_sniffer_is_off()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-nobody-").FullName, log = Path.Combine(folder, "query.log"), config = Path.Combine(folder, "config.yml");
        try
        {
            File.WriteAllText(log, string.Concat(Enumerable.Range(0, 300).Select(ReadLogTests.Query)));
            File.WriteAllText(config, $$"""
                engine: {host: embedded}
                inputs:
                  sniffer: {enabled: false}
                  monitor:
                  - {file: {{log}}}
                outputs: {file: {{folder}}/alerts.json}
                scoring: {feeds: {{folder}}/feeds}
                data: {dir: {{folder}}/data, file: {{folder}}/nfr.data}
                status: {socket: {{folder}}/status.sock}
                metrics: {listen: off}

                """);
            Unprivileged.Own(folder);
            using NfrProcess sensor = NfrProcess.Start(["start", "-c", config], Unprivileged.Prefix(capability: false), folder, program: Unprivileged.Program);
            sensor.Expect("inputs: logs reads");
            string status = File.ReadAllText($"/proc/{sensor.Id}/status");
            Assert.Matches(@"\nUid:\t65534\t65534\t65534\t65534\n", status);
            Assert.Contains("CapEff:\t0000000000000000", status, StringComparison.Ordinal);
            File.AppendAllText(log, string.Concat(Enumerable.Range(300, 200).Select(ReadLogTests.Query)));
            sensor.Until(() => NfrProcess.Run(["status", "--json", "-c", config]).Output.Contains("\"lines\":500", StringComparison.Ordinal), "500 lines");
            sensor.Signal(NfrProcess.Terminate);
            Ended end = sensor.End();
            Assert.Equal(0, end.Code);
            Assert.Contains("The ledger closes: every line and every event", end.Output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("strat", 2)]
    [InlineData("start extra", 2)]
    [InlineData("start --workers 2", 2)]
    [InlineData("read", 2)]
    [InlineData("read --stats --json --print events x", 2)]
    [InlineData("read --json x", 2)]
    [InlineData("read --print lunch x", 2)]
    [InlineData("read --format brot x", 2)]
    [InlineData("account", 2)]
    [InlineData("account reset nobody", 2)]
    [InlineData("simulate everything", 2)]
    [InlineData("demo --seconds 1", 2)]
    [InlineData("-c", 2)]
    [InlineData("help nonsense", 2)]
    [InlineData("help", 0)]
    [InlineData("--help", 0)]
    [InlineData("help read", 0)]
    [InlineData("read --help", 0)]
    [InlineData("help account register", 0)]
    [InlineData("version", 0)]
    public void Strange_words_get_a_plain_answer(string words, int code)
    {
        Ended end = NfrProcess.Run(words.Split(' ', StringSplitOptions.RemoveEmptyEntries), folder: _folder);
        Assert.True(end.Code == code, $"{end.Code}\n{end.Output}\n{end.Error}");
        Assert.DoesNotContain("   at ", end.Output + end.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("mistake in nfr", end.Error, StringComparison.Ordinal);
        if (code == 0) Assert.Empty(end.Error);
        else Assert.Single(end.ErrorLines);
    }
}

/// <summary>The program as nobody (uid 65534), who may read a copy of it if not the original.</summary>
static class Unprivileged
{
    const string User = "65534";

    static readonly Lazy<string> s_program = new(Reachable);

    public static string Program => s_program.Value;

    public static string[] Prefix(bool capability) =>
    [
        "setpriv", "--reuid", User, "--regid", User, "--clear-groups",
        .. capability ? ["--inh-caps", "-all,+net_raw", "--ambient-caps", "-all,+net_raw"] : (string[])["--inh-caps", "-all", "--ambient-caps", "-all"],
    ];

    /// <summary>Gives a folder and what is in it away.</summary>
    public static void Own(string folder)
    {
        using var chown = System.Diagnostics.Process.Start("chown", ["-R", User + ":" + User, folder]);
        chown.WaitForExit();
        Assert.Equal(0, chown.ExitCode);
    }

    public static string? WhyNot { get; } = Probe();

    static string? Probe()
    {
        if (NetworkNamespace.WhyNot is { } reason) return reason;
        try
        {
            return Works(Program) ? null : "this user cannot become another one here, or dotnet cannot be read by others";
        }
        catch (Exception e) when (e is IOException or System.ComponentModel.Win32Exception)
        {
            return e.Message;
        }
    }

    static string Reachable()
    {
        if (OperatingSystem.IsWindows() || Works(NfrProcess.Program)) return NfrProcess.Program;
        string copy = Directory.CreateTempSubdirectory("nfr-copy-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(copy, recursive: true);
        File.SetUnixFileMode(copy, (UnixFileMode)0b111_101_101);
        foreach (string file in Directory.GetFiles(AppContext.BaseDirectory).Where(f => f.EndsWith(".dll", StringComparison.Ordinal) || Path.GetFileName(f).StartsWith("nfr.", StringComparison.Ordinal)))
        {
            string target = Path.Combine(copy, Path.GetFileName(file));
            File.Copy(file, target);
            File.SetUnixFileMode(target, (UnixFileMode)0b110_100_100);
        }
        return Path.Combine(copy, "nfr.dll");
    }

    static bool Works(string program) => NfrProcess.Run(["version"], Prefix(capability: false), folder: "/", program: program).Code == 0;
}

/// <summary>A test as another user; skipped with its reason where that is not permitted.</summary>
sealed class UnprivilegedFactAttribute : FactAttribute
{
    public UnprivilegedFactAttribute() => Skip = Unprivileged.WhyNot;
}
