using System.CommandLine;
using Nfr.Config;

namespace Nfr.Commands;

/// <summary>"nfr help [COMMAND...]".</summary>
static class HelpCommand
{
    public static Command Build(CommandSetup setup, Command root)
    {
        var words = new Argument<string[]>("command") { HelpName = "COMMAND", Description = "The command, such as \"account register\".", Arity = ArgumentArity.ZeroOrMore };
        var help = new NfrCommand("help", "Show help for a command.") { words };
        help.SetAction(parsed =>
        {
            Command command = root;
            foreach (string word in parsed.GetValue(words) ?? [])
            {
                if (HelpText.Shown(command).FirstOrDefault(c => c.Name == word) is { } next)
                {
                    command = next;
                    continue;
                }
                string? near = Nearest.To(word, HelpText.Shown(command).Select(c => c.Name));
                return setup.Terminal.Fail(ExitCode.Usage, $"no command \"{word}\"{(near is null ? "" : $" (did you mean \"{near}\"?)")}; see nfr help");
            }
            HelpText.Write(command, setup.Terminal.Out);
            return ExitCode.Good;
        });
        return help;
    }
}
