using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Nfr.Config;

namespace Nfr.Commands;

/// <summary>From the words of the command line to an exit code. Every complaint is one line on stderr.</summary>
public static class CommandLine
{
    public static int Run(IReadOnlyList<string> arguments, Terminal terminal, Wiring wiring)
    {
        ArgumentNullException.ThrowIfNull(terminal);
        var root = new NfrRootCommand(terminal, wiring);
        // A file may be called @x; words are never taken from files.
        ParseResult parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction) return terminal.Fail(ExitCode.Usage, Complaint(parsed));
        return parsed.Invoke(new InvocationConfiguration
        {
            Output = terminal.Out,
            Error = terminal.Error,
            // Main catches exceptions; StopSignals has the signals.
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    static string Complaint(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string path = NfrCommand.PathOf(command);
        string see = path.Length == 0 ? "; see nfr help" : $"; see nfr help {path}";
        return Explain(parsed, command, path) + see;
    }

    static string Explain(ParseResult parsed, Command command, string path)
    {
        string of = path.Length == 0 ? "" : $" for \"{path}\"";
        if (parsed.UnmatchedTokens.Count > 0)
        {
            string token = parsed.UnmatchedTokens[0];
            if (token.StartsWith('-')) return UnknownOption(token, command, path);
            if (!HelpText.Shown(command).Any()) return $"unexpected \"{token}\"{of}";
            string? near = Nearest.To(token, HelpText.Shown(command).Select(c => c.Name));
            return $"unknown command \"{(path.Length == 0 ? "" : path + " ")}{token}\"{(near is null ? "" : $" (did you mean \"{near}\"?)")}";
        }
        foreach (ParseError error in parsed.Errors)
        {
            if (error.SymbolResult is OptionResult option)
            {
                string name = option.IdentifierToken?.Value ?? option.Option.Name;
                return option.Tokens.Count == 0 ? $"option {name} needs a value" : $"option {name} takes one value";
            }
            if (error.SymbolResult is ArgumentResult { Argument: var argument })
                return $"\"{path}\" needs {argument.HelpName ?? argument.Name}";
        }
        if (HelpText.Shown(command).Any())
            return $"\"{path}\" needs a command: {string.Join(", ", HelpText.Shown(command).Select(c => c.Name))}";
        return parsed.Errors[0].Message.ReplaceLineEndings(" ");
    }

    internal static string UnknownOption(string token, Command command, string path)
    {
        token = token.Split('=', ':')[0];
        var known = command.Options.Where(o => !o.Hidden).Select(o => o.Name);
        string? near = token.StartsWith("--", StringComparison.Ordinal) ? Nearest.To(token, known) : null;
        return $"unknown option {token}{(path.Length == 0 ? "" : $" for \"{path}\"")}{(near is null ? "" : $" (did you mean {near}?)")}";
    }
}
