using System.CommandLine;

namespace Nfr.Commands.Completion;

/// <summary>"nfr completion SHELL".</summary>
static class CompletionCommand
{
    static readonly string[] s_shells = ["bash", "zsh", "fish"];

    public static Command Build(CommandSetup setup, Command root)
    {
        var shell = new Argument<string>("shell") { HelpName = "SHELL", Description = "bash, zsh or fish." };
        shell.CompletionSources.Add(s_shells);
        var completion = new NfrCommand("completion", "Write what a shell needs to complete nfr's commands.")
        {
            Remarks = ["The Debian package brings these files; this is for a program that was copied."],
            Examples =
            [
                ("completion bash > /etc/bash_completion.d/nfr", "For bash."),
                ("completion zsh > /usr/local/share/zsh/site-functions/_nfr", "For zsh."),
                ("completion fish > ~/.config/fish/completions/nfr.fish", "For fish."),
            ],
        };
        completion.Add(shell);
        completion.SetAction(parsed => Write(setup, root, parsed.GetValue(shell)!));
        return completion;
    }

    static int Write(CommandSetup setup, Command root, string shell)
    {
        CommandNode tree = CommandTree.Of(root);
        TextWriter to = setup.Terminal.Out;
        switch (shell)
        {
            case "bash": BashScript.Write(tree, to); break;
            case "zsh": ZshScript.Write(tree, to); break;
            case "fish": FishScript.Write(tree, to); break;
            // For the package alone.
            case "man": ManPage.Write(tree, to); break;
            case "man-config": ManPage.WriteConfig(to); break;
            default: return setup.Usage("completion", $"SHELL is {string.Join(", ", s_shells[..^1])} or {s_shells[^1]}; not \"{shell}\"");
        }
        return ExitCode.Good;
    }
}
