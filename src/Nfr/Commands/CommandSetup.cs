using System.CommandLine;
using Nfr.Config;

namespace Nfr.Commands;

/// <summary>What every command is built with.</summary>
sealed record CommandSetup(Terminal Terminal, Wiring Wiring, Option<string?> ConfigOption)
{
    /// <summary>The config file that is meant, whether it exists or not.</summary>
    public string ConfigPath(ParseResult parsed) => parsed.GetValue(ConfigOption) ?? Wiring.DefaultConfig;

    /// <summary>
    /// The config that is meant; null when it has faults, which are then told. Without -c and without a file at the default place, the defaults
    /// apply where <paramref name="orDefaults"/>; where the command <paramref name="creates"/> the file, also with -c. One that <paramref name="asks"/> a sensor which runs already takes the
    /// defaults also where the file at the default place has faults, or lies on a disk that fails.
    /// </summary>
    public NfrConfig? Load(ParseResult parsed, bool orDefaults, bool creates = false, bool asks = false)
    {
        string path = ConfigPath(parsed);
        bool named = parsed.GetValue(ConfigOption) is not null;
        if ((creates || !named) && !Path.Exists(path))
        {
            if (orDefaults || creates) return NfrConfig.Default(path);
            Terminal.Fail(ExitCode.Usage, $"there is no {path}; put the shipped config.yml and scope.yml there, or name a config with -c FILE");
            return null;
        }
        NfrConfig? config = ConfigFile.Load(path, out IReadOnlyList<ConfigFault> faults);
        Tell(faults);
        return config ?? (asks && !named ? NfrConfig.Default(path) : null);
    }

    /// <summary>The scope that the config names; null when it has faults, which are then told.</summary>
    public IReadOnlyList<ScopeGroupSection>? LoadScope(NfrConfig config)
    {
        var scope = ScopeFile.Load(config.Scope, out IReadOnlyList<ConfigFault> faults);
        Tell(faults);
        return scope;
    }

    public void Tell(IEnumerable<ConfigFault> faults)
    {
        foreach (ConfigFault fault in faults) Terminal.Error.WriteLine(fault);
    }

    public int Usage(string command, string message) => Terminal.Fail(ExitCode.Usage, $"{message}; see nfr help {command}");
}
