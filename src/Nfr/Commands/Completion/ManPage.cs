using Nfr.Config;

namespace Nfr.Commands.Completion;

/// <summary>nfr(1) from the commands' own help, and nfr-config(5) from the shipped config, as man(7) wants it.</summary>
static class ManPage
{
    public static void Write(CommandNode root, TextWriter to)
    {
        Head(to, "NFR", 1, "User commands");
        to.Write("""
            .SH NAME
            nfr \- Network Flight Recorder, a passive network sensor
            .SH SYNOPSIS
            .B nfr
            .I COMMAND
            .RI [ OPTIONS ]
            .SH DESCRIPTION

            """);
        Text(to, root.What);
        Text(to, "It listens on the mirror (SPAN) port of a switch or behind a TAP and never sends anything there. What it sees is scored on board, kept over outages and, where an engine is set up, uploaded.");
        to.WriteLine(".SH OPTIONS");
        Options(to, root.Options);
        to.WriteLine(".SH COMMANDS");
        foreach (CommandNode node in root.All.Where(n => n.Path.Length > 0 && n.Children.Count == 0)) Command(to, node);
        to.Write("""
            .SH EXIT STATUS
            .TP
            .B 0
            It was done.
            .TP
            .B 1
            It failed; the reason is one line on standard error.
            .TP
            .B 2
            The command line or the config has mistakes, each with its line.
            .TP
            .B 3
            .BR "nfr status" :
            the sensor is in trouble.
            .SH SIGNALS
            .TP
            .BR SIGTERM ", " SIGINT
            .B nfr start
            drains: what was captured is written to the spool, which takes a few seconds at most. A second one ends it at once.
            .TP
            .B SIGHUP
            Started by systemd, it checks its config and, when that has no mistake, drains and begins anew in the same process
            .RB ( "systemctl reload nfr" ).
            .SH ENVIRONMENT
            .TP
            .B NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID
            Set by
            .BR systemd (1):
            it is told when the sensor is ready, how it is, and that it lives while its capture goes on; see
            .BR sd_notify (3).
            .TP
            .B NFR_TRACE=1
            A mistake in nfr itself is told with all that it has to say.
            .SH FILES
            .TP
            .I /etc/nfr/config.yml
            The config; see
            .BR nfr-config (5).
            .TP
            .I /etc/nfr/scope.yml
            Whose traffic is watched.
            .TP
            .I /etc/nfr/feeds/
            Your own lists of bad names and addresses.
            .TP
            .I /var/lib/nfr/
            The spool and what the sensor learned.
            .TP
            .I /run/nfr/status.sock
            Where
            .B nfr status
            asks the running sensor; for its user and its group nfr.
            .TP
            .I /run/nfr/requests/
            An empty file here, named reload, restart, upgrade\-check, factory\-reset, reboot or shutdown, asks this of the machine; for the group nfr.
            .SH EXAMPLES

            """);
        foreach (CommandNode node in root.All)
        {
            foreach ((string line, string what) in ExamplesOf(node).Take(2))
            {
                to.WriteLine(".TP");
                to.WriteLine($".B nfr {Escaped(line)}");
                Text(to, what, paragraph: false);
            }
        }
        to.Write("""
            .SH SEE ALSO
            .BR nfr-config (5),
            .BR systemctl (1),
            .BR journalctl (1)

            """);
    }

    public static void WriteConfig(TextWriter to)
    {
        Head(to, "NFR-CONFIG", 5, "File formats");
        to.Write("""
            .SH NAME
            nfr-config \- the config of the Network Flight Recorder
            .SH SYNOPSIS
            .I /etc/nfr/config.yml
            .br
            .I /etc/nfr/scope.yml
            .SH DESCRIPTION
            Both are YAML.
            .B nfr config check
            tells what the sensor would do, or every mistake at once with its line;
            .B systemctl reload nfr
            brings a change into force. These are the files as they are shipped, with every key.
            .SH CONFIG.YML

            """);
        Verbatim(to, ShippedFiles.Config);
        to.WriteLine(".SH SCOPE.YML");
        Verbatim(to, ShippedFiles.Scope);
        to.WriteLine(".SH SEE ALSO");
        to.WriteLine(".BR nfr (1)");
    }

    static void Head(TextWriter to, string name, int section, string title) => to.WriteLine($".TH {name} {section} \"\" \"nfr {VersionText.Version}\" \"{title}\"");

    static void Command(TextWriter to, CommandNode node)
    {
        to.WriteLine($".SS nfr {Escaped(NfrCommand.PathOf(node.Command))}");
        Text(to, node.What);
        foreach (string remark in (node.Command as NfrCommand)?.Remarks ?? []) Text(to, remark);
        foreach (System.CommandLine.Argument argument in node.Command.Arguments.Where(a => !a.Hidden)) Item(to, argument.HelpName ?? argument.Name, argument.Description ?? "");
        Options(to, node.Options);
    }

    static void Options(TextWriter to, IEnumerable<OptionNode> options)
    {
        foreach (OptionNode option in options) Item(to, string.Join(", ", option.Names) + (option.ValueName.Length > 0 ? " " + option.ValueName : ""), option.What);
    }

    static void Item(TextWriter to, string name, string what)
    {
        to.WriteLine(".TP");
        to.WriteLine($".B {Escaped(name)}");
        Text(to, what, paragraph: false);
    }

    static IReadOnlyList<(string Line, string What)> ExamplesOf(CommandNode node) => node.Command switch
    {
        NfrRootCommand root => root.Examples,
        NfrCommand command => command.Examples,
        _ => [],
    };

    static void Text(TextWriter to, string text, bool paragraph = true)
    {
        if (text.Length == 0) return;
        if (paragraph) to.WriteLine(".PP");
        to.WriteLine(Line(text));
    }

    static void Verbatim(TextWriter to, string text)
    {
        to.WriteLine(".nf");
        foreach (string line in text.TrimEnd('\n').Split('\n')) to.WriteLine(Line(line));
        to.WriteLine(".fi");
    }

    /// <summary>A line that begins with a dot or an apostrophe would be a request.</summary>
    static string Line(string text) => text is ['.' or '\'', ..] ? @"\&" + Escaped(text) : Escaped(text);

    static string Escaped(string text) => text.Replace("\\", @"\e", StringComparison.Ordinal).Replace("-", @"\-", StringComparison.Ordinal).Replace("\n", " ", StringComparison.Ordinal);
}
