using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;

namespace Nfr.Commands;

/// <summary>"nfr version".</summary>
sealed class VersionText : SynchronousCommandLineAction
{
    /// <summary>Such as 2.0.0; without the commit that the build appends.</summary>
    public static string Version { get; } =
        typeof(VersionText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    static readonly Option<bool> s_sbom = new("--sbom") { Description = "List what is in this program, as SPDX 2.3 JSON." };

    /// <summary>For the package of another processor, which cannot be asked here.</summary>
    static readonly Option<string?> s_rid = new("--rid") { Hidden = true };

    public override bool ClearsParseErrors => true;

    public static Command Build() => new NfrCommand("version", "Show the version.")
    {
        Options = { s_sbom, s_rid },
        Action = new VersionText(),
        Examples = [("version --sbom > nfr.spdx.json", "The packages, the runtime and the libraries behind this program.")],
    };

    public override int Invoke(ParseResult parseResult)
    {
        if (parseResult.GetValue(s_sbom))
        {
            parseResult.InvocationConfiguration.Output.Write(System.Text.Encoding.UTF8.GetString(Sbom.Write(parseResult.GetValue(s_rid))));
            return ExitCode.Good;
        }
        parseResult.InvocationConfiguration.Output.WriteLine("nfr version " + Version);
        return ExitCode.Good;
    }
}
