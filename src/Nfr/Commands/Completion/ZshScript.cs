namespace Nfr.Commands.Completion;

/// <summary>For zsh: the file _nfr in a folder of its fpath.</summary>
static class ZshScript
{
    public static void Write(CommandNode root, TextWriter to)
    {
        to.Write("""
            #compdef nfr
            # zsh completion for nfr, made by "nfr completion zsh"
            _nfr() {
              local at= i
              local -a commands options
              for ((i = 2; i < CURRENT; i++)); do
                case $at/${words[i]} in

            """);
        to.WriteLine($"      {string.Join('|', root.All.Skip(1).Select(c => c.Path))}) at=$at/${{words[i]}} ;;");
        to.Write("""
                esac
              done
              case $at:${words[CURRENT-1]} in

            """);
        foreach (CommandNode node in root.All)
        {
            foreach (OptionNode option in node.Options.Where(o => o.Value.Kind != ValueKind.None && !o.IsEverywhere)) Value(to, option, node.Path);
        }
        foreach (OptionNode option in root.Options.Where(o => o.Value.Kind != ValueKind.None && o.IsEverywhere)) Value(to, option, "*");
        to.WriteLine("  esac");
        to.WriteLine("  case $at in");
        foreach (CommandNode node in root.All)
        {
            to.WriteLine($"    '{node.Path}')");
            if (node.Children.Count > 0) to.WriteLine($"      commands=({string.Join(' ', node.Children.Select(c => Pair(c.Name, c.What)))})");
            if (node.ArgumentWords.Any()) to.WriteLine($"      compadd -- {string.Join(' ', node.ArgumentWords)}");
            IEnumerable<OptionNode> options = node.Options.Where(o => node != root || !o.IsEverywhere).Concat(root.Options.Where(o => o.IsEverywhere));
            to.WriteLine($"      options=({string.Join(' ', options.SelectMany(o => o.Names.Select(n => Pair(n, o.What))))})");
            if (node.TakesPaths) to.WriteLine("      [[ $PREFIX == -* ]] || _files");
            to.WriteLine("      ;;");
        }
        to.Write("""
              esac
              (( $#commands )) && _describe -t commands command commands
              [[ $PREFIX == -* ]] && _describe -o -t options option options
            }
            # Loaded by compinit it is called at once; sourced it registers itself.
            if [[ ${funcstack[1]} == _nfr ]]; then _nfr "$@"; else compdef _nfr nfr; fi

            """);
    }

    static void Value(TextWriter to, OptionNode option, string at)
    {
        string pattern = string.Join('|', option.Names.Select(n => $"{at}:{n}"));
        to.WriteLine(option.Value.Kind switch
        {
            ValueKind.Word => $"    {pattern}) compadd -- {string.Join(' ', option.Value.Words)}; return ;;",
            ValueKind.Path => $"    {pattern}) _files; return ;;",
            _ => $"    {pattern}) _message '{option.ValueName}'; return ;;",
        });
    }

    /// <summary>name:description; a colon in either would end it.</summary>
    static string Pair(string name, string what) => "'" + $"{name.Replace(":", "\\:", StringComparison.Ordinal)}:{what.Replace(":", "\\:", StringComparison.Ordinal)}".Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
