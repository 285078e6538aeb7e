using System.CommandLine;
using System.CommandLine.Invocation;

namespace Nfr.Commands;

/// <summary>Writes the help of a command, 80 columns wide.</summary>
sealed class HelpText : SynchronousCommandLineAction
{
    const int Width = 80;
    const int MaxFirstColumn = 26;

    // Asking for help is never a mistake.
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        Write(parseResult.CommandResult.Command, parseResult.InvocationConfiguration.Output);
        return ExitCode.Good;
    }

    public static void Write(Command command, TextWriter output)
    {
        bool root = command is RootCommand;
        string path = NfrCommand.PathOf(command);
        Paragraph(output, "", command.Description ?? "");
        foreach (string remark in (command as NfrCommand)?.Remarks ?? [])
        {
            output.WriteLine();
            Paragraph(output, "", remark);
        }
        output.WriteLine("\nUsage:");
        Paragraph(output, "  ", Usage(command, path), "      ");

        List<(string, string)> rows = [];
        foreach (Command leaf in Leaves(command)) rows.Add((NfrCommand.PathOf(leaf), leaf.Description ?? ""));
        Table(output, "Commands", rows);
        Table(output, "Arguments", [.. command.Arguments.Where(a => !a.Hidden).Select(a => (a.HelpName ?? a.Name, a.Description ?? ""))]);
        Table(output, "Options", [.. OptionsOf(command).Select(o => (Names(o), o.Description ?? ""))]);

        IReadOnlyList<(string Line, string What)> examples = command is NfrRootCommand r ? r.Examples : (command as NfrCommand)?.Examples ?? [];
        if (examples.Count > 0) output.WriteLine("\nExamples:");
        foreach ((string line, string what) in examples)
        {
            Paragraph(output, "  # ", what, "  # ");
            Paragraph(output, "  ", "nfr " + line, "      ");
        }
        if (root || Shown(command).Any()) output.WriteLine($"\n\"nfr help {(root ? "" : path + " ")}COMMAND\" tells more about a command.");
    }

    static IEnumerable<Command> Leaves(Command command) =>
        Shown(command).SelectMany(c => !Shown(c).Any() ? [c] : c.Action is null ? Leaves(c) : Leaves(c).Prepend(c));

    /// <summary>Hidden commands are a command's own child processes, not the user's.</summary>
    internal static IEnumerable<Command> Shown(Command command) => command.Subcommands.Where(c => !c.Hidden);

    static IEnumerable<Option> OptionsOf(Command command)
    {
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
        {
            foreach (Option option in at.Options)
            {
                if (!option.Hidden && (at == command || option.Recursive)) yield return option;
            }
        }
    }

    static string Usage(Command command, string path)
    {
        List<string> words = ["nfr"];
        if (path.Length > 0) words.Add(path);
        if (Shown(command).Any()) words.Add(command.Action is null || command is RootCommand ? "COMMAND" : "[COMMAND]");
        if (OptionsOf(command).Any()) words.Add("[OPTIONS]");
        foreach (Argument argument in command.Arguments.Where(a => !a.Hidden))
        {
            string name = argument.HelpName ?? argument.Name;
            if (argument.Arity.MaximumNumberOfValues > 1) name += "...";
            words.Add(argument.Arity.MinimumNumberOfValues == 0 ? $"[{name}]" : name);
        }
        return string.Join(' ', words);
    }

    static string Names(Option option)
    {
        string names = string.Join(", ", option.Aliases.Append(option.Name).OrderBy(n => n.Length));
        return option.HelpName is { } value && option.ValueType != typeof(bool) ? $"{names} {value}" : names;
    }

    static void Table(TextWriter output, string title, IReadOnlyList<(string First, string Second)> rows)
    {
        if (rows.Count == 0) return;
        output.WriteLine($"\n{title}:");
        int column = Math.Min(MaxFirstColumn, rows.Max(r => r.First.Length)) + 4;
        foreach ((string first, string second) in rows)
        {
            string lead = "  " + first;
            if (lead.Length + 2 > column)
            {
                output.WriteLine(lead);
                lead = "";
            }
            Paragraph(output, lead.PadRight(column), second, new string(' ', column));
        }
    }

    static void Paragraph(TextWriter output, string lead, string text, string? follow = null)
    {
        string line = lead;
        bool empty = true;
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!empty && line.Length + 1 + word.Length > Width)
            {
                output.WriteLine(line.TrimEnd());
                line = follow ?? lead;
                empty = true;
            }
            line += empty ? word : " " + word;
            empty = false;
        }
        output.WriteLine(line.TrimEnd());
    }
}
