namespace Nfr.Commands.Completion;

/// <summary>For fish 3 and later.</summary>
static class FishScript
{
    public static void Write(CommandNode root, TextWriter to)
    {
        to.Write("""
            # fish completion for nfr, made by "nfr completion fish"
            function __nfr_at
                set -l at
                for word in (commandline -opc)[2..-1]
                    switch "$at/$word"

            """);
        to.WriteLine($"            case {string.Join(' ', root.All.Skip(1).Select(c => c.Path))}");
        to.Write("""
                            set at "$at/$word"
                    end
                end
                test "$at" = "$argv[1]"
            end
            complete -c nfr -f

            """);
        foreach (OptionNode option in root.Options.Where(o => o.IsEverywhere)) Option(to, option, null);
        foreach (CommandNode node in root.All)
        {
            foreach (CommandNode child in node.Children) to.WriteLine($"complete -c nfr -n '__nfr_at \"{node.Path}\"' -a {child.Name} -d {Quoted(child.What)}");
            foreach (OptionNode option in node.Options.Where(o => !o.IsEverywhere)) Option(to, option, node.Path);
            foreach (string word in node.ArgumentWords) to.WriteLine($"complete -c nfr -n '__nfr_at \"{node.Path}\"' -a {word}");
            if (node.TakesPaths) to.WriteLine($"complete -c nfr -n '__nfr_at \"{node.Path}\"' -F");
        }
    }

    static void Option(TextWriter to, OptionNode option, string? at)
    {
        string line = "complete -c nfr" + (at is null ? "" : $" -n '__nfr_at \"{at}\"'");
        foreach (string name in option.Names) line += name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]}" : $" -s {name[1..]}";
        line += option.Value.Kind switch
        {
            ValueKind.Word => $" -x -a '{string.Join(' ', option.Value.Words)}'",
            ValueKind.Path => " -r -F",
            ValueKind.Text => " -x",
            _ => "",
        };
        to.WriteLine($"{line} -d {Quoted(option.What)}");
    }

    static string Quoted(string text) => "'" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal) + "'";
}
