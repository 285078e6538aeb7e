using System.Diagnostics;
using System.Text.RegularExpressions;
using Nfr.Commands;
using Nfr.Commands.Completion;

namespace Nfr.Tests.Package;

/// <summary>Completions, asked of the shells themselves where they are there.</summary>
public sealed class CompletionTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-complete-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static Terminal Quiet() => new(new StringReader(""), new StringWriter(), new StringWriter());

    static CommandNode Tree() => CommandTree.Of(new NfrRootCommand(Quiet(), new Wiring
    {
        Read = (_, _, _) => 0, Start = (_, _, _) => 0, Account = (_, _) => throw new InvalidOperationException("not asked for"),
    }));

    static string Written(string shell)
    {
        Terminal terminal = Quiet();
        Assert.Equal(0, CommandLine.Run(["completion", shell], terminal, new Wiring { Read = (_, _, _) => 0, Start = (_, _, _) => 0, Account = (_, _) => throw new InvalidOperationException("not asked for") }));
        return terminal.Out.ToString()!;
    }

    string Script(string shell)
    {
        string path = Path.Combine(_folder, shell == "zsh" ? "_nfr" : "nfr." + shell);
        File.WriteAllText(path, Written(shell));
        return path;
    }

    string[] Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder };
        start.Environment["HOME"] = _folder;
        start.Environment["XDG_CONFIG_HOME"] = _folder;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}\n{output}{error.Result}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public void A_script_knows_every_command_and_every_option(string shell)
    {
        string script = Written(shell);
        Assert.All(Tree().All.Skip(1), node =>
        {
            Assert.Contains(node.Path, script, StringComparison.Ordinal);
            Assert.All(node.Options.SelectMany(o => o.Names), name => Assert.Contains(shell == "fish" ? name.TrimStart('-') : name, script, StringComparison.Ordinal));
        });
        Assert.DoesNotContain('\r', script);
    }

    [Fact]
    public void The_manual_knows_every_command_and_every_option()
    {
        string manual = Written("man").Replace(@"\-", "-", StringComparison.Ordinal);
        Assert.All(Tree().All.Where(n => n.Path.Length > 0 && n.Children.Count == 0), node =>
        {
            Assert.Contains(".SS nfr " + NfrCommand.PathOf(node.Command), manual, StringComparison.Ordinal);
            Assert.All(node.Options, o => Assert.Contains(".B " + string.Join(", ", o.Names), manual, StringComparison.Ordinal));
        });
    }

    [InstalledTheory("/usr/bin/man")]
    [InlineData("man")]
    [InlineData("man-config")]
    public void The_manual_is_set_without_a_warning(string page)
    {
        string path = Path.Combine(_folder, "page.1");
        File.WriteAllText(path, Written(page));
        var start = new ProcessStartInfo("/usr/bin/man", ["--warnings", "-l", "-E", "UTF-8", "-Tutf8", "-Z", path]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Assert.Equal("", process.StandardError.ReadToEnd());
        process.WaitForExit();
        Assert.True(output.Result.Length > 1000);
    }

    /// <summary>What bash offers behind these words.</summary>
    string[] Bash(params string[] words) => Run("/bin/bash", "--norc", "-c", $"""
        source {Script("bash")}
        COMP_WORDS=(nfr {string.Join(' ', words.Select(w => $"'{w}'"))}); COMP_CWORD={words.Length}
        _nfr 2>/dev/null
        printf '%s\n' "${"{COMPREPLY[@]}"}"
        """);

    [InstalledFact("/bin/bash")]
    public void Bash_offers_commands_options_values_and_files()
    {
        File.WriteAllText(Path.Combine(_folder, "office.pcap"), "");
        Assert.Superset(new HashSet<string>(["start", "read", "status", "config", "version", "completion"]), Bash("").ToHashSet());
        Assert.Equal(["start", "status"], Bash("sta").Order(StringComparer.Ordinal));
        Assert.Equal(["check"], Bash("config", ""));
        Assert.Equal(["--format"], Bash("read", "--fo"));
        Assert.Equal(["pcap"], Bash("read", "--format", "pc"));
        Assert.Equal(["pcap"], Bash("read", "--format", "=", "pc"));
        Assert.Equal(["events"], Bash("read", "--print", "ev"));
        Assert.Equal(["office.pcap"], Bash("read", "off"));
        Assert.Equal(["office.pcap"], Bash("start", "-c", "off"));
        Assert.Equal(["bash", "fish", "zsh"], Bash("completion", "").Order(StringComparer.Ordinal));
    }

    [InstalledFact("/usr/bin/fish")]
    public void Fish_offers_commands_options_values_and_files()
    {
        File.WriteAllText(Path.Combine(_folder, "office.pcap"), "");
        string script = Script("fish");
        string[] Ask(string line) => [.. Run("/usr/bin/fish", "--no-config", "-c", $"source {script}; complete -C '{line}'").Select(l => l.Split('\t')[0])];
        Assert.Superset(new HashSet<string>(["start", "read", "status", "config", "version", "completion"]), Ask("nfr ").ToHashSet());
        Assert.Equal(["check"], Ask("nfr config "));
        Assert.Equal(["--format"], Ask("nfr read --fo"));
        Assert.Equal(["pcap"], Ask("nfr read --format pca"));
        Assert.Equal(["office.pcap"], Ask("nfr read off"));
        Assert.Equal(["office.pcap"], Ask("nfr start -c off"));
    }

    [InstalledFact("/usr/bin/zsh")]
    public void Zsh_offers_commands_options_values_and_files()
    {
        File.WriteAllText(Path.Combine(_folder, "office.pcap"), "");
        Script("zsh");
        // Its completion runs in its line editor alone, so it is asked in a terminal of its own (zpty); what it adds is written down.
        string Ask(string line)
        {
            string asking = Path.Combine(_folder, "ask.zsh");
            File.WriteAllText(asking, $$"""
                zmodload zsh/zpty
                zpty z zsh -f -i
                zpty -w z "PS1= ; fpath=({{_folder}} \$fpath); autoload -Uz compinit; compinit -u -D; cd {{_folder}}; setopt no_beep auto_list; unsetopt list_ambiguous; LISTMAX=1000; stty cols 200; echo re''ady"
                zpty -r z out '*ready*'
                zpty -n -w z "{{line}}"$'\t\t'
                sleep 0.3
                zpty -w z $'\x15echo do''ne'
                zpty -r z out '*done*done*'
                print -r -- "$out"
                zpty -d z
                """);
            return Regex.Replace(string.Join('\n', Run("/usr/bin/zsh", "-f", asking)), @"\x1b\[[0-9;?]*[A-Za-z]", "");
        }
        string commands = Ask("nfr ");
        Assert.All(new[] { "start", "read", "completion" }, word => Assert.Contains(word, commands, StringComparison.Ordinal));
        Assert.Contains("nfr config check", Ask("nfr config "), StringComparison.Ordinal);
        Assert.Contains("office.pcap", Ask("nfr read off"), StringComparison.Ordinal);
        Assert.Contains("--format", Ask("nfr read --fo"), StringComparison.Ordinal);
        Assert.Contains("suricata", Ask("nfr read --format "), StringComparison.Ordinal);
    }

    [Fact]
    public void A_shell_that_nobody_knows_is_refused_with_those_that_are()
    {
        Terminal terminal = Quiet();
        Assert.Equal(2, CommandLine.Run(["completion", "cmd"], terminal, new Wiring { Read = (_, _, _) => 0, Start = (_, _, _) => 0, Account = (_, _) => throw new InvalidOperationException("not asked for") }));
        Assert.Contains("SHELL is bash, zsh or fish; not \"cmd\"; see nfr help completion", terminal.Error.ToString()!, StringComparison.Ordinal);
    }
}
