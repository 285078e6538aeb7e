using System.CommandLine;
using System.CommandLine.Completions;

namespace Nfr.Commands.Completion;

/// <summary>What can follow an option or stand for an argument.</summary>
enum ValueKind : byte
{
    /// <summary>The option is a switch.</summary>
    None,
    /// <summary>Free text: nothing is offered.</summary>
    Text,
    /// <summary>One of <see cref="CommandValue.Words"/>.</summary>
    Word,
    /// <summary>A file or folder.</summary>
    Path,
}

/// <param name="Kind">What it can be.</param>
/// <param name="Words">Where only some are taken.</param>
readonly record struct CommandValue(ValueKind Kind, IReadOnlyList<string> Words)
{
    public static CommandValue None { get; } = new(ValueKind.None, []);
}

/// <param name="Names">With their dashes, the short one first.</param>
/// <param name="Value">What follows.</param>
/// <param name="ValueName">As in the help; empty for a switch.</param>
/// <param name="What">Its description.</param>
/// <param name="IsEverywhere">Of nfr itself, and good for every command.</param>
sealed record OptionNode(IReadOnlyList<string> Names, CommandValue Value, string ValueName, string What, bool IsEverywhere);

/// <param name="Path">"/account/register"; empty for nfr itself.</param>
/// <param name="Command">The command itself.</param>
/// <param name="Options">Those that are good here, but for those of nfr itself that are good everywhere.</param>
/// <param name="Arguments">Each argument's values.</param>
/// <param name="Children">Of the next level.</param>
sealed record CommandNode(string Path, Command Command, IReadOnlyList<OptionNode> Options, IReadOnlyList<CommandValue> Arguments, IReadOnlyList<CommandNode> Children)
{
    public string Name => Command.Name;
    public string What => Command.Description ?? "";

    public IEnumerable<CommandNode> All => Children.SelectMany(c => c.All).Prepend(this);

    public bool TakesPaths => Arguments.Any(a => a.Kind == ValueKind.Path);

    public IEnumerable<string> ArgumentWords => Arguments.SelectMany(a => a.Words);
}

/// <summary>The commands as they are, in the form that completions and the manual are written from: none can forget a command.</summary>
static class CommandTree
{
    public static CommandNode Of(Command root) => Of(root, "", []);

    static CommandNode Of(Command command, string path, IReadOnlyList<Option> inherited)
    {
        List<Option> options = [.. command.Options.Concat(inherited).Where(o => !o.Hidden)];
        return new CommandNode(path, command,
            [.. options.Select(o => OptionOf(o, isEverywhere: path.Length == 0 && o.Recursive))],
            [.. command.Arguments.Where(a => !a.Hidden).Select(a => ArgumentOf(command, a))],
            // Those of nfr itself are said once; those of a command between, such as "engine", with each below it.
            [.. HelpText.Shown(command).Select(c => Of(c, $"{path}/{c.Name}", path.Length == 0 ? [] : [.. options.Where(o => o.Recursive)]))]);
    }

    static OptionNode OptionOf(Option option, bool isEverywhere)
    {
        bool isSwitch = option.ValueType == typeof(bool) || option.ValueType == typeof(void) || option.Arity.MaximumNumberOfValues == 0;
        return new([.. option.Aliases.Append(option.Name).Distinct().OrderBy(n => n.Length)],
            isSwitch ? CommandValue.None : ValueOf(option.HelpName ?? option.Name, option.GetCompletions(CompletionContext.Empty)),
            isSwitch ? "" : option.HelpName ?? "VALUE", option.Description ?? "", isEverywhere);
    }

    /// <summary>"help" is followed by the names of commands.</summary>
    static CommandValue ArgumentOf(Command command, Argument argument) => command.Name == "help" && command.Parents.OfType<RootCommand>().FirstOrDefault() is { } root
        ? new(ValueKind.Word, [.. HelpText.Shown(root).Select(c => c.Name)])
        : ValueOf(argument.HelpName ?? argument.Name, argument.GetCompletions(CompletionContext.Empty));

    static CommandValue ValueOf(string name, IEnumerable<CompletionItem> items)
    {
        List<string> words = [.. items.Select(i => i.Label)];
        if (words.Count > 0) return new(ValueKind.Word, words);
        return new(IsPath(name) ? ValueKind.Path : ValueKind.Text, []);
    }

    static bool IsPath(string name) => new[] { "FILE", "FOLDER", "DIR", "PATH" }.Any(p => name.Contains(p, StringComparison.OrdinalIgnoreCase));
}
