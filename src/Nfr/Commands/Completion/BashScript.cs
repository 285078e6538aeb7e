namespace Nfr.Commands.Completion;

/// <summary>For bash 4 and later, with or without the package bash-completion.</summary>
static class BashScript
{
    public static void Write(CommandNode root, TextWriter to)
    {
        to.Write("""
            # bash completion for nfr, made by "nfr completion bash"
            _nfr() {
                local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at= words= options= files= i
                COMPREPLY=()
                # --option=value comes in three words.
                if [[ $cur == = ]]; then cur=
                elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then prev=${COMP_WORDS[COMP_CWORD-2]}
                fi
                for ((i = 1; i < COMP_CWORD; i++)); do
                    case $at/${COMP_WORDS[i]} in

            """);
        to.WriteLine($"            {string.Join(" | ", Below(root).Select(c => c.Path))}) at=$at/${{COMP_WORDS[i]}} ;;");
        to.Write("""
                    esac
                done
                case $at:$prev in

            """);
        foreach (CommandNode node in root.All)
        {
            foreach (OptionNode option in node.Options.Where(o => o.Value.Kind != ValueKind.None && !o.IsEverywhere)) Value(to, option, node.Path);
        }
        foreach (OptionNode option in root.Options.Where(o => o.Value.Kind != ValueKind.None && o.IsEverywhere)) Value(to, option, "*");
        to.Write("""
                esac
                case $at in

            """);
        string everywhere = Names(root.Options.Where(o => o.IsEverywhere));
        foreach (CommandNode node in root.All)
        {
            string words = string.Join(' ', node.Children.Select(c => c.Name).Concat(node.ArgumentWords));
            string options = string.Join(' ', new[] { Names(node.Options.Where(o => node != root || !o.IsEverywhere)), everywhere }.Where(n => n.Length > 0));
            to.WriteLine($"        '{node.Path}') words='{words}' options='{options}'{(node.TakesPaths ? " files=1" : "")} ;;");
        }
        to.Write("""
                esac
                [[ $cur == -* ]] && words=$options
                mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
                if [[ $files && $cur != -* ]]; then
                    compopt -o filenames 2>/dev/null
                    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
                fi
            }
            complete -F _nfr nfr

            """);
    }

    static void Value(TextWriter to, OptionNode option, string at)
    {
        string pattern = string.Join(" | ", option.Names.Select(n => $"{at}:{n}"));
        to.WriteLine(option.Value.Kind switch
        {
            ValueKind.Word => $"        {pattern}) mapfile -t COMPREPLY < <(compgen -W '{string.Join(' ', option.Value.Words)}' -- \"$cur\"); return ;;",
            ValueKind.Path => $"        {pattern}) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;",
            _ => $"        {pattern}) return ;;",
        });
    }

    static string Names(IEnumerable<OptionNode> options) => string.Join(' ', options.SelectMany(o => o.Names));

    static IEnumerable<CommandNode> Below(CommandNode root) => root.All.Skip(1);
}
